/* SPDX-License-Identifier: MIT */
/* Processes on every kernel reactor: how they end, what they get and give, that cancelling
 * ends them, that other people's children are left alone, and that nothing is left behind. */
#include "config.h"

#include "system/process.h"
#include "tests/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS CG_MILLISECOND
#define SH(script) ((char *[]){"/bin/sh", "-c", (script), NULL})

/* Nobody is left to wait for. */
static void no_children(void)
{
    IS(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

static struct cg_process *spawn(char *script)
{
    struct cg_process *process = NULL;

    OK(cg_spawn(cg_sched_self(), SH(script), &process));
    return process;
}

/* Runs a script whose output is to be exactly that. */
static void expect(const char *output, ssize_t result, struct cg_process *process)
{
    struct cg_output out = {.limit = 1000};

    IS(cg_yield(cg_communicate(process, NULL, 0, .out = &out)), result);
    ck_assert_str_eq(out.data, output);
    ck_assert_uint_eq(out.size, strlen(output));
    free(out.data);
    cg_process_close(process);
}

/* ---- The end ------------------------------------------------------------------------- */

/* The answer is the exit code, or which signal it was; also for those who ask later. */
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

/* All who wait are told; one that gives up takes nothing from the others. */
static ssize_t many_wait(void *arg)
{
    struct cg_process *process = NULL;
    struct cg_coro *coros[4];

    (void)arg;
    OK(cg_spawn(cg_sched_self(), SH("read line; exit 3"), &process, .in = CG_STDIO_PIPE));
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

/* Waits that time out around the end of the process lose nothing: the answer comes. */
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

/* Closed while it runs it is killed and taken away; who waits is told. */
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
    no_children(); /* the run stayed open until they were gone */
}

/* Released it is the caller's. */
static ssize_t released(void *arg)
{
    struct cg_process *process = NULL;
    int status;
    pid_t pid;

    (void)arg;
    OK(cg_spawn(cg_sched_self(), SH("read line; exit 4"), &process, .in = CG_STDIO_PIPE));
    pid = cg_process_pid(process);
    ck_assert_int_eq(cg_process_release(process), pid);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 4);
    process = spawn("exit 0");
    IS(cg_yield(cg_wait_process(process)), 0);
    IS(cg_process_release(process), -ESRCH);
    return 0;
}

/* Children that are not ours stay for those whose they are; and if somebody takes one of
 * ours away, that is what the answer says. */
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

/* Without pidfd the news comes by SIGCHLD, whose handler comes back, and was told. */
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

/* ---- The start ----------------------------------------------------------------------- */

/* Not every system can start a program in another directory; it says so then. */
static bool can_change_dir(void)
{
    struct cg_process *process = NULL;
    int rc = cg_spawn(cg_sched_self(), SH("exit 0"), &process, .dir = "/");

    cg_process_close(process);
    return rc != -ENOSYS;
}

/* What exec says is the answer, and nothing is left of the attempt. */
static ssize_t cannot_start(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    struct cg_process *process = NULL;

    (void)arg;
    IS(cg_spawn(sched, ((char *[]){"/no/such/program", NULL}), &process), -ENOENT);
    IS(cg_spawn(sched, ((char *[]){"no-such-program", NULL}), &process), -ENOENT);
    IS(cg_spawn(sched, ((char *[]){"/", NULL}), &process, .in = CG_STDIO_PIPE), -EACCES);
    IS(cg_spawn(sched, ((char *[]){NULL}), &process), -EINVAL);
    IS(cg_spawn(sched, NULL, &process), -EINVAL);
    IS(cg_spawn(sched, SH("exit 0"), &process, .in = CG_STDIO_OUT), -EINVAL);
    IS(cg_spawn(sched, SH("exit 0"), &process, .out = 99), -EBADF);
    no_children();
    if (can_change_dir())
        IS(cg_spawn(sched, SH("exit 0"), &process, .dir = "/no/such/place"), -ENOENT);
    ck_assert_ptr_null(process);
    return 0;
}

/* Whichever descriptor is the one too many, nothing is left of the attempt; where there is
 * none for a pidfd the process is waited for all the same. */
static ssize_t out_of_descriptors(void *arg)
{
    struct cg_process *process = NULL;
    struct rlimit before, limit;
    int fds = test_count_fds(), room = 0, lowest = fcntl(0, F_DUPFD, 3), rc;

    (void)arg;
    ck_assert_int_ge(lowest, 3);
    close(lowest);
    IS(getrlimit(RLIMIT_NOFILE, &before), 0);
    do {
        limit = before;
        limit.rlim_cur = (rlim_t)(lowest + room++);
        IS(setrlimit(RLIMIT_NOFILE, &limit), 0);
        rc = cg_spawn(cg_sched_self(), SH("exit 8"), &process, .in = CG_STDIO_PIPE,
                      .out = CG_STDIO_PIPE, .err = CG_STDIO_PIPE);
        IS(setrlimit(RLIMIT_NOFILE, &before), 0);
        if (rc < 0) {
            IS(rc, -EMFILE);
            IS(test_count_fds(), fds);
        }
    } while (rc < 0);
    ck_assert_int_ge(room, 6);
    IS(cg_yield(cg_communicate(process, NULL, 0)), 8);
    cg_process_close(process);
    return 0;
}

/* In a world without processes the answer is that. */
static ssize_t no_processes_here(void *arg)
{
    struct cg_process *process = NULL;

    (void)arg;
    IS(cg_spawn(cg_sched_self(), SH("exit 0"), &process), -EOPNOTSUPP);
    IS(cg_spawn(cg_sched_self(), SH("exit 0"), &process, .in = CG_STDIO_PIPE), -EOPNOTSUPP);
    return 0;
}

/* Directory, environment and arguments are as asked for. */
static ssize_t surroundings(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    struct cg_process *process = NULL;
    char *env[] = {"A=b", NULL};

    (void)arg;
    if (can_change_dir()) {
        OK(cg_spawn(sched, SH("pwd"), &process, .dir = "/", .out = CG_STDIO_PIPE));
        expect("/\n", 0, process);
    }
    OK(cg_spawn(sched, SH("echo $A"), &process, .env = env, .out = CG_STDIO_PIPE));
    expect("b\n", 0, process);
    OK(cg_spawn(sched, ((char *[]){"echo", "a b", "$A", NULL}), &process,
                .out = CG_STDIO_PIPE));
    expect("a b $A\n", 0, process);
    return 0;
}

/* Input, output and error go where they are sent. */
static ssize_t redirections(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    struct cg_process *process = NULL;
    struct cg_output out = {.limit = 0}, err = {.limit = 0};
    int fds[2];
    char text[16];

    (void)arg;
    OK(cg_spawn(sched, SH("echo out; echo err >&2; cat"), &process, .in = CG_STDIO_NULL,
                .out = CG_STDIO_PIPE, .err = CG_STDIO_OUT));
    expect("out\nerr\n", 0, process);
    OK(cg_spawn(sched, SH("echo out; echo err >&2"), &process, .out = CG_STDIO_PIPE,
                .err = CG_STDIO_PIPE));
    IS(cg_yield(cg_communicate(process, NULL, 0, .out = &out, .err = &err)), 0);
    ck_assert_str_eq(out.data, "out\n");
    ck_assert_str_eq(err.data, "err\n");
    free(out.data);
    free(err.data);
    cg_process_close(process);
    OK(cg_spawn(sched, SH("echo lost; echo err >&2"), &process, .out = CG_STDIO_NULL,
                .err = CG_STDIO_NULL));
    IS(cg_yield(cg_wait_process(process)), 0);
    cg_process_close(process);
    IS(pipe(fds), 0);
    OK(cg_spawn(sched, SH("echo given >&2"), &process, .out = CG_STDIO_NULL,
                .err = fds[1]));
    close(fds[1]);
    IS(cg_yield(cg_wait_process(process)), 0);
    cg_process_close(process);
    IS(read(fds[0], text, sizeof text), 6);
    IS(read(fds[0], text, sizeof text), 0); /* nobody else has the other end */
    close(fds[0]);
    return 0;
}

/* Output goes to the place of input and the other way round, without one overwriting the
 * other. */
static ssize_t crossed(void *arg)
{
    struct cg_process *process = NULL;
    int in[2], out[2], keep = dup(0);
    char text[16] = "";

    (void)arg;
    IS(pipe(in), 0);
    IS(pipe(out), 0);
    IS(write(in[1], "through\n", 8), 8);
    close(in[1]);
    close(0);
    ck_assert_int_eq(dup(out[1]), 0); /* our 0 is where it shall write */
    OK(cg_spawn(cg_sched_self(), ((char *[]){"cat", NULL}), &process, .in = in[0],
                .out = out[1]));
    IS(cg_yield(cg_wait_process(process)), 0);
    cg_process_close(process);
    IS(read(out[0], text, sizeof text), 8);
    ck_assert_str_eq(text, "through\n");
    close(in[0]);
    close(out[0]);
    close(out[1]);
    if (keep >= 0) {
        dup2(keep, 0);
        close(keep);
    } else {
        close(0);
    }
    return 0;
}

/* The child has three descriptors, no signal blocked, none ignored. */
static ssize_t clean_slate(void *arg)
{
    struct cg_process *process = NULL;
    int leak = fcntl(0, F_DUPFD, 50);
    sigset_t set, before;

    (void)arg;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &before);
    signal(SIGPIPE, SIG_IGN);
    OK(cg_spawn(cg_sched_self(),
                SH("if [ -d /proc/self/fd ]; then ls /proc/self/fd | grep -c '^[3-9].';"
                   " else echo 0; fi"),
                &process, .in = CG_STDIO_NULL, .out = CG_STDIO_PIPE));
    expect("0\n", 1, process);
    OK(cg_spawn(cg_sched_self(), SH("kill -PIPE $$; kill -TERM $$"), &process));
    IS(cg_yield(cg_wait_process(process)), CG_EXIT_SIGNAL + SIGPIPE);
    cg_process_close(process);
    OK(cg_spawn(cg_sched_self(), SH("kill -TERM $$"), &process));
    IS(cg_yield(cg_wait_process(process)), CG_EXIT_SIGNAL + SIGTERM);
    cg_process_close(process);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (leak >= 0)
        close(leak);
    return 0;
}

/* ---- Talking ------------------------------------------------------------------------- */

/* A pipe is a socket like any other. */
static ssize_t pipes_are_sockets(void *arg)
{
    struct cg_process *process = NULL;
    char line[64];

    (void)arg;
    OK(cg_spawn(cg_sched_self(), ((char *[]){"cat", NULL}), &process, .in = CG_STDIO_PIPE,
                .out = CG_STDIO_PIPE));
    ck_assert_ptr_null(cg_process_sock(process, 2));
    ck_assert_ptr_null(cg_process_sock(process, 3));
    for (int i = 0; i < 3; i++) {
        IS(cg_yield(cg_writeall(cg_process_sock(process, 0), "hello\n", 6)), 6);
        IS(cg_yield(cg_readline(cg_process_sock(process, 1), line, sizeof line)), 6);
        ck_assert_str_eq(line, "hello\n");
    }
    cg_process_close_sock(process, 0);
    IS(cg_yield(cg_read(cg_process_sock(process, 1), line, sizeof line)), 0);
    IS(cg_yield(cg_wait_process(process)), 0);
    cg_process_close(process);
    return 0;
}

enum { LARGE = 1 << 20 };

/* Much data in both directions, by a process that has no room for it, is no deadlock. */
static ssize_t much_both_ways(void *arg)
{
    struct cg_process *process = NULL;
    struct cg_output out = {.limit = LARGE}, err = {.limit = LARGE};
    char *data = malloc(LARGE);

    (void)arg;
    test_fill(data, LARGE, 0);
    OK(cg_spawn(cg_sched_self(), SH("tee /dev/fd/2"), &process, .in = CG_STDIO_PIPE,
                .out = CG_STDIO_PIPE, .err = CG_STDIO_PIPE));
    IS(cg_yield(cg_communicate(process, data, LARGE, .out = &out, .err = &err)), 0);
    ck_assert_uint_eq(out.size, LARGE);
    ck_assert_uint_eq(err.size, LARGE);
    test_verify(out.data, LARGE, 0);
    test_verify(err.data, LARGE, 0);
    ck_assert_ptr_null(cg_process_sock(process, 0));
    ck_assert_ptr_null(cg_process_sock(process, 1));
    cg_process_close(process);
    free(out.data);
    free(err.data);
    free(data);
    no_children();
    return 0;
}

/* An output that is too large ends it; one that nobody wants may be any size. */
static ssize_t limits(void *arg)
{
    struct cg_process *process = NULL;
    struct cg_output out = {.limit = 5000};

    (void)arg;
    OK(cg_spawn(cg_sched_self(), SH("while :; do echo more; done"), &process,
                .out = CG_STDIO_PIPE));
    IS(cg_yield(cg_communicate(process, NULL, 0, .out = &out)), -EMSGSIZE);
    ck_assert_uint_eq(out.size, 5000);
    ck_assert_int_eq(memcmp(out.data, "more\nmore\n", 10), 0);
    ck_assert_int_eq(out.data[5000], '\0');
    ck_assert(cg_process_result(process) >= CG_EXIT_SIGNAL);
    free(out.data);
    cg_process_close(process);
    OK(cg_spawn(cg_sched_self(), SH("head -c 300000 /dev/zero; exit 2"), &process,
                .out = CG_STDIO_PIPE));
    IS(cg_yield(cg_communicate(process, NULL, 0)), 2);
    cg_process_close(process);
    no_children();
    return 0;
}

/* A process that does not want its input is no error, and no SIGPIPE. */
static ssize_t does_not_read(void *arg)
{
    struct cg_process *process = NULL;
    char *data = calloc(1, LARGE);

    (void)arg;
    OK(cg_spawn(cg_sched_self(), SH("exec <&-; exit 6"), &process, .in = CG_STDIO_PIPE));
    IS(cg_yield(cg_communicate(process, data, LARGE)), 6);
    cg_process_close(process);
    free(data);
    return 0;
}

/* Timed out it has been ended, and what had come is there. */
static ssize_t communicate_times_out(void *arg)
{
    struct cg_process *process = NULL;
    struct cg_output out = {.limit = 0};

    (void)arg;
    OK(cg_spawn(cg_sched_self(), SH("echo first; exec sleep 1000"), &process,
                .out = CG_STDIO_PIPE, .in = CG_STDIO_PIPE));
    IS(cg_yield(cg_communicate(process, "x", 1, .out = &out, .timeout = 100 * MS)),
       -ETIMEDOUT);
    ck_assert(out.size == 0 || !strcmp(out.data, "first\n"));
    IS(cg_process_result(process), CG_EXIT_SIGNAL + SIGTERM);
    free(out.data);
    cg_process_close(process);
    OK(cg_spawn(cg_sched_self(), SH("exec sleep 1000"), &process, .out = CG_STDIO_PIPE));
    IS(cg_yield(cg_any((cg_communicate(process, NULL, 0), cg_sleep(MS)))), 1);
    IS(cg_process_result(process), CG_EXIT_SIGNAL + SIGTERM);
    cg_process_close(process);
    no_children();
    return 0;
}

/* ---- Ending -------------------------------------------------------------------------- */

/* SIGTERM is enough for one that minds it; one that does not is killed after the grace. */
static ssize_t ends(void *arg)
{
    struct cg_process *process = spawn("exec sleep 1000");
    char line[16];

    (void)arg;
    IS(cg_yield(cg_end_process(process)), CG_EXIT_SIGNAL + SIGTERM);
    IS(cg_yield(cg_end_process(process)), CG_EXIT_SIGNAL + SIGTERM);
    cg_process_close(process);
    OK(cg_spawn(cg_sched_self(), SH("trap '' TERM; echo ready; while :; do sleep 0.1; done"),
                &process, .out = CG_STDIO_PIPE, .group = true));
    IS(cg_yield(cg_readline(cg_process_sock(process, 1), line, sizeof line)), 6);
    IS(cg_yield(cg_end_process(process, .grace = 20 * MS)), CG_EXIT_SIGNAL + SIGKILL);
    cg_process_close(process);
    no_children();
    return 0;
}

/* A group goes as a whole: also the child of the child. */
static ssize_t group(void *arg)
{
    struct cg_process *process = NULL;
    char line[16];
    pid_t grandchild;

    (void)arg;
    OK(cg_spawn(cg_sched_self(), SH("sleep 1000 & echo $!; wait"), &process,
                .out = CG_STDIO_PIPE, .group = true));
    OK(cg_yield(cg_readline(cg_process_sock(process, 1), line, sizeof line)));
    grandchild = atoi(line);
    IS(kill(grandchild, 0), 0);
    IS(cg_yield(cg_end_process(process)), CG_EXIT_SIGNAL + SIGTERM);
    /* It had our end of the pipe too: the end of the stream says that it has gone. */
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
    return cg_yield(cg_with_process(arg, sleeps, NULL));
}

/* What owns a process takes it along: cancelled, timed out, or done. */
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
    IS(cg_yield(cg_with_process(process, sleeps, NULL, .timeout = MS)), -ETIMEDOUT);
    IS(cg_process_result(process), CG_EXIT_SIGNAL + SIGTERM);
    IS(cg_yield(cg_with_process(process, returns_five, NULL)), 5);
    cg_process_close(process);
    process = spawn("exec sleep 1000");
    IS(cg_yield(cg_any((cg_with_process(process, sleeps, NULL), cg_sleep(MS)))), 1);
    IS(cg_process_result(process), CG_EXIT_SIGNAL + SIGTERM);
    cg_process_close(process);
    no_children();
    return 0;
}

/* A stopped run lets nobody behind. */
static ssize_t stopped_in_communicate(void *arg)
{
    struct cg_process *process = spawn("exec sleep 1000");
    ssize_t n;

    (void)arg;
    cg_stop(cg_sched_self());
    n = cg_yield(cg_communicate(process, NULL, 0));
    cg_process_close(process);
    return n;
}

static void stopped(void)
{
    IS(test_run(stopped_in_communicate, NULL), -ECANCELED);
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
        CORO(cannot_start, .where = ON_KERNEL),
        CORO(out_of_descriptors, .where = ON_KERNEL),
        CORO(no_processes_here, .where = ON_SIM),
        CORO(surroundings, .where = ON_KERNEL),
        CORO(redirections, .where = ON_KERNEL),
        CORO(crossed, .where = ON_KERNEL),
        CORO(clean_slate, .where = ON_KERNEL),
        CORO(pipes_are_sockets, .where = ON_KERNEL),
        CORO(much_both_ways, .where = ON_KERNEL),
        CORO(limits, .where = ON_KERNEL),
        CORO(does_not_read, .where = ON_KERNEL),
        CORO(communicate_times_out, .where = ON_KERNEL),
        CORO(ends, .where = ON_KERNEL),
        CORO(group, .where = ON_KERNEL),
        CORO(owned, .where = ON_KERNEL),
        PLAIN(stopped, .where = ON_KERNEL),
    };

    return test_main("process", cases, COUNT(cases));
}
