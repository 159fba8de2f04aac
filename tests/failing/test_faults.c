/* SPDX-License-Identifier: MIT */
/* A whole life of a reactor (open, a scheduler, a listener, a connection, bytes, close) in
 * which the first, the second, ... the last allocation fails, and then the same with
 * descriptors. Each failure is returned as an error or made up for; nothing hangs, crashes
 * or leaks. */
#include "config.h"

#include "tests/failing/failing.h"
#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static bool armed;
static long countdown; /* allocations until one fails */
static bool failed;

bool failing_now(enum failing_what what)
{
    (void)what;
    if (!armed || countdown-- > 0 || failed)
        return false;
    return failed = true;
}

/* A life uses many parts of the library. No assertion of Check may be used in it, since
 * they allocate. */

struct life {
    struct cg_sock *listener, *accepted, *connected, *left, *right;
    char addr[CG_ADDR_SIZE];
    int64_t patience; /* of accept, which waits for the end of a shortage instead of
                       * failing */
    bool posted;
    ssize_t error; /* the first */
};

static bool well(struct life *life, ssize_t answer)
{
    if (answer < 0 && !life->error)
        life->error = answer;
    return answer >= 0;
}

static ssize_t dials(void *arg)
{
    struct life *life = arg;

    if (!well(life, cg_yield(cg_connect(life->addr, &life->connected)))) {
        cg_sock_close(life->listener); /* otherwise its acceptor would wait forever */
        life->listener = NULL;
    }
    return 0;
}

static ssize_t two(void *arg)
{
    (void)arg;
    return cg_yield(cg_sleep(1));
}

static void post(void *arg)
{
    *(bool *)arg = true;
}

/* Sends bytes from one socket to the other, which are received by cg_read, cg_readline and
 * cg_borrow. */
static bool transfer(struct life *life, struct cg_sock *from, struct cg_sock *to)
{
    char buf[64];
    struct cg_view view;

    if (!well(life, cg_yield(cg_writeall(from, "line\n12345678end", 16))) ||
        !well(life, cg_yield(cg_readline(to, buf, sizeof buf))) ||
        !well(life, cg_yield(cg_readall(to, buf, 8))) ||
        !well(life, cg_yield(cg_borrow(to, &view))))
        return false;
    cg_view_release(&view, view.len);
    return true;
}

static bool talk(struct life *life)
{
    struct cg_sched *sched = cg_sched_self();
    struct cg_op *read;
    char byte;

    if (!transfer(life, life->connected, life->accepted) ||
        !transfer(life, life->accepted, life->connected) ||
        !well(life, cg_sock_pair(sched, &life->left, &life->right)) ||
        !transfer(life, life->left, life->right) ||
        !well(life, cg_sched_post(sched, post, &life->posted)))
        return false;
    read = cg_read(life->accepted, &byte, 1);
    return well(life, cg_yield(cg_any((read, cg_call(two, NULL))))) &&
           well(life, cg_yield(cg_signal("nobody", 0)));
}

static void accept_trouble(void *arg, int code)
{
    well(arg, code);
}

static ssize_t lives(void *arg)
{
    struct life *life = arg;
    struct cg_coro *dialer = NULL;

    if (well(life, cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &life->listener)) &&
        well(life, cg_sock_local_addr(life->listener, life->addr, sizeof life->addr)) &&
        well(life, cg_yield(cg_add(dials, life, .coro = &dialer)))) {
        bool accepted = life->listener &&
                        well(life, cg_yield(cg_accept(life->listener, &life->accepted,
                                                .timeout = life->patience,
                                                .trouble = accept_trouble,
                                                .trouble_arg = life)));

        cg_yield(cg_join(dialer));
        cg_coro_unref(dialer);
        if (accepted && life->connected)
            talk(life);
    }
    cg_sock_close(life->accepted);
    cg_sock_close(life->connected);
    cg_sock_close(life->left);
    cg_sock_close(life->right);
    cg_sock_close(life->listener);
    return 0;
}

/* Returns the first error, or 0. */
static ssize_t live_once(int64_t patience)
{
    struct cg_reactor *reactor = NULL;
    struct cg_sched *sched;
    struct life life = {.patience = patience};
    int error = test_open_reactor(&reactor);

    if (error)
        return error;
    sched = cg_sched_new_with(reactor, NULL);
    if (!sched) {
        cg_reactor_close(reactor);
        return -ENOMEM;
    }
    test_watch(sched, 20);
    if (well(&life, cg_sched_start(sched, lives, &life)) && cg_sched_run(sched) != 0)
        life.error = -EDEADLK; /* a coroutine can never continue */
    test_watch(NULL, 20);
    cg_sched_free(sched);
    cg_reactor_close(reactor);
    return life.error;
}

/* Each allocation in turn fails once. */
static void allocations_fail(void)
{
    long n = 0, errors = 0;

    IS(live_once(CG_SECOND), 0); /* makes the allocations of which the process needs only one */
    do {
        ssize_t error;
        size_t left;
        int fds = test_count_fds();

        failed = false;
        countdown = n++;
        failing_watch();
        armed = true;
        error = live_once(CG_SECOND);
        armed = false;
        ck_assert_msg(error == 0 || error == -ENOMEM || error == -ENOBUFS,
                      "allocation %ld on %s: %zd (%s)", n - 1, test_reactor(), error,
                      cg_strerror(error));
        left = failing_left();
        ck_assert_msg(left == 0, "allocation %ld on %s: %zu leaked", n - 1, test_reactor(),
                      left);
        IS(test_count_fds(), fds);
        errors += error != 0;
    } while (failed);
    test_watch(NULL, 0);
    ck_assert_int_ge(n, 5);
    ck_assert_int_ge(errors, 4);
}

/* No descriptor is free, then one, two, ... */
static void descriptors_fail(void)
{
    struct rlimit limit, before;
    int lowest = dup(STDIN_FILENO), fds = test_count_fds() - 1, room = 0;
    ssize_t error;

    close(lowest);
    getrlimit(RLIMIT_NOFILE, &before);
    do {
        limit = before;
        limit.rlim_cur = (rlim_t)(lowest + room);
        IS(setrlimit(RLIMIT_NOFILE, &limit), 0);
        error = live_once(20 * CG_MILLISECOND);
        setrlimit(RLIMIT_NOFILE, &before);
        ck_assert_msg(error == 0 || error == -EMFILE || error == -ETIMEDOUT,
                      "%d descriptors on %s: %zd (%s)", room, test_reactor(), error,
                      cg_strerror(error));
        IS(test_count_fds(), fds);
        room++;
    } while (error);
    test_watch(NULL, 0);
    ck_assert_int_ge(room, 3);
    ck_assert_int_le(room, 12);
}

static const struct test_case cases[] = {
    PLAIN(allocations_fail),
    PLAIN(descriptors_fail, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("faults", cases, COUNT(cases));
}
