/* SPDX-License-Identifier: MIT */
/* Named signals to coroutines of another scheduler, in any thread. See cg_signal(3). */
#ifndef COGEN_REMOTE_H
#define COGEN_REMOTE_H

#include <cogen/signal.h>

CG_EXTERN_C_BEGIN

/* Signals a name in a scheduler from any thread (not from signal handlers), without
 * waiting: coroutines that wait for the name when the post arrives there are woken with
 * the value, one word. The bytes of the name are copied. Signals from one thread arrive
 * in order. The scheduler must outlive the call; posts that it has not run when it is
 * freed are dropped. They do not hold its run open (cg_sched_hold does). Returns 0 or
 * -ENOMEM. */
CG_API int cg_sched_post_signal_with(struct cg_sched *sched, struct cg_name name,
                                     const void *value);

extern CG_API const struct cg_op_type cg_signal_remote_type;

CG_EXTERN_C_END

#ifndef __cplusplus

/* Macro form of cg_sched_post_signal_with that accepts any C value as name and value. */
#define cg_sched_post_signal(sched, name, value)                                           \
    cg_sched_post_signal_with(sched, cg_name(name), (const void *)(intptr_t)(value))

struct cg_remote;

struct cg_signal_remote_op {
    CG_OP_HEAD;
    struct cg_sched *sched; /* the scheduler to signal in */
    struct cg_name name;
    const void *value;
    struct cg_remote *remote;
};

/* cg_signal_remote(sched, name, value): like cg_sched_post_signal, but waits and completes
 * with the number of coroutines woken there. The other scheduler must not be freed before
 * it begins. Traceless until the other scheduler has processed it: cancelled before that,
 * it wakes nobody. -ESRCH: the other scheduler was freed, or the process was forked,
 * before that; -ENOMEM. */
#define cg_signal_remote(...) cg__signal_remote(__VA_ARGS__, )
#define cg__signal_remote(s, n, v, ...)                                                    \
    CG_OP(cg_signal_remote, .sched = (s), .name = cg_name(n),                              \
          .value = (const void *)(intptr_t)(v), __VA_ARGS__)

#endif
#endif
