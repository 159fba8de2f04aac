/* SPDX-License-Identifier: MIT */
/* Shared by the examples with a foreign main loop: a coroutine that waits for ticks of the
 * loop, sleeps, and asks for the next tick. The loop itself is in embed_libevent.c and
 * embed_glib.c. It needs only cg_sched_step, cg_sched_timeout and cg_sched_fd of cogen. */
#ifndef EXAMPLES_EMBED_H
#define EXAMPLES_EMBED_H

#include <cogen.h>

enum {
    EMBED_TICKS = 3
};

/* The main of such a program. `run` is the loop, and returns when embed_turn has returned
 * false. The coroutine calls `ask` to make the loop tick once. */
struct embed {
    const char *name, *about;
    void (*run)(struct embed *embed);
    bool (*ask)(struct embed *embed); /* false: it failed */
    struct cg_sched *sched;
    int fd; /* readable when the scheduler has work */
};
int embed_main(struct embed *embed, int argc, char **argv);

/* The loop lacks memory: says so, and ends the coroutine. */
void embed_fail(struct embed *embed);

/* Tells the coroutine that the loop has ticked. */
void embed_tick(struct embed *embed);

/* The loop calls it when fd is readable, when the time that the last call stored in
 * *timeout (ms, -1: none) has passed, and once at the beginning. False: nothing is left to
 * do. */
bool embed_turn(struct embed *embed, int *timeout);

#endif
