/* SPDX-License-Identifier: MIT */
/* Work that a peer can make long is divided into turns: many handshakes at once, and
 * records that bring no data to the reader. */
#include "config.h"

#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_main.h"
#include "tests/tls/tls_meeting.h"
#include "tls/conn.h"

#include <string.h>

/* Handshakes */

enum { MANY = 20, FLIGHTS = 2 }; /* a server's handshake has two expensive steps */

/* Counts the turns of a scheduler until ended is set. */
struct counter {
    struct cg_deferred next;
    struct cg_sched *sched;
    unsigned turns;
    bool ended;
};

static void count(struct cg_deferred *deferred)
{
    struct counter *counter = (struct counter *)deferred;

    counter->turns++;
    if (!counter->ended)
        cg_sched_defer(counter->sched, deferred);
}

static ssize_t connects(void *arg)
{
    struct meeting *m = arg;

    m->result[1] =
        cg_yield(cg_tls_connect(m->inner[1], m->client, m->host, &m->sock[1]));
    return 0;
}

/* However many handshakes are in progress, each turn does one step of one handshake. */
static ssize_t handshakes(void *arg)
{
    struct counter counter = {.next.fn = count, .sched = cg_sched_self()};
    struct meeting m[MANY];
    struct cg_coro *coros[MANY][2];
    struct cg_tls *server, *clients[MANY];

    (void)arg;
    OK(cg_tls_new(&server, .cert = cert_path("site.pem")));
    for (int i = 0; i < MANY; i++) {
        OK(cg_tls_new(&clients[i], .ca_file = cert_path("ca.pem")));
        m[i] = (struct meeting){.server = server, .client = clients[i],
                                .host = "site.test"};
        coros[i][0] = meet_server(&m[i]);
        coros[i][1] = test_start(connects, &m[i]);
    }
    cg_sched_defer(counter.sched, &counter.next);
    for (int i = 0; i < MANY; i++) {
        test_end(coros[i][0]);
        test_end(coros[i][1]);
        IS(m[i].result[0], 0);
        IS(m[i].result[1], 0);
    }
    ck_assert_uint_ge(counter.turns, MANY * FLIGHTS - 1); /* the first was not counted */
    counter.ended = true;
    while (counter.next.queued)
        IS(cg_yield(cg_sleep(1)), 0);
    for (int i = 0; i < MANY; i++) {
        part(&m[i]);
        cg_tls_free(clients[i]);
    }
    cg_tls_free(server);
    return 0;
}

/* A step that nobody waits behind defers no call, because a scheduler with a deferred call polls
 * instead of sleeping. A second step in the same turn waits for the next one. */
static ssize_t alone(void *arg)
{
    struct cg__tls_turns *turns;
    struct cg_tls *server;

    (void)arg;
    OK(cg_tls_new(&server, .cert = cert_path("site.pem")));
    turns = cg__tls_turn_ref(server, cg_sched_self());
    ck_assert_ptr_nonnull(turns);
    IS(cg_yield(CG_OP(cg__tls_turn, .turns = turns)), 0);
    ck_assert(!turns->next.queued);
    IS(cg_yield(CG_OP(cg__tls_turn, .turns = turns)), 0);
    ck_assert(turns->next.queued);
    while (turns->next.queued)
        IS(cg_yield(cg_sleep(1)), 0);
    ck_assert_uint_eq(turns->refs, 1);
    cg__tls_turn_unref(turns);
    cg_tls_free(server);
    return 0;
}

/* A handshake that is cancelled while it waits for its turn leaves the turn to the others,
 * at whatever place in the queue. */
static ssize_t cancelled(void *arg)
{
    struct meeting m[4];
    struct cg_coro *coros[COUNT(m)], *servers[COUNT(m)];
    struct cg_tls *server, *client;

    (void)arg;
    for (unsigned which = 0; which < 1u << COUNT(m); which++) {
        OK(cg_tls_new(&server, .cert = cert_path("site.pem")));
        OK(cg_tls_new(&client, .ca_file = cert_path("ca.pem")));
        for (size_t i = 0; i < COUNT(m); i++) {
            m[i] = (struct meeting){.server = server, .client = client,
                                    .host = "site.test"};
            servers[i] = meet_server(&m[i]);
            coros[i] = test_start(connects, &m[i]);
        }
        while (server->turns == NULL || server->turns->last == server->turns->first)
            OK(cg_yield(cg_pass()));
        for (size_t i = 0; i < COUNT(m); i++)
            if (which & 1u << i)
                cg_coro_cancel(servers[i]);
        for (size_t i = 0; i < COUNT(m); i++) {
            test_end(servers[i]);
            if (m[i].result[0] < 0)
                cg_sock_close(m[i].inner[0]);
            test_end(coros[i]);
            if (m[i].result[1] < 0)
                cg_sock_close(m[i].inner[1]);
            ck_assert((m[i].result[0] == 0) == !(which & 1u << i));
            part(&m[i]);
        }
        cg_tls_free(server);
        cg_tls_free(client);
    }
    return 0;
}

/* Records */

enum { UPDATES = 2000 };

static int shake(SSL *ssl, void *data, size_t size)
{
    (void)data;
    (void)size;
    return SSL_do_handshake(ssl);
}

static ssize_t reads_byte(void *arg)
{
    char byte;

    return cg_yield(cg_read(arg, &byte, 1));
}

/* Thousands of records that only change keys let other coroutines run: one call of OpenSSL
 * reads at most sixteen. */
static ssize_t key_updates(void *arg)
{
    struct meeting m = {.host = "site.test"};
    struct cg__tls_conn *conn;
    struct cg_coro *reader;
    unsigned others = 0;

    (void)arg;
    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
    meet(&m);
    conn = cg_sock_state(m.sock[1]);
    for (int i = 0; i < UPDATES; i++) {
        ck_assert_int_eq(SSL_key_update(conn->ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        OK(cg__tls_conn_call(conn, shake, NULL, 0));
    }
    IS(cg_yield(cg_write(m.sock[1], "x", 1)), 1);
    reader = test_start(reads_byte, m.sock[0]);
    while (cg_coro_state(reader) != CG_CORO_FINISHED) {
        OK(cg_yield(cg_pass()));
        others++;
    }
    IS(test_end(reader), 1);
    ck_assert_uint_ge(others, UPDATES / CG__TLS_RECORDS / 16);
    part(&m);
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return 0;
}

static const struct test_case cases[] = {
    CORO(handshakes),
    CORO(alone),
    CORO(cancelled),
    CORO(key_updates),
};

int main(void)
{
    return tls_main("tls_turns", cases, COUNT(cases));
}
