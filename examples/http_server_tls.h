/* SPDX-License-Identifier: MIT */
/* TLS for the web server: in http_server_tls.c, or, where the library was built without it,
 * http_server_no_tls.c. */
#ifndef EXAMPLES_HTTP_SERVER_TLS_H
#define EXAMPLES_HTTP_SERVER_TLS_H

#include <cogen.h>

/* Makes the configuration that server_tls_wrap uses; key NULL: it is in cert. 0 or a
 * negative code, the failure in words in *why. */
int server_tls_open(const char *cert, const char *key, const char **why);
void server_tls_close(void);

/* For the option .wrap of the server: a handshake. */
ssize_t server_tls_wrap(struct cg_sock **conn, void *arg);

#endif
