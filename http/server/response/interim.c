/* SPDX-License-Identifier: MIT */
/* Interim responses (1xx), which precede the final one. */
#include "config.h"

#include "http/server/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool may_be_said(const struct cg_http_field *field)
{
    return cg__http_message_is_token(field->name, strlen(field->name)) &&
           field->value != NULL &&
           cg__http_message_is_value(field->value, strlen(field->value)) &&
           !cg__http_message_is_framing(field->name, strlen(field->name));
}

/* The size of all fields, or the error if they cannot be sent. */
static ssize_t measure(const struct cg_http_request *req, const struct cg_http_field *field)
{
    size_t size = 0;

    for (; field != NULL && field->name != NULL; field++) {
        if (!may_be_said(field))
            return -EINVAL;
        size += strlen(field->name) + strlen(field->value) + 4;
    }
    return size <= req->server->options.headers_limit ? (ssize_t)size : -EMSGSIZE;
}

static ssize_t interim_run(struct cg_op *op)
{
    const struct cg_http_send_interim_op *interim =
        (const struct cg_http_send_interim_op *)op;
    struct cg_http_request *req = interim->req;
    ssize_t n = measure(req, interim->fields);

    if (interim->status < 100 || interim->status > 199 || interim->status == 101)
        return -EINVAL;
    if (n < 0)
        return n;
    if (req->begun)
        return -EALREADY;
    if (interim->status == 100)
        req->expects = false;
    n = req->carrier->interim(req, interim->status, interim->fields, (size_t)n);
    return n;
}

static int interim_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_http_send_interim_op *interim =
        (const struct cg_http_send_interim_op *)op;

    return snprintf(buf, size, "%s, %d", cg_http_request_target(interim->req),
                    interim->status);
}

const struct cg_op_type cg_http_send_interim_type = {
    .name = "http_send_interim",
    .run = interim_run,
    .print = interim_print,
};
