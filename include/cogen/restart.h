/* SPDX-License-Identifier: MIT */
/* Restarts without interruption: a program hands its ports to a successor, and both tell
 * the service manager. See cg_restart(3). */
#ifndef COGEN_RESTART_H
#define COGEN_RESTART_H

#include <cogen/op.h>
#include <cogen/ports.h>
#include <cogen/system.h>

#define CG_RESTART_TIMEOUT CG_MINUTE /* default timeout of cg_restart */

enum { CG_HANDOVER_SIZE = 4096 }; /* the most bytes of one struct cg_handover */

/* What a process hands to its successor besides the ports: a few bytes, which pass through a
 * pipe and are never in the environment or on disk. The caller owns it from
 * cg_handover_add to cg_handover_remove. */
struct cg_handover {
    const char *name; /* borrowed; 1 to 255 printable characters without ':' */
    /* Called by cg_restart, in its thread. Stores at most CG_HANDOVER_SIZE bytes and returns
     * how many; 0: there is nothing to hand over; more: the restart fails (-EINVAL). Must not
     * wait, nor call cg_handover_add or cg_handover_remove. */
    size_t (*fill)(void *arg, void *buf);
    void *arg;
    struct cg_handover *next; /* the library's */
};

#ifndef __cplusplus

struct cg_restart_op {
    CG_OP_HEAD;
    char *const *argv;
    bool done;
};

/* cg_restart(argv): starts a successor of this process, a program that is searched for as
 * by cg_process_spawn, which inherits all open ports under their names, standard input,
 * output and error, and the environment. Completes with 0 when the successor has called
 * cg_ready: it serves, and this process should stop accepting, complete what it has begun
 * and end. The successor is the main process then, also for the service manager. Otherwise
 * the successor, if there is one, was killed and reaped, and nothing has changed here:
 *   -ETIMEDOUT  it was not ready in time; the default is CG_RESTART_TIMEOUT
 *   -EPIPE      it ended before it was ready
 *   -EBUSY      a restart is under way, or has succeeded already
 *   -ECANCELED; -EMFILE, -ENOMEM (also of what is handed over); -ENOENT and other errors of
 *               cg_process_spawn
 * A successor that is ready is never killed: if it was ready when the op was cancelled or
 * timed out, the result is 0. */
#define cg_restart(...) cg__restart(__VA_ARGS__, )
#define cg__restart(a, ...) CG_OP(cg_restart, .argv = (a), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_restart_type;

/* Adds what each cg_restart from now on hands over, and removes it: after that `fill` is
 * not called any more. From any thread. Returns 0, or -EINVAL: the name is invalid. */
CG_API int cg_handover_add(struct cg_handover *handover);
CG_API void cg_handover_remove(struct cg_handover *handover);

/* Takes what the predecessor has handed over under this name, once; if it has added the
 * name several times, one after the other. Before cg_ready, from any thread. Returns the
 * number of bytes that were stored, at most size, or -ENOENT: there is nothing. */
CG_API ssize_t cg_handover_take(const char *name, void *buf, size_t size);

/* Tells the predecessor and the service manager (READY=1) that this process serves. To be
 * called once, when nothing can fail any more and all ports are open, right before the
 * first accept. Closes the inherited descriptors that were not claimed. May be called from
 * any thread; never waits. Returns 0, also if there is neither; -errno: a message could
 * not be sent.
 *   -EPIPE  there was a predecessor, but it has gone */
CG_API int cg_ready(void);

/* Sends a state, lines such as "STATUS=text\nWATCHDOG=1", and n descriptors to the service
 * manager (the socket in NOTIFY_SOCKET, see sd_notify(3)). From any thread; never waits.
 * Returns 1: sent; 0: no service manager listens; -errno. -EINVAL: more than 64
 * descriptors. */
CG_API int cg_notify(const char *state, const int *fds, size_t n);

/* The interval of the service manager's watchdog in ns; 0: it does not watch this process.
 * The program sends "WATCHDOG=1" at half of it, as long as it works. */
CG_API int64_t cg_watchdog_interval(void);

CG_EXTERN_C_END
#endif
