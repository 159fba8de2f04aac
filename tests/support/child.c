/* SPDX-License-Identifier: MIT */
/* A child process and its stderr: see child.h. */
#include "config.h"

#include "tests/support/child.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

int child_run(void (*act)(void), char *said, size_t size)
{
    struct rlimit none = {0, 0};
    int fds[2], status;
    size_t n = 0;
    ssize_t got;
    pid_t pid;

    ck_assert_int_eq(pipe(fds), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &none);
        dup2(fds[1], STDERR_FILENO);
        act();
        _exit(0);
    }
    close(fds[1]);
    while ((got = read(fds[0], said + n, size - 1 - n)) > 0)
        n += (size_t)got;
    said[n] = '\0';
    close(fds[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

int child_fill_stderr(void)
{
    int fds[2];
    char full[4096] = "";

    SURE(pipe(fds) == 0 && fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0);
    while (write(fds[1], full, sizeof full) > 0)
        continue;
    SURE(fcntl(fds[1], F_SETFL, 0) == 0 && dup2(fds[1], STDERR_FILENO) >= 0);
    close(fds[1]);
    return fds[0];
}

pid_t child_fork(cg_fn *fn, void *arg)
{
    pid_t pid = fork();

    if (pid == 0) {
        alarm(60); /* the watchdog is not inherited */
        _exit(fn(arg) == 0 ? 0 : 1);
    }
    OK(pid);
    return pid;
}

ssize_t child_frees(void *test)
{
    struct test *t = test;

    cg_sched_free(t->sched);
    cg_reactor_close(t->reactor);
    return 0;
}

void child_ended_well(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        ck_assert_int_eq(errno, EINTR);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %d", status);
}
