/* SPDX-License-Identifier: MIT */
/* A TLS connection that moves without memory: each allocation of ours fails in turn. Either
 * nothing has changed, or the connection is closed on its way; nothing else is touched. */
#include "config.h"

#include "tests/failing/failing.h"
#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_main.h"

#include <cogen/tls.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { BIG = 4 * 1024 * 1024 };

static pthread_t thread;       /* whose allocations are counted ... */
static struct cg_coro *client; /* ... but not those of this coroutine, ... */
static bool armed, moving;     /* ... except while it moves the connection */
static int left;               /* allocations until one fails */

bool failing_now(enum failing_what what)
{
    (void)what;
    return armed && pthread_equal(thread, pthread_self()) &&
           (moving || cg_coro_self() != client) && left-- == 0;
}

static struct cg_tls *server_tls, *client_tls;

struct accepting {
    struct cg_sock *inner, *sock;
};

static ssize_t accepts(void *arg)
{
    struct accepting *accepting = arg;

    return cg_yield(cg_tls_accept(accepting->inner, server_tls, &accepting->sock));
}

static void shake_hands(struct cg_sock **server, struct cg_sock **asking)
{
    struct accepting accepting;
    struct cg_sock *inner;
    struct cg_coro *coro;

    test_tcp(&accepting.inner, &inner);
    coro = test_start(accepts, &accepting);
    OK(cg_yield(cg_tls_connect(inner, client_tls, "site.test", asking)));
    OK(test_end(coro));
    *server = accepting.sock;
}

static unsigned arrivals;

static void read_rest(struct cg_sock *conn)
{
    char buf[8];

    IS(cg_yield(cg_readall(conn, buf, 6)), 6);
    ck_assert_int_eq(memcmp(buf, " world", 6), 0);
}

static ssize_t arrives(struct cg_sock *conn, void *arg)
{
    armed = false;
    ck_assert_ptr_eq(arg, &arrivals);
    arrivals++;
    read_rest(conn);
    cg_sock_close(conn);
    return 0;
}

/* Reads to the end of the stream, whatever that is. */
static void drain(struct cg_sock *asking)
{
    static char buf[64 * 1024];

    while (cg_yield(cg_read(asking, buf, sizeof buf)) > 0)
        continue;
    armed = false;
    cg_sock_close(asking);
}

/* Moves a connection with unread bytes and with ciphertext that could not be sent. Returns
 * false if the allocation with this number was not asked for. */
static bool moves_once(int failure)
{
    static char big[BIG];
    struct cg_sock *server, *asking;
    unsigned before = arrivals;
    char buf[8];
    ssize_t n;

    shake_hands(&server, &asking);
    IS(cg_yield(cg_writeall(asking, "hello world", 11)), 11);
    IS(cg_yield(cg_readall(server, buf, 5)), 5);
    IS(cg_yield(cg_writeall(server, big, sizeof big, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    left = failure;
    armed = moving = true;
    n = cg_sock_move(server, cg_worker_self(), arrives, &arrivals);
    moving = false;
    if (n < 0) {
        armed = false;
        IS(n, -ENOMEM);
        read_rest(server);
        cg_sock_close(server);
    }
    drain(asking);
    if (left >= 0)
        ck_assert_uint_eq(arrivals, before + 1);
    return left < 0;
}

static ssize_t moves(void *arg)
{
    int failure = 0;

    (void)arg;
    thread = pthread_self();
    client = cg_coro_self();
    while (moves_once(failure))
        failure++;
    ck_assert_int_gt(failure, 2);
    return 0;
}

static void every_allocation(void)
{
    OK(cg_tls_new(&server_tls, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&client_tls, .ca_file = cert_path("ca.pem")));
    IS(cg_crew_main(moves, NULL, .workers = 1, .reactor = test_reactor()), 0);
    cg_tls_free(server_tls);
    cg_tls_free(client_tls);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(every_allocation, .where = ON_KERNEL),
    };
    return tls_main("tls_move_memory", cases, COUNT(cases));
}
