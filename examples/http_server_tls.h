/* SPDX-License-Identifier: MIT */
/* TLS for the web server. http_server_tls.c implements it; if the library was built
 * without TLS, http_server_no_tls.c replaces that file. */
#ifndef EXAMPLES_HTTP_SERVER_TLS_H
#define EXAMPLES_HTTP_SERVER_TLS_H

#include <cogen.h>

/* Makes the configuration that server_tls_wrap uses. key NULL: the key is in the file
 * cert. Returns 0 or a negative code; *why gets the reason in words. */
int server_tls_open(const char *cert, const char *key, const char **why);
void server_tls_close(void);

/* For the server's option .wrap: does the TLS handshake on a new connection. */
ssize_t server_tls_wrap(struct cg_sock **conn, void *arg);

#endif
