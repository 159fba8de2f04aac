/* SPDX-License-Identifier: MIT */
/* System calls of datagram sockets, of passed descriptors and of options, which the kernel or a
 * filter of system calls refuses. The linker's --wrap puts the functions below in their
 * places. */
#include "config.h"

#include "tests/sockets/datagrams.h"

#include <errno.h>
#include <unistd.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

enum call {
    RECVMSG, RECVMMSG, SENDMSG, SENDMMSG, SOCKET, BIND, CONNECT, SETSOCKOPT, GETSOCKOPT, CALLS
};

/* The call that is refused: the first `after` calls succeed, the next `times` calls fail
 * with `error`. */
static struct {
    enum call call;
    int error, after, times, seen;
} refusal;

static bool refused(enum call call)
{
    if (refusal.call != call || refusal.times == 0 || refusal.after-- > 0)
        return false;
    refusal.times--;
    refusal.seen++;
    errno = refusal.error;
    return true;
}

#define REFUSE(...) memcpy(&refusal, &(__typeof__(refusal)){__VA_ARGS__}, sizeof refusal)

/* WRAP(call, result, name, parameters, arguments) */
#define WRAP(call, type, name, parameters, arguments)                                  \
    type __real_##name parameters;                                                     \
    type __wrap_##name parameters;                                                     \
    type __wrap_##name parameters                                                      \
    {                                                                                  \
        return refused(call) ? -1 : __real_##name arguments;                           \
    }

WRAP(RECVMSG, ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
WRAP(SENDMSG, ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
     (fd, message, flags))
WRAP(RECVMMSG, int, recvmmsg,
     (int fd, struct mmsghdr *list, unsigned n, int flags, struct timespec *timeout),
     (fd, list, n, flags, timeout))
WRAP(SENDMMSG, int, sendmmsg, (int fd, struct mmsghdr *list, unsigned n, int flags),
     (fd, list, n, flags))
WRAP(SOCKET, int, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(BIND, int, bind, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))
WRAP(CONNECT, int, connect, (int fd, const struct sockaddr *addr, socklen_t len),
     (fd, addr, len))
WRAP(SETSOCKOPT, int, setsockopt,
     (int fd, int level, int option, const void *value, socklen_t len),
     (fd, level, option, value, len))
WRAP(GETSOCKOPT, int, getsockopt,
     (int fd, int level, int option, void *value, socklen_t *len),
     (fd, level, option, value, len))

enum { N = 5 };

static void send_some(struct talk *talk, ssize_t want)
{
    struct cg_datagram list[N];

    for (int i = 0; i < N; i++)
        list[i] = (struct cg_datagram){.buf = "datagram", .len = (size_t)i + 1};
    IS(cg_yield(cg_send_datagrams(talk->client, list, N)), want);
}

static void receive_some(struct talk *talk)
{
    char bufs[N][16];
    struct cg_datagram list[N];
    ssize_t n;

    for (int done = 0; done < N; done += (int)n) {
        for (int i = 0; i < N; i++)
            list[i] = (struct cg_datagram){.buf = bufs[i], .size = sizeof bufs[i]};
        n = OK(cg_yield(cg_receive_datagrams(talk->server, list, N)));
        for (int i = 0; i < n; i++)
            ck_assert_uint_eq(list[i].len, (size_t)(done + i) + 1);
    }
}

/* Without recvmmsg or sendmmsg datagrams go one by one; an interrupted call is repeated. */
static ssize_t without_calls_for_many(void *arg)
{
    static const int errors[] = {ENOSYS, EPERM, EACCES, EINTR};
    struct talk talk;

    (void)arg;
    ck_assert(talk_open(OVER_TCP, &talk));
    for (size_t i = 0; i < COUNT(errors); i++) {
        REFUSE(.call = SENDMMSG, .error = errors[i], .times = errors[i] == EINTR ? 3 : INT_MAX);
        send_some(&talk, N);
        ck_assert_int_ge(refusal.seen, 3);
        REFUSE(.call = RECVMMSG, .error = errors[i], .times = errors[i] == EINTR ? 3 : INT_MAX);
        receive_some(&talk);
        ck_assert_int_ge(refusal.seen, 3);
    }
    REFUSE(.call = SENDMSG, .error = EINTR, .times = 2);
    talk_say(&talk, "text");
    REFUSE(.call = RECVMSG, .error = EINTR, .times = 2);
    talk_hear(talk.server, "text", NULL);
    talk_close(&talk);
    return 0;
}

/* If there is no memory or buffer, the operation completes with the error, and no datagram
 * is lost. */
static ssize_t shortages(void *arg)
{
    struct talk talk;
    char buf[16];

    (void)arg;
    ck_assert(talk_open(OVER_TCP, &talk));
    REFUSE(.call = SENDMSG, .error = ENOBUFS, .times = 1);
    IS(cg_yield(cg_send_to(talk.client, "text", 4, NULL)), -ENOBUFS);
    talk_say(&talk, "text");
    REFUSE(.call = RECVMSG, .error = ENOMEM, .times = 1);
    IS(cg_yield(cg_receive_from(talk.server, buf, sizeof buf, NULL)), -ENOMEM);
    talk_hear(talk.server, "text", NULL);
    REFUSE(.call = SENDMMSG, .error = ENOBUFS, .times = 1);
    send_some(&talk, -ENOBUFS);
    send_some(&talk, N);
    receive_some(&talk);
    talk_close(&talk);
    return 0;
}

/* A send for which there is no room now waits, also between two of several. */
static ssize_t no_room(void *arg)
{
    struct talk talk;

    (void)arg;
    ck_assert(talk_open(OVER_TCP, &talk));
    REFUSE(.call = SENDMSG, .error = EAGAIN, .times = 1);
    talk_say(&talk, "text");
    talk_hear(talk.server, "text", NULL);
    REFUSE(.call = SENDMMSG, .error = EAGAIN, .times = 1);
    send_some(&talk, N);
    receive_some(&talk);
    talk_close(&talk);
    return 0;
}

static void send_equal(struct talk *talk, ssize_t want)
{
    struct cg_datagram list[N];

    for (int i = 0; i < N; i++)
        list[i] = (struct cg_datagram){.buf = "datagram", .len = 8};
    IS(cg_yield(cg_send_datagrams(talk->client, list, N)), want);
}

static void receive_equal(struct talk *talk)
{
    for (int i = 0; i < N; i++)
        talk_hear(talk->server, "datagram", NULL);
}

/* Datagrams of one length go as one message where the kernel knows segments, which it is asked
 * once for each socket. If it, or the path, takes none, they go one by one. Other errors are told,
 * and none are lost. */
static ssize_t segments(void *arg)
{
    static const int alone[] = {EINVAL, EMSGSIZE, EIO}, told[] = {ECONNREFUSED, ENOBUFS, EPERM};
    struct talk talk;
    int asked;

    (void)arg;
    ck_assert(talk_open(OVER_TCP, &talk));
    REFUSE(.call = GETSOCKOPT, .error = ENOPROTOOPT, .times = INT_MAX);
    send_equal(&talk, N);
    receive_equal(&talk);
    asked = refusal.seen;
    send_equal(&talk, N);
    receive_equal(&talk);
    IS(refusal.seen, asked);
    talk_close(&talk);
    ck_assert(talk_open(OVER_TCP, &talk));
    if (asked > 0) {
        for (size_t i = 0; i < COUNT(alone); i++) {
            REFUSE(.call = SENDMSG, .error = alone[i], .times = 1);
            send_equal(&talk, N);
            IS(refusal.seen, 1);
            receive_equal(&talk);
        }
        for (size_t i = 0; i < COUNT(told); i++) {
            REFUSE(.call = SENDMSG, .error = told[i], .times = 1);
            send_equal(&talk, -told[i]);
        }
        REFUSE(.call = SENDMSG, .error = EAGAIN, .times = 1);
        send_equal(&talk, N);
        IS(refusal.seen, 1);
        receive_equal(&talk);
    }
    REFUSE(.call = SENDMMSG, .error = ENOBUFS, .times = 0);
    IS(cg_yield(cg_receive_from(talk.server, NULL, 0, NULL, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    talk_close(&talk);
    return 0;
}

/* Whatever fails, no descriptor is left (test_main counts them). */
static ssize_t opening(void *arg)
{
    static const enum call calls[] = {SOCKET, BIND, CONNECT, SETSOCKOPT};
    struct cg_sock *sock;

    (void)arg;
    for (size_t i = 0; i < COUNT(calls); i++) {
        for (int after = 0; after < (calls[i] == SETSOCKOPT ? 12 : 1); after++) {
            ssize_t result;

            REFUSE(.call = calls[i], .error = ENOMEM, .after = after, .times = 1);
            result = cg_datagram_open(cg_sched_self(), "127.0.0.1:0", &sock,
                                      .peer = "127.0.0.1:9", .ttl = 3, .tos = 4, .info = true,
                                      .reuse_port = true, .reuse_addr = true,
                                      .broadcast = true, .receive_buffer = 4096,
                                      .multicast_interface = "lo", .multicast_ttl = 2,
                                      .multicast_quiet = true, .dont_fragment = true);
            /* If the TTL and TOS of received datagrams cannot be had, that is no error. */
            if (result == 0)
                cg_sock_close(sock);
            else
                IS(result, -ENOMEM);
            ck_assert(result < 0 || refusal.seen == 0 || after >= 9);
        }
    }
    return 0;
}

/* Passing descriptors: interrupted calls are repeated, failures are told and take nothing. */
static ssize_t passing(void *arg)
{
    struct cg_sock *a, *b;
    struct cg_fds fds;
    int fd = 0;
    char byte;

    (void)arg;
    ck_assert(test_connect(OVER_UNIX, &a, &b));
    REFUSE(.call = SENDMSG, .error = EINTR, .times = 3);
    IS(cg_yield(cg_send_fds(a, "x", 1, &fd, 1)), 1);
    IS(refusal.seen, 3);
    REFUSE(.call = SENDMSG, .error = ETOOMANYREFS, .times = 1);
    IS(cg_yield(cg_send_fds(a, "y", 1, &fd, 1)), -ETOOMANYREFS);
    REFUSE(.call = RECVMSG, .error = ENOBUFS, .times = 1);
    IS(cg_yield(cg_receive_fds(b, &byte, 1, &fds)), -ENOBUFS);
    IS(fds.count, 0);
    REFUSE(.call = RECVMSG, .error = EINTR, .times = 3);
    IS(cg_yield(cg_receive_fds(b, &byte, 1, &fds)), 1);
    IS(refusal.seen, 3);
    IS(fds.count, 1);
    close(fds.fds[0]);
    IS(cg_yield(cg_receive_fds(b, &byte, 1, &fds, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

/* Options of streams: each is told that cannot be set, but for those that only help. */
static ssize_t stream_options(void *arg)
{
    struct cg_sock *listener, *sock;
    char addr[CG_ADDR_SIZE];
    int told = 0;

    (void)arg;
    listener = test_listen(addr);
    for (int after = 0; after < 24; after++) {
        bool connects = after % 2;
        ssize_t result;

        REFUSE(.call = SETSOCKOPT, .error = EPERM, .after = after / 2, .times = 1);
        if (connects)
            result = cg_yield(cg_connect(
                addr, &sock,
                .options = cg_connect_options(.local = "127.0.0.2:0", .tos = 4, .priority = 1,
                                              .keepalive = CG_SECOND, .keepalive_count = 2,
                                              .send_buffer = 4096, .user_timeout = CG_SECOND,
                                              .reuse_addr = true, .nagle = true)));
        else
            result = cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &sock, .tos = 4,
                                    .keepalive = CG_SECOND, .keepalive_count = 2,
                                    .receive_buffer = 4096, .fast_open = true,
                                    .reuse_port = true, .nagle = true);
        told += result < 0;
        if (result == 0)
            cg_sock_close(sock);
        else
            IS(result, -EPERM);
    }
    refusal.times = 0;
    ck_assert_int_ge(told, 14);
    cg_sock_close(listener);
    return 0;
}

static const struct test_case cases[] = {
    CORO(without_calls_for_many, .where = ON_KERNEL),
    CORO(shortages, .where = ON_KERNEL),
    CORO(no_room, .where = ON_KERNEL),
    CORO(segments, .where = ON_KERNEL),
    CORO(opening, .where = ON_KERNEL),
    CORO(passing, .where = ON_KERNEL),
    CORO(stream_options, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("refused_datagrams", cases, COUNT(cases));
}
