/* SPDX-License-Identifier: MIT */
/* A child that is forked in a coroutine and does not exec: it may close and free what it
 * has inherited, continue to run its copy of the scheduler, and be killed. None of that
 * affects the parent. */
#include "config.h"

#include "tests/support/child.h"
#include "tests/support/support.h"
#include "tests/threads/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Makes a socket and its peer; the socket has been waited for, so that it is registered
 * with the kernel. */
static struct cg_sock *registered(int *peer)
{
    struct cg_sock *sock;
    char byte;
    int ends[2];

    IS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    OK(cg_sock_attach(cg_sched_self(), ends[0], &sock));
    IS(cg_yield(cg_read(sock, &byte, 1, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    *peer = ends[1];
    return sock;
}

/* The parent's socket still wakes a reader that waits before the input arrives. */
static ssize_t reads_one(void *sock)
{
    char byte;

    return cg_yield(cg_read(sock, &byte, 1));
}

static void still_registered(struct cg_sock *sock, int peer)
{
    struct cg_coro *reader = test_start(reads_one, sock);

    test_until_waiting(reader);
    ck_assert_int_eq(write(peer, "x", 1), 1);
    IS(test_end(reader), 1);
}

static ssize_t close_it(void *sock)
{
    cg_sock_close(sock);
    return 0;
}

/* A child closes the sockets that it has inherited, as it should. */
static ssize_t child_closes(void *arg)
{
    int peer;
    struct cg_sock *sock = registered(&peer);

    (void)arg;
    child_ended_well(child_fork(close_it, sock));
    still_registered(sock, peer);
    cg_sock_close(sock);
    close(peer);
    return 0;
}

/* Like child_closes, but the child has run its scheduler before. */
static ssize_t run_and_close(void *sock)
{
    SURE(cg_yield(cg_sleep(CG_MILLISECOND)) == 0);
    cg_sock_close(sock);
    SURE(cg_yield(cg_sleep(CG_MILLISECOND)) == 0);
    return 0;
}

static ssize_t child_runs_and_closes(void *arg)
{
    int peer;
    struct cg_sock *sock = registered(&peer);

    (void)arg;
    child_ended_well(child_fork(run_and_close, sock));
    still_registered(sock, peer);
    cg_sock_close(sock);
    close(peer);
    return 0;
}

static ssize_t waits_for_ever(void *sock)
{
    char byte;

    return cg_yield(cg_read(sock, &byte, 1));
}

/* Sleeps, communicates over new sockets, accepts and connects. */
static ssize_t go_on(void *arg)
{
    struct cg_sock *listener = arg, *a, *b;
    char addr[CG_ADDR_SIZE], byte;
    int64_t before = test_clock(CLOCK_MONOTONIC);

    SURE(cg_yield(cg_sleep(5 * CG_MILLISECOND)) == 0);
    SURE(test_clock(CLOCK_MONOTONIC) - before >= 5 * CG_MILLISECOND);
    for (int i = 0; i < 2; i++) {
        SURE(cg_sock_local_addr(listener, addr, sizeof addr) == 0);
        SURE(cg_yield(cg_connect(addr, &a)) == 0);
        SURE(cg_yield(cg_accept(listener, &b)) == 0);
        SURE(cg_yield(cg_read(b, &byte, 1, .timeout = CG_MILLISECOND)) == -ETIMEDOUT);
        SURE(cg_yield(cg_writeall(a, "x", 1)) == 1);
        SURE(cg_yield(cg_read(b, &byte, 1)) == 1);
        cg_sock_close(a);
        SURE(cg_yield(cg_read(b, &byte, 1)) == 0);
        cg_sock_close(b);
    }
    return 0;
}

/* Two children continue with their copies of the scheduler, one after the other and at the
 * same time. They share the listener, as in a server that forks its workers. */
static ssize_t child_goes_on(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *sock;
    struct cg_coro *reader;
    int peer;
    pid_t pid;

    (void)arg;
    sock = registered(&peer);
    reader = test_start(waits_for_ever, sock);
    test_until_waiting(reader);
    child_ended_well(child_fork(go_on, listener));
    IS(go_on(listener), 0);
    pid = child_fork(go_on, listener);
    for (int i = 0; i < 5; i++)
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    child_ended_well(pid);
    ck_assert_int_eq(write(peer, "x", 1), 1); /* the parent's reader still waits */
    IS(test_end(reader), 1);
    cg_sock_close(sock);
    cg_sock_close(listener);
    close(peer);
    return 0;
}

struct inherited {
    struct cg_sock *sock;
    struct cg_coro *reader;
    int peer;
};

static ssize_t feed_reader(void *arg)
{
    struct inherited *in = arg;

    SURE(cg_yield(cg_sleep(CG_MILLISECOND)) == 0);
    SURE(write(in->peer, "x", 1) == 1);
    SURE(cg_yield(cg_join(in->reader)) == 1);
    return 0;
}

/* Operations that wait at the moment of the fork wait in the child, too. */
static ssize_t waiting_goes_on(void *arg)
{
    struct inherited in;

    (void)arg;
    in.sock = registered(&in.peer);
    in.reader = test_start(waits_for_ever, in.sock);
    test_until_waiting(in.reader);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0); /* the kernel has its request */
    child_ended_well(child_fork(
        feed_reader, &in)); /* either might take the byte: the parent is blocked */
    ck_assert_int_eq(write(in.peer, "x", 1), 1);
    IS(test_end(in.reader), 1);
    cg_sock_close(in.sock);
    close(in.peer);
    return 0;
}

static ssize_t cancel_reader(void *arg)
{
    struct inherited *in = arg;

    cg_coro_cancel(in->reader);
    SURE(cg_yield(cg_join(in->reader)) == -ECANCELED);
    cg_sock_close(in->sock);
    SURE(cg_yield(cg_sleep(CG_MILLISECOND)) == 0);
    return 0;
}

/* Such an operation can be cancelled in the child; that of the parent still waits. */
static ssize_t waiting_is_cancelled(void *arg)
{
    struct inherited in;

    (void)arg;
    in.sock = registered(&in.peer);
    in.reader = test_start(waits_for_ever, in.sock);
    test_until_waiting(in.reader);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    child_ended_well(child_fork(cancel_reader, &in));
    ck_assert_int_eq(write(in.peer, "x", 1), 1);
    IS(test_end(in.reader), 1);
    cg_sock_close(in.sock);
    close(in.peer);
    return 0;
}

/* Two offloaded functions: one runs in a thread, the other waits for a thread. */
struct functions {
    struct visit running, queued;
    struct cg_coro *first, *second;
};

static void offload_two(struct functions *f, struct gate *gate, struct cg_pool *pool)
{
    f->running = f->queued = (struct visit){.gate = gate, .pool = pool};
    f->first = test_start(visit, &f->running);
    test_until_waiting(f->first);
    f->second = test_start(visit, &f->queued);
    test_until_waiting(f->second);
    await_inside(gate, 1);
}

static ssize_t seven(void *arg)
{
    (void)arg;
    return 7;
}

static ssize_t leave_functions(void *arg)
{
    struct functions *f = arg;
    struct cg_pool *pool = f->running.pool;

    SURE(cg_yield(cg_join(f->first)) == -ESRCH && f->running.fate == CG_FATE_LEFT);
    SURE(cg_yield(cg_join(f->second)) == -ESRCH && f->queued.fate == CG_FATE_NOT_RUN);
    SURE(cg_yield(cg_offload(seven, NULL, .pool = pool)) == 7);
    SURE(cg_yield(cg_offload(seven, NULL)) == 7);
    cg_pool_free(pool);
    return 0;
}

static ssize_t cancel_functions(void *arg)
{
    struct functions *f = arg;

    cg_coro_cancel(f->first);
    cg_coro_cancel(f->second);
    SURE(cg_yield(cg_join(f->first)) == -ECANCELED && f->running.fate == CG_FATE_LEFT);
    SURE(cg_yield(cg_join(f->second)) == -ECANCELED && f->queued.fate == CG_FATE_NOT_RUN);
    cg_pool_free(f->running.pool);
    return 0;
}

/* Offloaded functions run only in the parent. In the child their operations complete with
 * an error, and the pool can be used. */
static ssize_t functions_stay(void *arg)
{
    struct gate gate = GATE;
    struct cg_pool *pool = pool_of(1, 10);
    struct functions f;

    (void)arg;
    offload_two(&f, &gate, pool);
    child_ended_well(child_fork(leave_functions, &f));
    child_ended_well(child_fork(cancel_functions, &f));
    open_gate(&gate);
    IS(test_end(f.first), 1);
    IS(test_end(f.second), 2);
    cg_pool_free(pool);
    return 0;
}

static ssize_t offloads(void *arg)
{
    return cg_yield(cg_offload(through, arg));
}

/* A child may free its copy of a scheduler whose functions run in the parent. */
static void child_frees_functions(void)
{
    struct test test = test_open(.grace = CG_MINUTE);
    struct gate gate = GATE;
    struct cg_coro *coro;

    OK(cg_sched_start(test.sched, offloads, &gate, .coro = &coro));
    OK(cg_sched_step(test.sched, 0));
    await_inside(&gate, 1);
    child_ended_well(child_fork(child_frees, &test));
    open_gate(&gate);
    test_finish(&test);
    IS(cg_coro_result(coro), 1);
    cg_coro_unref(coro);
    test_close(&test);
}

static void set(void *arg)
{
    *(int *)arg = 1;
}

/* The child does what main does at the end: stops the scheduler, runs it to its end, and
 * frees everything. Then it makes all of it again. */
static void end_all(struct test *test, struct cg_sock *sock)
{
    int posted = 0;
    struct cg_sched *sched;

    alarm(60);
    SURE(cg_sched_post(test->sched, set, &posted) == 0); /* wakes it */
    SURE(cg_sched_step(test->sched, CG_NEVER) >= 0);
    SURE(posted == 1);
    cg_sock_close(sock);
    cg_sched_free(test->sched);
    cg_reactor_close(test->reactor);
    SURE(test_open_reactor(&test->reactor) == 0);
    SURE((sched = cg_sched_new_with(test->reactor, NULL)) != NULL);
    cg_sched_free(sched);
    cg_reactor_close(test->reactor);
    _exit(0);
}

static void child_frees_all(void)
{
    struct test test = test_open(.timeout = 0);
    struct cg_sock *sock;
    struct cg_coro *reader;
    int ends[2];
    pid_t pid;

    IS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    OK(cg_sock_attach(test.sched, ends[0], &sock));
    OK(cg_sched_start(test.sched, reads_one, sock, .coro = &reader));
    for (int i = 0; i < 3; i++)
        OK(cg_sched_step(test.sched, 0));
    if ((pid = fork()) == 0)
        end_all(&test, sock);
    child_ended_well(pid);
    OK(cg_sched_step(test.sched, 0));
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    test_finish(&test);
    IS(cg_coro_result(reader), 1);
    cg_coro_unref(reader);
    cg_sock_close(sock);
    close(ends[1]);
    test_close(&test);
}

/* A kqueue is not inherited by a child, where its number may be another file's. A child that closes
 * its copy of the reactor must not close that file. */
static ssize_t close_reactor(void *arg)
{
    struct test *test = arg;
    int number = test->reactor->fd;

    close(number); /* the emulated kqueue is inherited */
    SURE(open("/dev/null", O_RDONLY | O_CLOEXEC) == number);
    cg_reactor_close(test->reactor);
    SURE(fcntl(number, F_GETFD) >= 0);
    return 0;
}

static void child_keeps_its_files(void)
{
    struct test test = test_open(.timeout = 0);

    if (strcmp(test.reactor->type->name, "kqueue") == 0)
        child_ended_well(child_fork(close_reactor, &test));
    test_close(&test);
}

/* The child must not remove the socket file of a UNIX listener: the parent owns it. */
static ssize_t path_stays(void *arg)
{
    char path[CG_ADDR_SIZE];
    struct cg_sock *listener, *conn;

    (void)arg;
    test_unix_path(path);
    OK(cg_sock_listen(cg_sched_self(), path, &listener));
    child_ended_well(child_fork(close_it, listener));
    IS(cg_yield(cg_connect(path, &conn)), 0);
    cg_sock_close(conn);
    cg_sock_close(listener);
    return 0;
}

static ssize_t close_process(void *arg)
{
    SURE(cg_process_kill(arg, SIGKILL) == -ESRCH);
    cg_process_close(arg);
    return 0;
}

/* The child must not kill a process that the parent has started. */
static ssize_t process_stays(void *arg)
{
    struct cg_process *process;

    (void)arg;
    OK(cg_process_spawn(cg_sched_self(), ((char *[]){"cat", NULL}), &process,
                        .in = CG_STDIO_PIPE));
    child_ended_well(child_fork(close_process, process));
    cg_process_close_sock(process, 0); /* the end of its input */
    IS(cg_yield(cg_wait_process(process)), 0);
    cg_process_close(process);
    return 0;
}

static ssize_t sleeps_blocked(void *arg)
{
    while (pause() < 0)
        continue;
    return arg != NULL;
}

static ssize_t waits_for_signal(void *arg)
{
    int *ready = arg;
    struct cg_os_signals *signals;

    SURE(cg_os_signals_open(cg_sched_self(), SIGUSR1, &signals) == 0);
    SURE(cg_yield(cg_sleep(CG_MILLISECOND)) == 0);
    SURE(write(ready[1], "x", 1) == 1);
    SURE(cg_yield(cg_get_os_signal(signals)) == 1);
    return 0;
}

/* The parent subscribes to a signal. The signal kills a child that does not run the
 * scheduler; a child that runs it has the subscription. The parent gets neither signal.
 * (SIGUSR1, since Check handles SIGTERM.) */
static ssize_t signals_are_each_ones_own(void *arg)
{
    struct cg_os_signals *signals;
    int status, ready[2];
    char byte;
    pid_t pid;

    (void)arg;
    OK(cg_os_signals_open(cg_sched_self(), SIGUSR1, &signals));
    pid = child_fork(sleeps_blocked, NULL);
    IS(kill(pid, SIGUSR1), 0);
    IS(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
    IS(pipe(ready), 0);
    pid = child_fork(waits_for_signal, ready);
    IS(read(ready[0], &byte, 1), 1);
    IS(kill(pid, SIGUSR1), 0);
    child_ended_well(pid);
    IS(cg_yield(cg_get_os_signal(signals, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(raise(SIGUSR1), 0);
    IS(cg_yield(cg_get_os_signal(signals)), 1);
    cg_os_signals_close(signals);
    close(ready[0]);
    close(ready[1]);
    return 0;
}

static const struct test_case cases[] = {
    CORO(child_closes, .where = ON_KERNEL),
    CORO(child_runs_and_closes, .where = ON_KERNEL),
    CORO(child_goes_on, .where = ON_KERNEL),
    CORO(waiting_goes_on, .where = ON_KERNEL),
    CORO(waiting_is_cancelled, .where = ON_KERNEL),
    PLAIN(child_frees_all, .where = ON_KERNEL),
    PLAIN(child_keeps_its_files, .where = ON_KERNEL),
    CORO(functions_stay),
    PLAIN(child_frees_functions),
    CORO(path_stays, .where = ON_KERNEL),
    CORO(process_stays, .where = ON_KERNEL),
    CORO(signals_are_each_ones_own, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("fork", cases, COUNT(cases));
}
