/* SPDX-License-Identifier: MIT */
/* The two forms of a dump, and what both of them say. */
#ifndef COGEN_LIB_INSIGHT_DUMP_H
#define COGEN_LIB_INSIGHT_DUMP_H

#include "lib/insight/deadlock.h"
#include "lib/insight/survey.h"

#include <cogen/dump.h>

#include <stdio.h>

enum {
    CG__DUMP_LINES = 2000,   /* coroutines that are printed; the others are counted */
    CG__DUMP_TRACES = 500,   /* backtraces that are printed: each takes some 10 us */
    CG__DUMP_LOST = 100,     /* lost wake-ups that are told, and waits that never end */
    CG__DUMP_FUNCTIONS = 64, /* functions whose use of stack is told */
};

/* The counts of a dump. */
enum cg__dump_count {
    CG__DUMP_COROUTINES,
    CG__DUMP_READY,
    CG__DUMP_TIMERS,
    CG__DUMP_SOCKETS,
    CG__DUMP_BUFFERS, /* of input that nobody has read, or that a reactor keeps */
    CG__DUMP_IDLE,    /* connections, and other operations that wait in starters */
    CG__DUMP_GENERATORS,
    CG__DUMP_QUEUED,  /* functions for threads */
    CG__DUMP_RUNNING, /* functions in threads */
    CG__DUMP_HOLDS,
    CG__DUMP_COUNTS,
};

/* The use of stacks by the coroutines that run the same function. */
struct cg__dump_function {
    cg_fn *fn;
    size_t count, measured; /* coroutines, and how many of them were measured */
    size_t used;  /* bytes, at most */
    size_t size;  /* bytes of their stacks, at least */
};

struct cg__dump {
    struct cg__survey survey;
    struct cg__deadlock deadlock;
    size_t counts[CG__DUMP_COUNTS];
    struct cg__dump_function functions[CG__DUMP_FUNCTIONS];
    size_t nfunctions;
};

struct cg__dump_count_name {
    const char *one, *many;
};

extern const struct cg__dump_count_name cg__dump_count_names[CG__DUMP_COUNTS];

void cg__dump_text(const struct cg__dump *dump, FILE *out);
void cg__dump_json(const struct cg__dump *dump, FILE *out);

/* Parts of the text: the cycles, who waits for a mutex whose owner has ended, and whose
 * wake-up was lost, a line each; and the coroutines with their backtraces. */
void cg__dump_text_deadlocks(const struct cg__dump *dump, FILE *out);
void cg__dump_text_stuck(const struct cg__dump *dump, FILE *out); /* if all wait for ever: why */
void cg__dump_text_tree(const struct cg__dump *dump, FILE *out);

/* Prints where an address is as snprintf does: "/usr/bin/chat+0x1234", or the address. */
int cg__dump_place(const void *address, char *buf, size_t size);

/* Writes on stderr what a scheduler's coroutines wait for, for the report that they can never
 * continue. */
void cg__dump_left(struct cg_sched *sched);

#endif
