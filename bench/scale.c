/* SPDX-License-Identifier: MIT */
/* How an echo server and an HTTP server grow with the workers of a crew. Each worker serves
 * its own clients, which are coroutines of the same thread, over loopback: no load
 * generator needs a processor of its own, and so n workers need n processors. What is
 * measured is the sum of both ends; what workers cost one another shows in its change.
 *     bench/scale [--reactor NAME] [--workers N] [--clients N] [--seconds S]
 *                 [--requests N] echo | http
 * Prints requests a second, and CPU time a request, ns. With --requests it ends after so many,
 * and prints nothing: so that what strace counts is about them. */
#include <cogen.h>
#include <cogen/http_server.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "examples/common.h"

enum { MESSAGE = 64, MOST = 256 };

static const char *workers_text = "1", *clients_text = "32", *seconds_text = "1",
                  *requests_text;
static bool http;
static unsigned workers, clients;
static int64_t duration;
static long requests; /* of each client; 0: until `over` */
static atomic_bool over;
static atomic_uint connected;

/* Counted by the worker alone, on a cache line of its own. */
static struct {
    _Alignas(64) atomic_ulong served;
} counts[MOST];

static ssize_t echo(struct cg_sock *conn, void *arg)
{
    char buf[1024];
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_read(conn, buf, sizeof buf))) > 0 &&
           (n = cg_yield(cg_writeall(conn, buf, n))) > 0)
        continue;
    cg_sock_close(conn);
    return n;
}

static const char hello[] = "Hello, world!\n";

static ssize_t greet(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, hello));
}

static ssize_t serve_http(struct cg_sock *listener)
{
    struct cg_http_server *server = cg_http_server_new(.address_connections = UINT32_MAX);
    ssize_t n = server != NULL ? cg_http_server_mount(server, "GET /", greet, NULL) : -ENOMEM;

    if (n == 0)
        n = cg_yield(cg_http_serve(server, listener));
    cg_http_server_free(server);
    return n;
}

static ssize_t serve(void *listener)
{
    ssize_t n = http ? serve_http(listener) : cg_yield(cg_serve(listener, echo));

    cg_sock_close(listener);
    return n;
}

/* Reads the first response; the later ones are as long. */
static ssize_t read_first(struct cg_sock *conn, char *buf, size_t size)
{
    size_t len = 0;
    ssize_t n;

    for (;;) {
        n = cg_yield(cg_read(conn, buf + len, size - len));
        if (n <= 0)
            return n < 0 ? n : -EPROTO;
        len += (size_t)n;
        if (!http ? len == MESSAGE
                  : len >= sizeof hello &&
                        memcmp(buf + len - (sizeof hello - 1), hello, sizeof hello - 1) == 0)
            return (ssize_t)len;
    }
}

static ssize_t talk(struct cg_sock *conn)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const char message[MESSAGE] = "an echo";
    const char *request = http ? get : message;
    size_t size = http ? sizeof get - 1 : sizeof message;
    atomic_ulong *served = &counts[cg_worker_id()].served;
    char buf[512];
    ssize_t n = cg_yield(cg_writeall(conn, request, size)), len;

    len = n < 0 ? n : read_first(conn, buf, sizeof buf);
    if (len > 0)
        atomic_fetch_add(&connected, 1);
    for (long i = 0; len > 0 && (requests > 0 ? i < requests : !atomic_load(&over)); i++) {
        n = cg_yield(cg_writeall(conn, request, size));
        if (n > 0)
            n = cg_yield(cg_readall(conn, buf, (size_t)len));
        if (n <= 0)
            return n < 0 ? n : -EPROTO;
        atomic_store_explicit(served, atomic_load_explicit(served, memory_order_relaxed) + 1,
                              memory_order_relaxed);
    }
    return len < 0 ? len : 0;
}

static ssize_t client(void *addr)
{
    struct cg_sock *conn;
    ssize_t n = cg_yield(cg_connect(addr, &conn));

    if (n < 0)
        return n;
    n = talk(conn);
    cg_sock_close(conn);
    return n;
}

static unsigned long served(void)
{
    unsigned long sum = 0;

    for (unsigned k = 0; k < workers; k++)
        sum += atomic_load_explicit(&counts[k].served, memory_order_relaxed);
    return sum;
}

static double clock_of(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Runs on worker 0, beside its clients, once those of all workers are at work. */
static ssize_t measure(void *arg)
{
    double count, cpu, time;

    (void)arg;
    while (atomic_load(&connected) < workers * clients)
        cg_yield(cg_sleep(CG_MILLISECOND));
    cg_yield(cg_sleep(duration / 4));
    count = (double)served();
    cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    time = clock_of(CLOCK_MONOTONIC);
    cg_yield(cg_sleep(duration));
    count = (double)served() - count;
    cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    time = clock_of(CLOCK_MONOTONIC) - time;
    atomic_store(&over, true);
    if (count == 0)
        return -EPROTO;
    printf("rate %.0f requests/s\ncpu %.1f ns\nbusy %.3f processors\n", count / time * 1e9,
           cpu / count, cpu / time);
    return 0;
}

static ssize_t work(void *arg)
{
    struct cg_sock *listener;
    struct cg_coro *server;
    struct cg_group group;
    char addr[CG_ADDR_SIZE];
    ssize_t n = cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &listener);

    (void)arg;
    if (n < 0)
        return n;
    cg_sock_local_addr(listener, addr, sizeof addr);
    n = cg_sched_start(cg_sched_self(), serve, listener, .coro = &server);
    if (n < 0)
        return n;
    cg_group_open(&group);
    for (unsigned i = 0; i < clients && n >= 0; i++)
        n = cg_yield(cg_add_to_group(&group, client, addr));
    if (n >= 0 && requests == 0 && cg_worker_id() == 0)
        n = cg_yield(cg_add_to_group(&group, measure, NULL));
    n = cg_yield(cg_wait_group(&group));
    cg_yield(cg_cancel(server));
    cg_coro_unref(server);
    return n;
}

static unsigned number(const struct example *ex, const char *text, unsigned most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || value == 0 || value > most)
        example_usage(ex, "N is a number from 1");
    return (unsigned)value;
}

int main(int argc, char **argv)
{
    const struct example_option options[] = {
        {"workers", "N", "threads (1)", &workers_text, 0},
        {"clients", "N", "of each worker (32)", &clients_text, 0},
        {"seconds", "S", "how long to measure (1)", &seconds_text, 0},
        {"requests", "N", "of each client, then end; print nothing", &requests_text, 0},
        {0},
    };
    struct example ex = {
        .name = "scale",
        .about = "Measures how servers grow with the workers",
        .operands = "echo | http",
        .options = options,
        .network = true,
    };
    ssize_t n;

    example_begin(&ex, argc, argv);
    if (ex.argc != 1 || (strcmp(ex.argv[0], "echo") != 0 && strcmp(ex.argv[0], "http") != 0))
        example_usage(&ex, "either echo or http");
    http = ex.argv[0][0] == 'h';
    workers = number(&ex, workers_text, MOST);
    clients = number(&ex, clients_text, 10000);
    duration = example_seconds(&ex, seconds_text);
    requests = requests_text != NULL ? number(&ex, requests_text, 100000000) : 0;
    n = cg_crew_main(work, NULL, .workers = workers, .reactor = example_reactor(), .pin = true);
    if (n < 0)
        example_fail("run", n);
    return example_status();
}
