/* SPDX-License-Identifier: MIT */
/* The debug mode. Equal reports are one line with their number. A mutex that a coroutine has
 * not unlocked is reported when that ends, since others may wait for it from then on; if the
 * same place does it again, the repetitions are counted and told at the end. Names are copied:
 * the thing may be gone when it is reported. */
#include "config.h"

#include "lib/core/debug.h"

#include "lib/base/environment.h"
#include "lib/base/plural.h"
#include "lib/base/report.h"
#include "lib/insight/left.h"
#include "lib/insight/whence.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    TRACES = 4096, /* different backtraces that are kept; later ones are unknown places */
    LINES = 64,    /* reports at the end; the others are counted */
    MISSED = 1024, /* names of signals; the oldest are forgotten */
};

struct cg__debug {
    struct cg__lefts lefts;
    struct cg__traces traces;
    unsigned locked[TRACES + 1]; /* how often a mutex locked at this trace was left */
};

static bool is_wanted(const struct cg_sched *sched)
{
    const char *value = cg__environment("COGEN_DEBUG");

    return sched->options.debug || (value && *value && strcmp(value, "0") != 0);
}

static void destroy(struct cg__debug *debug)
{
    cg__left_free(&debug->lefts);
    cg__traces_free(&debug->traces);
    free(debug);
}

int cg__debug_begin(struct cg_sched *sched)
{
    struct cg__debug *debug;

    if (!is_wanted(sched))
        return 0;
    if ((debug = calloc(1, sizeof *debug)) == NULL)
        return -ENOMEM;
    if (cg__left_init(&debug->lefts) < 0 || cg__traces_init(&debug->traces, TRACES) < 0) {
        destroy(debug);
        return -ENOMEM;
    }
    sched->debug = debug;
    return 0;
}

/* A coroutine of a starter has no stack. */
static uint32_t trace_of(struct cg__debug *debug, struct cg_coro *coro)
{
    struct cg__backtrace backtrace;

    if ((coro && coro->id == 0) || debug->traces.count == TRACES)
        return 0;
    cg__backtrace_make(&backtrace, coro);
    cg__whence_shorten(&backtrace);
    return backtrace.count
               ? cg__traces_add(&debug->traces, backtrace.frames, backtrace.count)
               : 0;
}

/* Programs may signal any number of names. The one that makes it too many is the last. */
static void limit_missed(struct cg__lefts *lefts)
{
    if (lefts->counts[CG__DEBUG_MISSED] > MISSED)
        cg__left_remove(lefts, CG__DEBUG_MISSED, lefts->first[CG__DEBUG_MISSED]->thing);
}

static struct cg__left *note(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing,
                             const char *name, struct cg_coro *coro)
{
    struct cg__left *left = cg__left_put(&sched->debug->lefts, kind, thing);

    if (left == NULL)
        return NULL;
    if (kind == CG__DEBUG_MISSED)
        limit_missed(&sched->debug->lefts);
    left->at = sched->now;
    left->ended = false;
    left->coro = coro;
    left->id = coro ? coro->id : 0;
    left->trace = trace_of(sched->debug, coro);
    snprintf(left->name, sizeof left->name, "%s", name ? name : "");
    snprintf(left->by, sizeof left->by, "%s", coro ? cg__coro_visible(coro)->name : "");
    return left;
}

void cg__debug_note(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing,
                    const char *name, struct cg_coro *coro)
{
    note(sched, kind, thing, name, coro);
}

void cg__debug_forget(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing)
{
    cg__left_remove(&sched->debug->lefts, kind, thing);
}

/* The thing is told when its scheduler ends, because it cannot ask that: another one may have its
 * address by then, and may run in another thread. */
void cg__debug_note_late(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing,
                         struct cg__debug **noted)
{
    struct cg__left *left = note(sched, kind, thing, NULL, cg__coro_self);

    if (left == NULL)
        return;
    left->noted = noted;
    *noted = sched->debug;
}

void cg__debug_note_use(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing,
                        struct cg_coro *coro, struct cg__debug **noted)
{
    struct cg__left *left = note(sched, kind, thing, NULL, coro);

    if (left == NULL)
        return;
    left->id = coro ? cg__coro_visible(coro)->id : 0; /* a branch ends before that */
    left->noted = noted;
    *noted = sched->debug;
}

void cg__debug_forget_late(struct cg__debug *noted, enum cg__debug_kind kind, const void *thing)
{
    cg__left_remove(&noted->lefts, kind, thing);
}

static void tell_outliving(struct cg__lefts *lefts)
{
    for (int kind = 0; kind < CG__DEBUG_KINDS; kind++)
        for (struct cg__left *left = lefts->first[kind]; left; left = left->next)
            if (left->noted)
                *left->noted = NULL;
}

/* The place of a trace by its number. */
static void print_trace(const struct cg__debug *debug, size_t number, char *buf, size_t size)
{
    const struct cg__trace *trace = number ? &debug->traces.all[number - 1] : NULL;

    cg__whence_print(trace ? debug->traces.frames + trace->first : NULL,
                     trace ? trace->count : 0, buf, size);
}

/* "locked at chat+0x12 < chat+0x345", or with who did it. */
static void print_place(const struct cg__debug *debug, const struct cg__left *left,
                        const char *verb, char *buf, size_t size)
{
    int len;

    if (left->id)
        len = snprintf(buf, size, "%s by #%" PRIu64 " %s at ", verb, left->id, left->by);
    else
        len = snprintf(buf, size, "%s at ", verb);
    if (len > 0 && (size_t)len < size)
        print_trace(debug, left->trace, buf + len, size - (size_t)len);
}

static void report_locked(struct cg__debug *debug, const struct cg__left *left)
{
    char place[2048], name[sizeof left->name + 2];

    if (debug->locked[left->trace]++ > 0)
        return;
    if (*left->name)
        snprintf(name, sizeof name, "%s", left->name);
    else
        snprintf(name, sizeof name, "%p", left->thing);
    print_place(debug, left, "locked", place, sizeof place);
    cg__report("coroutine %s ended without unlocking the mutex %s, %s", left->by, name, place);
}

void cg__debug_coro_ended(struct cg_coro *coro)
{
    struct cg__debug *debug = coro->sched->debug;
    struct cg__left *left = debug->lefts.first[CG__DEBUG_MUTEX], *next;

    for (; left; left = next) {
        next = left->next;
        if (left->coro != coro || left->id != coro->id)
            continue;
        report_locked(debug, left);
        cg__left_remove(&debug->lefts, CG__DEBUG_MUTEX, left->thing);
    }
}

static void report_repeated(const struct cg__debug *debug)
{
    char place[2048];

    for (size_t i = 0; i <= debug->traces.count; i++) {
        if (debug->locked[i] < 2)
            continue;
        print_trace(debug, i, place, sizeof place);
        cg__report("%u time%s more a coroutine ended without unlocking a mutex, locked at %s",
                   debug->locked[i] - 1, cg__plural(debug->locked[i] - 1), place);
    }
}

int cg__debug_print(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing,
                    int64_t moment, int64_t within, char *buf, size_t size)
{
    struct cg__debug *debug = sched->debug;
    const struct cg__left *left = debug ? cg__left_find(&debug->lefts, kind, thing) : NULL;
    char place[2048];

    if (left == NULL || left->at > moment || moment - left->at > within)
        return 0;
    print_place(debug, left, "", place, sizeof place);
    return snprintf(buf, size, "%" PRId64 " ms before%s", (moment - left->at) / CG_MILLISECOND,
                    place);
}

/* Remembers the end, since thousands may wait for one queue. */
static bool has_ended(const struct cg_sched *sched, struct cg__left *left)
{
    const struct cg_coro *coro = sched->first;

    while (!left->ended && coro && coro->id != left->id)
        coro = coro->next;
    return left->ended = left->ended || coro == NULL;
}

int cg__debug_print_user(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing,
                         char *buf, size_t size)
{
    struct cg__debug *debug = sched->debug;
    struct cg__left *left = debug ? cg__left_find(&debug->lefts, kind, thing) : NULL;
    char place[2048];

    if (left == NULL || left->id == 0)
        return 0;
    print_place(debug, left, "", place, sizeof place);
    return snprintf(buf, size, "%s%s", place + 1,
                    has_ended(sched, left) ? ", which has ended" : "");
}

static const struct {
    const char *one, *many, *verb;
} words[CG__DEBUG_KINDS] = {
    [CG__DEBUG_SOCK] = {"a socket was", "sockets were", "opened"},
    [CG__DEBUG_KEPT] = {"the memory of a socket was kept by cg_sock_keep and",
                        "the memories of sockets were kept by cg_sock_keep and", "kept"},
    [CG__DEBUG_CORO] = {"a reference to a coroutine was", "references to coroutines were",
                        "taken"},
    [CG__DEBUG_FUTURE] = {"a future was", "futures were", "made"},
    [CG__DEBUG_HANDLE] = {"a handle of a call was", "handles of calls were", "made"},
};

/* Takes what was made in the same place out of the list, and returns its number. */
static size_t take_alike(struct cg__lefts *lefts, const struct cg__left *left)
{
    struct cg__left *each = left->next, *next;
    size_t count = 1;

    for (; each; each = next) {
        next = each->next;
        if (each->trace != left->trace)
            continue;
        count++;
        cg__left_remove(lefts, each->kind, each->thing);
    }
    return count;
}

static void report_left(struct cg__debug *debug, const struct cg__left *left)
{
    size_t count = take_alike(&debug->lefts, left);
    const char *verb = left->kind == CG__DEBUG_SOCK ? "not closed" : "not released";
    char place[2048], name[sizeof left->name + 16] = "";

    if (*left->name)
        snprintf(name, sizeof name, " (%s%s)", count > 1 ? "the first: " : "", left->name);
    print_place(debug, left, words[left->kind].verb, place, sizeof place);
    if (count == 1)
        cg__report("%s %s%s, %s", words[left->kind].one, verb, name, place);
    else
        cg__report("%zu %s %s%s, %s", count, words[left->kind].many, verb, name, place);
}

static void report_kind(struct cg__debug *debug, enum cg__debug_kind kind, size_t *lines)
{
    struct cg__left *left;

    while (*lines < LINES && (left = debug->lefts.first[kind])) {
        report_left(debug, left);
        cg__left_remove(&debug->lefts, kind, left->thing);
        ++*lines;
    }
}

void cg__debug_end(struct cg_sched *sched)
{
    struct cg__debug *debug = sched->debug;
    size_t lines = 0;

    if (debug == NULL)
        return;
    sched->debug = NULL;
    tell_outliving(&debug->lefts);
    for (int kind = 0; kind < CG__DEBUG_SOCK; kind++)
        while (debug->lefts.first[kind])
            cg__left_remove(&debug->lefts, kind, debug->lefts.first[kind]->thing);
    report_repeated(debug);
    for (int kind = CG__DEBUG_SOCK; kind < CG__DEBUG_KINDS; kind++)
        report_kind(debug, kind, &lines);
    if (lines == LINES && debug->lefts.count > 0)
        cg__report("and %zu more %s not closed or released", debug->lefts.count,
                   debug->lefts.count > 1 ? "were" : "was");
    if (debug->lefts.lost)
        cg__report("%zu thing%s not watched, since there was no memory", debug->lefts.lost,
                   debug->lefts.lost > 1 ? "s were" : " was");
    destroy(debug);
}
