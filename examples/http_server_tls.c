/* SPDX-License-Identifier: MIT */
/* See http_server_tls.h. */
#include "http_server_tls.h"

#include <cogen/tls.h>

static struct cg_tls *tls; /* of all workers, which so resume each other's sessions */

int server_tls_open(const char *cert, const char *key, const char *alpn,
                    const char **why)
{
    static char words[CG_TLS_WHY_SIZE];

    *why = words;
    return cg_tls_new(&tls, .cert = cert, .key = key, .alpn = alpn, .why = words);
}

void server_tls_close(void)
{
    cg_tls_free(tls);
    tls = NULL;
}

ssize_t server_tls_reload(void)
{
    return cg_tls_reload(tls, NULL);
}

ssize_t server_tls_wrap(struct cg_sock **conn, void *arg)
{
    (void)arg;
    return cg_yield(cg_tls_accept(*conn, tls, conn));
}
