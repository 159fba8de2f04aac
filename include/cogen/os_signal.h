/* SPDX-License-Identifier: MIT */
/* The operating system's signals (SIGINT, SIGUSR1 ...) as operations. Not to be confused
 * with named signals, <cogen/signal.h>. See cg_wait_os_signal(3). */
#ifndef COGEN_OS_SIGNAL_H
#define COGEN_OS_SIGNAL_H

#include <cogen/op.h>

/* A subscription: counts the deliveries of one signal from cg_os_signals_open on. */
struct cg_os_signals;

#ifndef __cplusplus

/* Who is told of a signal; the library's. */
struct cg_os_listener {
    struct cg_os_listener *next, *prev;
    struct cg_os_watcher *watcher;
    void (*fn)(struct cg_os_listener *listener, unsigned deliveries);
    int signo;
};

struct cg_wait_os_signal_op {
    CG_OP_HEAD;
    struct cg_os_listener listener;
};

struct cg_get_os_signal_op {
    CG_OP_HEAD;
    struct cg_os_signals *signals;
};

/* cg_wait_os_signal(signo): waits for the next delivery of a signal to this process and
 * answers the number of deliveries that have come by then, at least 1. Any number of
 * coroutines, of any number of schedulers, may wait for the same signal; each is told. From
 * the first that waits until the last has gone the signal has our handler; then what was
 * there before comes back, so that between two waits a signal may well do what it does by
 * default: use a subscription where that matters. A wait holds the run open. -EINVAL: no
 * signal that can be waited for (SIGKILL, SIGSTOP, faults); -ENOMEM. Traceless: whoever is
 * cancelled takes nothing from the others. */
#define cg_wait_os_signal(...) cg__wait_os_signal(__VA_ARGS__, )
#define cg__wait_os_signal(number, ...)                                                    \
    CG_OP(cg_wait_os_signal, .listener = {.signo = (number)}, __VA_ARGS__)

/* cg_get_os_signal(signals): waits until the signal has been delivered at least once since
 * the last answer (or since the subscription began) and answers how often. Holds the run
 * open while it waits. -EBUSY: another coroutine waits for this subscription. Traceless. */
#define cg_get_os_signal(...) cg__get_os_signal(__VA_ARGS__, )
#define cg__get_os_signal(s, ...) CG_OP(cg_get_os_signal, .signals = (s), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_wait_os_signal_type, cg_get_os_signal_type;

/* Subscribes a scheduler to a signal: none is lost from here on until cg_os_signals_close,
 * which comes before the scheduler is freed. Does not hold the run open. Scheduler's thread
 * only. 0, -EINVAL, -ENOMEM. */
CG_API int cg_os_signals_open(struct cg_sched *sched, int signo,
                              struct cg_os_signals **signals);

/* Ends a subscription; whoever waits for it is answered -EBADF, also if its operation has
 * completed but its coroutine has not run since. NULL is ignored. */
CG_API void cg_os_signals_close(struct cg_os_signals *signals);

/* Blocks SIGPIPE in the calling thread, around writes that are not the library's (write(2),
 * stdio) into a pipe or socket whose reader may have gone. Returns what cg_sigpipe_unblock
 * wants. No yield in between: the mask is the thread's. */
CG_API int cg_sigpipe_block(void);

/* Ends that. failed: a write has failed (or was short), and may have raised SIGPIPE: it is
 * taken away, without waiting. One that was pending before stays. errno may change. */
CG_API void cg_sigpipe_unblock(int before, bool failed);

CG_EXTERN_C_END
#endif
