/* SPDX-License-Identifier: MIT */
/* The address of a client; lists of addresses. */
#include "config.h"

#include "http/message/message.h"
#include "http/message/network.h"
#include "http/web/client_address.h"
#include "lib/base/ascii.h"

#include <string.h>

int cg__http_client_address(struct cg_http_request *req, char buf[static CG_ADDR_SIZE])
{
    const char *told = cg_http_request_param(req, "client-address");
    int rc;

    if (told != NULL && strlen(told) < CG_ADDR_SIZE) {
        strcpy(buf, told);
        return 0;
    }
    rc = cg_sock_peer_addr(cg_http_request_sock(req), buf, CG_ADDR_SIZE);
    if (rc == 0)
        cg__http_network_host(buf);
    return rc < 0 ? rc : 0;
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
