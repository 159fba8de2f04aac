/* SPDX-License-Identifier: MIT */
/* A server and clients that do what this library's client never does: OpenSSL itself, or bytes
 * made by hand, over the other end of a pair. */
#include "config.h"

#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_main.h"
#include "tls/conn.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

/* The server, which sends back what it reads. */
struct service {
    struct cg_tls *tls;
    struct cg_sock *inner, *sock, *peer;
    struct cg_coro *coro;
    int64_t timeout;
    char got[64]; /* what it has read, with a NUL */
    size_t len;
};

/* Returns what the last read has returned, or the failure of the handshake. */
static ssize_t sends_back(void *arg)
{
    struct service *s = arg;
    char buf[sizeof s->got];
    ssize_t n = cg_yield(cg_tls_accept(s->inner, s->tls, &s->sock, .timeout = s->timeout));

    if (n < 0) {
        cg_sock_close(s->inner);
        return n;
    }
    while ((n = cg_yield(cg_read(s->sock, buf, sizeof buf - 1 - s->len))) > 0) {
        memcpy(s->got + s->len, buf, (size_t)n);
        s->len += (size_t)n;
        OK(cg_yield(cg_writeall(s->sock, buf, (size_t)n)));
    }
    cg_sock_close(s->sock);
    return n;
}

static void begin(struct service *s)
{
    s->sock = NULL;
    s->len = 0;
    s->timeout = CG_SECOND;
    if (s->tls == NULL)
        OK(cg_tls_new(&s->tls, .cert = cert_path("site.pem")));
    OK(cg_sock_pair(cg_sched_self(), &s->inner, &s->peer));
    s->coro = test_start(sends_back, s);
}

/* Closes the client's end; returns what the server has returned. */
static ssize_t end(struct service *s)
{
    cg_sock_close(s->peer);
    return test_end(s->coro);
}

/* A client */

struct client {
    SSL_CTX *context;
    SSL *ssl;
    struct cg_sock *sock;
};

static void client_begin(struct client *c, struct cg_sock *sock, int version)
{
    c->sock = sock;
    c->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(c->context, version);
    c->ssl = SSL_new(c->context);
    SSL_set_connect_state(c->ssl);
    SSL_set_bio(c->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
}

static void client_end(struct client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->context);
}

/* Sends what OpenSSL has written. Returns a negative code if it cannot. */
static ssize_t client_flush(struct client *c)
{
    char *data;
    long size = BIO_get_mem_data(SSL_get_wbio(c->ssl), &data);
    ssize_t n = cg_yield(cg_writeall(c->sock, data, (size_t)size, .timeout = CG_SECOND));

    (void)BIO_reset(SSL_get_wbio(c->ssl));
    return n;
}

enum step { SHAKES, READS };

/* Goes on until the step is done. Returns OpenSSL's result; 0 at the end of the connection. */
static int client_do(struct client *c, enum step step, char *buf, int size)
{
    char input[4096];

    for (;;) {
        int rc = step == SHAKES ? SSL_do_handshake(c->ssl) : SSL_read(c->ssl, buf, size);
        int error = SSL_get_error(c->ssl, rc);
        ssize_t n;

        if (BIO_pending(SSL_get_wbio(c->ssl)) > 0)
            OK(client_flush(c));
        if (error != SSL_ERROR_WANT_READ)
            return rc;
        n = cg_yield(cg_read(c->sock, input, sizeof input));
        if (n <= 0)
            return 0;
        BIO_write(SSL_get_rbio(c->ssl), input, (int)n);
    }
}

static void client_asks(struct client *c, const char *text)
{
    char buf[64];
    int len = (int)strlen(text);

    IS(SSL_write(c->ssl, text, len), len);
    OK(client_flush(c));
    IS(client_do(c, READS, buf, sizeof buf), len);
    ck_assert_mem_eq(buf, text, (size_t)len);
}

/* What a server refuses */

/* There is no renegotiation: a client of TLS 1.2 that asks for one is told so. OpenSSL's client
 * does not go on without. */
static ssize_t renegotiation(void *arg)
{
    struct service s = {.tls = NULL};
    struct client c;

    (void)arg;
    begin(&s);
    client_begin(&c, s.peer, TLS1_2_VERSION);
    IS(client_do(&c, SHAKES, NULL, 0), 1);
    client_asks(&c, "one");
    IS(SSL_renegotiate(c.ssl), 1);
    ERR_clear_error();
    ck_assert_int_le(client_do(&c, SHAKES, NULL, 0), 0);
    IS(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    ERR_clear_error();
    IS(end(&s), CG_ETLS_REFUSED);
    client_end(&c);
    cg_tls_free(s.tls);
    return 0;
}

/* Early data could be replayed. A ticket allows none, and what a client sends nevertheless is not
 * read. */
static ssize_t early_data(void *arg)
{
    struct service s = {.tls = NULL};
    SSL_SESSION *session = NULL;

    (void)arg;
    for (int round = 0; round < 2; round++) {
        struct client c;
        size_t written;

        begin(&s);
        client_begin(&c, s.peer, TLS1_3_VERSION);
        if (round > 0) {
            IS(SSL_SESSION_get_max_early_data(session), 0);
            IS(SSL_SESSION_get_ticket_lifetime_hint(session), CG_TLS_TICKET_LIFE);
            SSL_SESSION_set_max_early_data(session, 1000);
            SSL_set_session(c.ssl, session);
            IS(SSL_write_early_data(c.ssl, "early", 5, &written), 1);
        }
        IS(client_do(&c, SHAKES, NULL, 0), 1);
        IS(SSL_session_reused(c.ssl), round > 0);
        IS(SSL_get_early_data_status(c.ssl),
           round > 0 ? SSL_EARLY_DATA_REJECTED : SSL_EARLY_DATA_NOT_SENT);
        client_asks(&c, "late");
        if (round == 0)
            session = SSL_get1_session(c.ssl);
        SSL_set_shutdown(c.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        client_end(&c);
        IS(end(&s), CG_ETLS_CUT);
        IS(s.len, 4);
        ck_assert_mem_eq(s.got, "late", 4);
    }
    SSL_SESSION_free(session);
    cg_tls_free(s.tls);
    return 0;
}

/* A client that asks for new keys over and over and does not read the replies is not read any
 * more, so the queue of replies is limited. */
static ssize_t key_updates(void *arg)
{
    struct service s = {.tls = NULL};
    struct cg__tls_conn *conn;
    struct client c;
    ssize_t n;

    (void)arg;
    begin(&s);
    client_begin(&c, s.peer, TLS1_3_VERSION);
    IS(client_do(&c, SHAKES, NULL, 0), 1);
    client_asks(&c, "one");
    conn = cg_sock_state(s.sock);
    do {
        IS(SSL_key_update(c.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        IS(SSL_do_handshake(c.ssl), 1);
        n = client_flush(&c);
        ck_assert_uint_le(cg__tls_queue_size(&conn->queue),
                          2 * CG__TLS_QUEUE_LIMIT + CG__TLS_RECORD);
    } while (n > 0);
    IS(n, -ETIMEDOUT);
    ck_assert_uint_gt(cg__tls_queue_size(&conn->queue), CG__TLS_QUEUE_LIMIT);
    client_end(&c);
    IS(end(&s), -EPIPE); /* for the replies */
    cg_tls_free(s.tls);
    return 0;
}

/* Bytes made by hand */

/* A hello that claims to be longer than any may be is refused when its header is there. */
static ssize_t long_hello(void *arg)
{
    static const char hello[] = "\x16\x03\x01\x00\x04\x01\xff\xff\xff";
    struct service s = {.tls = NULL};

    (void)arg;
    begin(&s);
    IS(cg_yield(cg_writeall(s.peer, hello, 9)), 9);
    IS(cg_yield(cg_join(s.coro)), CG_ETLS);
    IS(end(&s), CG_ETLS);
    cg_tls_free(s.tls);
    return 0;
}

/* The timeout is that of the whole handshake, however often the client sends a byte. */
static ssize_t slow_hello(void *arg)
{
    struct service s = {.tls = NULL};
    int64_t begun = cg_sched_now(cg_sched_self());
    char byte = 0x16;

    (void)arg;
    begin(&s);
    while (cg_yield(cg_write(s.peer, &byte, 1)) == 1) {
        byte = byte == 0x16 ? 3 : 1; /* a record of 257 bytes, a hello of 65,793 */
        IS(cg_yield(cg_sleep(10 * CG_MILLISECOND)), 0);
    }
    IS((cg_sched_now(cg_sched_self()) - begun) / (100 * CG_MILLISECOND), 10);
    IS(end(&s), -ETIMEDOUT);
    cg_tls_free(s.tls);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(renegotiation),
        CORO(early_data),
        CORO(key_updates, .where = ON_SIM),
        CORO(long_hello),
        CORO(slow_hello, .where = ON_SIM),
    };

    return tls_main("tls_peer", cases, COUNT(cases));
}
