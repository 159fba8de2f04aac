/* SPDX-License-Identifier: MIT */
/* TLS with somebody in between who changes, cuts, repeats, drops, swaps, delays and inserts
 * records: what either end reads is the beginning of what the other one wrote, and the stream
 * ends without an error only where that has ended it: after all bytes, or where it gave up.
 * Afterwards the server serves somebody else.
 * The input is a list of what is done, four bytes each. */
#include "config.h"

#include "tests/fuzz/peer.h"
#include "tests/tls/tls_certs.h"

#include <cogen/tls.h>
#include <errno.h>
#include <sys/socket.h>

#define SERVER_ADDR "10.0.0.1:443"
#define MIDDLE_ADDR "10.0.0.2:443"

enum {
    HEAD = 5, /* bytes of a record before its content */
    RECORD = HEAD + 0xffff,
    SIZE = 20000, /* what either end writes: two records */
    EDITS = 64,   /* most that count */
    LATEST = 20,  /* s */
};

enum act { CHANGE, CUT, REPEAT, DROP, SWAP, END, INSERT, DELAY, ACTS };

struct edit {
    uint8_t act;    /* and the direction, in the highest bit */
    uint8_t record; /* the number of the record, of that direction */
    uint8_t at, value;
};

struct session {
    const struct edit *edits;
    size_t count;
    unsigned delay; /* s, in all */
    bool touched;   /* a record was not passed on as it was, or very late */
    struct cg_sock *listener, *door;
    struct way {
        struct session *session;
        struct cg_sock *from, *to;
        unsigned records;
        bool answers;  /* from the server to the client */
        size_t held;   /* bytes of a record that waits for the next one */
        unsigned char record[RECORD], kept[RECORD];
    } ways[2];
};

static struct cg_tls *server_tls, *client_tls;

/* Whether an end closed its socket before it had written everything: the client, the server. Its
 * close_notify then ends the stream of the other one early, without an error. */
static bool gave_up[2];

static char pattern(size_t at, bool answers)
{
    return (char)(at * 7 + at / 251 + answers);
}

/* Reads to the end. Returns whether everything came, and then the end. */
static bool read_all(struct cg_sock *sock, bool answers)
{
    char buf[3000];
    size_t len = 0;
    ssize_t n;

    while ((n = cg_yield(cg_read(sock, buf, sizeof buf, .timeout = CG_MINUTE))) > 0)
        for (ssize_t i = 0; i < n; i++)
            MUST(buf[i] == pattern(len++, answers));
    MUST(len <= SIZE);
    MUST(n < 0 || len == SIZE || gave_up[answers]);
    return n == 0 && len == SIZE;
}

/* Writes everything and ends the stream. Returns whether that succeeded. */
static bool write_all(struct cg_sock *sock, bool answers)
{
    char buf[SIZE];
    ssize_t n;

    for (size_t i = 0; i < sizeof buf; i++)
        buf[i] = pattern(i, answers);
    n = cg_yield(cg_writeall(sock, buf, sizeof buf, .timeout = CG_MINUTE));
    return n >= 0 && cg_yield(cg_shutdown(sock, SHUT_WR)) == 0;
}

/* Reads the question, and answers it. */
static ssize_t respond(struct cg_sock *conn, void *arg)
{
    struct cg_sock *sock;
    bool answered = false;

    (void)arg;
    if (cg_yield(cg_tls_accept(conn, server_tls, &sock, .timeout = CG_MINUTE)) == 0) {
        conn = sock;
        answered = read_all(conn, false) && write_all(conn, true);
    }
    gave_up[1] |= !answered;
    cg_sock_close(conn);
    return 0;
}

static ssize_t serve(void *arg)
{
    struct session *session = arg;

    return cg_yield(cg_serve(session->listener, respond, .stack_size = 256 * 1024));
}

/* Returns whether the whole answer came. */
static bool ask(const char *addr)
{
    struct cg_sock *conn, *sock;
    bool asked = false, whole = false;

    MUST(cg_yield(cg_connect(addr, &conn)) == 0);
    if (cg_yield(cg_tls_connect(conn, client_tls, "site.test", &sock, .timeout = CG_MINUTE)) == 0) {
        conn = sock;
        asked = write_all(conn, false);
        whole = asked && read_all(conn, true);
    }
    gave_up[0] |= !asked;
    cg_sock_close(conn);
    return whole;
}

static bool send_on(struct way *way, const unsigned char *data, size_t len)
{
    return len == 0 || cg_yield(cg_writeall(way->to, data, len, .timeout = CG_MINUTE)) > 0;
}

/* Does one thing to the record. Returns false if the stream ends with it. */
static bool edit(struct way *way, const struct edit *edit, size_t *len)
{
    struct session *session = way->session;

    if (edit->act % ACTS == DELAY)
        session->delay += edit->at % LATEST;
    if (edit->act % ACTS != DELAY || session->delay > 2 * LATEST)
        session->touched = true;
    switch (edit->act % ACTS) {
    case CHANGE:
        if (*len > 0)
            way->record[edit->at * 131u % *len] ^= edit->value | 1;
        return true;
    case CUT:
        *len = edit->at * 131u % (*len + 1);
        return true;
    case REPEAT:
        return send_on(way, way->record, *len);
    case DROP:
        *len = 0;
        return true;
    case SWAP:
        if (way->held == 0) {
            memcpy(way->kept, way->record, *len);
            way->held = *len;
            *len = 0;
        }
        return true;
    case INSERT:
        memset(way->kept + way->held, edit->value, edit->at % (RECORD - way->held));
        return send_on(way, way->kept + way->held, edit->at % (RECORD - way->held));
    case DELAY:
        cg_yield(cg_sleep(edit->at % LATEST * CG_SECOND));
        return true;
    default:
        return false;
    }
}

static bool pass_on(struct way *way, size_t len)
{
    const struct session *session = way->session;
    bool goes_on = true, had = way->held > 0;

    for (size_t i = 0; i < session->count && goes_on; i++)
        if (session->edits[i].record % 16 == way->records % 16 && way->records < 16 &&
            (session->edits[i].act >> 7) == way->answers)
            goes_on = edit(way, &session->edits[i], &len);
    way->records++;
    goes_on = send_on(way, way->record, len) && goes_on;
    if (had) {
        goes_on = send_on(way, way->kept, way->held) && goes_on;
        way->held = 0;
    }
    return goes_on;
}

static ssize_t relay(void *arg)
{
    struct way *way = arg;
    size_t len;

    while (cg_yield(cg_readall(way->from, way->record, HEAD, .timeout = CG_MINUTE)) == HEAD) {
        len = (size_t)way->record[3] << 8 | way->record[4];
        if (len > 0 && cg_yield(cg_readall(way->from, way->record + HEAD, len,
                                           .timeout = CG_MINUTE)) != (ssize_t)len)
            break;
        if (!pass_on(way, HEAD + len))
            break;
    }
    cg_yield(cg_shutdown(way->to, SHUT_WR));
    return 0;
}

static ssize_t stand_between(void *arg)
{
    struct session *session = arg;
    struct cg_sock *client, *server;
    struct cg_group group;

    if (cg_yield(cg_accept(session->door, &client)) < 0)
        return 0;
    MUST(cg_yield(cg_connect(SERVER_ADDR, &server)) == 0);
    session->ways[0].from = session->ways[1].to = client;
    session->ways[0].to = session->ways[1].from = server;
    session->ways[1].answers = true;
    cg_group_open(&group);
    for (int i = 0; i < 2; i++) {
        session->ways[i].session = session;
        cg_group_start(&group, relay, &session->ways[i], NULL);
    }
    cg_yield(cg_wait_group(&group));
    cg_sock_close(client);
    cg_sock_close(server);
    return 0;
}

static ssize_t run(void *arg)
{
    struct session *session = arg;
    struct cg_coro *middle, *server;
    bool whole;

    MUST(cg_sock_listen(cg_sched_self(), SERVER_ADDR, &session->listener) == 0);
    MUST(cg_sock_listen(cg_sched_self(), MIDDLE_ADDR, &session->door) == 0);
    cg_yield(cg_add(serve, session, .coro = &server));
    cg_yield(cg_add(stand_between, session, .coro = &middle));
    whole = ask(MIDDLE_ADDR);
    MUST(whole || session->touched);
    MUST(ask(SERVER_ADDR));
    cg_yield(cg_join(middle));
    cg_coro_unref(middle);
    cg_coro_cancel(server);
    cg_yield(cg_join(server));
    cg_coro_unref(server);
    cg_sock_close(session->listener);
    cg_sock_close(session->door);
    return 0;
}

static void open_tls(void)
{
    certs_open();
    MUST(cg_tls_new(&server_tls, .cert = cert_path("site.pem")) == 0);
    MUST(cg_tls_new(&client_tls, .ca_file = cert_path("ca.pem")) == 0);
    certs_close();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session *session = calloc(1, sizeof *session);

    MUST(session != NULL);
    if (server_tls == NULL)
        open_tls();
    memset(gave_up, 0, sizeof gave_up);
    session->edits = (const struct edit *)data;
    session->count = size / sizeof *session->edits;
    if (session->count > EDITS)
        session->count = EDITS;
    peer_world(run, session);
    free(session);
    return 0;
}
