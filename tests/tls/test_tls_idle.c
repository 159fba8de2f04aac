/* SPDX-License-Identifier: MIT */
/* A TLS connection that waits for input without a coroutine. */
#include "config.h"

#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_main.h"
#include "tests/tls/tls_meeting.h"
#include "tls/conn.h"

#include <errno.h>
#include <string.h>

struct guest {
    struct cg_wait_input_op wait; /* must be first */
    unsigned starts;
    ssize_t result;
};

static struct cg_starter *starter;
static struct cg_tls *server, *client;

static ssize_t welcome(void *arg)
{
    struct guest *guest = arg;

    guest->starts++;
    guest->result = cg_op_result(arg);
    return 0;
}

static int await(struct guest *guest, struct cg_sock *sock)
{
    guest->wait = *(struct cg_wait_input_op *)cg_wait_input(sock);
    return cg_starter_await(starter, &guest->wait.op);
}

static void until_started(struct guest *guest, unsigned starts)
{
    while (guest->starts < starts)
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
}

static void begin(struct meeting *m)
{
    OK(cg_tls_new(&server, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&client, .ca_file = cert_path("ca.pem")));
    *m = (struct meeting){.server = server, .client = client, .host = "site.test"};
    meet(m);
    starter = cg_starter_new(cg_sched_self(), welcome);
    ck_assert_ptr_nonnull(starter);
}

static void end(struct meeting *m)
{
    part(m);
    cg_starter_free(starter);
    cg_tls_free(server);
    cg_tls_free(client);
}

/* Input is waited for at the socket below, without a coroutine; meanwhile the connection can be
 * written to, and not be read. A part of a record ends the wait, but is no input yet. */
static ssize_t waits(void *arg)
{
    struct guest guest = {.result = 1};
    struct meeting m;
    char buf[8];

    (void)arg;
    begin(&m);
    for (unsigned round = 1; round <= 3; round++) {
        IS(await(&guest, m.sock[0]), 0);
        IS(cg_yield(cg_writeall(m.sock[0], "out", 3)), 3);
        IS(cg_yield(cg_readall(m.sock[1], buf, 3)), 3);
        IS(cg_yield(cg_read(m.sock[0], buf, sizeof buf)), -EBUSY);
        ck_assert_uint_eq(guest.starts, round - 1);
        IS(cg_yield(cg_writeall(m.sock[1], "hello", 5)), 5);
        until_started(&guest, round);
        IS(guest.result, 0);
        IS(cg_yield(cg_read(m.sock[0], buf, sizeof buf)), 5);
    }
    IS(await(&guest, m.sock[0]), 0);
    IS(cg_yield(cg_writeall(m.inner[1], "\x17\x03\x03", 3)), 3);
    until_started(&guest, 4);
    IS(cg_yield(cg_read(m.sock[0], buf, sizeof buf, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    IS(await(&guest, m.sock[0]), 0);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    ck_assert_uint_eq(guest.starts, 4);
    cg_starter_cancel(starter, &guest.wait.op);
    until_started(&guest, 5);
    IS(guest.result, -ECANCELED);
    end(&m);
    return 0;
}

/* What is decrypted already, and the end of the stream, end a wait at once. */
static ssize_t ends_at_once(void *arg)
{
    struct guest guest = {.result = 1};
    struct meeting m;
    char buf[8];

    (void)arg;
    begin(&m);
    IS(cg_yield(cg_writeall(m.sock[1], "hello", 5)), 5);
    IS(cg_yield(cg_read(m.sock[0], buf, 2)), 2);
    IS(cg_yield(cg_wait_input(m.sock[0])), 0);
    IS(cg_yield(cg_read(m.sock[0], buf, sizeof buf)), 3);
    cg_sock_close(m.sock[1]);
    m.result[1] = -EBADF;
    IS(await(&guest, m.sock[0]), 0);
    until_started(&guest, 1);
    IS(guest.result, 0);
    IS(cg_yield(cg_read(m.sock[0], buf, sizeof buf)), 0);
    IS(cg_yield(cg_wait_input(m.sock[0])), 0);
    end(&m);
    return 0;
}

struct drink {
    struct cg_sock *sock;
    char *buf;
    size_t len;
};

static ssize_t drinks(void *arg)
{
    struct drink *drink = arg;

    return cg_yield(cg_readall(drink->sock, drink->buf, drink->len));
}

/* While there is something to send, a wait needs a coroutine, which also sends. */
static ssize_t sends_first(void *arg)
{
    static char much[256 * 1024];
    struct guest guest = {.result = 1};
    struct drink drink = {.buf = much};
    struct cg_coro *reader;
    struct meeting m;

    (void)arg;
    begin(&m);
    drink.sock = m.sock[1];
    IS(cg_yield(cg_writeall(m.sock[0], much, sizeof much, .timeout = CG_MILLISECOND,
                            .moved = &drink.len)),
       -ETIMEDOUT);
    IS(await(&guest, m.sock[0]), -EOPNOTSUPP);
    reader = test_start(drinks, &drink);
    IS(cg_yield(cg_wait_input(m.sock[0], .timeout = 10 * CG_MILLISECOND)), -ETIMEDOUT);
    while (await(&guest, m.sock[0]) < 0)
        IS(cg_yield(cg_wait_input(m.sock[0], .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    IS(test_end(reader), (ssize_t)drink.len);
    cg_starter_cancel(starter, &guest.wait.op);
    until_started(&guest, 1);
    end(&m);
    return 0;
}

/* Closing the connection ends the wait. */
static ssize_t closed(void *arg)
{
    struct guest guest = {.result = 1};
    struct meeting m;

    (void)arg;
    begin(&m);
    IS(await(&guest, m.sock[0]), 0);
    cg_sock_close(m.sock[0]);
    m.result[0] = -EBADF;
    until_started(&guest, 1);
    IS(guest.result, -EBADF);
    IS(await(&guest, m.sock[1]), 0);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    cg_sock_close(m.sock[1]);
    m.result[1] = -EBADF;
    until_started(&guest, 2);
    end(&m);
    return 0;
}

static const struct test_case cases[] = {
    CORO(waits),
    CORO(ends_at_once),
    CORO(sends_first),
    CORO(closed),
};

int main(void)
{
    return tls_main("tls_idle", cases, COUNT(cases));
}
