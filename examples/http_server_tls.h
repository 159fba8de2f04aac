/* SPDX-License-Identifier: MIT */
/* TLS for the web server. http_server_tls.c implements it; if the library was built
 * without TLS, http_server_no_tls.c replaces that file. */
#ifndef EXAMPLES_HTTP_SERVER_TLS_H
#define EXAMPLES_HTTP_SERVER_TLS_H

#include <cogen.h>

/* Makes the configuration that server_tls_wrap uses on all workers. If key is NULL, the key
 * is in the file cert. alpn: the protocols to offer. Returns 0 or a negative code, and then
 * describes the failure in *why. */
int server_tls_open(const char *cert, const char *key, const char *alpn,
                    const char **why);
void server_tls_close(void);

/* Reads the files again, while other workers make handshakes. Returns 0, or a negative code:
 * then nothing changes. */
ssize_t server_tls_reload(void);

/* For the option .wrap of the server: a handshake. */
ssize_t server_tls_wrap(struct cg_sock **conn, void *arg);

#endif
