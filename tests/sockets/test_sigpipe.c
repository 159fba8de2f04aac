/* SPDX-License-Identifier: MIT */
/* No write of the library raises SIGPIPE. Its disposition here is the default, which ends
 * the process. */
#include "config.h"

#include "tests/support/child.h"
#include "tests/support/support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_blocked(void)
{
    sigset_t mask;

    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    return sigismember(&mask, SIGPIPE);
}

static bool is_pending(void)
{
    sigset_t set;

    sigpending(&set);
    return sigismember(&set, SIGPIPE);
}

/* Returns the writing end of a pipe without a reader. */
static int broken_pipe(void)
{
    int ends[2];

    IS(pipe(ends), 0);
    close(ends[0]);
    return ends[1];
}

/* The signal that our own write has raised is consumed, and the mask is restored. Without a
 * signal there is no wait. */
static void blocked_and_taken(void)
{
    int fd = broken_pipe(), before;

    for (int i = 0; i < 2; i++) {
        before = cg_sigpipe_block();
        ck_assert(is_blocked());
        if (i == 0)
            ck_assert_int_eq(write(fd, "x", 1), -1);
        cg_sigpipe_unblock(before, true);
        ck_assert(!is_blocked() && !is_pending());
    }
    before = cg_sigpipe_block();
    cg_sigpipe_unblock(before, false);
    ck_assert(!is_blocked());
    close(fd);
}

/* A program that has blocked the signal keeps its mask, and a signal that was pending stays
 * pending. */
static void pending_stays(void)
{
    int fd = broken_pipe(), before, outer = cg_sigpipe_block();

    ck_assert_int_eq(write(fd, "x", 1), -1);
    ck_assert(is_pending());
    before = cg_sigpipe_block();
    ck_assert_int_eq(write(fd, "x", 1), -1);
    cg_sigpipe_unblock(before, true);
    ck_assert(is_blocked() && is_pending());
    cg_sigpipe_unblock(outer, true);
    ck_assert(!is_blocked() && !is_pending());
    close(fd);
}

/* No operation raises SIGPIPE: writes of bytes, parts and a file to a pipe, and of a file
 * to a socket. */
static ssize_t operations(void *arg)
{
    struct iovec parts[2];
    struct cg_sock *sock;
    int ends[2], file = test_file(100000);

    (void)arg;
    OK(cg_sock_attach(cg_sched_self(), broken_pipe(), &sock));
    for (int i = 0; i < 2; i++) {
        parts[0] = (struct iovec){"ab", 2};
        parts[1] = (struct iovec){"cd", 2};
        IS(cg_yield(cg_write(sock, "x", 1)), -EPIPE);
        IS(cg_yield(cg_writev(sock, parts, 2)), -EPIPE);
        IS(cg_yield(cg_sendfile(sock, file, 0, 100000)), -EPIPE);
    }
    cg_sock_close(sock);
    IS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    close(ends[0]);
    OK(cg_sock_attach(cg_sched_self(), ends[1], &sock));
    IS(cg_yield(cg_sendfile(sock, file, 0, 100000)), -EPIPE);
    cg_sock_close(sock);
    close(file);
    ck_assert(!is_blocked() && !is_pending());
    return 0;
}

static ssize_t looks(void *arg)
{
    int before = cg_sigpipe_block();

    *(bool *)arg = is_blocked();
    cg_sigpipe_unblock(before, true);
    return 0;
}

static bool blocks_in_run(void)
{
    bool blocked;

    IS(cg_main(test_reactor(), looks, &blocked), 0);
    return blocked;
}

/* If the program ignores the signal, a run makes no system calls for it. A thread that blocks
 * it must not be left with a pending one, and after the run the program may ask for it. */
static void ignored(void)
{
    int before, outer;

    ck_assert(blocks_in_run());
    signal(SIGPIPE, SIG_IGN);
    ck_assert(!blocks_in_run());
    before = cg_sigpipe_block();
    ck_assert(is_blocked());
    cg_sigpipe_unblock(before, true);
    outer = cg_sigpipe_block();
    ck_assert(blocks_in_run() && is_blocked());
    cg_sigpipe_unblock(outer, true);
    signal(SIGPIPE, SIG_DFL);
    ck_assert(blocks_in_run());
}

static void operations_while_ignored(void)
{
    signal(SIGPIPE, SIG_IGN);
    IS(cg_main(test_reactor(), operations, NULL), 0);
    signal(SIGPIPE, SIG_DFL);
}

/* Who waits for the signal is not told of the library's own writes. */
static ssize_t waited_for(void *arg)
{
    struct cg_os_signals *signals;
    struct cg_sock *sock;

    (void)arg;
    OK(cg_sock_attach(cg_sched_self(), broken_pipe(), &sock));
    OK(cg_os_signals_open(cg_sched_self(), SIGPIPE, &signals));
    IS(cg_yield(cg_write(sock, "x", 1)), -EPIPE);
    OK(cg_yield(cg_sleep(1))); /* a delivery would be counted in the next turn */
    IS(cg_yield(cg_get_os_signal(signals, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    raise(SIGPIPE);
    IS(cg_yield(cg_get_os_signal(signals)), 1);
    cg_os_signals_close(signals);
    cg_sock_close(sock);
    return 0;
}

static void waited_for_while_ignored(void)
{
    signal(SIGPIPE, SIG_IGN);
    IS(cg_main(test_reactor(), waited_for, NULL), 0);
    signal(SIGPIPE, SIG_DFL);
}

static ssize_t hangs(void *arg)
{
    (void)arg;
    return cg_yield(cg_suspend());
}

/* What the library prints on a stderr without a reader: a deadlock and its coroutines. */
static void complain(void)
{
    dup2(broken_pipe(), STDERR_FILENO);
    if (cg_main(test_reactor(), hangs, NULL) == -EDEADLK)
        _exit(7);
}

static void messages(void)
{
    char said[8];
    int status = child_run(complain, said, sizeof said);

    ck_assert_msg(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
    IS(WEXITSTATUS(status), 7);
}

static const struct test_case cases[] = {
    PLAIN(blocked_and_taken, .where = ON_SIM),
    PLAIN(pending_stays, .where = ON_SIM),
    CORO(operations, .where = ON_KERNEL),
    PLAIN(ignored, .where = ON_SIM),
    PLAIN(operations_while_ignored, .where = ON_KERNEL),
    PLAIN(waited_for_while_ignored, .where = ON_KERNEL),
    PLAIN(messages, .where = ON_SIM),
};

int main(void)
{
    return test_main("sigpipe", cases, COUNT(cases));
}
