/* SPDX-License-Identifier: MIT */
/* What the examples of foreign main loops have in common: a coroutine that waits for the
 * ticks of a loop, sleeps, and asks for the next. The loop itself is in embed_libevent.c
 * and embed_glib.c; all it needs of cogen is cg_sched_step, cg_sched_timeout and
 * cg_sched_fd. */
#ifndef EXAMPLES_EMBED_H
#define EXAMPLES_EMBED_H

#include <cogen.h>

enum {
    EMBED_TICKS = 3
};

/* The main of such a program. The loop runs `run`, which returns when embed_turn has
 * answered false; the coroutine has the loop tick once by `ask`. */
struct embed {
    const char *name, *about;
    void (*run)(struct embed *embed);
    void (*ask)(struct embed *embed);
    struct cg_sched *sched;
    int fd; /* readable when the scheduler has work */
};
int embed_main(struct embed *embed, int argc, char **argv);

/* The loop has ticked: the coroutine is told. */
void embed_tick(struct embed *embed);

/* To be called when fd is readable, when the time that the last call stored in *timeout
 * (ms, -1: none) is over, and once at the beginning. False: nothing is left to do. */
bool embed_turn(struct embed *embed, int *timeout);

#endif
