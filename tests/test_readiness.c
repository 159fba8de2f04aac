/* SPDX-License-Identifier: MIT */
/* The readiness backends, driven directly: requests over socketpairs, pipes and loopback
 * connections, without a scheduler. Each case runs on each of them. */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "reactors/calls.h"
#include "reactors/reactors.h"

static const char *name; /* of the reactor under test */
static struct cg_reactor *reactor;

/* ---- Help ---- */

struct ask {
    struct cg_io io;
    int completed; /* times */
    ssize_t result;
    char data[64];
};

static void completed(struct cg_io *io, ssize_t result)
{
    struct ask *ask = io->owner;

    ck_assert_int_eq(io->state, CG_IO_IDLE);
    ask->completed++;
    ask->result = result;
    if (io->code == CG_IO_RECV && io->chunk) {
        memcpy(ask->data, io->chunk->data, result < 64 ? result : 64);
        cg_chunk_put(reactor, io->chunk);
        io->chunk = NULL;
    }
}

static enum cg_verdict start(struct ask *ask, enum cg_io_code code, int fd)
{
    enum cg_verdict verdict;

    ask->io.code = code;
    ask->io.fd = fd;
    ask->io.complete = completed;
    ask->io.owner = ask;
    ask->completed = 0;
    if ((verdict = cg_reactor_submit(reactor, &ask->io)) == CG_DONE)
        completed(&ask->io, ask->io.result);
    return verdict;
}

static enum cg_verdict receive(struct ask *ask, int fd)
{
    ask->io.buf = NULL;
    ask->io.len = 0;
    return start(ask, CG_IO_RECV, fd);
}

static enum cg_verdict transmit(struct ask *ask, int fd, const void *data, size_t len)
{
    ask->io.buf = (void *)data;
    ask->io.len = len;
    return start(ask, CG_IO_SEND, fd);
}

static enum cg_verdict poll_for(struct ask *ask, int fd, unsigned events)
{
    ask->io.events = events;
    return start(ask, CG_IO_POLL, fd);
}

static enum cg_verdict link_to(struct ask *ask, int fd, const void *addr, socklen_t size)
{
    ask->io.addr = addr;
    ask->io.addrlen = size;
    return start(ask, CG_IO_CONNECT, fd);
}

static void turn(int64_t timeout)
{
    ck_assert_int_eq(reactor->type->wait(reactor, timeout), 0);
}

/* Waits until it has completed, 5 s at most, and answers the result. */
static ssize_t finish(struct ask *ask)
{
    int64_t end = cg__clock(reactor) + 5 * CG_SECOND;

    while (!ask->completed) {
        ck_assert_msg(cg__clock(reactor) < end, "nothing came");
        turn(CG_SECOND);
    }
    ck_assert_int_eq(ask->completed, 1);
    return ask->result;
}

static void cancel(struct ask *ask)
{
    ck_assert_int_eq(reactor->type->cancel(reactor, &ask->io), CG_DONE);
    ck_assert_int_eq(ask->io.state, CG_IO_IDLE);
}

/* As the library closes what it owns. */
static void shut(int fd)
{
    struct ask ask = {0};

    reactor->type->forget(reactor, fd);
    ck_assert_int_eq(start(&ask, CG_IO_CLOSE, fd), CG_DONE);
    ck_assert_int_eq(ask.result, 0);
}

static void attach(int fd)
{
    struct ask ask = {0};

    ck_assert_int_eq(start(&ask, CG_IO_ATTACH, fd), CG_DONE);
    ck_assert_int_eq(ask.result, 0);
}

/* Nothing more completes in the next turns. */
static void quiet(const struct ask *ask)
{
    int before = ask->completed;

    for (int i = 0; i < 3; i++)
        turn(CG_MILLISECOND);
    ck_assert_int_eq(ask->completed, before);
}

static int listener(struct sockaddr_in *addr)
{
    socklen_t size = sizeof *addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *addr = (struct sockaddr_in){.sin_family = AF_INET};
    addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)addr, size), 0);
    ck_assert_int_eq(listen(fd, 64), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)addr, &size), 0);
    attach(fd);
    return fd;
}

static int new_socket(int domain)
{
    struct ask ask = {.io = {.domain = domain, .type = SOCK_STREAM}};

    ck_assert_int_eq(start(&ask, CG_IO_SOCKET, -1), CG_DONE);
    ck_assert_int_ge(ask.result, 0);
    return ask.result;
}

enum over { UNIX, INET };

/* Two connected stream sockets; the second is known to the reactor as a server's is, the
 * first is not known at all. */
static void connected_pair(enum over over, int ends[2])
{
    struct ask accept = {0};
    struct sockaddr_in addr;
    int fd;

    if (over == UNIX) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        attach(ends[1]);
        return;
    }
    fd = listener(&addr);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(ends[0], (struct sockaddr *)&addr, sizeof addr), 0);
    start(&accept, CG_IO_ACCEPT, fd);
    ends[1] = finish(&accept);
    ck_assert_int_ge(ends[1], 0);
    shut(fd);
}

static void put(int fd, const char *text)
{
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* ---- Streams: each over TCP and over UNIX sockets ---- */

/* Data that come later complete a waiting receive; data there already need no wait. */
START_TEST(data)
{
    struct ask ask = {0};
    char buf[8];
    int ends[2];

    connected_pair(_i, ends);
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(receive(&ask, ends[1]), CG_PENDING);
        quiet(&ask);
        put(ends[0], "spam");
        ck_assert_int_eq(finish(&ask), 4);
        ck_assert_mem_eq(ask.data, "spam", 4);
        ck_assert_uint_eq(reactor->chunks_out, 0);
    }
    put(ends[0], "0123456789abcdef"); /* into the caller's buffer, as full as it gets */
    ask.io.buf = buf;
    ask.io.len = sizeof buf;
    start(&ask, CG_IO_RECV, ends[1]);
    ck_assert_int_eq(finish(&ask), 8);
    ck_assert_mem_eq(buf, "01234567", 8);
    ck_assert_int_eq(start(&ask, CG_IO_RECV, ends[1]), CG_DONE);
    ck_assert_int_eq(ask.result, 8);
    ck_assert_mem_eq(buf, "89abcdef", 8);
    shut(ends[1]);
    close(ends[0]);
}
END_TEST

/* The end of the stream is 0, again and again; also when data and end come as one edge. */
START_TEST(end)
{
    struct ask ask = {0};
    int ends[2];

    connected_pair(_i, ends);
    ck_assert_int_eq(receive(&ask, ends[1]), CG_PENDING);
    put(ends[0], "last words");
    shutdown(ends[0], SHUT_WR);
    ck_assert_int_eq(finish(&ask), 10);
    for (int round = 0; round < 3; round++) {
        receive(&ask, ends[1]);
        ck_assert_int_eq(finish(&ask), 0);
    }
    transmit(&ask, ends[1], "yes", 3); /* half closed: the other direction goes on */
    ck_assert_int_eq(finish(&ask), 3);
    close(ends[0]);
    shut(ends[1]);
}
END_TEST

/* The end comes while the data are being received: the second edge must not be lost. */
START_TEST(end_after_short_read)
{
    struct ask ask = {0};
    int ends[2];

    connected_pair(_i, ends);
    receive(&ask, ends[1]);
    put(ends[0], "a");
    ck_assert_int_eq(finish(&ask), 1);
    close(ends[0]);
    receive(&ask, ends[1]);
    ck_assert_int_eq(finish(&ask), 0);
    shut(ends[1]);
}
END_TEST

/* A cancelled receive consumes nothing, and its completion never comes. */
START_TEST(cancelled)
{
    struct ask ask = {0};
    int ends[2];

    connected_pair(_i, ends);
    ck_assert_int_eq(receive(&ask, ends[1]), CG_PENDING);
    cancel(&ask);
    put(ends[0], "kept");
    quiet(&ask);
    receive(&ask, ends[1]);
    ck_assert_int_eq(finish(&ask), 4);
    ck_assert_mem_eq(ask.data, "kept", 4);
    shut(ends[1]);
    close(ends[0]);
}
END_TEST

/* A receive and a send wait on one descriptor, and end independently of each other; a
 * second one of either is refused. */
START_TEST(full_duplex)
{
    static char block[1 << 20];
    struct ask in = {0}, out = {0}, more = {0};
    ssize_t got = 0, sent = 0, n;
    int64_t deadline;
    int ends[2];

    connected_pair(_i, ends);
    ck_assert_int_eq(receive(&in, ends[1]), CG_PENDING);
    while (transmit(&out, ends[1], block, sizeof block) == CG_DONE)
        sent += out.result;
    receive(&more, ends[1]);
    ck_assert_int_eq(more.result, -EBUSY);
    transmit(&more, ends[1], "x", 1);
    ck_assert_int_eq(more.result, -EBUSY);
    quiet(&in);
    quiet(&out);
    put(ends[0], "in");
    ck_assert_int_eq(finish(&in), 2);
    ck_assert_int_eq(out.completed, 0);
    ck_assert_int_eq(receive(&in, ends[1]), CG_PENDING);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    for (deadline = cg__clock(NULL) + 5 * CG_SECOND; !out.completed; turn(CG_MILLISECOND)) {
        ck_assert_int_lt(cg__clock(NULL), deadline);
        while ((n = read(ends[0], block, sizeof block)) > 0)
            got += n;
    }
    ck_assert_int_gt(out.result, 0);
    sent += out.result;
    ck_assert_int_eq(in.completed, 0);
    while (got < sent)
        if ((n = read(ends[0], block, sizeof block)) > 0)
            got += n;
    ck_assert_int_eq(got, sent);
    cancel(&in);
    shut(ends[1]);
    close(ends[0]);
}
END_TEST

/* Megabytes in one direction, gathered, with sends that wait now and then: nothing lost. */
START_TEST(gathered)
{
    static char block[300000], sink[65536];
    struct iovec parts[2] = {{block, 100000}, {block + 100000, 200000}};
    struct ask out = {0};
    ssize_t sent = 0, got = 0, n;
    int ends[2];

    connected_pair(_i, ends);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 20; i++) {
        out.io.iov = parts;
        out.io.iovcnt = 2;
        start(&out, CG_IO_SENDV, ends[1]);
        while (!out.completed) {
            turn(CG_MILLISECOND);
            while ((n = read(ends[0], sink, sizeof sink)) > 0)
                got += n;
        }
        ck_assert_int_gt(out.result, 0);
        sent += out.result;
    }
    shut(ends[1]);
    fcntl(ends[0], F_SETFL, 0);
    while ((n = read(ends[0], sink, sizeof sink)) > 0)
        got += n;
    ck_assert_int_eq(got, sent);
    close(ends[0]);
}
END_TEST

/* A peer that is gone: an error, and no SIGPIPE, not from sendfile either. */
START_TEST(peer_gone)
{
    struct ask ask = {0};
    FILE *file = tmpfile();
    int ends[2];

    fputs("contents", file);
    fflush(file);
    connected_pair(_i, ends);
    ask.io.file = fileno(file);
    ask.io.offset = 3;
    ask.io.count = 100;
    ck_assert_int_eq(start(&ask, CG_IO_SENDFILE, ends[1]), CG_DONE);
    ck_assert_int_eq(ask.result, 5);
    ask.io.offset = 8;
    start(&ask, CG_IO_SENDFILE, ends[1]);
    ck_assert_int_eq(ask.result, 0); /* the file has no more */
    close(ends[0]);
    for (int i = 0; i < 2; i++) { /* unread data were lost: a reset first, maybe */
        transmit(&ask, ends[1], "x", 1);
        finish(&ask);
    }
    ck_assert_int_lt(ask.result, 0);
    ask.io.file = fileno(file);
    ask.io.offset = 0;
    ask.io.count = 8;
    start(&ask, CG_IO_SENDFILE, ends[1]);
    ck_assert_int_eq(finish(&ask), -EPIPE);
    shut(ends[1]);
    fclose(file);
}
END_TEST

/* A reset reaches a waiting receive. */
START_TEST(reset)
{
    struct linger at_once = {.l_onoff = 1};
    struct ask ask = {0};
    int ends[2];

    connected_pair(INET, ends);
    ck_assert_int_eq(receive(&ask, ends[1]), CG_PENDING);
    setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(ends[0]);
    ck_assert_int_eq(finish(&ask), -ECONNRESET);
    shut(ends[1]);
}
END_TEST

/* Where reads stop short with more to come, there is no further edge: at urgent data, and
 * on a UNIX socket where descriptors were passed. Nothing is left lying. */
START_TEST(short_of_urgent)
{
    struct ask ask = {0};
    char got[8] = "";
    int ends[2];

    connected_pair(INET, ends);
    for (int round = 0; round < 2; round++) { /* the second time it has been waited for */
        *got = 0;
        put(ends[0], "ab");
        ck_assert_int_eq(send(ends[0], "!", 1, MSG_OOB), 1);
        put(ends[0], "cd");
        usleep(10000);
        while (strlen(got) < 4) {
            receive(&ask, ends[1]);
            ck_assert_int_gt(finish(&ask), 0);
            strncat(got, ask.data, ask.result);
        }
        ck_assert_str_eq(got, "abcd");
        ck_assert_int_eq(receive(&ask, ends[1]), CG_PENDING);
        put(ends[0], "x");
        ck_assert_int_eq(finish(&ask), 1);
    }
    shut(ends[1]);
    close(ends[0]);
}
END_TEST

static void put_with_descriptor(int fd, const char *text)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    struct iovec part = {(void *)text, strlen(text)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control.space};

    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    ck_assert_int_eq(sendmsg(fd, &message, 0), (ssize_t)part.iov_len);
}

START_TEST(short_of_descriptors)
{
    struct ask ask = {0};
    int ends[2], got = 0;

    connected_pair(UNIX, ends);
    ck_assert_int_eq(receive(&ask, ends[1]), CG_PENDING);
    put(ends[0], "a");
    put_with_descriptor(ends[0], "b");
    put(ends[0], "c");
    put_with_descriptor(ends[0], "d");
    for (got = finish(&ask); got < 4; got += finish(&ask))
        receive(&ask, ends[1]);
    shut(ends[1]);
    close(ends[0]);
}
END_TEST

/* A large file, with waits; and one that sendfile may refuse. */
START_TEST(files)
{
    static char block[65536];
    struct ask ask = {0};
    FILE *file = tmpfile();
    ssize_t sent = 0, got = 0, n;
    int ends[2], proc;

    for (int i = 0; i < 64; i++)
        ck_assert_uint_eq(fwrite(block, 1, sizeof block, file), sizeof block);
    fflush(file);
    connected_pair(_i, ends);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    for (ask.result = 1; ask.result > 0; sent += ask.result) {
        ask.io.file = fileno(file);
        ask.io.offset = sent;
        ask.io.count = 1 << 30;
        start(&ask, CG_IO_SENDFILE, ends[1]);
        while (!ask.completed) {
            while ((n = read(ends[0], block, sizeof block)) > 0)
                got += n;
            turn(CG_MILLISECOND);
        }
    }
    ck_assert_int_eq(ask.result, 0);
    ck_assert_int_eq(sent, 64 * sizeof block);
    for (int64_t last = cg__clock(NULL) + CG_SECOND; got < sent && cg__clock(NULL) < last;)
        if ((n = read(ends[0], block, sizeof block)) > 0)
            got += n;
    ck_assert_int_eq(got, sent);
    proc = open("/proc/self/status", O_RDONLY);
    if (proc >= 0) {
        ask.io.file = proc;
        ask.io.offset = 0;
        ask.io.count = 4;
        ck_assert_int_eq(start(&ask, CG_IO_SENDFILE, ends[1]), CG_DONE);
        ck_assert_int_eq(ask.result, 4);
        close(proc);
    }
    shut(ends[1]);
    close(ends[0]);
    fclose(file);
}
END_TEST

/* forget, close, and a new descriptor of the same number: it inherits nothing, not even
 * when the event of the former was fetched in the same wait. */
static int victim[2], successor[2];
static struct ask late;

static void replace(struct cg_io *io, ssize_t result)
{
    int number = victim[1];

    completed(io, result);
    if (number < 0 || late.completed)
        return;
    cancel(&late);
    shut(number);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, successor), 0);
    if (successor[0] == number)
        successor[0] = successor[1];
    else if (successor[1] != number)
        ck_assert_int_eq(dup2(successor[1], number), number);
    successor[1] = number;
    attach(number);
    ck_assert_int_eq(receive(&late, number), CG_PENDING);
    victim[1] = -1;
}

START_TEST(number_reused)
{
    struct ask asks[2] = {0};
    int pairs[2][2], number;

    /* One before and one after the victim, so that either order is tried. */
    connected_pair(_i, pairs[0]);
    connected_pair(_i, victim);
    connected_pair(_i, pairs[1]);
    number = victim[1];
    ck_assert_int_eq(receive(&asks[0], pairs[0][1]), CG_PENDING);
    ck_assert_int_eq(receive(&late, victim[1]), CG_PENDING);
    ck_assert_int_eq(receive(&asks[1], pairs[1][1]), CG_PENDING);
    asks[0].io.complete = asks[1].io.complete = replace;
    put(pairs[0][0], "a");
    put(victim[0], "old");
    put(pairs[1][0], "b");
    ck_assert_int_eq(finish(&asks[0]), 1);
    ck_assert_int_eq(finish(&asks[1]), 1);
    ck_assert_int_eq(victim[1], -1);
    quiet(&late);
    ck_assert_int_eq(late.completed, 0);
    put(successor[0], "fresh");
    ck_assert_int_eq(finish(&late), 5);
    ck_assert_mem_eq(late.data, "fresh", 5);
    shut(number);
    close(victim[0]);
    close(successor[0]);
    for (int i = 0; i < 2; i++) {
        shut(pairs[i][1]);
        close(pairs[i][0]);
    }
}
END_TEST

/* ---- Connections ---- */

START_TEST(connections)
{
    struct ask accept = {0}, link = {0}, in = {0};
    struct sockaddr_in addr;
    int fd = listener(&addr), client = new_socket(AF_INET);

    ck_assert_int_eq(start(&accept, CG_IO_ACCEPT, fd), CG_PENDING);
    link_to(&link, client, &addr, sizeof addr);
    ck_assert_int_eq(finish(&link), 0);
    ck_assert_int_ge(finish(&accept), 0);
    ck_assert_int_ne(fcntl(accept.result, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(accept.result, F_GETFD) & FD_CLOEXEC, 0);
    receive(&in, accept.result);
    transmit(&link, client, "hello", 5);
    ck_assert_int_eq(finish(&link), 5);
    ck_assert_int_eq(finish(&in), 5);
    shut(accept.result);
    shut(client);
    /* Nobody listens there any more. */
    shut(fd);
    client = new_socket(AF_INET);
    link_to(&link, client, &addr, sizeof addr);
    ck_assert_int_eq(finish(&link), -ECONNREFUSED);
    shut(client);
}
END_TEST

/* Somebody else has asked the socket for its error: the connect fails all the same. */
START_TEST(error_taken)
{
    struct ask link = {0};
    struct sockaddr_in addr;
    socklen_t size = sizeof(int);
    int fd = listener(&addr), client = new_socket(AF_INET), error;

    shut(fd);
    link_to(&link, client, &addr, sizeof addr);
    if (!link.completed) {
        getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size);
        ck_assert_int_eq(error, ECONNREFUSED);
        ck_assert_int_lt(finish(&link), 0);
    }
    shut(client);
}
END_TEST

/* No answer from there: pending for as long as one likes, and can be taken back. */
START_TEST(connect_cancelled)
{
    struct ask link[3] = {0};
    struct sockaddr_in addr;
    int fd = listener(&addr), client[3];

    listen(fd, 0); /* the first is queued; further ones are left without an answer */
    for (int i = 0; i < 3; i++) {
        client[i] = new_socket(AF_INET);
        link_to(&link[i], client[i], &addr, sizeof addr);
    }
    ck_assert_int_eq(finish(&link[0]), 0);
    quiet(&link[2]);
    ck_assert_int_eq(link[2].completed, 0);
    cancel(&link[2]);
    for (int i = 0; i < 3; i++) {
        if (!link[i].completed && i < 2)
            cancel(&link[i]);
        shut(client[i]);
    }
    shut(fd);
}
END_TEST

/* A UNIX listener with a full backlog answers EAGAIN while poll says writable: the connect
 * waits without spinning, and is done when there is room. */
START_TEST(unix_backlog)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct ask link = {0}, accept = {0};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), clients[8], n = 0, turns = 0;
    int64_t begun;

    snprintf(addr.sun_path + 1, sizeof addr.sun_path - 1, "cogen-test-%ld", (long)getpid());
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    attach(fd);
    do {
        ck_assert_int_lt(n, 8);
        clients[n] = new_socket(AF_UNIX);
    } while (link_to(&link, clients[n++], &addr, sizeof addr) == CG_DONE &&
             link.result == 0);
    ck_assert_int_eq(link.completed, 0);
    ck_assert_int_gt(reactor->due, 0);
    for (begun = cg__clock(NULL); cg__clock(NULL) < begun + 50 * CG_MILLISECOND; turns++)
        turn(50 * CG_MILLISECOND);
    ck_assert_int_le(turns, 12);
    ck_assert_int_eq(link.completed, 0);
    ck_assert_int_eq(start(&accept, CG_IO_ACCEPT, fd), CG_DONE);
    ck_assert_int_eq(finish(&link), 0);
    ck_assert_int_eq(reactor->due, 0);
    shut(accept.result);
    shut(fd);
    while (n > 0)
        shut(clients[--n]);
}
END_TEST

/* Out of descriptors: accept pauses, the others go on, nothing spins; it goes on when there
 * are some again. */
START_TEST(out_of_descriptors)
{
    struct rlimit limit, none;
    struct ask accept = {0}, in = {0};
    struct sockaddr_in addr;
    int fd = listener(&addr), ends[2], client, turns = 0;
    int64_t begun;

    connected_pair(UNIX, ends);
    ck_assert_int_eq(receive(&in, ends[1]), CG_PENDING);
    ck_assert_int_eq(start(&accept, CG_IO_ACCEPT, fd), CG_PENDING);
    client = socket(AF_INET, SOCK_STREAM, 0);
    getrlimit(RLIMIT_NOFILE, &limit);
    none = (struct rlimit){.rlim_cur = client + 1, .rlim_max = limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&addr, sizeof addr), 0);
    put(ends[0], "on");
    ck_assert_int_eq(finish(&in), 2);
    for (begun = cg__clock(NULL); cg__clock(NULL) < begun + 250 * CG_MILLISECOND; turns++)
        turn(250 * CG_MILLISECOND);
    ck_assert_int_le(turns, 6);
    ck_assert_int_eq(accept.completed, 0);
    setrlimit(RLIMIT_NOFILE, &limit);
    ck_assert_int_ge(finish(&accept), 0);
    shut(accept.result);
    shut(fd);
    shut(ends[1]);
    close(ends[0]);
    close(client);
}
END_TEST

/* ---- Other descriptors ---- */

/* Pipes are streams as well, and a broken one does not kill. A SIGPIPE that the program
 * waits for itself stays. */
START_TEST(pipes)
{
    struct ask in = {0}, out = {0};
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    attach(ends[0]);
    attach(ends[1]);
    ck_assert_int_eq(receive(&in, ends[0]), CG_PENDING);
    transmit(&out, ends[1], "through", 7);
    ck_assert_int_eq(finish(&out), 7);
    ck_assert_int_eq(finish(&in), 7);
    ck_assert_mem_eq(in.data, "through", 7);
    while (transmit(&out, ends[1], (char[4096]){0}, 4096) == CG_DONE)
        ck_assert_int_gt(out.result, 0);
    shut(ends[0]);
    ck_assert_int_eq(finish(&out), -EPIPE);
    transmit(&out, ends[1], "x", 1);
    ck_assert_int_eq(finish(&out), -EPIPE);
    shut(ends[1]);
}
END_TEST

START_TEST(pipe_end)
{
    struct ask in = {0};
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    attach(ends[0]);
    ck_assert_int_eq(receive(&in, ends[0]), CG_PENDING);
    close(ends[1]);
    ck_assert_int_eq(finish(&in), 0);
    shut(ends[0]);
}
END_TEST

/* Several may poll one descriptor, for different things. Polling consumes nothing, and what
 * is ready is asked of the kernel: nothing stale about a number that was closed unseen. */
START_TEST(polls)
{
    struct ask asks[3] = {0};
    int ends[2], number;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(poll_for(&asks[0], ends[1], CG_OUT), CG_DONE);
    ck_assert_int_eq(asks[0].result, CG_OUT);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(poll_for(&asks[i], ends[1], CG_IN), CG_PENDING);
    cancel(&asks[1]);
    put(ends[0], "x");
    ck_assert_int_eq(finish(&asks[0]), CG_IN);
    ck_assert_int_eq(finish(&asks[2]), CG_IN);
    ck_assert_int_eq(asks[1].completed, 0);
    ck_assert_int_eq(poll_for(&asks[1], ends[1], CG_IN | CG_OUT), CG_DONE);
    ck_assert_int_eq(asks[1].result, CG_IN | CG_OUT);
    number = ends[1]; /* closed by its owner, without a word to the reactor */
    close(ends[0]);
    close(ends[1]);
    ck_assert_int_eq(poll_for(&asks[0], number, CG_IN), CG_DONE);
    ck_assert_int_eq(asks[0].result, -EBADF);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(poll_for(&asks[0], ends[1], CG_IN), CG_PENDING);
    quiet(&asks[0]);
    close(ends[0]);
    ck_assert_int_ne(finish(&asks[0]) & CG_IN, 0);
    close(ends[1]);
}
END_TEST

/* What epoll refuses is ready always. */
START_TEST(regular_file)
{
    struct ask ask = {0};
    FILE *file = tmpfile();

    fputs("text", file);
    fflush(file);
    ck_assert_int_eq(poll_for(&ask, fileno(file), CG_IN | CG_OUT), CG_DONE);
    ck_assert_int_eq(ask.result, CG_IN | CG_OUT);
    rewind(file);
    attach(fileno(file));
    ck_assert_int_eq(receive(&ask, fileno(file)), CG_DONE);
    ck_assert_int_eq(ask.result, 4);
    reactor->type->forget(reactor, fileno(file));
    fclose(file);
}
END_TEST

START_TEST(not_a_descriptor)
{
    struct ask ask = {0};

    ck_assert_int_eq(receive(&ask, -1), CG_DONE);
    ck_assert_int_eq(ask.result, -EBADF);
    ck_assert_int_eq(receive(&ask, 900), CG_DONE);
    ck_assert_int_eq(ask.result, -EBADF);
    ck_assert_int_eq(poll_for(&ask, 900, CG_IN), CG_DONE);
    ck_assert_int_eq(ask.result, -EBADF);
}
END_TEST

/* ---- Waiting ---- */

static void *wake_soon(void *arg)
{
    (void)arg;
    usleep(20000);
    for (int i = 0; i < 1000; i++)
        reactor->type->wake(reactor);
    return NULL;
}

/* A thread wakes a wait without limit; wakes before a wait are remembered, as one. */
START_TEST(wake)
{
    pthread_t thread;
    int64_t begun = cg__clock(NULL);

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, wake_soon, NULL), 0);
        turn(CG_NEVER);
        pthread_join(thread, NULL);
        turn(0);
    }
    reactor->type->wake(reactor);
    reactor->type->wake(reactor);
    turn(CG_NEVER);
    ck_assert_int_lt(cg__clock(NULL) - begun, 5 * CG_SECOND);
    begun = cg__clock(NULL);
    turn(30 * CG_MILLISECOND);
    ck_assert_int_ge(cg__clock(NULL) - begun, 29 * CG_MILLISECOND);
    begun = cg__clock(NULL);
    turn(0);
    ck_assert_int_lt(cg__clock(NULL) - begun, 20 * CG_MILLISECOND);
}
END_TEST

static void nothing(int number)
{
    (void)number;
}

static void wake_from_handler(int number)
{
    (void)number;
    reactor->type->wake(reactor);
}

/* A signal ends a wait early and is no error; a handler may wake. */
START_TEST(signals)
{
    struct sigaction act = {.sa_handler = nothing};
    struct ask ask = {0};
    int ends[2];

    connected_pair(UNIX, ends);
    ck_assert_int_eq(receive(&ask, ends[1]), CG_PENDING);
    sigaction(SIGALRM, &act, NULL);
    ualarm(20000, 20000);
    for (int i = 0; i < 3; i++)
        turn(50 * CG_MILLISECOND);
    ck_assert_int_eq(ask.completed, 0);
    act.sa_handler = wake_from_handler;
    sigaction(SIGALRM, &act, NULL);
    turn(CG_NEVER);
    ualarm(0, 0);
    put(ends[0], "x");
    ck_assert_int_eq(finish(&ask), 1);
    shut(ends[1]);
    close(ends[0]);
}
END_TEST

/* ---- Many ---- */

enum { MANY = 1000 }; /* pairs: 2,000 descriptors */

/* On select up to its limit, and from there on a clear error. */
START_TEST(thousands)
{
    static struct ask asks[MANY];
    static int pairs[MANY][2];
    int limit = strcmp(name, "select") ? 1 << 30 : 1024;

    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
        attach(pairs[i][1]);
        receive(&asks[i], pairs[i][1]);
        if (pairs[i][1] < limit) {
            ck_assert_int_eq(asks[i].io.state, CG_IO_PENDING);
        } else {
            ck_assert_int_eq(asks[i].completed, 1);
            ck_assert_int_eq(asks[i].result, -EMFILE);
        }
    }
    for (int i = 0; i < MANY; i += 3) /* some leave again */
        if (!asks[i].completed)
            cancel(&asks[i]);
    for (int i = 0; i < MANY; i++)
        put(pairs[i][0], "x");
    for (int i = 0; i < MANY; i++) {
        if (pairs[i][1] < limit && i % 3)
            ck_assert_int_eq(finish(&asks[i]), 1);
        else if (pairs[i][1] < limit)
            ck_assert_int_eq(asks[i].completed, 0);
    }
    for (int i = 0; i < MANY; i++) {
        shut(pairs[i][1]);
        close(pairs[i][0]);
    }
    ck_assert_uint_eq(reactor->chunks_out, 0);
    ck_assert_uint_le(reactor->chunks_free, 256);
}
END_TEST

/* ---- The table ---- */

START_TEST(table)
{
    struct cg_reactor_info list[16];
    size_t n = cg_reactor_list(list, 16);
    struct cg_reactor *other;
    bool found = false;

    for (size_t i = 0; i < n; i++)
        if (!strcmp(list[i].name, name)) {
            ck_assert_ptr_null(list[i].why);
            found = true;
        }
    ck_assert(found);
    ck_assert_str_eq(cg_reactor_name(reactor), name);
    ck_assert_uint_eq(cg_reactor_list(NULL, 0), n);
    setenv("COGEN_REACTOR", name, 1);
    ck_assert_int_eq(cg_reactor_open(NULL, &other), 0);
    ck_assert_str_eq(cg_reactor_name(other), name);
    cg_reactor_close(other);
    setenv("COGEN_REACTOR", "perpetual", 1);
    ck_assert_int_eq(cg_reactor_open(NULL, &other), -ENOENT);
    ck_assert_ptr_null(other);
    unsetenv("COGEN_REACTOR");
    ck_assert_int_eq(cg_reactor_open("perpetual", &other), -ENOENT);
    ck_assert_int_eq(cg_reactor_open(NULL, &other), 0);
    cg_reactor_close(other);
    cg_reactor_close(NULL);
}
END_TEST

/* ---- Running ---- */

static void set_up(void)
{
    ck_assert_int_eq(cg_reactor_open(name, &reactor), 0);
}

static void tear_down(void)
{
    ck_assert_uint_eq(reactor->chunks_out, 0);
    cg_reactor_close(reactor);
}

static Suite *suite(void)
{
    Suite *suite = suite_create(name);
    TCase *streams = tcase_create("streams"), *others = tcase_create("others");
    const TTest *over_both[] = {data,        end,       end_after_short_read, cancelled,
                                full_duplex, gathered,  peer_gone,            number_reused,
                                files};
    const TTest *once[] = {reset,         short_of_urgent,   short_of_descriptors,
                           connections,   connect_cancelled, error_taken,
                           unix_backlog,  out_of_descriptors, pipes,
                           pipe_end,      polls,             regular_file,
                           not_a_descriptor, wake,           signals,
                           thousands,     table};

    tcase_add_checked_fixture(streams, set_up, tear_down);
    tcase_add_checked_fixture(others, set_up, tear_down);
    for (size_t i = 0; i < sizeof over_both / sizeof over_both[0]; i++)
        tcase_add_loop_test(streams, over_both[i], UNIX, INET + 1);
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
        tcase_add_test(others, once[i]);
    tcase_set_timeout(others, 20);
    suite_add_tcase(suite, streams);
    suite_add_tcase(suite, others);
    return suite;
}

/* Named in $COGEN_TEST_REACTORS, or there is no such variable. */
static bool chosen(const char *reactor_name)
{
    const char *list = getenv("COGEN_TEST_REACTORS");
    size_t size;

    if (!list)
        return true;
    for (; *list; list += size + (list[size] == ',')) {
        size = strcspn(list, ",");
        if (size == strlen(reactor_name) && !strncmp(list, reactor_name, size))
            return true;
    }
    return false;
}

int main(void)
{
    static const char *const names[] = {"epoll", "kqueue", "poll", "select", "libevent"};
    struct cg_reactor *probe;
    int failed = 0, error;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!chosen(names[i]))
            continue;
        name = names[i];
        if ((error = cg_reactor_open(name, &probe))) {
            printf("SKIP %s: %s\n", name, strerror(-error));
            continue;
        }
        cg_reactor_close(probe);
        SRunner *runner = srunner_create(suite());
        srunner_run_all(runner, CK_NORMAL);
        failed += srunner_ntests_failed(runner);
        srunner_free(runner);
    }
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
