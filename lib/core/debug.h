/* SPDX-License-Identifier: MIT */
/* The debug mode: notes who has made or locked what, and where, and reports what is left. The
 * core and everything above call it, so it is declared here; it needs backtraces, so it is
 * defined in lib/insight/debug.c. When it is off, a call is one test of sched->debug. */
#ifndef COGEN_LIB_CORE_DEBUG_H
#define COGEN_LIB_CORE_DEBUG_H

#include "lib/core/sched.h"

/* What the debug mode notes. */
enum cg__debug_kind {
    CG__DEBUG_MUTEX,  /* locked */
    CG__DEBUG_MISSED, /* a signal that came while nobody waited; a hash of its name */
    CG__DEBUG_PUT,    /* the last item of a queue was put, */
    CG__DEBUG_GET,    /* or taken */
    CG__DEBUG_SOCK,   /* not closed; this kind and those below are told at the end */
    CG__DEBUG_KEPT,   /* a socket's memory, after cg_sock_keep */
    CG__DEBUG_CORO,   /* references to coroutines, */
    CG__DEBUG_FUTURE, /* to futures */
    CG__DEBUG_HANDLE, /* and to handles */
    CG__DEBUG_KINDS,
};

/* Begins it if the options or $COGEN_DEBUG say so. Returns 0 or -ENOMEM. */
int cg__debug_begin(struct cg_sched *sched);

/* Reports what is left of a scheduler whose coroutines, posts and parts are gone; then frees
 * what was noted. */
void cg__debug_end(struct cg_sched *sched);

/* Notes a thing: its name, if it has one, and the backtrace of `coro` (NULL: what the thread
 * runs). If it is noted already, only the place is new. */
void cg__debug_note(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing,
                    const char *name, struct cg_coro *coro);
void cg__debug_forget(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing);

/* Like cg__debug_note, by the coroutine that runs, for a thing that may outlive its scheduler. It
 * keeps in *noted where it is noted; NULL: it is not. */
void cg__debug_note_late(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing,
                         struct cg__debug **noted);
void cg__debug_forget_late(struct cg__debug *noted, enum cg__debug_kind kind,
                           const void *thing);

/* Like cg__debug_note_late, by this coroutine (NULL: none), for what it does with a thing. */
void cg__debug_note_use(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing,
                        struct cg_coro *coro, struct cg__debug **noted);

/* Prints, as snprintf does, who was noted last: "by #4 reader at chat+0x2f31, which has ended".
 * Returns 0 if nobody was. */
int cg__debug_print_user(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing,
                         char *buf, size_t size);

/* Prints, as snprintf does, when and where what was noted last as `thing` happened, if that was
 * before `moment` and no longer than `within`. Returns 0 if it was not. */
int cg__debug_print(struct cg_sched *sched, enum cg__debug_kind kind, const void *thing,
                    int64_t moment, int64_t within, char *buf, size_t size);

/* Reports the mutexes that a coroutine has at its end. */
void cg__debug_coro_ended(struct cg_coro *coro);

/* The calls that are made in every program. */
static inline void cg__debug_made(struct cg_sched *sched, enum cg__debug_kind kind,
                                  const void *thing, const char *name)
{
    if (__builtin_expect(sched->debug != NULL, 0))
        cg__debug_note(sched, kind, thing, name, cg__coro_self);
}

static inline void cg__debug_gone(struct cg_sched *sched, enum cg__debug_kind kind,
                                  const void *thing)
{
    if (__builtin_expect(sched->debug != NULL, 0))
        cg__debug_forget(sched, kind, thing);
}

static inline void cg__debug_made_late(struct cg_sched *sched, enum cg__debug_kind kind,
                                       const void *thing, struct cg__debug **noted)
{
    if (__builtin_expect(sched->debug != NULL, 0))
        cg__debug_note_late(sched, kind, thing, noted);
}

static inline void cg__debug_gone_late(struct cg__debug *noted, enum cg__debug_kind kind,
                                       const void *thing)
{
    if (__builtin_expect(noted != NULL, 0))
        cg__debug_forget_late(noted, kind, thing);
}

#endif
