/* SPDX-License-Identifier: MIT */
/* TLS without memory: each allocation of a connection, all of ours and some of OpenSSL's,
 * fails in turn. The operation returns an error code, the other end sees the end of the
 * stream, and the next connection works. */
#include "config.h"

#include "tests/failing/failing.h"
#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_main.h"

#include <cogen/tls.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { STRIDE = 23 }; /* one in 23 of OpenSSL's thousands fails */

static struct cg_coro *victim; /* the coroutine whose allocations are counted */
static bool theirs;            /* OpenSSL's, or ours */
static int left = -1;          /* allocations until one fails */

static bool fails(bool asked_by_them)
{
    return victim != NULL && cg_coro_self() == victim && theirs == asked_by_them &&
           left >= 0 && left-- == 0;
}

bool failing_now(enum failing_what what)
{
    (void)what;
    return fails(false);
}

static void *their_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fails(true) ? NULL : __real_malloc(size);
}

static void *their_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fails(true) ? NULL : __real_realloc(old, size);
}

static void their_free(void *old, const char *file, int line)
{
    (void)file, (void)line;
    free(old);
}

static struct cg_tls *server_tls, *client_tls;
static struct cg_sock *ends[2];

/* One end of a connection: the handshake, a word in each direction, and a normal end. The
 * TLS socket takes the place of the inner one; if the handshake fails, the inner one
 * stays. */
static ssize_t speak(struct cg_sock *sock, bool server)
{
    struct cg_sock *inner = sock;
    char buf[8];
    ssize_t n = server ? cg_yield(cg_tls_accept(inner, server_tls, &sock, .alpn = "a"))
                       : cg_yield(cg_tls_connect(inner, client_tls, "site.test", &sock,
                                               .alpn = "a"));

    if (n < 0) {
        ck_assert_ptr_eq(sock, inner);
        cg_sock_close(sock);
        return n;
    }
    n = cg_yield(cg_writeall(sock, "hello", 5));
    if (n >= 0)
        n = cg_yield(cg_readall(sock, buf, 5));
    if (n >= 0)
        cg_yield(cg_shutdown(sock, SHUT_WR));
    cg_sock_close(sock);
    return n;
}

static ssize_t serves(void *arg)
{
    (void)arg;
    return speak(ends[0], true);
}

static ssize_t asks(void *arg)
{
    (void)arg;
    return speak(ends[1], false);
}

/* Makes one connection in which allocation number failure fails. Returns false if there
 * were not so many. */
static bool once(bool server, int failure, struct cg_sock *listener, const char *addr)
{
    struct cg_coro *coros[2];
    ssize_t n;
    bool failed;

    OK(cg_yield(cg_connect(addr, &ends[1])));
    OK(cg_yield(cg_accept(listener, &ends[0])));
    coros[0] = test_start(serves, NULL);
    coros[1] = test_start(asks, NULL);
    victim = coros[!server];
    left = failure;
    n = cg_yield(cg_join(victim));
    failed = left < 0 && failure >= 0;
    victim = NULL;
    left = -1;
    if (!failed)
        IS(n, 5);
    cg_coro_unref(coros[!server]);
    cg_yield(cg_join(coros[server]));
    cg_coro_unref(coros[server]);
    return failed;
}

static int each(bool server, int stride, struct cg_sock *listener, const char *addr)
{
    int failure = 0;

    while (once(server, failure, listener, addr)) {
        failure += stride;
        ck_assert_int_lt(failure, 100000);
        ck_assert(!once(server, -1, listener, addr)); /* the next connection works */
    }
    return failure;
}

static ssize_t each_allocation(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr);

    (void)arg;
    OK(cg_tls_new(&server_tls, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&client_tls, .ca_file = cert_path("ca.pem")));
    once(true, -1, listener, addr); /* OpenSSL allocates some things only once */
    for (int end = 0; end < 2; end++) {
        theirs = false;
        ck_assert_int_gt(each(end, 1, listener, addr), 3);
        theirs = true;
        ck_assert_int_gt(each(end, STRIDE, listener, addr), 100);
    }
    cg_tls_free(server_tls);
    cg_tls_free(client_tls);
    cg_sock_close(listener);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {CORO(each_allocation, .where = ON_SIM)};

    if (!CRYPTO_set_mem_functions(their_malloc, their_realloc, their_free))
        return 1;
    return tls_main("tls_memory", cases, COUNT(cases));
}
