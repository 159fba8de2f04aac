/* SPDX-License-Identifier: MIT */
/* cg_http_response_add_timing: the field Server-Timing, by the W3C's draft of that name. */
#include "config.h"

#include "http/message/message.h"
#include "lib/base/ascii.h"

#include <cogen.h>
#include <cogen/http_layers.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Writes a quoted string. False: it has bytes that are not printable ASCII. */
static bool quote(char *to, const char *text)
{
    if (text[cg__ascii_plain(text, "")] != '\0')
        return false;
    to = stpcpy(to, ";desc=\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            *to++ = '\\';
        *to++ = *text;
    }
    strcpy(to, "\"");
    return true;
}

int cg_http_response_add_timing(struct cg_http_request *req, const char *name, int64_t length,
                                const char *description)
{
    char value[3 * CG_HTTP_TIMING_LIMIT + 64], *at;

    if (strlen(name) > CG_HTTP_TIMING_LIMIT || !cg__http_message_is_token(name, strlen(name)) ||
        (description != NULL && strlen(description) > CG_HTTP_TIMING_LIMIT))
        return -EINVAL;
    at = stpcpy(value, name);
    if (length >= 0)
        at += sprintf(at, ";dur=%lld.%03d", (long long)(length / CG_MILLISECOND),
                      (int)(length % CG_MILLISECOND / CG_MICROSECOND));
    if (description != NULL && !quote(at, description))
        return -EINVAL;
    return cg_http_response_add_header(req, "Server-Timing", value);
}
