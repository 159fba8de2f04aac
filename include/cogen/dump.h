/* SPDX-License-Identifier: MIT */
/* Dumps: where every coroutine is, and what it waits for. See cg_dump(3). */
#ifndef COGEN_DUMP_H
#define COGEN_DUMP_H

#include <cogen/construct.h>

#include <stdio.h>

struct cg_sched;

struct cg_dump_options {
    bool json;    /* one JSON object in place of text */
    size_t limit; /* coroutines examined at most; 0: 16,384, and no longer than 30 ms */
    void *reserved;
};

CG_EXTERN_C_BEGIN

/* Writes a dump of a scheduler: its coroutines as a tree (who started whom, groups, scopes
 * with their deadlines), each with its name, state, age, what it waits for, backtrace and
 * use of its stack; those that are alike only once, with their number; cycles of coroutines
 * that wait for each other; and how many sockets, timers, idle connections, generators and
 * functions in threads there are. Changes nothing. Only in the scheduler's thread, in a
 * coroutine (which needs about 16 KiB of stack for it) or outside. The options are borrowed
 * (NULL: all defaults). Returns 0, -ENOMEM, or why it could not be written. */
CG_API int cg_sched_dump_with(struct cg_sched *sched, FILE *out,
                              const struct cg_dump_options *options);

/* While a program is in cg_main or cg_crew_main, this signal makes it write a dump of each
 * scheduler of the process to stderr. The default is SIGUSR1; 0: none. To be called before
 * cg_main or cg_crew_main; it has no effect if the signal is not at its default
 * disposition then. $COGEN_DUMP overrides it: see cg_dump(3). Returns 0, or -EINVAL. */
CG_API int cg_dump_set_signal(int signo);

CG_EXTERN_C_END

#ifndef __cplusplus

/* cg_sched_dump(sched, out, .json = true, ...): cg_sched_dump_with with its options as
 * keywords. */
#define cg_sched_dump(...) cg__sched_dump(__VA_ARGS__, )
#define cg__sched_dump(sched, out, ...)                                                    \
    cg_sched_dump_with(sched, out, CG__OPTIONS(struct cg_dump_options, __VA_ARGS__))

#endif
#endif
