/* SPDX-License-Identifier: MIT */
/* cg_http_send_redirect. */
#include "config.h"

#include <cogen.h>
#include <cogen/http_layers.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Encodes blanks and what is not ASCII, as browsers do; other bytes stay as they are. `to`
 * has three times the size. False: there are control characters. */
static bool encode(char *to, const char *from)
{
    for (; *from != '\0'; from++) {
        unsigned char c = (unsigned char)*from;

        if (c < ' ' || c == 0x7f)
            return false;
        if (c == ' ' || c > 0x7f)
            to += sprintf(to, "%%%02X", c);
        else
            *to++ = (char)c;
    }
    *to = '\0';
    return true;
}

static ssize_t redirect_run(struct cg_op *op)
{
    struct cg_http_send_redirect_op *redirect = (struct cg_http_send_redirect_op *)op;
    char *location, text[64];
    ssize_t n = -EINVAL;

    if (!is_redirect(redirect->status))
        return -EINVAL;
    location = malloc(3 * strlen(redirect->location) + 1);
    if (location == NULL)
        return -ENOMEM;
    if (encode(location, redirect->location))
        n = cg_http_response_set_header(redirect->req, "Location", location);
    free(location);
    if (n < 0)
        return n;
    snprintf(text, sizeof text, "%d %s\n", redirect->status,
             cg_http_status_text(redirect->status));
    return cg_yield(cg_http_send_text(redirect->req, redirect->status, text));
}

static int redirect_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_http_send_redirect_op *redirect =
        (const struct cg_http_send_redirect_op *)op;

    return snprintf(buf, size, "%d, %s", redirect->status, redirect->location);
}

const struct cg_op_type cg_http_send_redirect_type = {
    .name = "http_send_redirect",
    .run = redirect_run,
    .print = redirect_print,
};
