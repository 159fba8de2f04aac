/* SPDX-License-Identifier: MIT */
/* A server with planted faults, for tests/insight.sh: two of its coroutines wait for each other
 * while the listener keeps the run open. There are a generator, a race, and as many idle
 * coroutines as the argument says. Any line is answered. */
#include <cogen.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct cg_mutex rooms = {.name = "rooms"}, users = {.name = "users"};

struct pair {
    struct cg_mutex *first, *second;
};

static ssize_t take_both(void *arg)
{
    struct pair *pair = arg;
    ssize_t rc = cg_yield(cg_lock(pair->first));

    if (rc < 0)
        return rc;
    cg_yield(cg_sleep(CG_MILLISECOND));
    rc = cg_yield(cg_lock(pair->second));
    if (rc == 0)
        cg_mutex_unlock(pair->second);
    cg_mutex_unlock(pair->first);
    return rc;
}

static ssize_t idle(void *arg)
{
    volatile int planted_number = (int)(intptr_t)arg;
    ssize_t rc = cg_yield(cg_wait_signal("never", NULL));

    return rc + planted_number;
}

static ssize_t produce(struct cg_gen *gen, void *arg)
{
    (void)gen;
    return idle(arg);
}

static ssize_t walk(void *arg)
{
    struct cg_gen *gen = cg_gen_new(produce, arg);
    void *value;
    ssize_t rc = cg_gen_next(gen, &value);

    cg_gen_free(gen);
    return rc;
}

static ssize_t race(void *arg)
{
    return cg_yield(cg_any((cg_call(idle, arg), cg_sleep(CG_HOUR))));
}

static ssize_t answer(struct cg_sock *conn, void *arg)
{
    char line[80];
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_readline(conn, line, sizeof line))) > 0)
        if (cg_yield(cg_writeall(conn, "here\n", 5)) < 0)
            break;
    cg_sock_close(conn);
    return 0;
}

static ssize_t serve(void *count)
{
    static struct pair one = {&rooms, &users}, other = {&users, &rooms};
    struct cg_sock *listener;
    char addr[CG_ADDR_SIZE];
    ssize_t rc = cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &listener);

    if (rc < 0)
        return rc;
    cg_sock_local_addr(listener, addr, sizeof addr);
    cg_yield(cg_add(take_both, &one, .name = "writer"));
    cg_yield(cg_add(take_both, &other, .name = "reader"));
    cg_yield(cg_add(walk, (void *)4711, .name = "walker"));
    cg_yield(cg_add(race, (void *)4712, .name = "racer"));
    for (long i = 0; i < atol(count); i++)
        cg_yield(cg_add(idle, (void *)4713, .name = "idle"));
    cg_yield(cg_sleep(20 * CG_MILLISECOND));
    printf("%s\n", addr);
    fflush(stdout);
    rc = cg_yield(cg_serve(listener, answer));
    cg_sock_close(listener);
    return rc;
}

int main(int argc, char **argv)
{
    alarm(120);
    return cg_main(NULL, serve, argc > 1 ? argv[1] : "3") < 0;
}
