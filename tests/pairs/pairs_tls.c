/* SPDX-License-Identifier: MIT */
/* Subjects that make a handshake, over a pair in memory, and TLS for subjects that read and
 * write. */
#include "tests/pairs/pairs.h"
#include "tests/tls/tls_certs.h"

#include <cogen/tls.h>

static struct cg_tls *server_tls, *client_tls;

bool pairs_tls_open(void)
{
    certs_open();
    OK(cg_tls_new(&server_tls, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&client_tls, .ca_file = cert_path("ca.pem")));
    return true;
}

void pairs_tls_close(void)
{
    cg_tls_free(server_tls);
    cg_tls_free(client_tls);
    certs_close();
}

struct shaker {
    struct cg_sock *sock;
    bool server;
};

static ssize_t shakes(void *arg)
{
    struct shaker *s = arg;

    return s->server ? cg_yield(cg_tls_accept(s->sock, server_tls, &s->sock))
                     : cg_yield(cg_tls_connect(s->sock, client_tls, "site.test", &s->sock));
}

void pairs_secure(struct cg_sock **a, struct cg_sock **b)
{
    struct shaker server = {*a, true}, client = {*b, false};
    struct cg_coro *coro = test_start(shakes, &server);

    IS(shakes(&client), 0);
    IS(test_end(coro), 0);
    *a = server.sock;
    *b = client.sock;
}

/* The handshake */

struct hand {
    struct world w;
    struct cg_sock *inner, *sock;
    struct shaker other;
    struct cg_coro *peer;
};

static void hand_open(struct world *w)
{
    struct hand *h = (struct hand *)w;

    OK(cg_sock_pair(cg_sched_self(), &h->inner, &h->other.sock));
}

static struct cg_op *accept_op(struct world *w)
{
    struct hand *h = (struct hand *)w;

    h->other.server = false;
    return KEEP(w, cg_tls_op, cg_tls_accept(h->inner, server_tls, &h->sock));
}

static struct cg_op *connect_op(struct world *w)
{
    struct hand *h = (struct hand *)w;

    h->other.server = true;
    return KEEP(w, cg_tls_op,
                cg_tls_connect(h->inner, client_tls, "site.test", &h->sock));
}

/* Makes a handshake, sends a byte, and waits for the end of the stream. */
static ssize_t greets(void *arg)
{
    struct hand *h = arg;
    char byte = 'h';

    if (shakes(&h->other) == 0)
        cg_yield(cg_write(h->other.sock, &byte, 1));
    while (cg_yield(cg_read(h->other.sock, &byte, 1)) > 0)
        continue;
    cg_sock_close(h->other.sock);
    return 0;
}

static void accept_cause(struct world *w)
{
    struct hand *h = (struct hand *)w;

    h->other.server = false;
    h->peer = test_start(greets, h);
}

static void connect_cause(struct world *w)
{
    struct hand *h = (struct hand *)w;

    h->other.server = true;
    h->peer = test_start(greets, h);
}

/* A handshake that has lost leaves the caller its socket, which can only be closed. */
static void hand_check(struct world *w, ssize_t answer)
{
    struct hand *h = (struct hand *)w;
    char byte;

    if (pairs_lost(answer)) {
        HOLDS(h->sock == NULL);
        return;
    }
    IS(answer, 0);
    IS(cg_yield(cg_read(h->sock, &byte, 1)), 1);
    h->inner = h->sock;
}

static void hand_close(struct world *w)
{
    struct hand *h = (struct hand *)w;

    cg_sock_close(h->inner);
    if (h->peer)
        IS(test_end(h->peer), 0);
    else
        cg_sock_close(h->other.sock);
}

#define HAND                                                                           \
    .size = sizeof(struct hand), .flags = SELDOM, .open = hand_open,                   \
    .check = hand_check, .close = hand_close

static const struct subject subjects[] = {
    {"tls_accept", HAND, .op = accept_op, .cause = accept_cause},
    {"tls_connect", HAND, .op = connect_op, .cause = connect_cause},
};

const struct family pairs_tls = {subjects, COUNT(subjects)};
