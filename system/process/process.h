/* SPDX-License-Identifier: MIT */
/* The inside of a process object, for the files that start, wait for and talk to
 * processes. */
#ifndef COGEN_SYSTEM_PROCESS_H
#define COGEN_SYSTEM_PROCESS_H

#include <cogen/process.h>

#include "system/os_listener.h"
#include "system/watch.h"

struct cg_process {
    struct cg_sched *sched;
    struct cg__watch watch;       /* watches its pidfd, if the system has them */
    struct cg_os_listener child;  /* otherwise listens to SIGCHLD */
    bool listening;
    struct cg_op *waiters;        /* a ring */
    struct cg_sock *socks[3];
    ssize_t result;               /* -EBUSY: it has not ended as far as we know */
    pid_t pid;
    unsigned forks; /* lib/base/fork.h's count in the process whose child it is */
    bool group;
    struct cg_object object;
    bool closed; /* freed when it has ended and no op uses it */
};

/* Makes an object for a process that is not started yet. Returns NULL if there is no
 * memory. */
struct cg_process *cg__process_new(struct cg_sched *sched);

/* Tells the object that its process was started. */
void cg__process_started(struct cg_process *process, pid_t pid);

/* For compound operations on a process, which is their first field: enter is the process
 * slot; leave returns what the run slot returns, where n is the op's own result; cancel
 * is the cancel slot. */
enum cg_verdict cg__process_enter(struct cg_op *op, struct cg_sched *sched);
ssize_t cg__process_leave(struct cg_op *op, ssize_t n);
enum cg_verdict cg__process_cancel(struct cg_op *op, struct cg_sched *sched);

/* In a coroutine: sends SIGTERM, waits for the grace period, sends SIGKILL. Returns how
 * the process ended, or -EPERM or -ETIMEDOUT as cg_end_process does. `shield`: a
 * cancellation does not shorten the grace period. */
ssize_t cg__process_end(struct cg_process *process, int64_t grace, bool shield);

/* How long to wait for a killed process: CG_PROCESS_GRACE. Tests shorten it. */
extern int64_t cg__process_patience;

/* False: behave as if the system had no pidfd. For tests. */
extern bool cg__process_pidfd;

#endif
