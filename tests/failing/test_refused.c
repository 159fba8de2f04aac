/* SPDX-License-Identifier: MIT */
/* System calls that the kernel, a firewall or seccomp refuses now and then, or always. The
 * linker's --wrap replaces the calls by the functions below. */
#include "config.h"

#include "tests/failing/uring_results.h"
#include "tests/support/support.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef HAVE_LIBEVENT
#include <event2/event.h>
#endif

/* Which call fails, with what, and how often. */
static struct refusal {
    int error;
    int times;
    int seen; /* how many calls have failed */
} accepting, waiting, sending, adding, entering, opening, watching;

static bool timers_only; /* event_add fails only for events without a descriptor */

static size_t largest; /* the most bytes that one call asked the kernel to move */

static bool refused(struct refusal *refusal)
{
    if (refusal->times == 0)
        return false;
    refusal->times--;
    refusal->seen++;
    errno = refusal->error;
    return true;
}

int __real_accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags);
int __real_accept(int fd, struct sockaddr *addr, socklen_t *size);
int __wrap_accept(int fd, struct sockaddr *addr, socklen_t *size);

int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags)
{
    return refused(&accepting) ? -1 : __real_accept4(fd, addr, size, flags);
}

int __wrap_accept(int fd, struct sockaddr *addr, socklen_t *size)
{
    return refused(&accepting) ? -1 : __real_accept(fd, addr, size);
}

int __real_epoll_pwait2(int fd, struct epoll_event *events, int n, const struct timespec *timeout,
                        const sigset_t *mask);
int __wrap_epoll_pwait2(int fd, struct epoll_event *events, int n, const struct timespec *timeout,
                        const sigset_t *mask);
ssize_t __real_sendfile(int out, int in, off_t *offset, size_t count);
ssize_t __wrap_sendfile(int out, int in, off_t *offset, size_t count);
ssize_t __real_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);

int __wrap_epoll_pwait2(int fd, struct epoll_event *events, int n, const struct timespec *timeout,
                        const sigset_t *mask)
{
    return refused(&waiting) ? -1 : __real_epoll_pwait2(fd, events, n, timeout, mask);
}

int __real_epoll_ctl(int ep, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int ep, int op, int fd, struct epoll_event *event);

int __wrap_epoll_ctl(int ep, int op, int fd, struct epoll_event *event)
{
    return refused(&watching) ? -1 : __real_epoll_ctl(ep, op, fd, event);
}

static void note_size(size_t size)
{
    if (size > largest)
        largest = size;
}

ssize_t __wrap_sendfile(int out, int in, off_t *offset, size_t count)
{
    note_size(count);
    return refused(&sending) ? -1 : __real_sendfile(out, in, offset, count);
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
    note_size(len);
    return __real_send(fd, buf, len, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    size_t size = 0;

    for (size_t i = 0; i < message->msg_iovlen; i++)
        size += message->msg_iov[i].iov_len;
    note_size(size);
    return __real_sendmsg(fd, message, flags);
}

#ifdef HAVE_LIBEVENT
int __real_event_add(struct event *event, const struct timeval *timeout);
int __wrap_event_add(struct event *event, const struct timeval *timeout);

int __wrap_event_add(struct event *event, const struct timeval *timeout)
{
    if ((timeout != NULL) == timers_only && refused(&adding))
        return -1;
    return __real_event_add(event, timeout);
}
#endif

#ifdef HAVE_LIBURING
/* Under io_uring the kernel makes the accepts, so their results are changed here. A
 * connection that it has accepted is lost then, as with the errors of accept(2) that
 * concern one connection. */
void uring_result(const struct cg_io *io, int *result)
{
    if (io->code == CG_IO_ACCEPT && *result >= 0 && refused(&accepting)) {
        close(*result);
        *result = -accepting.error;
    }
}

int uring_refuses(void)
{
    return refused(&entering) ? entering.error : 0;
}

int __real_io_uring_queue_init_params(unsigned n, struct io_uring *r, struct io_uring_params *p);
int __wrap_io_uring_queue_init_params(unsigned n, struct io_uring *r, struct io_uring_params *p);

int __wrap_io_uring_queue_init_params(unsigned n, struct io_uring *r, struct io_uring_params *p)
{
    return refused(&opening) ? -opening.error : __real_io_uring_queue_init_params(n, r, p);
}
#endif

/* The errors of a call that an old kernel does not have, or that seccomp forbids. */
static const int missing[] = {ENOSYS, EPERM, EACCES};

/* Under io_uring the kernel makes the calls, so that --wrap cannot replace them. */
static bool out_of_reach(void)
{
    return strcmp(test_reactor(), "io_uring") == 0;
}

/* The errors of accept(2) about the network, a firewall and shortages; and one that
 * accept(2) does not mention. */
static const int passing[] = {
    ECONNABORTED, EPROTO,     ENOPROTOOPT, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH,
    ENONET,       EOPNOTSUPP, ETIMEDOUT,   EPERM,    EIO,         EMFILE,    ENFILE,
    ENOBUFS,      ENOMEM,     ENOSR,       EXDEV,
};

static int troubles, last_trouble;

static void trouble(void *arg, int code)
{
    ck_assert_ptr_eq(arg, &troubles);
    troubles++;
    last_trouble = code;
}

/* Only errors of the listener itself end an accept. After others it takes the next
 * connection. */
static ssize_t accept_goes_on(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn, *peer;

    (void)arg;
    for (size_t i = 0; i < COUNT(passing) && !out_of_reach(); i++) {
        IS(cg_yield(cg_connect(addr, &peer)), 0);
        accepting = (struct refusal){.error = passing[i], .times = 2};
        troubles = 0;
        IS(cg_yield(cg_accept(listener, &conn, .trouble = trouble, .trouble_arg = &troubles)),
           0);
        ck_assert_int_eq(accepting.seen, 2);
        /* EPERM may also come from a seccomp filter that does not know accept4. */
        ck_assert_int_eq(troubles, passing[i] == EPERM ? 1 : 2);
        ck_assert_int_eq(last_trouble, -passing[i]);
        cg_sock_close(conn);
        cg_sock_close(peer);
    }
    cg_sock_close(listener);
    return 0;
}

/* Errors of one connection, which is lost. */
static const int single[] = {
    ECONNABORTED, EPROTO, ENOPROTOOPT, ENETDOWN, ENETUNREACH,
    ENONET,       EHOSTDOWN, EHOSTUNREACH, ETIMEDOUT,
};

enum { A_PAUSE = 2000 /* calls of cg_pass; a real pause has room for 100,000 or more */ };

static ssize_t counts_passes(void *arg)
{
    while (cg_yield(cg_pass()) == 0)
        ++*(int *)arg;
    return 0;
}

/* After such an error the accept does not pause before the next connection. */
static ssize_t accept_does_not_pause(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener, *conn, *peers[2];
    struct cg_coro *counter;
    int passes;

    (void)arg;
    test_unix_path(addr);
    OK(cg_sock_listen(cg_sched_self(), addr, &listener));
    for (size_t i = 0; i < COUNT(single); i++) {
        for (int k = 0; k < 2; k++)
            IS(cg_yield(cg_connect(addr, &peers[k])), 0);
        accepting = (struct refusal){.error = single[i], .times = 1};
        passes = 0;
        counter = test_start(counts_passes, &passes);
        IS(cg_yield(cg_accept(listener, &conn)), 0);
        ck_assert_int_eq(accepting.seen, 1);
        ck_assert_int_lt(passes, A_PAUSE);
        OK(cg_yield(cg_cancel(counter)));
        test_end(counter);
        cg_sock_close(conn);
        if (!out_of_reach()) { /* under io_uring the first one is lost */
            IS(cg_yield(cg_accept(listener, &conn)), 0);
            cg_sock_close(conn);
        }
        for (int k = 0; k < 2; k++)
            cg_sock_close(peers[k]);
    }
    cg_sock_close(listener);
    return 0;
}

/* An accept that fails again and again without a pause lets other coroutines run. */
static ssize_t accept_starves_nobody(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn, *peer;
    struct cg_coro *counter;
    int passes = 0;

    (void)arg;
    IS(cg_yield(cg_connect(addr, &peer)), 0);
    accepting = (struct refusal){.error = ECONNABORTED, .times = out_of_reach() ? 0 : 1000};
    counter = test_start(counts_passes, &passes);
    IS(cg_yield(cg_accept(listener, &conn)), 0);
    if (!out_of_reach())
        ck_assert_int_ge(passes, 1000 / 16 - 1);
    OK(cg_yield(cg_cancel(counter)));
    test_end(counter);
    cg_sock_close(conn);
    cg_sock_close(peer);
    cg_sock_close(listener);
    return 0;
}

/* An accept also continues after errors if the program has set no .trouble. An accept that
 * is cancelled while it pauses does not delay the next one. */
static ssize_t accept_is_cancelled_in_its_pause(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn, *peer;

    (void)arg;
    IS(cg_yield(cg_connect(addr, &peer)), 0);
    accepting = (struct refusal){.error = EMFILE, .times = out_of_reach() ? 0 : 1};
    if (!out_of_reach())
        IS(cg_yield(cg_accept(listener, &conn, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_accept(listener, &conn)), 0);
    cg_sock_close(conn);
    cg_sock_close(peer);
    cg_sock_close(listener);
    return 0;
}

/* An accept that pauses ends when the listener is closed. */
static ssize_t closes(void *arg)
{
    IS(cg_yield(cg_pass()), 0);
    cg_sock_close(arg);
    return 0;
}

static ssize_t listener_is_closed_in_a_pause(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn, *peer;
    struct cg_coro *closer;

    (void)arg;
    IS(cg_yield(cg_connect(addr, &peer)), 0);
    accepting = (struct refusal){.error = ENFILE, .times = 100};
    closer = test_start(closes, listener);
    if (!out_of_reach())
        IS(cg_yield(cg_accept(listener, &conn)), -EBADF);
    accepting.times = 0;
    test_end(closer);
    cg_sock_close(peer);
    return 0;
}

/* Errors of the listener itself end an accept. */
static ssize_t accept_ends(void *arg)
{
    static const int final[] = {EBADF, EINVAL, ENOTSOCK};
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener, *conn;

    (void)arg;
    for (size_t i = 0; i < COUNT(final) && !out_of_reach(); i++) {
        listener = test_listen(addr);
        accepting = (struct refusal){.error = final[i], .times = 1};
        IS(cg_yield(cg_accept(listener, &conn)), -final[i]);
        cg_sock_close(listener);
    }
    return 0;
}

/* If a filter refuses accept4, accept is used, and its connections have the same flags. */
static ssize_t accept4_is_refused(void *arg)
{
    char addr[CG_ADDR_SIZE], byte;
    struct cg_sock *listener = test_listen(addr), *conn, *peer;

    (void)arg;
    for (size_t i = 0; i < COUNT(missing); i++) {
        IS(cg_yield(cg_connect(addr, &peer)), 0);
        accepting = (struct refusal){.error = missing[i], .times = out_of_reach() ? 0 : 1};
        troubles = 0;
        IS(cg_yield(cg_accept(listener, &conn, .trouble = trouble, .trouble_arg = &troubles)),
           0);
        ck_assert_int_eq(troubles, 0);
        IS(cg_yield(cg_read(conn, &byte, 1, .timeout = CG_NOWAIT)), -ETIMEDOUT);
        IS(cg_yield(cg_write(conn, "x", 1)), 1);
        IS(cg_yield(cg_read(peer, &byte, 1)), 1);
        cg_sock_close(conn);
        cg_sock_close(peer);
    }
    cg_sock_close(listener);
    return 0;
}

static ssize_t greet(struct cg_sock *conn, void *arg)
{
    (void)arg;
    cg_yield(cg_write(conn, "x", 1));
    cg_sock_close(conn);
    return 0;
}

static ssize_t server_ends(void *listener)
{
    return cg_yield(cg_serve(listener, greet, .grace = CG_NEVER));
}

/* A server continues after all of these errors, and ends when its listener is broken. */
static ssize_t server_goes_on(void *arg)
{
    char addr[CG_ADDR_SIZE], byte;
    struct cg_sock *listener = test_listen(addr), *peer;
    struct cg_coro *server = test_start(server_ends, listener);

    (void)arg;
    for (size_t i = 0; i < COUNT(passing); i++) {
        accepting = (struct refusal){.error = passing[i], .times = out_of_reach() ? 0 : 1};
        IS(cg_yield(cg_connect(addr, &peer)), 0);
        IS(cg_yield(cg_read(peer, &byte, 1)), 1);
        cg_sock_close(peer);
    }
    if (out_of_reach()) {
        cg_sock_close(listener);
        IS(test_end(server), -EBADF);
        return 0;
    }
    accepting = (struct refusal){.error = EINVAL, .times = 1};
    IS(cg_yield(cg_connect(addr, &peer)), 0);
    IS(test_end(server), -EINVAL);
    cg_sock_close(peer);
    cg_sock_close(listener);
    return 0;
}

/* Calls that an old kernel does not have, or that seccomp forbids. */

static void nothing(void *arg)
{
    (void)arg;
}

/* If epoll_pwait2 is missing, epoll_wait is used, and epoll_pwait2 is not tried again. */
static void epoll_pwait2_is_refused(void)
{
    for (size_t i = 0; i < COUNT(missing) && strcmp(test_reactor(), "epoll") == 0; i++) {
        struct test test = test_open(.timeout = 0);

        waiting = (struct refusal){.error = missing[i], .times = 100};
        for (int k = 0; k < 3; k++) {
            OK(cg_sched_call_later(test.sched, 2 * CG_MILLISECOND, nothing, NULL,
                                   NULL));
            test_finish(&test);
        }
        ck_assert_int_eq(waiting.seen, 1);
        waiting.times = 0;
        test_close(&test);
    }
}

enum { FILE_SIZE = 300000 };

static ssize_t swallow(void *arg)
{
    static char all[FILE_SIZE];

    IS(cg_yield(cg_readall(arg, all, FILE_SIZE)), FILE_SIZE);
    test_verify(all, FILE_SIZE, 0);
    return 0;
}

/* If sendfile is refused, the file is sent through a buffer. */
static void sendfile_is_refused(struct cg_sock *a, struct cg_sock *b)
{
    int file = test_file(FILE_SIZE);

    for (size_t i = 0; i < COUNT(missing); i++) {
        struct cg_coro *reader = test_start(swallow, b);

        sending = (struct refusal){.error = missing[i], .times = 1000};
        IS(cg_yield(cg_sendfile(a, file, 0, FILE_SIZE)), FILE_SIZE);
        ck_assert_int_ge(sending.seen, 1);
        sending.times = 0;
        IS(test_end(reader), 0);
    }
    close(file);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* A long send is made in pieces, so that other coroutines run in between: smaller ones of memory,
 * which the kernel copies, than of a file. */
static void sends_are_bounded(struct cg_sock *a, struct cg_sock *b)
{
    static char all[FILE_SIZE];
    int file = test_file(FILE_SIZE);
    struct cg_coro *reader;

    test_fill(all, sizeof all, 0);
    for (int way = 0; way < 4; way++) {
        struct iovec parts[] = {{all, way == 2 ? 7 : 250000},
                                {all + (way == 2 ? 7 : 250000), 0},
                                {all + (way == 2 ? 7 : 250000), 0}};

        parts[2].iov_len = sizeof all - parts[0].iov_len;
        largest = 0;
        reader = test_start(swallow, b);
        IS(cg_yield(way == 0   ? cg_sendfile(a, file, 0, FILE_SIZE)
                    : way == 1 ? cg_writeall(a, all, sizeof all)
                               : cg_writev(a, parts, 3)),
           FILE_SIZE);
        IS(test_end(reader), 0);
        ck_assert_uint_le(largest, way == 0 ? 256 * 1024 : 64 * 1024);
    }
    close(file);
    cg_sock_close(a);
    cg_sock_close(b);
}

static const int short_of[] = {EAGAIN, EBUSY, ENOMEM, EBADR};

/* Errors that pass when completions have been reaped only cost time. */
static void entering_fails(struct cg_sock *a, struct cg_sock *b)
{
    static char text[200];

    for (size_t i = 0; i < COUNT(short_of) && out_of_reach(); i++) {
        for (int k = 0; k < 5; k++) {
            entering = (struct refusal){.error = short_of[i], .times = k};
            IS(cg_yield(cg_writeall(a, text, sizeof text)), sizeof text);
            IS(cg_yield(cg_readall(b, text, sizeof text)), sizeof text);
            IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
            ck_assert_int_eq(entering.seen, k);
        }
    }
    cg_sock_close(a);
    cg_sock_close(b);
}

/* While io_uring_enter fails with such an error, timers fire and the loop does not spin.
 * Other errors end the run. */
static void entering_fails_for_long(void)
{
    struct test test = test_open(.timeout = 0);

    for (size_t i = 0; i < COUNT(short_of) && out_of_reach(); i++) {
        entering = (struct refusal){.error = short_of[i], .times = INT_MAX};
        OK(cg_sched_call_later(test.sched, 30 * CG_MILLISECOND, nothing, NULL, NULL));
        test_finish(&test);
        ck_assert_int_le(entering.seen, 1000);
    }
    if (out_of_reach()) {
        entering = (struct refusal){.error = EFAULT, .times = 1};
        OK(cg_sched_call_later(test.sched, CG_MILLISECOND, nothing, NULL, NULL));
        IS(cg_sched_run(test.sched), -EFAULT);
        test_finish(&test);
    }
    entering.times = 0;
    test_close(&test);
}

/* If libevent has no memory for its timer, a wait still ends in time. If it has none for
 * the event of a descriptor, the operation fails, and can be tried again. */
static void event_add_fails(struct cg_sock *a, struct cg_sock *b)
{
    bool here = strcmp(test_reactor(), "libevent") == 0;
    char byte;

    if (here) {
        timers_only = true;
        adding = (struct refusal){.error = ENOMEM, .times = INT_MAX};
        IS(cg_yield(cg_sleep(20 * CG_MILLISECOND)), 0);
        ck_assert_int_ge(adding.seen, 1);
        IS(cg_yield(cg_write(b, "x", 1)), 1);
        IS(cg_yield(cg_read(a, &byte, 1, .timeout = CG_SECOND)), 1);
        timers_only = false;
        adding = (struct refusal){.error = ENOMEM, .times = 1};
        IS(cg_yield(cg_read(a, &byte, 1)), -ENOMEM);
        adding.times = 0;
    }
    IS(cg_yield(cg_write(b, "y", 1)), 1);
    IS(cg_yield(cg_read(a, &byte, 1)), 1);
    cg_sock_close(a);
    cg_sock_close(b);
}

static const int cannot_watch[] = {ENOSPC, ENOMEM};

/* If epoll cannot watch one more descriptor, the operation fails, and can be tried again. */
static void epoll_ctl_fails(struct cg_sock *a, struct cg_sock *b)
{
    bool here = strcmp(test_reactor(), "epoll") == 0;
    char byte;

    for (size_t i = 0; i < COUNT(cannot_watch) && here; i++) {
        watching = (struct refusal){.error = cannot_watch[i], .times = 1};
        IS(cg_yield(cg_read(a, &byte, 1)), -cannot_watch[i]);
        ck_assert_int_eq(watching.seen, 1);
    }
    IS(cg_yield(cg_write(b, "y", 1)), 1);
    IS(cg_yield(cg_read(a, &byte, 1)), 1);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* An accept on a listener that cannot be watched reports that, pauses before each new attempt,
 * and takes a connection as soon as it can. */
static ssize_t listener_cannot_be_watched(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener, *conn, *peer;

    (void)arg;
    for (size_t i = 0; i < COUNT(cannot_watch) && strcmp(test_reactor(), "epoll") == 0; i++) {
        listener = test_listen(addr);
        troubles = 0;
        watching = (struct refusal){.error = cannot_watch[i], .times = 1000};
        IS(cg_yield(cg_accept(listener, &conn, .timeout = CG_MILLISECOND, .trouble = trouble,
                              .trouble_arg = &troubles)),
           -ETIMEDOUT);
        ck_assert_int_lt(watching.seen, 100);
        ck_assert_int_eq(troubles, watching.seen);
        ck_assert_int_eq(last_trouble, -cannot_watch[i]);
        watching.times = 0;
        IS(cg_yield(cg_connect(addr, &peer)), 0);
        IS(cg_yield(cg_accept(listener, &conn)), 0);
        cg_sock_close(conn);
        cg_sock_close(peer);
        cg_sock_close(listener);
    }
    return 0;
}

/* If no memory can be locked for a ring, the message names the limit. */
static void locked_memory_lacks(void)
{
    struct rlimit before, limit;
    struct cg_reactor *reactor;
    char why[256];

    if (strcmp(test_reactor(), "io_uring") != 0)
        return;
    getrlimit(RLIMIT_MEMLOCK, &before);
    limit = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    IS(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    opening = (struct refusal){.error = ENOMEM, .times = 2};
    IS(cg_reactor_open("io_uring", &reactor), -ENOMEM);
    cg_reactor_why("io_uring", -ENOMEM, why, sizeof why);
    ck_assert_msg(strstr(why, "RLIMIT_MEMLOCK") != NULL, "%s", why);
    ck_assert_int_eq(opening.seen, 2);
    setrlimit(RLIMIT_MEMLOCK, &before);
}

static const struct test_case cases[] = {
    PLAIN(locked_memory_lacks, .where = ON_KERNEL),
    CORO(accept_goes_on, .where = ON_KERNEL),
    CORO(accept_does_not_pause, .where = ON_KERNEL),
    CORO(accept_starves_nobody, .where = ON_KERNEL),
    CORO(accept_is_cancelled_in_its_pause, .where = ON_KERNEL),
    CORO(listener_is_closed_in_a_pause, .where = ON_KERNEL),
    CORO(accept_ends, .where = ON_KERNEL),
    CORO(accept4_is_refused, .where = ON_KERNEL),
    CORO(server_goes_on, .where = ON_KERNEL),
    PLAIN(epoll_pwait2_is_refused, .where = ON_KERNEL),
    LINK(sendfile_is_refused, .where = ON_KERNEL, .over = OVER_NET),
    LINK(sends_are_bounded, .where = ON_KERNEL, .over = OVER_NET),
    LINK(entering_fails, .where = ON_KERNEL, .over = OVER_TCP),
    PLAIN(entering_fails_for_long, .where = ON_KERNEL),
    LINK(epoll_ctl_fails, .where = ON_KERNEL, .over = OVER_NET),
    CORO(listener_cannot_be_watched, .where = ON_KERNEL),
    LINK(event_add_fails, .where = ON_KERNEL, .over = OVER_UNIX),
};

int main(void)
{
    return test_main("refused", cases, COUNT(cases));
}
