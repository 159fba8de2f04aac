/* SPDX-License-Identifier: MIT */
/* Processes as objects: wait, kill, close. Each process is waited for by its own pid, so
 * that children which other code started are not reaped here. A pidfd or SIGCHLD reports
 * its end. */
#include "config.h"

#include "system/process/pidfd.h"
#include "system/process/process.h"
#include "system/process/reaper.h"

#include "lib/core/sched.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert(sizeof(struct cg_wait_process_op) <= 128, "core ops fit in 128 bytes");
_Static_assert(sizeof(struct cg_call_with_process_op) <= 128,
               "core ops fit in 128 bytes");

bool cg__process_pidfd = true;
int64_t cg__process_patience = CG_PROCESS_GRACE;

static void settle(struct cg_process *process)
{
    if (!process->closed || process->result == -EBUSY || process->listening ||
        process->object.running > 0 || !cg__watch_is_idle(&process->watch))
        return;
    cg__watch_close(&process->watch);
    free(process);
}

/* Checks whether the process has ended, and reaps it. */
static bool reap(struct cg_process *process)
{
    siginfo_t info = {.si_pid = 0};
    int rc;

    do
        rc = waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG);
    while (rc < 0 && errno == EINTR);
    if (rc < 0)
        process->result = -errno;
    else if (info.si_pid == 0)
        return false;
    else if (info.si_code == CLD_EXITED)
        process->result = info.si_status & 0xff;
    else
        process->result = CG_EXIT_SIGNAL + info.si_status;
    return true;
}

static void unlink_waiter(struct cg_process *process, struct cg_op *op)
{
    struct cg_wait_process_op *wait = (struct cg_wait_process_op *)op;

    if (process->waiters == op)
        process->waiters = wait->next == op ? NULL : wait->next;
    ((struct cg_wait_process_op *)wait->next)->prev = wait->prev;
    ((struct cg_wait_process_op *)wait->prev)->next = wait->next;
}

static void complete_all(struct cg_process *process, ssize_t result)
{
    struct cg_op *op;

    while ((op = process->waiters)) {
        unlink_waiter(process, op);
        cg_op_complete(op, result);
    }
}

static void stop_listening(struct cg_process *process)
{
    if (!process->listening)
        return;
    process->listening = false;
    cg__os_listener_remove(&process->child);
    cg_sched_unhold(process->sched);
}

/* Called with what the pidfd reports. If the process has not ended, it is watched again. */
static void ready(struct cg__watch *watch, ssize_t events)
{
    struct cg_process *process =
        (void *)((char *)watch - offsetof(struct cg_process, watch));

    while (events > 0 && !reap(process))
        if ((events = cg__watch_arm(watch)) == 0)
            return;
    complete_all(process, events < 0 ? events : process->result);
    settle(process);
}

static void idle(struct cg__watch *watch)
{
    settle((void *)((char *)watch - offsetof(struct cg_process, watch)));
}

static void some_child(struct cg_os_listener *listener, unsigned deliveries)
{
    struct cg_process *process =
        (void *)((char *)listener - offsetof(struct cg_process, child));

    (void)deliveries;
    if (!reap(process))
        return;
    stop_listening(process);
    complete_all(process, process->result);
    settle(process);
}

/* Starts to watch for the end. Returns 0: will be reported; 1: it has ended; -errno. */
static int begin(struct cg_process *process)
{
    ssize_t events;
    int rc;

    if (process->watch.fd >= 0) {
        while ((events = cg__watch_arm(&process->watch)) > 0)
            if (reap(process))
                return 1;
        return (int)events;
    }
    if (process->listening)
        return 0;
    process->child = (struct cg_os_listener){.signo = SIGCHLD, .fn = some_child};
    if ((rc = cg__os_listener_add(&process->child, process->sched)) < 0)
        return rc;
    process->listening = true;
    cg_sched_hold(process->sched);
    if (!reap(process)) /* it may have ended before the listener was added */
        return 0;
    stop_listening(process);
    return 1;
}

static void end(struct cg_process *process)
{
    if (process->watch.fd >= 0)
        cg__watch_disarm(&process->watch);
    stop_listening(process);
}

struct cg_process *cg__process_new(struct cg_sched *sched)
{
    struct cg_process *process = calloc(1, sizeof *process);

    if (process) {
        process->sched = sched;
        process->watch.sched = sched;
        process->watch.fd = -1;
        process->watch.ready = ready;
        process->watch.idle = idle;
        process->result = -ECHILD; /* until it has been started */
    }
    return process;
}

void cg__process_started(struct cg_process *process, pid_t pid)
{
    process->pid = pid;
    process->forks = cg__fork_watch();
    process->result = -EBUSY;
    process->watch.fd = cg__process_pidfd ? cg__pidfd_open(pid) : -1;
    cg__reaper_retry();
}

int cg_process_kill(struct cg_process *process, int signo)
{
    /* While the process is not reaped, no other process can have its pid. In a forked
     * child it is the parent's child, not ours. */
    if (process->result != -EBUSY || process->forks != cg__fork_count())
        return -ESRCH;
    return kill(process->group ? -process->pid : process->pid, signo) < 0 ? -errno : 0;
}

/* Checks separately that the process itself may be signalled: if it leads a group, kill(2)
 * succeeds when any member may be. */
static int kill_leader(struct cg_process *process, int signo)
{
    int rc = cg_process_kill(process, signo);

    if (rc == 0 && process->group && kill(process->pid, 0) < 0)
        rc = -errno;
    return rc;
}

struct cg_sock *cg_process_sock(const struct cg_process *process, int number)
{
    return number >= 0 && number < 3 ? process->socks[number] : NULL;
}

void cg_process_close_sock(struct cg_process *process, int number)
{
    if (number < 0 || number >= 3)
        return;
    cg_sock_close(process->socks[number]);
    process->socks[number] = NULL;
}

pid_t cg_process_pid(const struct cg_process *process)
{
    return process->pid;
}

ssize_t cg_process_result(const struct cg_process *process)
{
    return process->result;
}

static void close_socks(struct cg_process *process)
{
    for (int i = 0; i < 3; i++)
        cg_process_close_sock(process, i);
}

/* The end may be far away, or cannot be watched from here: a thread waits for it. */
static void hand_over(struct cg_process *process)
{
    cg__reaper_take(process->pid);
    process->result = -ECHILD;
}

void cg_process_close(struct cg_process *process)
{
    int rc;

    if (process == NULL)
        return;
    assert(!process->closed);
    process->closed = true;
    close_socks(process);
    complete_all(process, -EBADF);
    cg_object_close(&process->object);
    rc = kill_leader(process, SIGKILL);
    if (process->result == -EBUSY && !reap(process) &&
        (rc == -EPERM || begin(process) < 0))
        hand_over(process);
    if (process->result != -EBUSY)
        end(process);
    settle(process);
}

pid_t cg_process_release(struct cg_process *process)
{
    pid_t pid = process->pid;

    if (process->waiters || process->object.unheard)
        return -EBUSY;
    if (process->result != -EBUSY)
        pid = -ESRCH;
    else
        process->result = -ECHILD;
    close_socks(process);
    process->closed = true;
    settle(process);
    return pid;
}

static enum cg_verdict wait_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_wait_process_op *wait = (struct cg_wait_process_op *)op, *first;
    struct cg_process *process = wait->process;

    op->result = -EINVAL;
    if (process == NULL || process->sched != sched)
        return CG_DONE;
    op->result = -EBADF;
    if (process->closed)
        return CG_DONE;
    op->uses = &process->object;
    if (process->result == -EBUSY && (op->result = begin(process)) < 0)
        return CG_DONE;
    op->result = process->result;
    if (process->result != -EBUSY) {
        complete_all(process, process->result);
        return CG_DONE;
    }
    if (process->waiters == NULL) {
        process->waiters = wait->next = wait->prev = op;
        return CG_PENDING;
    }
    first = (struct cg_wait_process_op *)process->waiters;
    wait->next = process->waiters;
    wait->prev = first->prev;
    ((struct cg_wait_process_op *)first->prev)->next = op;
    first->prev = op;
    return CG_PENDING;
}

static enum cg_verdict wait_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_process *process = ((struct cg_wait_process_op *)op)->process;

    (void)sched;
    unlink_waiter(process, op);
    if (process->waiters == NULL)
        end(process);
    return CG_DONE;
}

static int print_pid(const struct cg_process *process, char *buf, size_t size)
{
    return snprintf(buf, size, "pid %jd", process ? (intmax_t)process->pid : 0);
}

static int wait_print(const struct cg_op *op, char *buf, size_t size)
{
    return print_pid(((const struct cg_wait_process_op *)op)->process, buf, size);
}

const struct cg_op_type cg_wait_process_type = {
    .name = "wait_process",
    .process = wait_process,
    .cancel = wait_cancel,
    .print = wait_print,
};

static struct cg_process *process_of(const struct cg_op *op)
{
    return ((const struct cg_wait_process_op *)op)->process;
}

enum cg_verdict cg__process_enter(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    op->result = -EINVAL;
    if (process_of(op) == NULL)
        return CG_DONE;
    return cg_object_enter(&process_of(op)->object, op);
}

ssize_t cg__process_leave(struct cg_op *op, ssize_t n)
{
    struct cg_process *process = process_of(op);
    int rc = cg_object_leave(&process->object, op);

    if (rc == 0)
        return n;
    settle(process);
    return rc;
}

enum cg_verdict cg__process_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg__process_leave(op, 0);
    return CG_DONE;
}

/* Sends the signal and waits for the end. If the process may not be signalled, it is not
 * waited for: it does not know that it should end. */
static ssize_t kill_and_wait(struct cg_process *process, int signo, int64_t timeout,
                             bool shield)
{
    bool refused = kill_leader(process, signo) == -EPERM;
    ssize_t n = cg_yield(cg_wait_process(process, .timeout = refused ? CG_NOWAIT : timeout,
                                         .shield = shield || refused));

    return refused && n == -ETIMEDOUT ? -EPERM : n;
}

ssize_t cg__process_end(struct cg_process *process, int64_t grace, bool shield)
{
    ssize_t n =
        kill_and_wait(process, SIGTERM, grace ? grace : CG_PROCESS_GRACE, shield);

    if (n != -ETIMEDOUT && n != -ECANCELED)
        return n;
    return kill_and_wait(process, SIGKILL, cg__process_patience, true);
}

static ssize_t end_run(struct cg_op *op)
{
    struct cg_end_process_op *end = (struct cg_end_process_op *)op;

    return cg__process_leave(op, cg__process_end(end->process, end->grace, false));
}

static int end_print(const struct cg_op *op, char *buf, size_t size)
{
    return print_pid(((const struct cg_end_process_op *)op)->process, buf, size);
}

const struct cg_op_type cg_end_process_type = {
    .name = "end_process",
    .flags = CG_OP_ANYHOW,
    .process = cg__process_enter,
    .run = end_run,
    .cancel = cg__process_cancel,
    .print = end_print,
};

static ssize_t with_run(struct cg_op *op)
{
    struct cg_call_with_process_op *with = (struct cg_call_with_process_op *)op;
    ssize_t n, ended = 0;

    if (with->fn == NULL)
        return cg__process_leave(op, -EINVAL);
    n = with->fn(with->arg);
    if (with->process->result == -EBUSY)
        ended = cg__process_end(with->process, with->grace, true);
    if (n >= 0 && with->process->result == -EBUSY)
        n = ended;
    return cg__process_leave(op, n);
}

static int with_print(const struct cg_op *op, char *buf, size_t size)
{
    return print_pid(((const struct cg_call_with_process_op *)op)->process, buf, size);
}

const struct cg_op_type cg_call_with_process_type = {
    .name = "call_with_process",
    .flags = CG_OP_ANYHOW,
    .process = cg__process_enter,
    .run = with_run,
    .cancel = cg__process_cancel,
    .print = with_print,
};
