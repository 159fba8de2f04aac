/* SPDX-License-Identifier: MIT */
/* Interim responses (1xx), which precede the final one. */
#include "config.h"

#include "http/server/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 64 }; /* room for the status line and the empty line at the end */

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

static size_t put(char *text, int status, const struct cg_http_field *field)
{
    const char *reason = cg_http_status_text(status);
    char *to = text;

    to += snprintf(to, LINE, "HTTP/1.1 %d %.32s\r\n", status, reason);
    for (; field != NULL && field->name != NULL; field++)
        to += sprintf(to, "%s: %s\r\n", field->name, field->value);
    memcpy(to, "\r\n", 2);
    return (size_t)(to - text) + 2;
}

static ssize_t interim_run(struct cg_op *op)
{
    const struct cg_http_send_interim_op *interim =
        (const struct cg_http_send_interim_op *)op;
    struct cg_http_request *req = interim->req;
    ssize_t n = measure(req, interim->fields);
    char *text;

    if (interim->status < 100 || interim->status > 199 || interim->status == 101)
        return -EINVAL;
    if (n < 0)
        return n;
    if (req->begun)
        return -EALREADY;
    if (cg_http_request_minor(req) == 0) /* HTTP/1.0 has no interim responses */
        return 0;
    text = malloc(LINE + (size_t)n);
    if (text == NULL)
        return -ENOMEM;
    req->expects = req->expects && interim->status != 100;
    n = cg__http_output_flush(
        req->conn, &(struct iovec){text, put(text, interim->status, interim->fields)},
        1);
    free(text);
    req->cut |= n < 0; /* a part of it may have been sent */
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
