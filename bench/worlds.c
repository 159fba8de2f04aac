/* SPDX-License-Identifier: MIT */
/* How many small simulated worlds a CPU second holds: prints "name value unit". Each world is
 * opened, has a scheduler and a program of its own, and is closed:
 *     bench/worlds [NAME...] */
#include <cogen.h>
#include <cogen/http_client.h>
#include <cogen/http_server.h>
#include <cogen/sim.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ECHOES = 8, ROUNDS = 5 };

static const char *const echo_address = "10.0.0.1:7", *const http_address = "10.0.0.1:80";

static void need(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "worlds: %s\n", what);
    exit(1);
}

/* A connection that answers, and its client. */
static ssize_t answer(void *arg)
{
    struct cg_sock *listener = arg, *conn;
    char line[64];
    ssize_t n;

    if (cg_yield(cg_accept(listener, &conn)) < 0)
        return -1;
    while ((n = cg_yield(cg_read(conn, line, sizeof line))) > 0)
        cg_yield(cg_writeall(conn, line, (size_t)n));
    cg_sock_close(conn);
    return 0;
}

static ssize_t echoes(void *arg)
{
    struct cg_sock *listener, *conn;
    char line[64];

    (void)arg;
    need(cg_sock_listen(cg_sched_self(), echo_address, &listener) >= 0, "cannot listen");
    cg_yield(cg_add(answer, listener));
    need(cg_yield(cg_connect(echo_address, &conn)) >= 0, "cannot connect");
    for (int i = 0; i < ECHOES; i++) {
        cg_yield(cg_writeall(conn, "hello\n", 6));
        need(cg_yield(cg_readline(conn, line, sizeof line)) == 6, "wrong answer");
    }
    cg_sock_close(conn);
    cg_sock_close(listener);
    return 0;
}

/* A server, and a client that asks it over one connection. */
static ssize_t hello(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, "Hello, world!\n"));
}

static struct cg_http_server *server;

static ssize_t serve(void *listener)
{
    return cg_yield(cg_http_serve(server, listener));
}

static void ask(struct cg_http_client *client)
{
    struct cg_http_reply *reply;

    need(cg_yield(cg_http_get(client, "http://10.0.0.1/", &reply)) == 200, "wrong status");
    cg_http_reply_free(reply);
}

static ssize_t http(void *arg)
{
    struct cg_http_client *client = cg_http_client_new();
    struct cg_sock *listener;
    struct cg_coro *coro;

    server = cg_http_server_new();
    need(client && server && cg_http_server_mount(server, "/", hello, NULL) >= 0, "no memory");
    need(cg_sock_listen(cg_sched_self(), http_address, &listener) >= 0, "cannot listen");
    need(cg_yield(cg_add(serve, listener, .coro = &coro)) >= 0, "cannot start");
    for (long i = 0; i < *(long *)arg; i++)
        ask(client);
    cg_http_client_free(client);
    cg_yield(cg_http_shutdown(server));
    cg_yield(cg_join(coro));
    cg_coro_unref(coro);
    cg_http_server_free(server);
    cg_sock_close(listener);
    return 0;
}

static ssize_t nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void hold(cg_fn *fn, long argument, uint64_t seed)
{
    struct cg_sim_options options = {.seed = seed, .order = CG_ORDER_RANDOM};
    struct cg_reactor *world;
    struct cg_sched *sched = NULL;

    need(cg_sim_open(&options, &world) == 0 && (sched = cg_sched_new(world)), "no memory");
    need(cg_sched_start(sched, fn, &argument) == 0 && cg_sched_run(sched) == 0, "stuck");
    cg_sched_free(sched);
    need(cg_sim_handles(world) == 0, "handles are left");
    cg_reactor_close(world);
}

/* CPU time, user and system, s. */
static double cpu(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static int compare(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        cg_fn *fn;
        long argument, worlds;
    } figures[] = {
        {"world_empty", nothing, 0, 20000},
        {"world_of_8_echoes", echoes, 0, 10000},
        {"world_of_1_http_request", http, 1, 5000},
        {"world_of_20_http_requests", http, 20, 2000},
    };

    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        double rates[ROUNDS];
        bool wanted = argc == 1;

        for (int j = 1; j < argc; j++)
            wanted |= strcmp(argv[j], figures[i].name) == 0;
        for (int round = 0; wanted && round < ROUNDS; round++) {
            double start = cpu();

            for (long world = 0; world < figures[i].worlds; world++)
                hold(figures[i].fn, figures[i].argument, (uint64_t)world);
            rates[round] = figures[i].worlds / (cpu() - start);
        }
        if (!wanted)
            continue;
        qsort(rates, ROUNDS, sizeof *rates, compare);
        printf("%s %.0f worlds per CPU second\n", figures[i].name, rates[ROUNDS / 2]);
    }
    return 0;
}
