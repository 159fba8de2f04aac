/* SPDX-License-Identifier: MIT */
/* See client_address.h. */
#include "config.h"

#include "http/message/message.h"
#include "http/web/client_address.h"
#include "lib/base/ascii.h"

char *cg__http_client_address_list(const struct cg_http_headers *headers, const char *name)
{
    struct cg_http_headers text = {.data = NULL};
    struct cg_http_field field;
    int rc = 0;

    for (size_t at = 0; rc == 0 && cg_http_headers_next(headers, &at, &field);) {
        if (!cg__ascii_equal(field.name, name))
            continue;
        if (text.used > 0)
            rc = cg__http_message_text(&text, ",", 1);
        if (rc == 0)
            rc = cg__http_message_text(&text, field.value, strlen(field.value));
    }
    if (rc == 0)
        rc = cg__http_message_text(&text, "", 1);
    if (rc < 0)
        cg__http_message_clear(&text);
    return text.data;
}
