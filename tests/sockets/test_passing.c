/* SPDX-License-Identifier: MIT */
/* Descriptors that are passed over UNIX sockets: each arrives once, close-on-exec, and none
 * is left open when something goes wrong (each case counts descriptors at its end). */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void close_all(struct cg_fds *fds)
{
    while (fds->count > 0)
        close(fds->fds[--fds->count]);
}

static int null(void)
{
    return (int)OK(open("/dev/null", O_RDONLY));
}

/* A passed descriptor works like the one that was sent, which stays open. */
static void passes(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_fds fds = {.count = 99};
    char buf[16];
    int ends[2];

    OK(pipe(ends));
    IS(cg_yield(cg_send_fds(a, "hello", 5, &ends[1], 1)), 5);
    IS(cg_yield(cg_receive_fds(b, buf, sizeof buf, &fds)), 5);
    ck_assert_mem_eq(buf, "hello", 5);
    IS(fds.count, 1);
    ck_assert_int_ne(fcntl(fds.fds[0], F_GETFD) & FD_CLOEXEC, 0);
    IS(write(fds.fds[0], "through", 7), 7);
    IS(write(ends[1], "!", 1), 1);
    IS(read(ends[0], buf, sizeof buf), 8);
    close_all(&fds);
    close(ends[0]);
    close(ends[1]);
    IS(cg_yield(cg_writeall(a, "plain", 5)), 5);
    IS(cg_yield(cg_receive_fds(b, buf, sizeof buf, &fds)), 5);
    IS(fds.count, 0);
    cg_sock_close(a);
    IS(cg_yield(cg_receive_fds(b, buf, sizeof buf, &fds)), 0);
    IS(cg_yield(cg_receive_fds(b, buf, sizeof buf, &fds)), 0);
    cg_sock_close(b);
}

static char much[300 * 1024], back[sizeof much];

static ssize_t sends_much(void *sock)
{
    int fds[CG_FDS_MOST];
    size_t moved = 0;

    for (int i = 0; i < CG_FDS_MOST; i++)
        fds[i] = null();
    test_fill(much, sizeof much, 0);
    IS(cg_yield(cg_send_fds(sock, much, sizeof much, fds, CG_FDS_MOST, .moved = &moved)),
       sizeof much);
    ck_assert_uint_eq(moved, sizeof much);
    for (int i = 0; i < CG_FDS_MOST; i++)
        close(fds[i]);
    return 0;
}

/* As many as fit, with more bytes than fit the kernel: they come with the first byte. */
static void with_much(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *sender = test_start(sends_much, a);
    struct cg_fds fds;

    IS(cg_yield(cg_receive_fds(b, back, 10, &fds)), 10);
    IS(fds.count, CG_FDS_MOST);
    close_all(&fds);
    IS(cg_yield(cg_readall(b, back + 10, sizeof back - 10)), sizeof back - 10);
    test_verify(back, sizeof back, 0);
    IS(test_end(sender), 0);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* What an earlier reader has left comes first, without descriptors. */
static void unread_first(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_fds fds;
    char buf[16];

    IS(cg_yield(cg_writeall(a, "line\nrest", 9)), 9);
    IS(cg_yield(cg_readline(b, buf, sizeof buf)), 5);
    IS(cg_yield(cg_receive_fds(b, buf, sizeof buf, &fds)), 4);
    ck_assert_mem_eq(buf, "rest", 4);
    IS(fds.count, 0);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* A receive that is given up loses nothing, whenever that is. */
static void given_up(struct cg_sock *a, struct cg_sock *b)
{
    int fd = null(), got = 0, lost = 0;
    struct cg_fds fds;
    char byte;

    for (int i = 0; i < 300; i++) {
        struct cg_op *receive = cg_receive_fds(b, &byte, 1, &fds);
        ssize_t winner = -1;

        byte = (char)i;
        if (i % 3 == 0)
            IS(cg_yield(cg_send_fds(a, &byte, 1, &fd, 1)), 1);
        winner = OK(cg_yield(cg_any((receive, cg_sleep(i % 5 * CG_MICROSECOND)))));
        if (winner == 0) {
            IS(cg_op_result(receive), 1);
            IS(fds.count, 1);
            ck_assert_int_eq(byte, (char)(3 * got++));
            close_all(&fds);
        } else {
            lost++;
            IS(fds.count, 0);
        }
    }
    while (got < 100) {
        IS(cg_yield(cg_receive_fds(b, &byte, 1, &fds)), 1);
        ck_assert_int_eq(byte, (char)(3 * got++));
        close_all(&fds);
    }
    ck_assert_int_gt(lost, 0);
    close(fd);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* Mistakes are told, and pass nothing. */
static void mistakes(struct cg_sock *a, struct cg_sock *b)
{
    int fds[CG_FDS_MOST + 1] = {0}, bad = 9999;
    struct cg_fds into = {.count = 0};
    char byte;

    IS(cg_yield(cg_send_fds(a, "x", 0, fds, 1)), -EINVAL);
    IS(cg_yield(cg_send_fds(a, "x", 1, fds, 0)), -EINVAL);
    IS(cg_yield(cg_send_fds(a, "x", 1, fds, CG_FDS_MOST + 1)), -EINVAL);
    IS(cg_yield(cg_send_fds(a, "x", 1, &bad, 1)), -EBADF);
    IS(cg_yield(cg_receive_fds(b, &byte, 0, &into)), -EINVAL);
    IS(cg_yield(cg_receive_fds(b, &byte, 1, &into, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    IS(cg_yield(cg_receive_fds(NULL, &byte, 1, &into)), -EBADF);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* Only UNIX sockets pass descriptors. */
static void elsewhere(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_fds into;
    int fd = 0;
    char byte;

    IS(cg_yield(cg_send_fds(a, "x", 1, &fd, 1)), -EOPNOTSUPP);
    IS(cg_yield(cg_receive_fds(b, &byte, 1, &into)), -EOPNOTSUPP);
    cg_sock_close(a);
    cg_sock_close(b);
}

static void send_raw(struct cg_sock *sock, const int *fds, size_t count)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(64 * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = "x", .iov_len = 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};

    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
    IS(sendmsg(cg_sock_fd(sock), &message, 0), 1);
}

/* A stranger passes too many, or more than this process may have: all are closed. */
static void too_many(struct cg_sock *a, struct cg_sock *b)
{
    struct rlimit old, low;
    struct cg_fds into;
    int fds[64];
    char byte;

    for (int i = 0; i < 64; i++)
        fds[i] = 0;
    send_raw(a, fds, 64);
    IS(cg_yield(cg_receive_fds(b, &byte, 1, &into)), -EMSGSIZE);
    IS(into.count, 0);
    send_raw(a, fds, 3);
    IS(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = old;
    low.rlim_cur = (rlim_t)dup(0);
    close((int)low.rlim_cur);
    low.rlim_cur++; /* room for one */
    IS(setrlimit(RLIMIT_NOFILE, &low), 0);
    IS(cg_yield(cg_receive_fds(b, &byte, 1, &into)), -EMFILE);
    IS(setrlimit(RLIMIT_NOFILE, &old), 0);
    IS(into.count, 0);
    send_raw(a, fds, 2);
    IS(cg_yield(cg_receive_fds(b, &byte, 1, &into)), 1);
    IS(into.count, 2);
    close_all(&into);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* Descriptors that come with a datagram are not opened, even if its information is wanted. */
static ssize_t with_datagram(void *arg)
{
    struct cg_datagram_info info;
    struct cg_sock *a, *b;
    int ends[2], fds[2] = {0, 0};
    char byte;
    struct cg_datagram one = {.buf = &byte, .size = 1, .info = &info};

    (void)arg;
    OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
    OK(cg_sock_attach(cg_sched_self(), ends[0], &a));
    OK(cg_sock_attach(cg_sched_self(), ends[1], &b));
    send_raw(a, fds, 2);
    IS(cg_yield(cg_receive_datagrams(b, &one, 1)), 1);
    IS(one.len, 1);
    IS(info.ttl, -1);
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

/* A listener and a connection are passed on, and the sender closes its own. The receiver
 * gets what was in flight. */
static void sockets(struct cg_sock *a, struct cg_sock *b)
{
    char addr[CG_ADDR_SIZE], buf[16];
    struct cg_sock *listener = test_listen(addr), *left, *right, *conn, *other;
    struct cg_fds fds;
    int sent[2];

    OK(cg_yield(cg_connect(addr, &conn)));
    test_tcp(&left, &right);
    IS(cg_yield(cg_writeall(left, "early", 5)), 5);
    sent[0] = cg_sock_fd(listener);
    sent[1] = cg_sock_fd(right);
    IS(cg_yield(cg_send_fds(a, "x", 1, sent, 2)), 1);
    cg_sock_close(listener);
    cg_sock_close(right);
    cg_sock_close(a);
    IS(cg_yield(cg_receive_fds(b, buf, sizeof buf, &fds)), 1);
    IS(fds.count, 2);
    OK(cg_sock_attach(cg_sched_self(), fds.fds[0], &listener));
    OK(cg_sock_attach(cg_sched_self(), fds.fds[1], &right));
    IS(cg_yield(cg_accept(listener, &other)), 0);
    IS(cg_yield(cg_readall(right, buf, 5)), 5);
    ck_assert_mem_eq(buf, "early", 5);
    IS(cg_yield(cg_writeall(right, "late", 4)), 4);
    IS(cg_yield(cg_readall(left, buf, 4)), 4);
    cg_sock_close(right);
    IS(cg_yield(cg_read(left, buf, 1)), 0);
    cg_sock_close(left);
    cg_sock_close(other);
    IS(cg_yield(cg_read(conn, buf, 1)), 0);
    cg_sock_close(conn);
    cg_sock_close(listener);
    cg_sock_close(b);
}

/* Descriptors that nobody receives are closed: with their message, by a plain read, or for
 * lack of room. So the peer of a connection that was passed on sees its end. */
static void lost(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_reactor *world = cg_sched_reactor(cg_sched_self());
    struct cg_sock *left, *right;
    struct cg_fds fds;
    char byte;
    int sent;

    for (int i = 0; i < (test_on_sim() ? 3 : 2); i++) {
        test_tcp(&left, &right);
        sent = cg_sock_fd(right);
        IS(cg_yield(cg_send_fds(a, "x", 1, &sent, 1)), 1);
        cg_sock_close(right);
        if (i == 0 && test_on_sim()) {
            OK(cg_yield(cg_sleep(CG_MILLISECOND))); /* until the sender's is closed */
            cg_sim_set_handles(world, (unsigned)cg_sim_handles(world) - 1);
            IS(cg_yield(cg_receive_fds(b, &byte, 1, &fds)), -EMFILE);
            cg_sim_set_handles(world, 0);
        } else if (i == (test_on_sim() ? 1 : 0)) { /* the next receive may be armed then */
            IS(cg_yield(cg_read(b, &byte, 1)), 1);
        } else {
            cg_sock_close(b);
        }
        IS(cg_yield(cg_read(left, &byte, 1)), 0);
        cg_sock_close(left);
    }
    cg_sock_close(a);
}

#define UNIX .over = OVER_UNIX

static const struct test_case cases[] = {
    LINK(passes, UNIX),    LINK(with_much, UNIX), LINK(unread_first, UNIX),
    LINK(given_up, UNIX),  LINK(mistakes, UNIX),  LINK(sockets, UNIX),
    LINK(lost, UNIX),
    LINK(too_many, .where = ON_KERNEL, .over = OVER_UNIX),
    CORO(with_datagram, .where = ON_KERNEL),
    LINK(elsewhere, .over = OVER_TCP | OVER_PAIR),
};

int main(void)
{
    return test_main("passing", cases, COUNT(cases));
}
