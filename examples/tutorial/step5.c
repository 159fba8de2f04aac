/* SPDX-License-Identifier: MIT */
#define main chat_main
#include "step4.c"
#undef main
#include <cogen/sim.h>

#define ADDR "10.0.0.1:7000"

static struct cg_sock *join(const char *name)
{
    struct cg_sock *conn;

    if (cg_yield(cg_connect(ADDR, &conn)) < 0 || tell(conn, name) < 0)
        return NULL;
    return conn;
}

/* Reads a line, which must be this one. */
static void expect(struct cg_sock *conn, const char *wanted)
{
    char line[500];
    ssize_t n = cg_yield(cg_readline(conn, line, sizeof line, .timeout = CG_HOUR));

    if (n < 0)
        snprintf(line, sizeof line, "%s", cg_strerror(n));
    if (n <= 0 || strcmp(line, wanted) != 0) {
        fprintf(stderr, "expected: %sgot: %s\n", wanted, n ? line : "the end");
        exit(1);
    }
}

static ssize_t test(void *arg)
{
    struct cg_coro *server;
    struct cg_sock *ann, *bob;

    (void)arg;
    cg_yield(cg_add(chat, ADDR, .name = "chat", .coro = &server));

    /* Everybody hears everybody. */
    ann = join("Ann\n");
    expect(ann, "Ann has come\n");
    bob = join("Bob\n");
    expect(ann, "Bob has come\n");
    expect(bob, "Bob has come\n");
    tell(ann, "Hi, Bob!\n");
    expect(bob, "Ann: Hi, Bob!\n");
    expect(ann, "Ann: Hi, Bob!\n");

    /* Bob stays silent for five minutes; Ann does not. */
    cg_yield(cg_sleep(4 * CG_MINUTE));
    tell(ann, "Bob?\n");
    expect(bob, "Ann: Bob?\n");
    expect(bob, "You have been silent for five minutes. Good bye.\n");
    expect(ann, "Ann: Bob?\n");
    expect(ann, "Bob has gone\n");

    /* A server that is stopped says good bye. */
    cg_yield(cg_cancel(server));
    expect(ann, "Good bye.\n");
    cg_yield(cg_join(server));
    cg_coro_unref(server);
    cg_sock_close(ann);
    cg_sock_close(bob);
    return 0;
}

int main(void)
{
    for (unsigned seed = 0; seed < 100; seed++) {
        struct cg_sim_options options = {.seed = seed,
                                         .latency = 20 * CG_MILLISECOND,
                                         .jitter = 50 * CG_MILLISECOND,
                                         .short_permille = 300};
        struct cg_reactor *world;
        struct cg_sched *sched;
        ssize_t waiting;

        if (cg_sim_open(&options, &world) < 0 || !(sched = cg_sched_new(world)) ||
            cg_sched_start(sched, test, NULL, .name = "test") < 0) {
            fprintf(stderr, "step5: out of memory\n");
            return 1;
        }
        if ((waiting = cg_sched_run(sched)) != 0) {
            fprintf(stderr, "seed %u: coroutines that can never go on:\n", seed);
            cg_coro_dump(sched, stderr);
            return 1;
        }
        cg_sched_free(sched);
        cg_reactor_close(world);
    }
    puts("100 worlds, all well");
    return 0;
}
