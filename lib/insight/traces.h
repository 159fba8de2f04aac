/* SPDX-License-Identifier: MIT */
/* A collection of backtraces in which equal ones are kept once. See traces.c. */
#ifndef COGEN_LIB_INSIGHT_TRACES_H
#define COGEN_LIB_INSIGHT_TRACES_H

#include <stddef.h>
#include <stdint.h>

struct cg__trace {
    uint64_t hash;
    size_t first;   /* index of its innermost frame */
    unsigned count; /* of its frames */
    unsigned uses;  /* how many coroutines have it */
};

struct cg__traces {
    struct cg__trace *all; /* number n (from 1) is all[n - 1] */
    size_t count, room;
    void **frames;
    size_t nframes, frames_room;
    uint32_t *table; /* numbers by their hash; 0: free */
    size_t mask;
};

/* Makes an empty collection for at most `most` backtraces. Returns 0 or -ENOMEM. */
int cg__traces_init(struct cg__traces *traces, size_t most);
void cg__traces_free(struct cg__traces *traces);

/* Adds a backtrace, and returns its number; 0: there is no memory. */
uint32_t cg__traces_add(struct cg__traces *traces, void *const *frames, unsigned count);

#endif
