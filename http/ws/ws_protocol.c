/* SPDX-License-Identifier: MIT */
/* The choice of a subprotocol. Names are case-sensitive (RFC 6455, 11.3.4). */
#include "config.h"

#include "http/message/message.h"
#include "http/ws/ws_protocol.h"
#include "lib/base/ascii.h"

#include <string.h>

/* The next element of a list; NULL: there is none. */
static const char *next(const char **at, size_t *len)
{
    const char *element = *at + strspn(*at, ", \t");

    *len = strcspn(element, ",");
    *at = element + *len;
    while (*len > 0 && strchr(" \t", element[*len - 1]) != NULL)
        --*len;
    return *element != '\0' ? element : NULL;
}

bool cg__http_ws_protocol_has(const char *list, const char *element, size_t len)
{
    const char *each;
    size_t size;

    while ((each = next(&list, &size)) != NULL)
        if (size == len && memcmp(each, element, len) == 0)
            return true;
    return false;
}

bool cg__http_ws_protocol_are_valid(const struct cg_ws_options *options)
{
    const char *list = options->protocol, *each;
    size_t len;

    if (options->window_bits != 0 && (options->window_bits < 9 || options->window_bits > 15))
        return false;
    while (list != NULL && (each = next(&list, &len)) != NULL)
        if (len >= CG__WS_PROTOCOL || !cg__http_message_is_token(each, len))
            return false;
    return true;
}

static bool offers(const struct cg_http_headers *headers, const char *name, size_t len)
{
    struct cg_http_field field;
    size_t at = 0;

    while (cg_http_headers_next(headers, &at, &field))
        if (cg__ascii_equal(field.name, "Sec-WebSocket-Protocol") &&
            cg__http_ws_protocol_has(field.value, name, len))
            return true;
    return false;
}

bool cg__http_ws_protocol_choose(const struct cg_http_headers *headers, const char *ours,
                                 char protocol[CG__WS_PROTOCOL])
{
    const char *each;
    size_t len;

    while (ours != NULL && (each = next(&ours, &len)) != NULL)
        if (offers(headers, each, len)) {
            memcpy(protocol, each, len);
            protocol[len] = '\0';
            return true;
        }
    return false;
}
