/* SPDX-License-Identifier: MIT */
/* cg_sock_attach and cg_sock_detach, on every reactor: descriptors become sockets, and
 * sockets become descriptors. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS CG_MILLISECOND

/* A socket pair of the caller works like one of ours. */
static ssize_t attach_socketpair(void *arg)
{
    int fds[2];
    struct cg_sock *a, *b;
    char buf[8];

    (void)arg;
    IS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    OK(cg_sock_attach(cg_sched_self(), fds[0], &a));
    OK(cg_sock_attach(cg_sched_self(), fds[1], &b));
    ck_assert_int_ne(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
    IS(cg_yield(cg_read(a, buf, sizeof buf, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_writeall(b, "line\n", 5)), 5);
    IS(cg_yield(cg_readline(a, buf, sizeof buf)), 5);
    cg_sock_close(a);
    IS(cg_yield(cg_read(b, buf, sizeof buf)), 0);
    cg_sock_close(b);
    return 0;
}

static ssize_t pours(void *arg)
{
    static char block[300000];
    ssize_t n;

    test_fill(block, sizeof block, 0);
    n = cg_yield(cg_writeall(arg, block, sizeof block));
    cg_sock_close(arg);
    return n;
}

/* Both ends of a pipe work too, one for each direction. A write to a broken pipe is an
 * error without SIGPIPE, for every kind of write. */
static ssize_t attach_pipe(void *arg)
{
    int fds[2], file = test_file(3);
    struct cg_sock *in, *out;
    struct cg_coro *writer;
    static char buf[300000];
    struct iovec iov[2];

    (void)arg;
    IS(pipe(fds), 0);
    OK(cg_sock_attach(cg_sched_self(), fds[0], &in));
    OK(cg_sock_attach(cg_sched_self(), fds[1], &out));
    writer = test_start(pours, out);
    IS(cg_yield(cg_readall(in, buf, sizeof buf)), sizeof buf);
    test_verify(buf, sizeof buf, 0);
    IS(cg_yield(cg_read(in, buf, 1)), 0);
    IS(test_end(writer), sizeof buf);
    cg_sock_close(in);

    IS(pipe(fds), 0);
    close(fds[0]);
    OK(cg_sock_attach(cg_sched_self(), fds[1], &out));
    IS(cg_yield(cg_write(out, "x", 1)), -EPIPE);
    IS(cg_yield(cg_writeall(out, "x", 1)), -EPIPE);
    iov[0] = (struct iovec){buf, 1};
    iov[1] = (struct iovec){buf, 1};
    IS(cg_yield(cg_writev(out, iov, 2)), -EPIPE);
    IS(cg_yield(cg_sendfile(out, file, 0, 3)), -EPIPE);
    cg_sock_close(out);
    close(file);
    return 0;
}

/* A descriptor that is not a stream is refused, and still belongs to the caller. */
static ssize_t attach_nonsense(void *arg)
{
    int fd = dup(STDOUT_FILENO);
    struct cg_sock *sock;

    (void)arg;
    close(fd);
    IS(cg_sock_attach(cg_sched_self(), fd, &sock), -EBADF);
    return 0;
}

/* detach returns the descriptor and the bytes that the socket had received but not
 * returned. Bytes in the kernel stay there. */
static ssize_t detach(void *arg)
{
    struct cg_sock *a, *b;
    char line[16], rest_of[32];
    void *rest = NULL;
    size_t size = 99;
    int fd;
    ssize_t n;

    (void)arg;
    test_tcp(&a, &b);
    IS(cg_yield(cg_writeall(a, "hello\nremaining", 15)), 15);
    IS(cg_yield(cg_readline(b, line, sizeof line)), 6);
    cg_sock_close(a);
    fd = OK(cg_sock_detach(b, &rest, &size));
    ck_assert_uint_le(size, 9);
    memcpy(rest_of, rest ? rest : "", size);
    free(rest);
    IS(fcntl(fd, F_SETFL, 0), 0); /* make it blocking */
    while ((n = OK(read(fd, rest_of + size, sizeof rest_of - size))) > 0)
        size += (size_t)n;
    ck_assert_uint_eq(size, 9);
    ck_assert_mem_eq(rest_of, "remaining", 9);
    close(fd);
    return 0;
}

static ssize_t reads(void *arg)
{
    return cg_yield(cg_read(arg, &(char){0}, 1));
}

/* detach is refused while a coroutine waits, and where there is no descriptor. The socket
 * can still be used then. */
static ssize_t detach_refused(void *arg)
{
    struct cg_sock *a, *b;
    void *rest;
    size_t size;
    struct cg_coro *reader;

    (void)arg;
    test_tcp(&a, &b);
    reader = test_start(reads, a);
    test_until_waiting(reader);
    IS(cg_sock_detach(a, &rest, &size), -EBUSY);
    IS(cg_yield(cg_writeall(b, "x", 1)), 1);
    IS(test_end(reader), 1);
    cg_sock_close(a);
    cg_sock_close(b);
    OK(cg_sock_pair(cg_sched_self(), &a, &b));
    IS(cg_sock_detach(a, &rest, &size), -EOPNOTSUPP);
    IS(cg_sock_fd(a), -EOPNOTSUPP);
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

/* Idle and busy sockets are attached and detached many times, and lose no byte. */
static ssize_t attach_again(void *arg)
{
    struct cg_sock *a, *b;
    size_t at = 0;

    (void)arg;
    test_tcp(&a, &b);
    for (int i = 0; i < 20; i++) {
        char out[10], in[10];
        void *rest;
        size_t size;
        int fd;

        test_fill(out, sizeof out, at);
        IS(cg_yield(cg_writeall(a, out, sizeof out)), sizeof out);
        IS(cg_yield(cg_readall(b, in, sizeof in)), sizeof in);
        test_verify(in, sizeof in, at);
        at += sizeof in;
        IS(cg_yield(cg_read(b, in, 1, .timeout = MS)), -ETIMEDOUT);
        fd = cg_sock_detach(b, &rest, &size);
        if (fd == -EBUSY) { /* the kernel still has the read that lost the race */
            IS(cg_yield(cg_sleep(MS)), 0);
            fd = cg_sock_detach(b, &rest, &size);
        }
        OK(fd);
        ck_assert_uint_eq(size, 0);
        ck_assert_ptr_null(rest);
        OK(cg_sock_attach(cg_sched_self(), fd, &b));
    }
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

/* A listening socket from outside, for example from systemd, becomes a listener.
 * Connections that it accepts have TCP_NODELAY set. */
static ssize_t attach_listener(void *arg)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0), nodelay = 0;
    struct cg_sock *listener, *conn, *accepted;
    size_t size = sizeof nodelay;
    char addr[CG_ADDR_SIZE];

    (void)arg;
    IS(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    IS(listen(fd, 8), 0);
    OK(cg_sock_attach(cg_sched_self(), fd, &listener));
    OK(cg_sock_local_addr(listener, addr, sizeof addr));
    OK(cg_yield(cg_connect(addr, &conn)));
    OK(cg_yield(cg_accept(listener, &accepted)));
    OK(cg_sock_getopt(accepted, IPPROTO_TCP, TCP_NODELAY, &nodelay, &size));
    ck_assert_int_ne(nodelay, 0);
    IS(cg_yield(cg_accept(conn, &accepted)), -EINVAL);
    cg_sock_close(conn);
    cg_sock_close(accepted);
    cg_sock_close(listener);
    return 0;
}

/* A listener that is detached keeps its file, whoever accepts on it. */
static ssize_t hand_over_listener(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener, *conn, *accepted;
    void *rest;
    size_t size;
    int fd;

    (void)arg;
    test_unix_path(addr);
    OK(cg_sock_listen(cg_sched_self(), addr, &listener));
    fd = OK(cg_sock_detach(listener, &rest, &size));
    OK(cg_sock_attach(cg_sched_self(), fd, &listener));
    OK(cg_yield(cg_connect(addr, &conn)));
    OK(cg_yield(cg_accept(listener, &accepted)));
    cg_sock_close(conn);
    cg_sock_close(accepted);
    cg_sock_close(listener);
    IS(cg_yield(cg_sleep(MS)), 0);
    IS(unlink(addr + strlen("unix:")), 0);
    return 0;
}

/* Unread bytes that cg_sock_detach has returned can be put back, before those that have
 * arrived since. */
static ssize_t attach_with_unread(void *arg)
{
    struct cg_sock *a, *b, *listener;
    char line[16], addr[CG_ADDR_SIZE];
    void *rest;
    size_t len;
    int fd;

    (void)arg;
    test_tcp(&a, &b);
    IS(cg_yield(cg_writeall(b, "one\ntw", 6)), 6);
    IS(cg_yield(cg_readline(a, line, sizeof line)), 4);
    fd = (int)OK(cg_sock_detach(a, &rest, &len));
    ck_assert_uint_eq(len, 2);
    IS(cg_yield(cg_writeall(b, "o\n", 2)), 2);
    OK(cg_sock_attach(cg_sched_self(), fd, &a, .unread = rest, .len = len));
    free(rest);
    IS(cg_yield(cg_readline(a, line, sizeof line)), 4);
    ck_assert_str_eq(line, "two\n");
    cg_sock_close(a);
    cg_sock_close(b);
    listener = test_listen(addr);
    fd = (int)OK(cg_sock_detach(listener, &rest, &len));
    IS(cg_sock_attach(cg_sched_self(), fd, &listener, .unread = "x", .len = 1), -EINVAL);
    OK(cg_sock_attach(cg_sched_self(), fd, &listener));
    cg_sock_close(listener);
    return 0;
}

/* The other end of a UNIX socket is this process; no other socket has credentials. */
static void credentials(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_credentials who = {.pid = 77};
    char addr[CG_ADDR_SIZE] = "";

    cg_sock_local_addr(a, addr, sizeof addr);
    if (strncmp(addr, "unix:", 5) == 0) {
        OK(cg_sock_peer_credentials(a, &who));
        ck_assert(who.pid == getpid() && who.uid == geteuid() && who.gid == getegid());
        OK(cg_sock_peer_credentials(b, &who));
    } else {
        IS(cg_sock_peer_credentials(a, &who), -EOPNOTSUPP);
    }
    cg_sock_close(a);
    cg_sock_close(b);
}

static const struct test_case cases[] = {
    CORO(attach_socketpair, .where = ON_KERNEL),
    CORO(attach_pipe, .where = ON_KERNEL),
    CORO(attach_listener, .where = ON_KERNEL),
    CORO(hand_over_listener, .where = ON_KERNEL),
    CORO(attach_nonsense, .where = ON_KERNEL),
    CORO(detach, .where = ON_KERNEL),
    CORO(detach_refused, .where = ON_KERNEL),
    CORO(attach_again, .where = ON_KERNEL),
    CORO(attach_with_unread),
    LINK(credentials),
};

int main(void)
{
    return test_main("attach", cases, COUNT(cases));
}
