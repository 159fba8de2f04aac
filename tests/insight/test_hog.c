/* SPDX-License-Identifier: MIT */
/* Hogs: who is named, and who is not. Each case runs in a process of its own, whose stderr is
 * read. */
#include "config.h"

#include "tests/support/child.h"
#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS CG_MILLISECOND

static char said[64 * 1024];
static cg_fn *program;

static void act(void)
{
    ssize_t rc = cg_crew_main(program, NULL, .workers = 1, .reactor = test_reactor(),
                              .hog = 50 * MS);

    exit(rc == 0 ? 0 : 1);
}

/* Runs a program with a limit of 50 ms; what it says is in `said`. */
static void run(cg_fn *fn)
{
    program = fn;
    IS(child_run(act, said, sizeof said), 0);
}

static void says(const char *what)
{
    ck_assert_msg(strstr(said, what) != NULL, "no \"%s\" in:\n%s", what, said);
}

static void compute(int64_t length)
{
    int64_t end = test_clock(CLOCK_THREAD_CPUTIME_ID) + length;

    while (test_clock(CLOCK_THREAD_CPUTIME_ID) < end)
        continue;
}

static void block(int64_t length)
{
    struct timespec time = {length / CG_SECOND, length % CG_SECOND};

    while (nanosleep(&time, &time) < 0 && errno == EINTR)
        continue;
}

static ssize_t computes(void *length)
{
    compute(*(const int64_t *)length);
    return 0;
}

/* Several times, the last time for longer: on a machine that is very busy, the thread that
 * looks may come too late. */
static ssize_t starts_computing(void *arg)
{
    int64_t lengths[] = {63 * MS, 63 * MS, 63 * MS, 150 * MS};

    (void)arg;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct cg_coro *coro;

        OK(cg_yield(cg_sleep(5 * MS)));
        OK(cg_yield(cg_add(computes, &lengths[i], .name = "http\n", .coro = &coro)));
        IS(cg_yield(cg_join(coro)), 0);
        cg_coro_unref(coro);
    }
    return 0;
}

/* A loop of 63 ms is named, in one line, with its length and its place. How long it was is known
 * but for the time between two looks. */
static void names_loops(void)
{
    char *line, *end;
    long length;

    run(starts_computing);
    says("cogen: coroutine http\\u000a ran ");
    line = strstr(said, " ran ") + strlen(" ran ");
    length = strtol(line, &end, 10);
    ck_assert_msg(length >= 50, "%s", said);
    ck_assert_msg(strncmp(end, " ms without yielding, at ", 25) == 0, "%s", said);
    ck_assert_msg(strstr(end, "test_hog+0x") != NULL, "%s", said);
}

/* Also in the very first turn. */
static ssize_t computes_at_once(void *arg)
{
    (void)arg;
    compute(150 * MS);
    return cg_yield(cg_sleep(30 * MS));
}

static void names_the_first_turn(void)
{
    run(computes_at_once);
    says(" ms without yielding, at ");
}

/* One that never ends is named while it runs. */
static ssize_t computes_long(void *arg)
{
    (void)arg;
    OK(cg_yield(cg_sleep(5 * MS)));
    compute(1500 * MS);
    return 0;
}

static void names_endless_loops(void)
{
    run(computes_long);
    says(" has run for 1"); /* more than a second: how much more, a busy machine says */
}

/* A call that blocks uses no CPU time; 200 ms are named all the same. */
static ssize_t blocks(void *arg)
{
    (void)arg;
    OK(cg_yield(cg_sleep(5 * MS)));
    block(200 * MS);
    return cg_yield(cg_sleep(30 * MS));
}

static void names_calls_that_block(void)
{
    run(blocks);
    says("cogen: coroutine worker 0 blocked for ");
    says(" ms without yielding, at ");
}

/* A process that is stopped, in a loop of 20 ms and while it waits, does nothing wrong. */
static pid_t stopper;

static ssize_t is_stopped(void *arg)
{
    pid_t self = getpid();
    int64_t end;

    (void)arg;
    OK(cg_yield(cg_sleep(5 * MS)));
    if ((stopper = fork()) == 0) {
        for (int i = 0; i < 2; i++) {
            block(10 * MS);
            kill(self, SIGSTOP);
            block(300 * MS);
            kill(self, SIGCONT);
            block(50 * MS);
        }
        _exit(0);
    }
    compute(20 * MS);
    end = test_clock(CLOCK_MONOTONIC) + 800 * MS;
    while (test_clock(CLOCK_MONOTONIC) < end)
        OK(cg_yield(cg_sleep(5 * MS)));
    return waitpid(stopper, NULL, 0) == stopper ? 0 : -ECHILD;
}

static void ignores_stops(void)
{
    run(is_stopped);
    ck_assert_str_eq(said, "");
}

/* Many that run for a short time each, and always one. */
static ssize_t is_short(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++) {
        compute(MS);
        OK(cg_yield(cg_pass()));
    }
    return 0;
}

static ssize_t is_busy(void *arg)
{
    for (int i = 0; i < 20; i++)
        OK(cg_yield(cg_add(is_short, arg, .name = "short")));
    return cg_yield(cg_sleep(500 * MS));
}

static void ignores_short_ones(void)
{
    run(is_busy);
    ck_assert_str_eq(said, "");
}

/* $COGEN_HOG is for programs that do not set the option: the limit in milliseconds. */
static void act_main(void)
{
    exit(cg_main(test_reactor(), program, NULL) == 0 ? 0 : 1);
}

static void run_with(const char *value)
{
    setenv("COGEN_HOG", value, 1);
    program = starts_computing;
    IS(child_run(act_main, said, sizeof said), 0);
    unsetenv("COGEN_HOG");
}

static void reads_the_environment(void)
{
    run_with("50");
    says("cogen: coroutine http\\u000a ran ");
    run_with("1000");
    ck_assert_str_eq(said, "");
    run_with("");
    ck_assert_str_eq(said, "");
    run_with("often");
    ck_assert_str_eq(said, "cogen: COGEN_HOG: \"often\" is not a number of milliseconds, up to "
                             "60000\n");
}

/* A handler of the program's stays: then the line says no more than the length. */
static ssize_t handles_urgent(void *arg)
{
    return starts_computing(arg);
}

static void act_handled(void)
{
    signal(SIGURG, SIG_IGN);
    act();
}

static void leaves_handlers_alone(void)
{
    program = handles_urgent;
    IS(child_run(act_handled, said, sizeof said), 0);
    says("cogen: hogs are not named: the program handles SIGURG\n");
    says("cogen: something ran ");
    says(" ms without yielding, at an unknown place\n");
}

/* A child made by fork() names the hogs of its own schedulers. What it has inherited is not
 * watched, and can be freed. The parent's coroutine blocks as long as the child lives: on a busy
 * machine for more than a second, so that it "has blocked". */
static ssize_t forks(void *arg)
{
    pid_t pid;
    int status;

    (void)arg;
    OK(cg_yield(cg_sleep(5 * MS)));
    if ((pid = fork()) > 0)
        return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -ECHILD;
    compute(100 * MS);
    return cg_yield(cg_sleep(MS));
}

static void act_and_again(void)
{
    pid_t self = getpid();
    ssize_t rc = cg_crew_main(forks, NULL, .workers = 1, .reactor = test_reactor(),
                              .hog = 50 * MS);

    if (rc == 0 && getpid() != self)
        rc = cg_crew_main(starts_computing, NULL, .workers = 1,
                          .reactor = test_reactor(), .hog = 50 * MS);
    exit(rc == 0 ? 0 : 1);
}

static void goes_on_in_children(void)
{
    IS(child_run(act_and_again, said, sizeof said), 0);
    ck_assert_msg(strstr(said, "worker 0 ran") == NULL, "%s", said);
    says("cogen: coroutine worker 0 ");
    says("blocked for ");
    says("cogen: coroutine http\\u000a ran ");
}

/* From now on nobody reads what this process writes on stderr, and the pipe is full. */
static void fill_stderr(void)
{
    static const char zeros[4096];
    int fds[2];

    OK(pipe(fds));
    OK(fcntl(fds[1], F_SETFL, O_NONBLOCK));
    while (write(fds[1], zeros, sizeof zeros) > 0)
        continue;
    OK(fcntl(fds[1], F_SETFL, 0));
    OK(dup2(fds[1], STDERR_FILENO));
}

static ssize_t fails(void *arg)
{
    (void)arg;
    return -EIO;
}

/* A hog is reported, a child is made and the scheduler freed; and failures are reported. */
static ssize_t computes_and_forks(void *arg)
{
    pid_t pid;

    for (int i = 0; i < 2; i++)
        computes_at_once(arg);
    OK(pid = fork());
    if (pid == 0)
        _exit(0);
    IS(waitpid(pid, NULL, 0), pid);
    for (int i = 0; i < 3; i++)
        OK(cg_yield(cg_add(fails, arg)));
    return 0;
}

static void act_unread(void)
{
    fill_stderr();
    act();
}

/* Reports that nobody reads do not stop the program. */
static void does_not_wait_for_readers(void)
{
    program = computes_and_forks;
    IS(child_run(act_unread, said, sizeof said), 0);
}

static const struct test_case cases[] = {
    PLAIN(names_loops, .where = ON_KERNEL),
    PLAIN(names_the_first_turn, .where = ON_KERNEL),
    PLAIN(names_endless_loops, .where = ON_KERNEL),
    PLAIN(names_calls_that_block, .where = ON_KERNEL),
    PLAIN(ignores_stops, .where = ON_KERNEL),
    PLAIN(ignores_short_ones, .where = ON_KERNEL),
    PLAIN(reads_the_environment, .where = ON_KERNEL),
    PLAIN(goes_on_in_children, .where = ON_KERNEL),
    PLAIN(leaves_handlers_alone, .where = ON_KERNEL),
    PLAIN(does_not_wait_for_readers, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("hog", cases, COUNT(cases));
}
