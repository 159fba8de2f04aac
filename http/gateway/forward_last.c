/* SPDX-License-Identifier: MIT */
/* Requests that this proxy must not forward. */
#include "config.h"

#include "http/gateway/forward.h"
#include "lib/base/ascii.h"

#include <stdio.h>
#include <string.h>

/* Whether a value of Via, "1.1 one, 1.1 two (a comment)", has the name. */
static bool has_name(const char *via, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = via; (at = strstr(at, name)) != NULL; at++)
        if (at > via && at[-1] == ' ' && strchr(" \t,(", at[len]) != NULL)
            return true;
    return false;
}

/* Whether this proxy has forwarded the request before: its name is in Via. */
static bool is_loop(const struct cg__forward *fw)
{
    const struct cg_http_headers *headers = cg_http_request_headers(fw->req);
    const struct cg__http_entry *via;
    uint32_t from = 0;

    while (fw->hop->name != NULL &&
           (via = cg__http_message_find(headers, "Via", 3, &from)) != NULL)
        if (has_name(cg__http_message_at(headers, via->value), fw->hop->name))
            return true;
    return false;
}

ssize_t cg__http_forward_last(struct cg__forward *fw)
{
    const char *method = cg_http_request_method(fw->req);
    uint64_t left = 0;
    ssize_t n;

    if (is_loop(fw)) {
        n = cg_yield(cg_http_send_text(fw->req, 508, "The request is in a forwarding loop.\n"));
        return n < 0 ? n : 508;
    }
    if (cg__http_forward_is_http2(fw) &&
        cg_http_request_header(fw->req, "Upgrade") != NULL &&
        !cg__http_forward_wants_upgrade(fw)) {
        n = cg_yield(cg_http_send_text(fw->req, 501, "This protocol is not forwarded.\n"));
        return n < 0 ? n : 501;
    }
    if ((strcmp(method, "OPTIONS") != 0 && strcmp(method, "TRACE") != 0) ||
        !cg__ascii_is_number(cg_http_request_header(fw->req, "Max-Forwards"), &left))
        return 0;
    snprintf(fw->hops, sizeof fw->hops, "%u", left > 255 ? 255 : (unsigned)(left - 1));
    if (left > 0)
        return 0;
    n = cg_yield(cg_http_send_text(fw->req, 200, "Max-Forwards is 0, so this proxy responds.\n"));
    return n < 0 ? n : 200;
}
