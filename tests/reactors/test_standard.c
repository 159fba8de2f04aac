/* SPDX-License-Identifier: MIT */
/* A program that is started without standard input, output or error: no socket of it gets their
 * numbers, so that nothing that is printed reaches a peer. */
#include "config.h"

#include "tests/support/child.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void open_reactor(void)
{
    struct cg_reactor *reactor;

    if (cg_reactor_open(test_reactor(), &reactor) < 0)
        _exit(1);
}

/* Sockets have other numbers, and what fails with a closed descriptor still does. */
static ssize_t closes_all(void *arg)
{
    int other;
    char byte;

    (void)arg;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        close(fd);
    open_reactor();
    other = dup(STDIN_FILENO);
    return other > STDERR_FILENO && read(STDIN_FILENO, &byte, 1) < 0 && errno == EBADF &&
                   write(STDOUT_FILENO, "x", 1) < 0 && errno == EBADF &&
                   write(STDERR_FILENO, "x", 1) < 0 && errno == EBADF
               ? 0
               : -EBADF;
}

static void all_closed(void)
{
    child_ended_well(child_fork(closes_all, NULL));
}

/* Without /dev/null as well. */
static ssize_t closes_confined(void *arg)
{
    char folder[] = "/tmp/cogen-standard-XXXXXX", byte;
    int other;

    (void)arg;
    SURE(mkdtemp(folder) != NULL);
    if (chdir(folder) < 0 || rmdir(folder) < 0 || chroot(".") < 0)
        return 0; /* only root may */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        close(fd);
    open_reactor();
    other = dup(STDIN_FILENO);
    return other > STDERR_FILENO && read(STDIN_FILENO, &byte, 1) < 0 &&
                   write(STDOUT_FILENO, "x", 1) < 0 && write(STDERR_FILENO, "x", 1) < 0
               ? 0
               : -EBADF;
}

static void all_closed_confined(void)
{
    child_ended_well(child_fork(closes_confined, NULL));
}

/* Those that are open are left alone. */
static ssize_t closes_one(void *arg)
{
    char byte = 0;
    int ends[2];

    (void)arg;
    SURE(pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) >= 0 &&
         dup2(ends[1], STDOUT_FILENO) >= 0);
    close(STDERR_FILENO);
    open_reactor();
    return write(STDOUT_FILENO, "x", 1) == 1 && read(STDIN_FILENO, &byte, 1) == 1 && byte == 'x'
               ? 0
               : -EBADF;
}

static void open_ones(void)
{
    child_ended_well(child_fork(closes_one, NULL));
}

static const struct test_case cases[] = {
    PLAIN(all_closed, .where = ON_KERNEL),
    PLAIN(all_closed_confined, .where = ON_KERNEL),
    PLAIN(open_ones, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("standard", cases, COUNT(cases));
}
