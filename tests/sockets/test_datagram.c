/* SPDX-License-Identifier: MIT */
/* Datagram sockets: datagrams arrive whole and with the sender's address, and a receive
 * that times out or is cancelled loses none. */
#include "config.h"

#include "tests/sockets/datagrams.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MS CG_MILLISECOND

static bool same_addr(const struct cg_addr *addr, const char *text)
{
    char found[CG_ADDR_SIZE];

    OK(cg_addr_print(addr, found, sizeof found));
    return strcmp(found, text) == 0;
}

/* The receiver gets the sender's address, and can send a datagram back. */
static void answer(struct talk *talk)
{
    struct cg_addr from, peer;

    talk_say(talk, "question");
    talk_hear(talk->server, "question", &from);
    ck_assert(same_addr(&from, talk->client_addr));
    IS(cg_yield(cg_send_to(talk->server, "answer", 6, &from)), 6);
    talk_hear(talk->client, "answer", &peer);
    ck_assert(same_addr(&peer, talk->server_addr));
    IS(cg_yield(cg_send_to(talk->server, "text", 4, talk->client_addr)), 4);
    talk_hear(talk->client, "text", NULL);
}

static ssize_t answers(void *arg)
{
    (void)arg;
    talk_over_all(answer);
    return 0;
}

/* An empty datagram is received like any other, and is not an end. */
static void empty(struct talk *talk)
{
    char buf[4] = "old";

    IS(cg_yield(cg_send_to(talk->client, "", 0, NULL)), 0);
    IS(cg_yield(cg_receive_from(talk->server, buf, sizeof buf, NULL)), 0);
    ck_assert_str_eq(buf, "old");
    talk_say(talk, "x");
    talk_hear(talk->server, "x", NULL);
    IS(cg_yield(cg_send_to(talk->client, NULL, 0, NULL)), 0);
    IS(cg_yield(cg_receive_from(talk->server, NULL, 0, NULL)), 0);
}

static ssize_t empties(void *arg)
{
    (void)arg;
    talk_over_all(empty);
    return 0;
}

/* A datagram that does not fit is reported, with its length on request; the next one is
 * received whole. */
static void truncated(struct talk *talk)
{
    char buf[4];
    size_t whole = 99;

    talk_say(talk, "too long");
    IS(cg_yield(cg_receive_from(talk->server, buf, sizeof buf, NULL)), -EMSGSIZE);
    ck_assert_int_eq(memcmp(buf, "too ", 4), 0);
    talk_say(talk, "too long");
    IS(cg_yield(cg_receive_from(talk->server, buf, sizeof buf, NULL, .whole = &whole)), 4);
    ck_assert_uint_eq(whole, 8);
    talk_say(talk, "fits");
    IS(cg_yield(cg_receive_from(talk->server, buf, sizeof buf, NULL, .whole = &whole)), 4);
    ck_assert_uint_eq(whole, 4);
    talk_say(talk, "x");
    IS(cg_yield(cg_receive_from(talk->server, buf, 0, NULL)), -EMSGSIZE);
}

static ssize_t truncations(void *arg)
{
    (void)arg;
    talk_over_all(truncated);
    return 0;
}

enum { MANY = 40 };

static ssize_t send_many(void *arg)
{
    struct talk *talk = arg;
    char text[MANY][8];
    struct cg_datagram list[MANY];
    size_t moved = 0;

    for (int i = 0; i < MANY; i++) {
        int len = snprintf(text[i], sizeof text[i], "%d", i * i);

        list[i] = (struct cg_datagram){.buf = text[i], .len = (size_t)len};
    }
    IS(cg_yield(cg_send_datagrams(talk->client, list, MANY, .moved = &moved)), MANY);
    ck_assert_uint_eq(moved, MANY);
    return 0;
}

/* Many datagrams in one call arrive separately, each once. A UNIX socket has room for few,
 * so the sender has to wait. */
static void many(struct talk *talk)
{
    char text[MANY][8], buf[8];
    struct cg_addr from[MANY];
    struct cg_datagram list[MANY];
    bool seen[MANY] = {false};
    struct cg_coro *sender = test_start(send_many, talk);
    int count = 0;

    for (int i = 0; i < MANY; i++)
        list[i] = (struct cg_datagram){.buf = text[i], .size = sizeof text[i], .addr = &from[i]};
    while (count < MANY) {
        int n = (int)OK(cg_yield(cg_receive_datagrams(talk->server, list, MANY)));

        ck_assert_int_gt(n, 0);
        for (int i = 0; i < n; i++, count++) {
            int number = 0;

            ck_assert_uint_eq(list[i].whole, list[i].len);
            ck_assert_uint_lt(list[i].len, sizeof buf);
            memcpy(buf, text[i], list[i].len);
            buf[list[i].len] = '\0';
            while (number * number < atoi(buf))
                number++;
            ck_assert_int_eq(number * number, atoi(buf));
            ck_assert(!seen[number]);
            seen[number] = true;
            ck_assert(same_addr(&from[i], talk->client_addr));
        }
    }
    IS(test_end(sender), 0);
    IS(cg_yield(cg_receive_datagrams(talk->server, list, 0)), 0);
    IS(cg_yield(cg_send_datagrams(talk->client, list, 0)), 0);
}

static ssize_t many_at_once(void *arg)
{
    (void)arg;
    talk_over_all(many);
    return 0;
}

/* A socket with a peer receives nothing from others. */
static ssize_t strangers(void *arg)
{
    struct talk talk;
    struct cg_sock *stranger;
    char addr[CG_ADDR_SIZE];

    (void)arg;
    ck_assert(talk_open(OVER_TCP, &talk));
    stranger = talk_open_one(OVER_TCP, addr);
    cg_yield(cg_send_to(stranger, "no", 2, talk.client_addr));
    IS(cg_yield(cg_sleep(MS)), 0);
    IS(cg_yield(cg_send_to(talk.server, "yes", 3, talk.client_addr)), 3);
    talk_hear(talk.client, "yes", NULL);
    cg_sock_close(stranger);
    talk_close(&talk);
    return 0;
}

/* A list of received datagrams can be sent back as it is. */
static ssize_t echo(void *arg)
{
    struct talk talk;
    char buf[2][8];
    struct cg_addr from[2];
    struct cg_datagram list[2];
    ssize_t n;

    (void)arg;
    ck_assert(talk_open(OVER_TCP, &talk));
    for (int i = 0; i < 2; i++)
        list[i] = (struct cg_datagram){buf[i], sizeof buf[i], .addr = &from[i]};
    talk_say(&talk, "there");
    n = OK(cg_yield(cg_receive_datagrams(talk.server, list, 2)));
    IS(n, 1);
    IS(cg_yield(cg_send_datagrams(talk.server, list, (size_t)n)), n);
    talk_hear(talk.client, "there", NULL);
    talk_close(&talk);
    return 0;
}

/* A receive that times out, is cancelled or loses a race leaves the datagram to the
 * next. */
static void given_up(struct talk *talk)
{
    char buf[8];
    struct cg_addr from = {.len = 77};

    IS(cg_yield(cg_receive_from(talk->server, buf, sizeof buf, &from, .timeout = MS)),
       -ETIMEDOUT);
    IS(cg_yield(cg_receive_from(talk->server, buf, sizeof buf, &from, .timeout = CG_NOWAIT)),
       -ETIMEDOUT);
    for (int i = 0; i < 20; i++) {
        ssize_t winner;

        talk_say(talk, "race");
        winner = OK(cg_yield(cg_any(
            (cg_receive_from(talk->server, buf, sizeof buf, &from),
             cg_sleep(test_on_sim() ? (int64_t)(i * 10 * CG_MICROSECOND) : 0)))));
        if (winner == 1)
            talk_hear(talk->server, "race", NULL);
    }
    IS(cg_yield(cg_receive_from(talk->server, buf, sizeof buf, NULL, .timeout = 5 * MS)),
       -ETIMEDOUT);
    talk_say(talk, "last");
    talk_hear(talk->server, "last", NULL);
}

static ssize_t no_loss(void *arg)
{
    (void)arg;
    talk_over_all(given_up);
    return 0;
}

/* A datagram that is there is received without a wait. */
static ssize_t at_once(void *arg)
{
    struct talk talk;
    char buf[8];

    (void)arg;
    ck_assert(talk_open(OVER_UNIX, &talk));
    talk_say(&talk, "here");
    IS(cg_yield(cg_poll_sock(talk.server, CG_IN)) & CG_IN, CG_IN);
    IS(cg_yield(cg_receive_from(talk.server, buf, sizeof buf, NULL, .timeout = CG_NOWAIT)), 4);
    IS(cg_yield(cg_poll_sock(talk.server, CG_OUT)), CG_OUT);
    talk_close(&talk);
    return 0;
}

/* A send waits while a UNIX receiver has no room. If the send times out, the datagram is
 * not sent. */
static ssize_t full(void *arg)
{
    struct talk talk;
    struct cg_coro *sender;
    int sent = 0;

    (void)arg;
    ck_assert(talk_open(OVER_UNIX, &talk));
    while (cg_yield(cg_send_to(talk.client, "fill", 4, NULL, .timeout = 20 * MS)) == 4)
        ck_assert_int_lt(++sent, 1000);
    ck_assert_int_gt(sent, 5);
    for (int i = 0; i < sent; i++)
        talk_hear(talk.server, "fill", NULL);
    sender = test_start(send_many, &talk);
    test_until_waiting(sender);
    for (int i = 0; i < MANY; i++) {
        char text[8];

        snprintf(text, sizeof text, "%d", i * i);
        talk_hear(talk.server, text, NULL);
    }
    IS(test_end(sender), 0);
    talk_close(&talk);
    return 0;
}

static ssize_t send_one(void *arg)
{
    struct talk *talk = arg;

    IS(cg_yield(cg_send_to(talk->client, "last", 4, talk->server_addr)), 4);
    return 0;
}

/* The kernel does not tell when there is room at an address that is not the sender's peer. A
 * send to it waits without spinning, and other requests of its socket go on. */
static ssize_t full_address(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_coro *sender;
    struct talk talk, other;
    int64_t cpu;
    int sent = 0;

    (void)arg;
    ck_assert(talk_open(OVER_UNIX, &talk));
    other = talk;
    other.client = talk_open_one(OVER_UNIX, addr);
    while (cg_yield(cg_send_to(talk.client, "fill", 4, NULL, .timeout = 20 * MS)) == 4)
        ck_assert_int_lt(++sent, 1000);
    sender = test_start(send_one, &other);
    test_until_waiting(sender);
    cpu = test_clock(CLOCK_PROCESS_CPUTIME_ID);
    OK(cg_yield(cg_sleep(400 * MS)));
    ck_assert_int_lt(test_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu, 200 * MS);
    IS(cg_yield(cg_send_to(talk.server, "back", 4, addr)), 4);
    talk_hear(other.client, "back", NULL);
    for (int i = 0; i < sent; i++)
        talk_hear(talk.server, "fill", NULL);
    talk_hear(talk.server, "last", NULL);
    IS(test_end(sender), 0);
    cg_sock_close(other.client);
    talk_close(&talk);
    return 0;
}

/* If no socket is bound to the address, the sender's next operation fails, and the socket
 * stays usable. */
static ssize_t refused(void *arg)
{
    struct talk talk;
    char buf[8];

    (void)arg;
    ck_assert(talk_open(OVER_TCP, &talk));
    cg_sock_close(talk.server);
    talk_say(&talk, "hello?");
    IS(cg_yield(cg_receive_from(talk.client, buf, sizeof buf, NULL)), -ECONNREFUSED);
    OK(cg_datagram_open(cg_sched_self(), talk.server_addr, &talk.server));
    talk_say(&talk, "again");
    talk_hear(talk.server, "again", NULL);
    talk_close(&talk);
    return 0;
}

/* The error of an earlier datagram also ends a receive that waits, and a send. */
static ssize_t refused_waiting(void *arg)
{
    struct talk *talk = arg;
    char buf[8];

    IS(cg_yield(cg_receive_from(talk->client, buf, sizeof buf, NULL)), -ECONNREFUSED);
    return 0;
}

static ssize_t refused_later(void *arg)
{
    struct talk talk;
    struct cg_coro *reader;

    (void)arg;
    ck_assert(talk_open(OVER_TCP, &talk));
    cg_sock_close(talk.server);
    reader = test_start(refused_waiting, &talk);
    test_until_waiting(reader);
    talk_say(&talk, "hello?");
    IS(test_end(reader), 0);
    talk_say(&talk, "hello?");
    OK(cg_yield(cg_sleep(10 * MS)));
    IS(cg_yield(cg_send_to(talk.client, "x", 1, NULL)), -ECONNREFUSED);
    cg_sock_close(talk.client);
    return 0;
}

/* A datagram that is too long fails, also in a list; those before it are sent. */
static ssize_t too_long(void *arg)
{
    static char big[70 * 1024];
    struct talk talk;
    size_t moved = 99;
    struct cg_datagram list[3] = {{.buf = big, .len = 1},
                                  {.buf = big, .len = sizeof big},
                                  {.buf = big, .len = 2}};
    char buf[8];

    (void)arg;
    ck_assert(talk_open(OVER_TCP, &talk));
    IS(cg_yield(cg_send_to(talk.client, big, 65508, NULL)), -EMSGSIZE);
    IS(cg_yield(cg_send_datagrams(talk.client, list, 3, .moved = &moved)), -EMSGSIZE);
    ck_assert_uint_eq(moved, 1);
    IS(cg_yield(cg_send_datagrams(talk.client, list + 1, 1, .moved = &moved)), -EMSGSIZE);
    ck_assert_uint_eq(moved, 0);
    IS(cg_yield(cg_receive_from(talk.server, buf, sizeof buf, NULL)), 1);
    IS(cg_yield(cg_send_datagrams(talk.client, list + 2, 1)), 1);
    IS(cg_yield(cg_receive_from(talk.server, buf, sizeof buf, NULL)), 2);
    talk_close(&talk);
    return 0;
}

/* The longest datagram that UDP can carry. */
static ssize_t longest(void *arg)
{
    static char sent[65507], received[65507];
    struct talk talk;

    (void)arg;
    test_fill(sent, sizeof sent, 0);
    ck_assert(talk_open(OVER_TCP, &talk));
    IS(cg_yield(cg_send_to(talk.client, sent, sizeof sent, NULL)), sizeof sent);
    IS(cg_yield(cg_receive_from(talk.server, received, sizeof received, NULL)),
       sizeof received);
    test_verify(received, sizeof received, 0);
    talk_close(&talk);
    return 0;
}

/* Operations on streams fail on datagram sockets, and the other way round. */
static ssize_t wrong_operations(void *arg)
{
    struct talk talk;
    struct cg_sock *a, *b;
    struct cg_datagram one = {.buf = NULL};
    struct cg_view view;
    char buf[8];

    (void)arg;
    ck_assert(talk_open(OVER_TCP, &talk));
    IS(cg_yield(cg_read(talk.server, buf, sizeof buf)), -EOPNOTSUPP);
    IS(cg_yield(cg_readline(talk.server, buf, sizeof buf)), -EOPNOTSUPP);
    IS(cg_yield(cg_borrow(talk.server, &view)), -EOPNOTSUPP);
    IS(cg_yield(cg_writeall(talk.client, buf, sizeof buf)), -EOPNOTSUPP);
    IS(cg_yield(cg_sendfile(talk.client, 0, 0, 1)), -EOPNOTSUPP);
    IS(cg_yield(cg_accept(talk.server, &a)), -EOPNOTSUPP);
    IS(cg_yield(cg_shutdown(talk.client, SHUT_WR)), -EOPNOTSUPP);
    talk_close(&talk);
    test_tcp(&a, &b);
    IS(cg_yield(cg_receive_from(a, buf, sizeof buf, NULL)), -EOPNOTSUPP);
    IS(cg_yield(cg_receive_datagrams(a, &one, 1)), -EOPNOTSUPP);
    IS(cg_yield(cg_send_to(b, buf, sizeof buf, "127.0.0.1:1")), -EOPNOTSUPP);
    IS(cg_yield(cg_send_datagrams(b, &one, 1)), -EOPNOTSUPP);
    IS(cg_datagram_join(a, "239.1.2.3"), -EOPNOTSUPP);
    cg_sock_close(a);
    cg_sock_close(b);
    IS(cg_yield(cg_receive_from(NULL, buf, sizeof buf, NULL)), -EBADF);
    IS(cg_yield(cg_send_to(NULL, buf, sizeof buf, "127.0.0.1:1")), -EBADF);
    IS(cg_datagram_join(NULL, "239.1.2.3"), -EBADF);
    return 0;
}

static ssize_t wait_for_one(void *arg)
{
    char buf[8];

    return cg_yield(cg_receive_from(arg, buf, sizeof buf, NULL));
}

/* Each side has one operation at a time. Closing the socket ends those that wait. */
static ssize_t busy_and_closed(void *arg)
{
    struct talk talk;
    struct cg_coro *reader;
    char buf[8];

    (void)arg;
    ck_assert(talk_open(OVER_TCP, &talk));
    reader = test_start(wait_for_one, talk.server);
    test_until_waiting(reader);
    IS(cg_yield(cg_receive_from(talk.server, buf, sizeof buf, NULL)), -EBUSY);
    cg_sock_close(talk.server);
    IS(test_end(reader), -EBADF);
    cg_sock_set_timeout(talk.client, MS);
    IS(cg_yield(cg_receive_from(talk.client, buf, sizeof buf, NULL)), -ETIMEDOUT);
    cg_sock_close(talk.client);
    return 0;
}

/* A send without an address and peer, or to an invalid address, fails. */
static ssize_t wrong_addresses(void *arg)
{
    struct talk talk;

    (void)arg;
    ck_assert(talk_open(OVER_TCP, &talk));
    IS(cg_yield(cg_send_to(talk.server, "x", 1, NULL)), -EDESTADDRREQ);
    IS(cg_yield(cg_send_to(talk.server, "x", 1, "nonsense")), CG_EADDR);
    IS(cg_yield(cg_send_to(talk.server, "x", 1, "127.0.0.1:0")), CG_EADDR);
    IS(cg_yield(cg_send_to(talk.server, "x", 1, "example.org:80")), CG_EADDR);
    IS(cg_yield(cg_send_to(talk.server, "x", 1, "[::1]:80")), -EAFNOSUPPORT);
    talk_close(&talk);
    talk.server = talk_open_one(OVER_UNIX, talk.server_addr);
    IS(cg_yield(cg_send_to(talk.server, "x", 1, NULL)), -ENOTCONN);
    IS(cg_yield(cg_send_to(talk.server, "x", 1, "unix:@cogen-nobody")), -ECONNREFUSED);
    cg_sock_close(talk.server);
    return 0;
}

static const struct test_case cases[] = {
    CORO(answers),
    CORO(empties),
    CORO(truncations),
    CORO(many_at_once),
    CORO(strangers),
    CORO(echo),
    CORO(no_loss),
    CORO(at_once),
    CORO(full),
    CORO(full_address),
    CORO(refused),
    CORO(refused_later),
    CORO(too_long),
    CORO(longest),
    CORO(wrong_operations),
    CORO(busy_and_closed),
    CORO(wrong_addresses),
};

int main(void)
{
    return test_main("datagram", cases, COUNT(cases));
}
