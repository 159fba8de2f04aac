/* SPDX-License-Identifier: MIT */
/* After an upgrade, a stream of HTTP/2 is a socket like others. */
#include "config.h"

#include "tests/http/carried.h"
#include "tests/sockets/sock_cases.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static void both_ways_round(void (*check)(struct cg_sock *, struct cg_sock *), bool h2)
{
    struct cg_sock *served, *asked;

    carried_begin(h2);
    carried_pair(&served, &asked);
    check(served, asked);
    carried_pair(&served, &asked);
    check(asked, served);
    carried_end();
}

static ssize_t are_sockets(void *arg)
{
    (void)arg;
    for (int h2 = 0; h2 <= 1; h2++) {
        both_ways_round(sock_everything, h2);
        both_ways_round(sock_both_ways, h2);
        both_ways_round(sock_raced, h2);
        both_ways_round(sock_closed, h2);
    }
    return 0;
}

static ssize_t weak_timeouts_start_anew(void *arg)
{
    (void)arg;
    both_ways_round(sock_weak, true);
    return 0;
}

static ssize_t reads(void *sock)
{
    char byte;

    return cg_yield(cg_read(sock, &byte, 1));
}

/* To stop reading ends a read that waits, and what comes later is dropped. */
static void stops_reading(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *reader = test_start(reads, a);
    char byte;

    test_until_waiting(reader);
    IS(cg_yield(cg_shutdown(a, SHUT_RD)), 0);
    IS(test_end(reader), 0);
    IS(cg_yield(cg_writeall(b, "late", 4)), 4);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS(cg_yield(cg_read(a, &byte, 1)), 0);
    IS(cg_yield(cg_writeall(a, "x", 1)), 1);
    IS(cg_yield(cg_readall(b, &byte, 1)), 1);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* A poll reports the end of the peer's stream, also while input is unread. */
static void end_is_polled(struct cg_sock *a, struct cg_sock *b)
{
    char text[4];

    IS(cg_yield(cg_writeall(b, "last", 4)), 4);
    IS(cg_yield(cg_shutdown(b, SHUT_WR)), 0);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS(cg_yield(cg_readall(a, text, 1)), 1);
    IS(cg_yield(cg_poll_sock(a, CG_IN)), CG_IN | CG_HUP);
    IS(cg_yield(cg_readall(a, text, 3)), 3);
    IS(cg_yield(cg_poll_sock(a, CG_IN)), CG_IN | CG_HUP);
    IS(cg_yield(cg_poll_sock(a, CG_OUT)), CG_OUT);
    cg_sock_close(a);
    cg_sock_close(b);
}

static ssize_t halves_end(void *arg)
{
    (void)arg;
    both_ways_round(stops_reading, true);
    both_ways_round(end_is_polled, true);
    return 0;
}

struct relay {
    struct cg_sock *from, *to;
};

static ssize_t relays(void *arg)
{
    struct relay *relay = arg;
    char byte;

    IS(cg_yield(cg_read(relay->from, &byte, 1)), 1);
    return cg_yield(cg_write(relay->to, &byte, 1));
}

/* Who reads the connection's bytes for a waiting reader of another stream may write to that
 * stream before the reader runs. The reader gets its bytes nevertheless. */
static ssize_t writes_lose_no_input(void *arg)
{
    struct cg_sock *served[2], *asked[2];
    struct cg_coro *relay, *reader;
    char byte = 0;

    (void)arg;
    carried_begin(true);
    for (int i = 0; i < 2; i++)
        carried_pair(&served[i], &asked[i]);
    relay = test_start(relays, &(struct relay){asked[0], asked[1]});
    test_until_waiting(relay);
    reader = test_start(reads, asked[1]);
    test_until_waiting(reader);
    IS(cg_yield(cg_write(served[1], "1", 1)), 1);
    IS(cg_yield(cg_write(served[0], "0", 1)), 1);
    IS(test_end(relay), 1);
    IS(cg_yield(cg_readall(served[1], &byte, 1)), 1);
    IS(test_end(reader), 1);
    for (int i = 0; i < 2; i++) {
        cg_sock_close(asked[i]);
        cg_sock_close(served[i]);
    }
    carried_end();
    return 0;
}

/* A read for which many bytes have come already may still have to wait for the last one. */
static ssize_t long_reads_wait(void *arg)
{
    static char sent[200 * 1024], got[sizeof sent];
    struct piece piece = {.data = got, .size = sizeof got};
    struct cg_sock *served[2], *asked[2];
    struct cg_coro *pump, *reader;

    (void)arg;
    carried_begin(true);
    for (int i = 0; i < 2; i++)
        carried_pair(&served[i], &asked[i]);
    pump = test_start(reads, asked[0]);
    test_until_waiting(pump);
    test_fill(sent, sizeof sent, 0);
    IS(cg_yield(cg_writeall(served[1], sent, sizeof sent - 1)), sizeof sent - 1);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    piece.sock = asked[1];
    reader = test_start(drinks, &piece);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS(cg_yield(cg_writeall(served[1], sent + sizeof sent - 1, 1)), 1);
    IS(test_end(reader), sizeof got);
    test_verify(got, sizeof got, 0);
    IS(cg_yield(cg_writeall(served[0], "x", 1)), 1);
    IS(test_end(pump), 1);
    for (int i = 0; i < 2; i++) {
        cg_sock_close(asked[i]);
        cg_sock_close(served[i]);
    }
    carried_end();
    return 0;
}

static ssize_t says_nothing(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_respond(req, 204, "", 0));
}

static ssize_t asks(void *arg)
{
    struct cg_http_reply *reply;
    ssize_t n = cg_yield(cg_http_get(carried_client, carried_url("/nothing"), &reply));

    (void)arg;
    if (n >= 0)
        cg_http_reply_free(reply);
    return n;
}

/* A tunnel that is closed while another coroutine writes to the connection ends, like any other,
 * and is not only reset. */
static ssize_t ends_during_a_write(void *arg)
{
    struct cg_sock *served, *asked;
    struct cg_coro *asker;
    char byte;

    (void)arg;
    carried_begin(true);
    OK(cg_http_server_mount(carried_server, "/nothing", says_nothing, NULL));
    carried_pair(&served, &asked);
    asker = test_start(asks, NULL);
    IS(cg_yield(cg_pass()), 0);
    cg_sock_close(asked);
    IS(cg_yield(cg_read(served, &byte, 1)), 0);
    cg_sock_close(served);
    IS(test_end(asker), 204);
    carried_end();
    return 0;
}

static char much[1024 * 1024];

static ssize_t writes(void *sock)
{
    return cg_yield(cg_writeall(sock, much, sizeof much, .timeout = 10 * CG_SECOND));
}

/* A tunnel whose peer reads nothing has no window for its end. When it is closed, the peer learns
 * of that nevertheless, here in the midst of a write. */
static ssize_t ends_without_a_window(void *arg)
{
    struct cg_sock *served, *asked;
    struct cg_coro *writer;

    (void)arg;
    carried_begin(true);
    carried_pair(&served, &asked);
    IS(cg_yield(cg_writeall(asked, much, sizeof much, .timeout = CG_SECOND)), -ETIMEDOUT);
    writer = test_start(writes, served);
    OK(cg_yield(cg_sleep(CG_SECOND)));
    cg_sock_close(asked);
    IS(test_end(writer), -EPIPE);
    cg_sock_close(served);
    carried_end();
    return 0;
}

static const struct test_case cases[] = {
    CORO(are_sockets),
    CORO(halves_end, .where = ON_SIM),
    CORO(weak_timeouts_start_anew, .where = ON_SIM),
    CORO(writes_lose_no_input, .where = ON_SIM),
    CORO(long_reads_wait, .where = ON_SIM),
    CORO(ends_during_a_write, .where = ON_SIM),
    CORO(ends_without_a_window, .where = ON_SIM),
};

int main(void)
{
    return test_main("streams as sockets", cases, COUNT(cases));
}
