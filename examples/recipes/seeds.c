/* SPDX-License-Identifier: MIT */
/* A fault that only some networks show: the reader takes what one read returns for a
 * whole message. ./seeds finds a world in which that fails; ./seeds 7 runs world 7 with
 * its trace. */
#include <cogen.h>
#include <cogen/sim.h>
#include <stdio.h>
#include <stdlib.h>

#define ADDR "10.0.0.1:7000"

static ssize_t writer(void *arg)
{
    struct cg_sock *conn;
    ssize_t rc = cg_yield(cg_connect(ADDR, &conn));

    (void)arg;
    if (rc < 0)
        return rc;
    rc = cg_yield(cg_writeall(conn, "eight ch", 8));
    cg_sock_close(conn);
    return rc;
}

static ssize_t reader(void *found)
{
    struct cg_sock *listener, *conn;
    char message[8];
    ssize_t rc = cg_sock_listen(cg_sched_self(), ADDR, &listener);

    if (rc < 0)
        return rc;
    rc = cg_yield(cg_add(writer, NULL, .name = "writer"));
    if (rc >= 0 && (rc = cg_yield(cg_accept(listener, &conn))) >= 0) {
        rc = cg_yield(cg_read(conn, message, sizeof message)); /* cg_readall is right */
        *(bool *)found = rc != sizeof message;
        cg_sock_close(conn);
    }
    cg_sock_close(listener);
    return rc;
}

static bool fails(unsigned seed, bool trace)
{
    struct cg_sim_options options = {
        .seed = seed, .latency = 20 * CG_MILLISECOND, .short_permille = 50};
    struct cg_reactor *world;
    struct cg_sched *sched;
    bool found = false;

    if (cg_sim_open(&options, &world) < 0 || !(sched = cg_sched_new(world)) ||
        cg_sched_start(sched, reader, &found, .name = "reader") < 0) {
        fprintf(stderr, "seeds: out of memory\n");
        exit(1);
    }
    if (trace)
        cg_sim_trace(world, cg_sim_print, stderr);
    cg_sched_run(sched);
    cg_sched_free(sched);
    cg_reactor_close(world);
    return found;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return fails((unsigned)strtoul(argv[1], NULL, 10), true);
    for (unsigned seed = 0; seed < 1000; seed++)
        if (fails(seed, false)) {
            printf("seed %u fails; look at it with: %s %u\n", seed, argv[0], seed);
            return 1;
        }
    return 0;
}
