/* SPDX-License-Identifier: MIT */
/* The address of a connection; whom to believe; lists of addresses. */
#include "config.h"

#include "http/message/message.h"
#include "http/message/network.h"
#include "http/web/client_address.h"
#include "lib/base/ascii.h"

#include <string.h>

int cg__http_client_address(struct cg_http_request *req, char buf[static CG_ADDR_SIZE])
{
    int rc = cg_sock_peer_addr(cg_http_request_sock(req), buf, CG_ADDR_SIZE);

    if (rc < 0)
        return rc;
    if (strncmp(buf, "unix:", 5) == 0 || buf[0] == '\0') {
        strcpy(buf, "unix");
    } else if (buf[0] == '[') {
        memmove(buf, buf + 1, strlen(buf));
        buf[strcspn(buf, "]%")] = '\0';
    } else {
        buf[strcspn(buf, ":")] = '\0';
    }
    return 0;
}

bool cg__http_client_address_is_trusted(const char *list, const char *text)
{
    struct cg__http_network_address address;
    bool is_address = cg__http_network_address(&address, text, strlen(text));

    if (list == NULL)
        return false;
    if (!is_address)
        return cg__http_message_has_word(list, text);
    for (;;) {
        size_t len;

        list += strspn(list, ", \t");
        len = strcspn(list, ", \t");
        if (len == 0)
            return false;
        if (cg__http_network_has(list, len, &address))
            return true;
        list += len;
    }
}

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
