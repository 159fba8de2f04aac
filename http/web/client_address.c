/* SPDX-License-Identifier: MIT */
/* The address of a connection. */
#include "config.h"

#include "http/web/client_address.h"

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
