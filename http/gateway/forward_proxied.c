/* SPDX-License-Identifier: MIT */
/* See forward_proxied.h. The client is the one of cg_http_request_client. Its port is known only if
 * it is at the other end of our connection, or a proxy has told it by the same protocol. */
#include "config.h"

#include "http/gateway/forward_proxied.h"
#include "lib/base/network.h"

#include <stdio.h>
#include <string.h>

static bool is_host_of(const char *host, const char *addr)
{
    char copy[CG_ADDR_SIZE];

    return strcmp(cg__network_host(strcpy(copy, addr)), host) == 0;
}

const struct cg_http_proxied *cg__http_forward_proxied(struct cg__forward *fw)
{
    struct cg_sock *sock = cg_http_request_sock(fw->req);
    size_t size = sizeof fw->client_end;
    const char *client;

    if (fw->proxy_protocol == 0)
        return NULL;
    if (sock == NULL || cg_sock_local_addr(sock, fw->own_end, size) < 0)
        fw->own_end[0] = '\0';
    if (sock == NULL || cg_sock_peer_addr(sock, fw->client_end, size) < 0)
        fw->client_end[0] = '\0';
    if (cg_http_request_client(fw->req, &client) == 0 && !is_host_of(client, fw->client_end))
        snprintf(fw->client_end, size, strchr(client, ':') != NULL ? "[%.64s]:0" : "%.64s:0",
                 client);
    fw->proxied = (struct cg_http_proxied){.client = fw->client_end,
                                           .server = fw->own_end,
                                           .version = fw->proxy_protocol};
    return &fw->proxied;
}
