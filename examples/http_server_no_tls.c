/* SPDX-License-Identifier: MIT */
/* See http_server_tls.h. */
#include "http_server_tls.h"

#include <errno.h>

int server_tls_open(const char *cert, const char *key, const char *alpn,
                    const char **why)
{
    (void)cert;
    (void)key;
    (void)alpn;
    *why = "the library was built without TLS";
    return -EOPNOTSUPP;
}

void server_tls_close(void)
{
}

ssize_t server_tls_reload(void)
{
    return -EOPNOTSUPP;
}

ssize_t server_tls_wrap(struct cg_sock **conn, void *arg)
{
    (void)conn;
    (void)arg;
    return -EOPNOTSUPP;
}
