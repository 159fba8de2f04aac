/* SPDX-License-Identifier: MIT */
/* A small operating system, like the one of Beazley's course: tasks with numbers, and
 * system calls that a task yields. Each system call is a type of operation, defined with
 * <cogen.h> alone (os.c). The scheduler does not know these types, but they can be raced
 * and timed out like every other operation. */
#ifndef EXAMPLES_COURSE_OS_H
#define EXAMPLES_COURSE_OS_H

#include <cogen.h>

struct os_task_op {
    CG_OP_HEAD;
    cg_fn *fn;
    void *arg;
    long tid;
    struct os_task_op *next; /* the next that waits for the same task */
};

struct os_fd_op {
    CG_OP_HEAD;
    int fd;
};

/* os_get_tid(): the number of the calling task, from 1. */
#define os_get_tid(...)                                                                \
    (&(struct os_task_op){.type = &os_get_tid_type, .result = 0, __VA_ARGS__}.op)

/* os_new_task(fn, arg): starts a task; completes with its number, or -ENOMEM. */
#define os_new_task(...) os__new_task(__VA_ARGS__, )
#define os__new_task(f, a, ...)                                                        \
    (&(struct os_task_op){                                                             \
        .type = &os_new_task_type, .fn = (f), .arg = (a), __VA_ARGS__}                 \
          .op)

/* os_kill_task(tid): cancels a task. Completes with 1; 0: there is no such task. */
#define os_kill_task(...) os__kill_task(__VA_ARGS__, )
#define os__kill_task(t, ...)                                                          \
    (&(struct os_task_op){.type = &os_kill_task_type, .tid = (t), __VA_ARGS__}.op)

/* os_wait_task(tid): waits for the end of a task. Completes with 1; 0: there is no such
 * task. */
#define os_wait_task(...) os__wait_task(__VA_ARGS__, )
#define os__wait_task(t, ...)                                                          \
    (&(struct os_task_op){.type = &os_wait_task_type, .tid = (t), __VA_ARGS__}.op)

/* os_call(fn, arg): runs fn(arg) as a subroutine, which may yield; completes with its
 * result. */
#define os_call(...) os__call(__VA_ARGS__, )
#define os__call(f, a, ...)                                                            \
    (&(struct os_task_op){.type = &os_call_type, .fn = (f), .arg = (a), __VA_ARGS__}.op)

/* os_read_wait(fd), os_write_wait(fd): wait until a descriptor can be read or written. */
#define os_read_wait(...) os__read_wait(__VA_ARGS__, )
#define os__read_wait(f, ...)                                                          \
    (&(struct os_fd_op){.type = &os_read_wait_type, .fd = (f), __VA_ARGS__}.op)
#define os_write_wait(...) os__write_wait(__VA_ARGS__, )
#define os__write_wait(f, ...)                                                         \
    (&(struct os_fd_op){.type = &os_write_wait_type, .fd = (f), __VA_ARGS__}.op)

extern const struct cg_op_type os_get_tid_type, os_new_task_type, os_kill_task_type,
    os_wait_task_type, os_call_type, os_read_wait_type, os_write_wait_type;

/* Starts the first task; called outside coroutines. The operating system ends with its
 * last task. Returns 0 or -ENOMEM. */
int os_boot(struct cg_sched *sched, cg_fn *fn, void *arg);

#endif
