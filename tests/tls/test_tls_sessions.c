/* SPDX-License-Identifier: MIT */
/* TLS sessions: which are resumed, with which peer, and for how long. */
#include "config.h"

#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_main.h"
#include "tests/tls/tls_meeting.h"
#include "tls/conn.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

/* Sessions */

/* A session is resumed with the same host only, in TLS 1.3 and 1.2, until one side reloads
 * its files: the server's key may have leaked, or the client may trust other
 * authorities. */
static ssize_t sessions(void *arg)
{
    (void)arg;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct meeting m = {.host = "site.test"};

        OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
        OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
        SSL_CTX_set_max_proto_version(m.client->keys->context, version);
        ck_assert(!meet_resumes(&m));
        for (int i = 0; i < 5; i++)
            ck_assert(meet_resumes(&m));
        m.host = "127.0.0.1";
        ck_assert(!meet_resumes(&m));
        m.host = "site.test";
        ck_assert(meet_resumes(&m));
        OK(cg_tls_reload(m.server, NULL));
        ck_assert(!meet_resumes(&m));
        ck_assert(meet_resumes(&m));
        OK(cg_tls_reload(m.client, NULL));
        ck_assert(!meet_resumes(&m));
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

/* In TLS 1.3 a session is used once, so that it does not link connections. In TLS 1.2 it is
 * used until it expires. */
static ssize_t sessions_are_used_once(void *arg)
{
    (void)arg;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct meeting m = {.host = "site.test"};

        OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
        OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
        SSL_CTX_set_max_proto_version(m.client->keys->context, version);
        SSL_CTX_set_num_tickets(m.server->keys->context, 1);
        ck_assert(!meet_resumes(&m));
        SSL_CTX_set_num_tickets(m.server->keys->context, 0);
        ck_assert(meet_resumes(&m));
        ck_assert_uint_eq(m.client->count, version < TLS1_3_VERSION);
        ck_assert(meet_resumes(&m) == (version < TLS1_3_VERSION));
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

/* A client stores a limited number of sessions. The oldest are dropped first. */
static ssize_t sessions_are_limited(void *arg)
{
    static const char *const hosts[] = {"site.test", "a.site.test", "b.site.test",
                                        "c.site.test", "d.site.test"};
    struct meeting m = {.host = NULL};

    (void)arg;
    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
    SSL_CTX_set_num_tickets(m.server->keys->context, 20);
    for (size_t i = 0; i < COUNT(hosts); i++) {
        m.host = hosts[i];
        meet(&m);
        IS(m.result[1], 0);
        part(&m);
        ck_assert_uint_le(m.client->count, CG_TLS_SESSIONS);
    }
    ck_assert_uint_eq(m.client->count, CG_TLS_SESSIONS);
    ck_assert(meet_resumes(&m));
    m.host = hosts[0];
    ck_assert(!meet_resumes(&m));
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return 0;
}

/* A session that a server sends on a connection from before a reload is not stored. */
static ssize_t sessions_of_old(void *arg)
{
    struct meeting m = {.host = "site.test"};
    struct cg_coro *server;
    char byte;

    (void)arg;
    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
    server = meet_server(&m);
    OK(cg_yield(cg_tls_connect(m.inner[1], m.client, m.host, &m.sock[1])));
    test_end(server);
    OK(cg_tls_reload(m.client, NULL));
    IS(cg_yield(cg_writeall(m.sock[0], "!", 1)), 1);
    IS(cg_yield(cg_readall(m.sock[1], &byte, 1)), 1); /* after the tickets */
    ck_assert_uint_eq(m.client->count, 0);
    part(&m);
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return 0;
}

/* A server sends its tickets together with its response. It sends them earlier if it has to wait
 * for the client's next bytes, and also when it closes the connection. */
static ssize_t tickets_go_with_the_response(void *arg)
{
    enum { RESPONDS, WAITS, CLOSES, ENDS };
    char byte;

    (void)arg;
    for (int how = RESPONDS; how < ENDS; how++) {
        struct meeting m = {.host = "site.test"};
        struct cg__tls_conn *conn;
        struct cg_coro *server;
        size_t tickets;

        OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
        OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
        server = meet_server(&m);
        OK(cg_yield(cg_tls_connect(m.inner[1], m.client, m.host, &m.sock[1])));
        test_end(server);
        conn = cg_sock_state(m.sock[0]);
        tickets = cg__tls_queue_size(&conn->queue);
        ck_assert_uint_gt(tickets, 0);
        IS(cg_yield(cg_write(m.sock[1], "?", 1)), 1);
        IS(cg_yield(cg_read(m.sock[0], &byte, 1)), 1);
        ck_assert_uint_eq(cg__tls_queue_size(&conn->queue), tickets);
        if (how == RESPONDS)
            IS(cg_yield(cg_write(m.sock[0], "!", 1)), 1);
        else if (how == WAITS)
            IS(cg_yield(cg_read(m.sock[0], &byte, 1, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
        if (how != CLOSES)
            ck_assert_uint_eq(cg__tls_queue_size(&conn->queue), 0);
        cg_sock_close(m.sock[0]);
        IS(cg_yield(cg_read(m.sock[1], &byte, 1)), how == RESPONDS);
        ck_assert_uint_gt(m.client->count, 0);
        cg_sock_close(m.sock[1]);
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

/* A ticket is accepted during the life of the key that made it and during one more, but no
 * longer: a leaked key does not decrypt later connections. */
static ssize_t ticket_keys_change(void *arg)
{
    static const struct {
        double lives; /* time before the handshake, in lives of a key */
        bool resumed;
    } steps[] = {{0, false}, {0.9, true}, {0.9, true}, {0.9, true}, {2.1, false}, {0, true}};
    unsigned char names[COUNT(steps)][16];
    struct meeting m = {.host = "site.test"};

    (void)arg;
    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
    for (size_t i = 0; i < COUNT(steps); i++) {
        IS(cg_yield(cg_sleep((int64_t)(steps[i].lives * CG_TLS_TICKET_LIFE) * CG_SECOND)),
           0);
        ck_assert_msg(meet_resumes(&m) == steps[i].resumed, "step %zu", i);
        memcpy(names[i], m.server->keys->tickets.now.name, sizeof names[i]);
    }
    ck_assert_mem_eq(names[1], names[0], sizeof names[0]);
    ck_assert_mem_ne(names[2], names[1], sizeof names[0]);
    ck_assert_mem_ne(names[4], names[3], sizeof names[0]);
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return 0;
}

/* True: the RAND_priv_bytes below, which replaces OpenSSL's, fails. Ticket keys are made
 * with it. */
static bool random_fails;

int RAND_priv_bytes(unsigned char *buf, int size)
{
    return random_fails ? 0 : RAND_priv_bytes_ex(NULL, buf, (size_t)size, 0);
}

/* Without random bytes for a new key the server sends no tickets, but it still accepts the
 * tickets of the last key. */
static ssize_t ticket_key_outlives_a_failure(void *arg)
{
    struct meeting m = {.host = "site.test"};

    (void)arg;
    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
    SSL_CTX_set_num_tickets(m.server->keys->context, 4);
    ck_assert(!meet_resumes(&m));
    IS(cg_yield(cg_sleep(CG_TLS_TICKET_LIFE * CG_SECOND + 1)), 0);
    random_fails = true;
    for (int i = 0; i < 2; i++) {
        meet(&m);
        part(&m);
    }
    random_fails = false;
    ck_assert(meet_resumes(&m));
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return 0;
}

/* Acts as if the client had already sent this many tickets. */
static unsigned shown;

static void show_tickets(const SSL *ssl, int where, int result)
{
    struct cg__tls_conn *conn = SSL_get_app_data(ssl);

    (void)result;
    if (where == SSL_CB_HANDSHAKE_START && conn->tickets_tried < shown)
        conn->tickets_tried = shown;
}

/* A server decrypts at most four tickets in a handshake: a hello may contain a thousand. */
static ssize_t few_tickets_are_tried(void *arg)
{
    struct meeting m = {.host = "site.test"};

    (void)arg;
    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
    SSL_CTX_set_info_callback(m.server->keys->context, show_tickets);
    ck_assert(!meet_resumes(&m));
    shown = 3;
    ck_assert(meet_resumes(&m));
    shown = 4;
    ck_assert(!meet_resumes(&m));
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return 0;
}

/* A successor finds the ticket keys by the certificates. A server that asks for those of its
 * clients hands nothing over. */
static ssize_t keys_are_handed_over_by_certificate(void *arg)
{
    struct cg_tls *one, *same, *other, *asks, *client;

    (void)arg;
    OK(cg_tls_new(&one, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&same, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&other, .cert = cert_path("second.pem")));
    OK(cg_tls_new(&asks, .cert = cert_path("site.pem"), .ca_file = cert_path("ca.pem"),
                  .verify_client = CG_TLS_IF_GIVEN));
    OK(cg_tls_new(&client, .ca_file = cert_path("ca.pem")));
    ck_assert_str_eq(one->keys->handover.name, same->keys->handover.name);
    ck_assert_str_ne(one->keys->handover.name, other->keys->handover.name);
    ck_assert_ptr_null(asks->keys->handover.name);
    ck_assert_ptr_null(client->keys->handover.name);
    cg_tls_free(one);
    cg_tls_free(same);
    cg_tls_free(other);
    cg_tls_free(asks);
    cg_tls_free(client);
    return 0;
}

static const struct test_case cases[] = {
    CORO(sessions),
    CORO(sessions_are_used_once),
    CORO(sessions_are_limited),
    CORO(sessions_of_old),
    CORO(tickets_go_with_the_response),
    CORO(ticket_keys_change, .where = ON_SIM),
    CORO(ticket_key_outlives_a_failure, .where = ON_SIM),
    CORO(few_tickets_are_tried),
    CORO(keys_are_handed_over_by_certificate, .where = ON_SIM),
};

int main(void)
{
    return tls_main("tls_sessions", cases, COUNT(cases));
}
