/* SPDX-License-Identifier: MIT */
/* The ring in the format of Chrome's traces. A scheduler is a process there: its track 0 tells
 * which coroutine ran and when it waited, and each coroutine has a track of its own with its
 * operations. Spans may cross each other and have tracks by themselves. */
#include "config.h"

#include "lib/insight/trace.h"

#include "lib/base/hash.h"
#include "lib/insight/json.h"
#include "lib/threads/crew.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* A coroutine that occurs in the ring. */
struct track {
    uint64_t coro; /* 0: the place is free */
    unsigned open; /* begins without an end so far */
    bool named;
};

struct writing {
    FILE *out;
    unsigned process;
    const char *before; /* the next event */
    struct track *tracks;
    size_t mask;
};

static struct track *track_of(const struct writing *to, uint64_t coro)
{
    size_t at = cg__hash_own(coro);

    while (to->tracks[at & to->mask].coro && to->tracks[at & to->mask].coro != coro)
        at++;
    to->tracks[at & to->mask].coro = coro;
    return &to->tracks[at & to->mask];
}

/* Begins an event: all but what is behind its track. */
static void begin(struct writing *to, const char *phase, const char *name, uint64_t track)
{
    fprintf(to->out, "%s\n{\"ph\": \"%s\", \"name\": ", to->before, phase);
    cg__json_print(to->out, name);
    fprintf(to->out, ", \"pid\": %u, \"tid\": %" PRIu64, to->process, track);
    to->before = ",";
}

static void put_moment(struct writing *to, const char *what, int64_t ns)
{
    fprintf(to->out, ", \"%s\": %" PRId64 ".%03d", what, ns / 1000, (int)(ns % 1000));
}

static void put_name(struct writing *to, const char *what, uint64_t track, const char *name,
                     uint64_t coro)
{
    char text[64];

    if (coro)
        snprintf(text, sizeof text, "#%" PRIu64 " %s", coro, name);
    else
        snprintf(text, sizeof text, "%s", name);
    begin(to, "M", what, track);
    fputs(", \"args\": {\"name\": ", to->out);
    cg__json_print(to->out, text);
    fputs("}}", to->out);
}

/* A slice ends 1 ns early: viewers add its length to its begin in floating point, and if the sum
 * is rounded up, the next slice of the track overlaps it, which no track may show. */
static void put_slice(struct writing *to, const struct cg__event *event, uint64_t track)
{
    begin(to, "X", event->name, track);
    put_moment(to, "ts", event->at);
    put_moment(to, "dur", event->length - (event->length > 0));
    if (event->kind == CG__TRACE_OP)
        fprintf(to->out, ", \"args\": {\"result\": %" PRId64 "}", event->result);
    else if (event->kind == CG__TRACE_RAN)
        fprintf(to->out, ", \"args\": {\"coroutine\": %" PRIu64 "}", event->coro);
    fputs("}", to->out);
}

/* The begin of an operation may have left the ring: then its end is left out. */
static void put_edge(struct writing *to, const struct cg__event *event)
{
    struct track *track = track_of(to, event->coro);

    if (event->kind == CG__TRACE_END && track->open == 0)
        return;
    track->open += event->kind == CG__TRACE_BEGIN ? 1 : -1;
    begin(to, event->kind == CG__TRACE_BEGIN ? "B" : "E", event->name, event->coro);
    put_moment(to, "ts", event->at);
    if (event->kind == CG__TRACE_END)
        fprintf(to->out, ", \"args\": {\"result\": %" PRId64 "}", event->result);
    fputs("}", to->out);
}

static void put_span(struct writing *to, const struct cg__event *event)
{
    begin(to, event->kind == CG__TRACE_SPAN_BEGIN ? "b" : "e", event->name, event->coro);
    put_moment(to, "ts", event->at);
    fprintf(to->out, ", \"cat\": \"span\", \"id2\": {\"local\": \"%#" PRIx64 "\"}}",
            (uint64_t)event->result);
}

static void put_event(struct writing *to, const struct cg__event *event)
{
    switch ((enum cg__trace_kind)event->kind) {
    case CG__TRACE_RAN:
        if (!track_of(to, event->coro)->named)
            put_name(to, "thread_name", event->coro, event->name, event->coro);
        track_of(to, event->coro)->named = true;
        put_slice(to, event, 0);
        break;
    case CG__TRACE_SLEPT:
        put_slice(to, event, 0);
        break;
    case CG__TRACE_OP:
        put_slice(to, event, event->coro);
        break;
    case CG__TRACE_BEGIN:
    case CG__TRACE_END:
        put_edge(to, event);
        break;
    case CG__TRACE_SPAN_BEGIN:
    case CG__TRACE_SPAN_END:
        put_span(to, event);
        break;
    }
}

int cg__trace_json(const struct cg__trace_ring *ring, FILE *out, const char *before,
                   unsigned number)
{
    const struct cg_worker *worker = ring->sched->worker;
    size_t kept = ring->count <= ring->mask ? (size_t)ring->count : ring->mask + 1;
    struct writing to = {.out = out, .process = number, .before = before};

    to.mask = (ring->mask + 1) * 2 - 1; /* at most as many coroutines as events */
    if ((to.tracks = calloc(to.mask + 1, sizeof *to.tracks)) == NULL)
        return -ENOMEM;
    put_name(&to, "process_name", 0, worker ? worker->name : "scheduler", 0);
    put_name(&to, "thread_name", 0, "runs", 0);
    for (uint64_t i = ring->count - kept; i < ring->count; i++)
        put_event(&to, &ring->events[i & ring->mask]);
    free(to.tracks);
    return 0;
}
