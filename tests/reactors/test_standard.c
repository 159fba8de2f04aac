/* SPDX-License-Identifier: MIT */
/* A program that is started without standard input, output or error: no socket of it gets their
 * numbers, so that nothing that is printed reaches a peer. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether sockets have other numbers, and what fails with a closed descriptor still does. */
static bool is_well(void)
{
    struct cg_reactor *reactor;
    int other;
    char byte;

    if (cg_reactor_open(test_reactor(), &reactor) < 0)
        return false;
    other = dup(STDIN_FILENO);
    return other > STDERR_FILENO && read(STDIN_FILENO, &byte, 1) < 0 && errno == EBADF &&
           write(STDOUT_FILENO, "x", 1) < 0 && errno == EBADF &&
           write(STDERR_FILENO, "x", 1) < 0 && errno == EBADF;
}

static void all_closed(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
            close(fd);
        _exit(is_well() ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

/* Those that are open are left alone. */
static void open_ones(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct cg_reactor *reactor;
        char byte = 0;
        int ends[2];

        if (pipe(ends) < 0 || dup2(ends[0], STDIN_FILENO) < 0 || dup2(ends[1], STDOUT_FILENO) < 0)
            _exit(2);
        close(STDERR_FILENO);
        if (cg_reactor_open(test_reactor(), &reactor) < 0)
            _exit(3);
        _exit(write(STDOUT_FILENO, "x", 1) == 1 && read(STDIN_FILENO, &byte, 1) == 1 && byte == 'x'
                  ? 0
                  : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

static const struct test_case cases[] = {
    PLAIN(all_closed, .where = ON_KERNEL), PLAIN(open_ones, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("standard", cases, COUNT(cases));
}
