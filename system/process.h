/* SPDX-License-Identifier: MIT */
/* The inside of a process, for the files that start, wait for and talk to one. */
#ifndef COGEN_SYSTEM_PROCESS_H
#define COGEN_SYSTEM_PROCESS_H

#include <cogen/process.h>

#include "system/os_listener.h"
#include "system/watch.h"

struct cg_process {
    struct cg_sched *sched;
    struct cg__watch watch;       /* of its pidfd, where there is one */
    struct cg_os_listener child;  /* of SIGCHLD, where there is none */
    bool listening;
    struct cg_op *waiters;        /* a ring */
    struct cg_sock *socks[3];
    ssize_t result;               /* -EBUSY: it has not ended as far as we know */
    pid_t pid;
    unsigned forks; /* the count (lib/base/fork.h) of the process whose child it is */
    bool group;
    struct cg_object object;
    bool closed; /* freed as soon as it has ended and nobody holds it */
};

/* A new process, not started. NULL: no memory. */
struct cg_process *cg__process_new(struct cg_sched *sched);

/* It has been started. */
void cg__process_started(struct cg_process *process, pid_t pid);

/* The process slot of a compound operation on a process, which is its first field; what its
 * run slot answers in the end, where n is its result; and its cancel slot. */
enum cg_verdict cg__process_enter(struct cg_op *op, struct cg_sched *sched);
ssize_t cg__process_leave(struct cg_op *op, ssize_t n);
enum cg_verdict cg__process_cancel(struct cg_op *op, struct cg_sched *sched);

/* In a coroutine: SIGTERM, the grace, SIGKILL; how it ended, -EPERM or -ETIMEDOUT as
 * cg_end_process. `shield`: cancelling does not shorten the grace. */
ssize_t cg__process_end(struct cg_process *process, int64_t grace, bool shield);

/* How long a killed process is waited for: CG_PROCESS_GRACE. Tests shorten it. */
extern int64_t cg__process_patience;

/* False: as if the system had no pidfd. For tests. */
extern bool cg__process_pidfd;

/* False: as if the child could not close descriptors that it is not told of. For tests. */
extern bool cg__spawn_closefrom;

#endif
