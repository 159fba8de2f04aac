/* SPDX-License-Identifier: MIT */
/* Processes on every reactor of a kernel: their results, ending them by a cancel, and that
 * children of others are left alone. Nothing is left behind. */
#include "config.h"

#include "system/process/reaper.h"
#include "tests/system/processes.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The result is the exit code or the signal. A later wait returns it too. */
static ssize_t how_it_ended(void *arg)
{
    struct cg_process *process = spawn("exit 7");

    (void)arg;
    IS(cg_process_result(process), -EBUSY);
    ck_assert_int_gt(cg_process_pid(process), 0);
    IS(cg_yield(cg_wait_process(process)), 7);
    IS(cg_yield(cg_wait_process(process)), 7);
    IS(cg_process_result(process), 7);
    IS(cg_process_kill(process, SIGTERM), -ESRCH);
    cg_process_close(process);
    process = spawn("kill -9 $$");
    IS(cg_yield(cg_wait_process(process)), CG_EXIT_SIGNAL + SIGKILL);
    cg_process_close(process);
    process = spawn("sleep 1000");
    IS(cg_yield(cg_wait_process(process, .timeout = MS)), -ETIMEDOUT);
    OK(cg_process_kill(process, SIGUSR1));
    IS(cg_yield(cg_wait_process(process)), CG_EXIT_SIGNAL + SIGUSR1);
    cg_process_close(process);
    no_children();
    return 0;
}

static ssize_t waits(void *arg)
{
    return cg_yield(cg_wait_process(arg));
}

/* All waiters get the result. A waiter that gives up takes nothing from the others. */
static ssize_t many_wait(void *arg)
{
    struct cg_process *process = NULL;
    struct cg_coro *coros[4];

    (void)arg;
    OK(cg_process_spawn(cg_sched_self(), SH("read line; exit 3"), &process,
                        .in = CG_STDIO_PIPE));
    for (size_t i = 0; i < COUNT(coros); i++)
        test_until_waiting(coros[i] = test_start(waits, process));
    OK(cg_yield(cg_cancel(coros[0])));
    OK(cg_yield(cg_cancel(coros[2])));
    IS(cg_yield(cg_any((cg_wait_process(process), cg_sleep(MS)))), 1);
    cg_process_close_sock(process, 0);
    for (size_t i = 0; i < COUNT(coros); i++)
        IS(test_end(coros[i]), i % 2 ? 3 : -ECANCELED);
    cg_process_close(process);
    no_children();
    return 0;
}

/* Waits that time out around the end of the process lose nothing: the result comes. */
static ssize_t timeouts_race(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++) {
        struct cg_process *process = spawn("exit 5");
        int64_t timeout = 1;
        ssize_t n;

        while ((n = cg_yield(cg_wait_process(process, .timeout = timeout))) == -ETIMEDOUT)
            timeout += 37 * CG_MICROSECOND;
        IS(n, 5);
        cg_process_close(process);
    }
    no_children();
    return 0;
}

/* A process that is closed while it runs is killed and reaped. Its waiters are woken. */
static ssize_t closed_while_it_runs(void *arg)
{
    struct cg_process *process = spawn("sleep 1000");
    struct cg_coro *coro = test_start(waits, process);

    (void)arg;
    test_until_waiting(coro);
    cg_process_close(process);
    IS(test_end(coro), -EBADF);
    cg_process_close(spawn("sleep 1000"));
    cg_process_close(spawn("exit 0"));
    cg_process_close(NULL);
    return 0;
}

static void killed_by_close(void)
{
    IS(test_run(closed_while_it_runs, NULL), 0);
    no_children(); /* the run stayed open until the children were reaped */
}

/* A released process belongs to the caller. */
static ssize_t released(void *arg)
{
    struct cg_process *process = NULL;
    int status;
    pid_t pid;

    (void)arg;
    OK(cg_process_spawn(cg_sched_self(), SH("read line; exit 4"), &process,
                        .in = CG_STDIO_PIPE));
    pid = cg_process_pid(process);
    ck_assert_int_eq(cg_process_release(process), pid);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 4);
    process = spawn("exit 0");
    IS(cg_yield(cg_wait_process(process)), 0);
    IS(cg_process_release(process), -ESRCH);
    return 0;
}

/* Children that are not ours stay for their owners. If someone else reaps one of ours, the
 * result says so. */
static ssize_t others_children(void *arg)
{
    struct cg_process *process;
    pid_t other = fork();
    int status;

    (void)arg;
    if (other == 0)
        _exit(9);
    process = spawn("exit 1");
    IS(cg_yield(cg_wait_process(process)), 1);
    cg_process_close(process);
    ck_assert_int_eq(waitpid(other, &status, 0), other);
    ck_assert_int_eq(WEXITSTATUS(status), 9);
    process = spawn("exit 1");
    ck_assert_int_eq(waitpid(cg_process_pid(process), &status, 0), cg_process_pid(process));
    IS(cg_yield(cg_wait_process(process)), -ECHILD);
    cg_process_close(process);
    return 0;
}

/* Without pidfd the end of a child is known by SIGCHLD. The earlier handler is called too,
 * and comes back. */
static volatile sig_atomic_t told;

static void tell(int signo)
{
    (void)signo;
    told++;
}

static ssize_t by_sigchld(void *arg)
{
    struct sigaction action = {.sa_handler = tell}, now;

    cg__process_pidfd = false;
    IS(sigaction(SIGCHLD, &action, NULL), 0);
    how_it_ended(arg);
    many_wait(arg);
    timeouts_race(arg);
    others_children(arg);
    ck_assert_int_gt(told, 0);
    IS(sigaction(SIGCHLD, NULL, &now), 0);
    ck_assert(now.sa_handler == tell);
    closed_while_it_runs(arg);
    return 0;
}

/* Ending processes */

/* SIGTERM ends a process that obeys it. A process that does not is killed after the grace
 * period. */
static ssize_t ends(void *arg)
{
    struct cg_process *process = spawn("exec sleep 1000");
    char line[16];

    (void)arg;
    IS(cg_yield(cg_end_process(process)), CG_EXIT_SIGNAL + SIGTERM);
    IS(cg_yield(cg_end_process(process)), CG_EXIT_SIGNAL + SIGTERM);
    cg_process_close(process);
    OK(cg_process_spawn(cg_sched_self(),
                        SH("trap '' TERM; echo ready; while :; do sleep 0.1; done"),
                        &process, .out = CG_STDIO_PIPE, .group = true));
    IS(cg_yield(cg_readline(cg_process_sock(process, 1), line, sizeof line)), 6);
    IS(cg_yield(cg_end_process(process, .grace = 20 * MS)), CG_EXIT_SIGNAL + SIGKILL);
    cg_process_close(process);
    no_children();
    return 0;
}

/* A group is ended as a whole, with the child of the child. */
static ssize_t group(void *arg)
{
    struct cg_process *process = NULL;
    char line[16];
    pid_t grandchild;

    (void)arg;
    OK(cg_process_spawn(cg_sched_self(), SH("sleep 1000 & echo $!; wait"), &process,
                        .out = CG_STDIO_PIPE, .group = true));
    OK(cg_yield(cg_readline(cg_process_sock(process, 1), line, sizeof line)));
    grandchild = atoi(line);
    IS(kill(grandchild, 0), 0);
    IS(cg_yield(cg_end_process(process)), CG_EXIT_SIGNAL + SIGTERM);
    /* The child of the child has the pipe too: the end of the stream shows that it has
     * gone. */
    IS(cg_yield(cg_read(cg_process_sock(process, 1), line, sizeof line)), 0);
    cg_process_close(process);
    return 0;
}

static ssize_t sleeps(void *arg)
{
    (void)arg;
    return cg_yield(cg_sleep(1000 * CG_SECOND));
}

static ssize_t returns_five(void *arg)
{
    (void)arg;
    return 5;
}

static ssize_t owner(void *arg)
{
    return cg_yield(cg_call_with_process(arg, sleeps, NULL));
}

/* A call that owns a process ends it when the call is cancelled, times out or returns. */
static ssize_t owned(void *arg)
{
    struct cg_process *process = spawn("exec sleep 1000");
    struct cg_coro *coro = test_start(owner, process);

    (void)arg;
    test_until_waiting(coro);
    OK(cg_yield(cg_cancel(coro)));
    IS(test_end(coro), -ECANCELED);
    IS(cg_process_result(process), CG_EXIT_SIGNAL + SIGTERM);
    cg_process_close(process);
    process = spawn("exec sleep 1000");
    IS(cg_yield(cg_call_with_process(process, sleeps, NULL, .timeout = MS)),
       -ETIMEDOUT);
    IS(cg_process_result(process), CG_EXIT_SIGNAL + SIGTERM);
    IS(cg_yield(cg_call_with_process(process, returns_five, NULL)), 5);
    cg_process_close(process);
    process = spawn("exec sleep 1000");
    IS(cg_yield(cg_any((cg_call_with_process(process, sleeps, NULL), cg_sleep(MS)))),
       1);
    IS(cg_process_result(process), CG_EXIT_SIGNAL + SIGTERM);
    cg_process_close(process);
    no_children();
    return 0;
}

/* A process that does not end */

enum { IN_VAIN = -1 };

static int answer; /* result of kill; 0: the real one, IN_VAIN: success without effect, or
                    * an errno */

static bool members; /* the members of its group may be signalled, the process itself may not */

int kill(pid_t pid, int signo)
{
    if (answer && members && pid < 0)
        return 0;
    if (answer == IN_VAIN)
        return 0;
    if (answer)
        return errno = answer, -1;
    return (int)syscall(SYS_kill, pid, signo);
}

/* Checks a process that runs as another user or is stuck in the kernel: no operation waits
 * for it longer than its timeout, and each reports that it still runs. */
static void stays(struct cg_process *process, ssize_t why)
{
    IS(cg_yield(cg_end_process(process, .grace = MS)), why);
    IS(cg_yield(cg_end_process(process, .timeout = MS)), why);
    IS(cg_yield(cg_call_with_process(process, returns_five, NULL, .grace = MS)), why);
    IS(cg_yield(
           cg_call_with_process(process, sleeps, NULL, .grace = MS, .timeout = MS)),
       -ETIMEDOUT);
    IS(cg_process_result(process), -EBUSY);
    IS(cg_yield(cg_communicate(process, NULL, 0, .grace = MS, .timeout = MS)), -ETIMEDOUT);
    IS(cg_process_result(process), -EBUSY);
    ck_assert_ptr_null(cg_process_sock(process, 1));
}

static ssize_t may_not_be_signalled(void *arg)
{
    struct cg_process *process = NULL;

    (void)arg;
    for (int group = 0; group < 2; group++) {
        OK(cg_process_spawn(cg_sched_self(), SH("exec sleep 1000"), &process,
                            .out = CG_STDIO_PIPE, .group = group));
        members = group;
        answer = EPERM;
        stays(process, -EPERM);
        answer = 0;
        IS(cg_yield(cg_end_process(process)), CG_EXIT_SIGNAL + SIGTERM);
        cg_process_close(process);
    }
    members = false;
    return 0;
}

static ssize_t is_held_by_the_kernel(void *arg)
{
    struct cg_process *process = NULL;

    (void)arg;
    OK(cg_process_spawn(cg_sched_self(), SH("exec sleep 1000"), &process,
                        .out = CG_STDIO_PIPE));
    answer = IN_VAIN;
    cg__process_patience = MS;
    stays(process, -ETIMEDOUT);
    cg__process_patience = CG_PROCESS_GRACE;
    answer = 0;
    IS(cg_yield(cg_end_process(process)), CG_EXIT_SIGNAL + SIGTERM);
    cg_process_close(process);
    return 0;
}

/* A process that ran as another user but has ended is no such case. */
static ssize_t was_another_user(void *arg)
{
    struct cg_process *process = spawn("exit 5");
    siginfo_t info;

    (void)arg;
    IS(waitid(P_PID, (id_t)cg_process_pid(process), &info, WEXITED | WNOWAIT), 0);
    answer = EPERM;
    IS(cg_yield(cg_end_process(process)), 5);
    answer = 0;
    cg_process_close(process);
    process = spawn("exit 5");
    IS(waitid(P_PID, (id_t)cg_process_pid(process), &info, WEXITED | WNOWAIT), 0);
    answer = EPERM;
    cg_process_close(process);
    answer = 0;
    no_children();
    return 0;
}

static pid_t left_behind;

static ssize_t closes_with_a_waiter(void *arg)
{
    struct cg_process *process = spawn("exec sleep 1000");
    struct cg_coro *coro = test_start(waits, process);

    (void)arg;
    left_behind = cg_process_pid(process);
    test_until_waiting(coro);
    answer = EPERM;
    cg_process_close(process);
    answer = 0;
    IS(test_end(coro), -EBADF);
    return 0;
}

/* When such a process is closed it does not keep the run open. It is reaped whenever it
 * ends. */
static void is_left_to_a_reaper(void)
{
    IS(test_run(closes_with_a_waiter, NULL), 0);
    IS(kill(left_behind, SIGKILL), 0);
    while (kill(left_behind, 0) == 0)
        sched_yield();
    no_children();
    cg__process_pidfd = false;
    IS(test_run(closes_with_a_waiter, NULL), 0);
    IS(kill(left_behind, SIGKILL), 0);
    while (kill(left_behind, 0) == 0)
        sched_yield();
    no_children();
    cg__process_pidfd = true;
}

/* True: the pthread_create below, which replaces that of libc, fails. */
static bool no_threads;

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *arg),
                   void *arg)
{
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

    *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
    return no_threads ? EAGAIN : create(thread, attr, fn, arg);
}

/* If no thread can be started to reap the child, it is reaped when the next process is
 * started. */
static void is_reaped_later(void)
{
    no_threads = true;
    IS(test_run(closes_with_a_waiter, NULL), 0);
    IS(kill(left_behind, SIGKILL), 0);
    while (kill(left_behind, 0) == 0) {
        cg__reaper_retry();
        sched_yield();
    }
    IS(test_run(closes_with_a_waiter, NULL), 0);
    no_threads = false;
    cg__reaper_retry(); /* starts a thread */
    IS(kill(left_behind, SIGKILL), 0);
    while (kill(left_behind, 0) == 0)
        sched_yield();
    no_children();
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(how_it_ended, .where = ON_KERNEL),
        CORO(many_wait, .where = ON_KERNEL),
        CORO(timeouts_race, .where = ON_KERNEL),
        PLAIN(killed_by_close, .where = ON_KERNEL),
        CORO(released, .where = ON_KERNEL),
        CORO(others_children, .where = ON_KERNEL),
        CORO(by_sigchld, .where = ON_KERNEL),
        CORO(ends, .where = ON_KERNEL),
        CORO(group, .where = ON_KERNEL),
        CORO(owned, .where = ON_KERNEL),
        CORO(may_not_be_signalled, .where = ON_KERNEL),
        CORO(is_held_by_the_kernel, .where = ON_KERNEL),
        CORO(was_another_user, .where = ON_KERNEL),
        PLAIN(is_left_to_a_reaper, .where = ON_KERNEL),
        PLAIN(is_reaped_later, .where = ON_KERNEL),
    };

    return test_main("process", cases, COUNT(cases));
}
