/* SPDX-License-Identifier: MIT */
/* See os.h. */
#include "os.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct task {
    long tid;
    cg_fn *fn;
    void *arg;
    struct cg_coro *coro;
    struct os_task_op *waiting; /* the operations that wait for its end */
    struct task *next;
};

static struct task *tasks; /* those that have not ended; a program has one such system */
static long last_tid;

static struct task *find(long tid)
{
    struct task *task = tasks;

    while (task && task->tid != tid)
        task = task->next;
    return task;
}

static ssize_t task_main(void *arg)
{
    struct task *task = arg, **link = &tasks;
    ssize_t rc = task->fn(task->arg);

    while (*link != task)
        link = &(*link)->next;
    *link = task->next;
    for (struct os_task_op *op = task->waiting, *next; op; op = next) {
        next = op->next;
        cg_op_complete(&op->op, 1);
    }
    cg_coro_unref(task->coro);
    free(task);
    return rc;
}

static ssize_t new_task(struct cg_sched *sched, cg_fn *fn, void *arg)
{
    struct task *task = malloc(sizeof *task);
    int rc = -ENOMEM;

    if (!task)
        return rc;
    *task = (struct task){.tid = last_tid + 1, .fn = fn, .arg = arg, .next = tasks};
    if ((rc = cg_sched_start(sched, task_main, task, .name = "task",
                             .coro = &task->coro)) < 0) {
        free(task);
        return rc;
    }
    tasks = task;
    return ++last_tid;
}

int os_boot(struct cg_sched *sched, cg_fn *fn, void *arg)
{
    ssize_t tid = new_task(sched, fn, arg);

    return tid < 0 ? (int)tid : 0;
}

static struct os_task_op *task_op(struct cg_op *op)
{
    return (struct os_task_op *)op;
}

static enum cg_verdict get_tid_process(struct cg_op *op, struct cg_sched *sched)
{
    struct task *task = tasks;

    (void)sched;
    while (task && task->coro != cg_op_coro(op))
        task = task->next;
    op->result = task ? task->tid : -ESRCH;
    return CG_DONE;
}

static enum cg_verdict new_task_process(struct cg_op *op, struct cg_sched *sched)
{
    op->result = new_task(sched, task_op(op)->fn, task_op(op)->arg);
    return CG_DONE;
}

static enum cg_verdict kill_task_process(struct cg_op *op, struct cg_sched *sched)
{
    struct task *task = find(task_op(op)->tid);

    (void)sched;
    op->result = task && cg_coro_cancel(task->coro) == 0;
    return CG_DONE;
}

/* The only system call that may stay pending; the end of the task completes it. */
static enum cg_verdict wait_task_process(struct cg_op *op, struct cg_sched *sched)
{
    struct os_task_op *self = task_op(op);
    struct task *task = find(self->tid);

    (void)sched;
    if (!task) {
        op->result = 0;
        return CG_DONE;
    }
    self->next = task->waiting;
    task->waiting = self;
    return CG_PENDING;
}

static enum cg_verdict wait_task_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct os_task_op *self = task_op(op), **link = &find(self->tid)->waiting;

    (void)sched;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    return CG_DONE;
}

/* The next system calls are compound: they yield existing operations. */
static ssize_t call_run(struct cg_op *op)
{
    return task_op(op)->fn(task_op(op)->arg);
}

static ssize_t read_wait_run(struct cg_op *op)
{
    return cg_yield(cg_poll(((struct os_fd_op *)op)->fd, CG_IN));
}

static ssize_t write_wait_run(struct cg_op *op)
{
    return cg_yield(cg_poll(((struct os_fd_op *)op)->fd, CG_OUT));
}

/* What cg_coro_dump prints about a coroutine that waits for a task. */
static int wait_task_print(const struct cg_op *op, char *buf, size_t size)
{
    return snprintf(buf, size, "task %ld", ((const struct os_task_op *)op)->tid);
}

const struct cg_op_type os_get_tid_type = {.name = "get_tid",
                                           .process = get_tid_process};
const struct cg_op_type os_new_task_type = {.name = "new_task",
                                            .process = new_task_process};
const struct cg_op_type os_kill_task_type = {.name = "kill_task",
                                             .process = kill_task_process};
const struct cg_op_type os_wait_task_type = {.name = "wait_task",
                                             .flags = CG_OP_LOCAL,
                                             .process = wait_task_process,
                                             .cancel = wait_task_cancel,
                                             .print = wait_task_print};
const struct cg_op_type os_call_type = {.name = "call", .run = call_run};
const struct cg_op_type os_read_wait_type = {.name = "read_wait", .run = read_wait_run};
const struct cg_op_type os_write_wait_type = {.name = "write_wait",
                                              .run = write_wait_run};
