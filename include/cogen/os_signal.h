/* SPDX-License-Identifier: MIT */
/* Signals of the operating system (SIGINT, SIGUSR1 ...) as operations. Named signals
 * between coroutines are in <cogen/signal.h>. See cg_wait_os_signal(3). */
#ifndef COGEN_OS_SIGNAL_H
#define COGEN_OS_SIGNAL_H

#include <cogen/op.h>
#include <cogen/system.h>

enum {
    CG_OS_SIGNAL_INFOS = 64, /* most deliveries of which a subscription knows the details */
};

/* What came with a delivery, as in sigaction(2). */
struct cg_os_signal_info {
    int signo;
    int code;       /* why: SI_USER (kill), SI_QUEUE (sigqueue), CLD_EXITED ... */
    pid_t pid;      /* who sent it, or the child that it is about; 0: the kernel did */
    uid_t uid;
    int status;     /* SIGCHLD: the exit status, or the number of a signal */
    intptr_t value; /* SI_QUEUE: the value that was sent */
};

/* A subscription: counts the deliveries of one signal since cg_os_signals_open. */
struct cg_os_signals;

#ifndef __cplusplus

/* A listener that is called when a signal arrives. The library's. */
struct cg_os_listener {
    struct cg_os_listener *next, *prev;
    struct cg_os_watcher *watcher;
    void (*fn)(struct cg_os_listener *listener, unsigned deliveries);
    void (*note)(struct cg_os_listener *listener, const struct cg_os_signal_info *info);
    int signo;
    unsigned since; /* the position of the first info that it may get */
};

struct cg_wait_os_signal_op {
    CG_OP_HEAD;
    struct cg_os_listener listener;
};

struct cg_get_os_signal_op {
    CG_OP_HEAD;
    struct cg_os_signals *signals;
    struct cg_os_signal_info *info;
};

/* cg_wait_os_signal(signo): waits for the next delivery of a signal to this process and
 * completes with the number of deliveries by then, at least 1. Any number of coroutines
 * and schedulers may wait for the same signal; each is notified. The library's handler is
 * installed while any of them waits; then the previous one is restored, so between two
 * waits the signal may take its default action: where that matters, use a subscription.
 * Holds the run open. -EINVAL: a signal that cannot be waited for (SIGKILL, SIGSTOP,
 * faults); -ENOMEM. Traceless. */
#define cg_wait_os_signal(...) cg__wait_os_signal(__VA_ARGS__, )
#define cg__wait_os_signal(number, ...)                                                    \
    CG_OP(cg_wait_os_signal, .listener = {.signo = (number)}, __VA_ARGS__)

/* cg_get_os_signal(signals): waits until the signal has been delivered at least once since
 * the last call (or since the subscription began) and completes with the number of
 * deliveries. Holds the run open while it waits. -EBUSY: another coroutine waits for this
 * subscription. With .timeout = CG_NOWAIT it completes with what has been delivered by now.
 * Traceless. Keywords:
 *   .info = &info  takes the oldest delivery alone, with what came with it, and completes
 *                  with 1. The details of at most CG_OS_SIGNAL_INFOS deliveries are kept;
 *                  the op completes with the number of the others, if there are any, once
 *                  these are taken, and info.signo is 0 */
#define cg_get_os_signal(...) cg__get_os_signal(__VA_ARGS__, )
#define cg__get_os_signal(s, ...) CG_OP(cg_get_os_signal, .signals = (s), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_wait_os_signal_type, cg_get_os_signal_type;

/* Subscribes a scheduler to a signal: no delivery is lost from now until
 * cg_os_signals_close, which must be called before the scheduler is freed. Does not hold
 * the run open. Scheduler's thread only. Returns 0, -EINVAL or -ENOMEM. */
CG_API int cg_os_signals_open(struct cg_sched *sched, int signo,
                              struct cg_os_signals **signals);

/* Ends a subscription. An operation that waits for it completes with -EBADF, also if it has
 * completed but its coroutine has not run since. NULL is ignored. */
CG_API void cg_os_signals_close(struct cg_os_signals *signals);

/* Blocks SIGPIPE in the calling thread, around writes of your own (write(2), stdio) to a
 * pipe or socket whose reader may be gone. Returns a value for cg_sigpipe_unblock. Do not
 * yield in between: the signal mask belongs to the thread. */
CG_API int cg_sigpipe_block(void);

/* Restores the mask. failed: a write has failed (or was short), so SIGPIPE may be pending;
 * it is removed, without waiting, unless it was pending before. errno may change. */
CG_API void cg_sigpipe_unblock(int before, bool failed);

CG_EXTERN_C_END
#endif
