/* SPDX-License-Identifier: MIT */
/* See tls_link.h. */
#include "config.h"

#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_link.h"

struct cg_tls *server_tls, *client_tls;

void configure(void)
{
    OK(cg_tls_new(&server_tls, .cert = cert_path("site.pem"), .alpn = "h2,http/1.1"));
    OK(cg_tls_new(&client_tls, .ca_file = cert_path("ca.pem"), .alpn = "http/1.1"));
}

void unconfigure(void)
{
    cg_tls_free(server_tls);
    cg_tls_free(client_tls);
    server_tls = client_tls = NULL;
}

ssize_t serves(void *arg)
{
    struct served *s = arg;

    ssize_t n = cg_yield(cg_tls_accept(s->inner, server_tls, &s->sock, .alpn = s->alpn,
                                       .timeout = s->timeout));

    return s->fails && n < 0 ? 0 : n;
}

void secure(struct cg_sock **a, struct cg_sock **b)
{
    struct served s = {.inner = *a};
    struct cg_coro *server = test_start(serves, &s);

    OK(cg_yield(cg_tls_connect(*b, client_tls, "site.test", b)));
    OK(test_end(server));
    *a = s.sock;
}

void secured(struct cg_sock **a, struct cg_sock **b)
{
    configure();
    secure(a, b);
    unconfigure();
}

void close_both(struct cg_sock *a, struct cg_sock *b)
{
    cg_sock_close(a);
    cg_sock_close(b);
}
