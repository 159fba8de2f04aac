/* SPDX-License-Identifier: MIT */
/* Conformance: the requests for datagrams, made of a reactor directly. */
#include "config.h"

#include "tests/support/support.h"

#include <cogen/datagram.h>
#include <cogen/reactor.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { MANY = 20 };

struct request {
    struct cg_io io;
    ssize_t result;
    int completed;
};

static void completed(struct cg_io *io, ssize_t result)
{
    struct request *request = io->owner;

    request->result = result;
    request->completed++;
}

static enum cg_verdict submit(struct cg_reactor *reactor, struct request *request)
{
    enum cg_verdict verdict;

    request->io.complete = completed;
    request->io.owner = request;
    request->completed = 0;
    verdict = cg_reactor_submit(reactor, &request->io);
    if (verdict == CG_DONE)
        completed(&request->io, request->io.result);
    return verdict;
}

static ssize_t finish(struct cg_reactor *reactor, struct request *request)
{
    while (request->completed == 0)
        OK(reactor->type->wait(reactor, CG_SECOND));
    ck_assert_int_eq(request->completed, 1);
    ck_assert_int_eq(request->io.state, CG_IO_IDLE);
    return request->result;
}

static ssize_t call(struct cg_reactor *reactor, struct cg_io io)
{
    IS(cg_reactor_submit(reactor, &io), CG_DONE);
    return io.result;
}

#define CALL(reactor, ...) call(reactor, (struct cg_io){__VA_ARGS__})

/* Opens a socket on 127.0.0.1, and another one whose peer is the first. */
static void open_ends(struct cg_reactor *reactor, int ends[2])
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

    for (int i = 0; i < 2; i++)
        ends[i] = (int)OK(CALL(reactor, .code = CG_IO_SOCKET, .domain = AF_INET,
                               .type = SOCK_DGRAM, .fd = -1));
    IS(CALL(reactor, .code = CG_IO_BIND, .fd = ends[0], .addr = (struct sockaddr *)&in,
            .addrlen = sizeof in),
       0);
    OK(CALL(reactor, .code = CG_IO_SOCKNAME, .fd = ends[0], .value = &in, .size = sizeof in));
    IS(CALL(reactor, .code = CG_IO_SET_PEER, .fd = ends[1], .addr = (struct sockaddr *)&in,
            .addrlen = sizeof in),
       0);
}

static void close_ends(struct cg_reactor *reactor, const int ends[2])
{
    for (int i = 0; i < 2; i++) {
        reactor->type->forget(reactor, ends[i]);
        IS(CALL(reactor, .code = CG_IO_CLOSE, .fd = ends[i]), 0);
    }
}

static struct request request(uint8_t code, int fd, struct cg_datagram *list, size_t most)
{
    struct request made = {.io = {.code = code, .fd = fd}};

    made.io.datagrams = list;
    made.io.most = most;
    return made;
}

static void send_text(struct cg_reactor *reactor, int fd, const char *text)
{
    struct cg_datagram one = {.buf = (void *)text, .len = strlen(text)};
    struct request send = request(CG_IO_SEND_DATAGRAMS, fd, &one, 1);

    submit(reactor, &send);
    IS(finish(reactor, &send), 1);
}

/* A request that is cancelled has received nothing, however late the cancel comes: the next
 * one receives the datagram. */
static void cancelled(void)
{
    struct test test = test_open();
    char buf[8];
    struct cg_datagram one = {.buf = buf, .size = sizeof buf};
    int ends[2];
    struct request receive;

    open_ends(test.reactor, ends);
    for (int when = 0; when < 3; when++) {
        receive = request(CG_IO_RECV_DATAGRAMS, ends[0], &one, 1);
        IS(submit(test.reactor, &receive), CG_PENDING);
        if (when == 1)
            OK(test.reactor->type->wait(test.reactor, 0));
        if (when > 0)
            send_text(test.reactor, ends[1], "late");
        if (receive.completed == 0) {
            if (test.reactor->type->cancel(test.reactor, &receive.io) == CG_PENDING)
                IS(finish(test.reactor, &receive), -ECANCELED);
            if (when == 0)
                continue;
            receive = request(CG_IO_RECV_DATAGRAMS, ends[0], &one, 1);
            submit(test.reactor, &receive);
        }
        IS(finish(test.reactor, &receive), 1);
        ck_assert_uint_eq(one.len, 4);
    }
    close_ends(test.reactor, ends);
    test_close(&test);
}

/* A request for several datagrams moves at least one and at most as many as it asks for.
 * No datagram is lost. */
static void several(void)
{
    struct test test = test_open();
    char bufs[MANY][4];
    struct cg_datagram list[MANY];
    int ends[2];
    struct request move;
    ssize_t n;

    open_ends(test.reactor, ends);
    for (int i = 0; i < MANY; i++)
        list[i] = (struct cg_datagram){.buf = bufs[i], .len = (size_t)i % 4};
    for (ssize_t done = 0; done < MANY; done += n) {
        move = request(CG_IO_SEND_DATAGRAMS, ends[1], list + done, (size_t)(MANY - done));
        submit(test.reactor, &move);
        n = finish(test.reactor, &move);
        ck_assert(n > 0 && n <= MANY - done);
    }
    for (ssize_t done = 0; done < MANY; done += n) {
        for (int i = 0; i < MANY; i++)
            list[i] = (struct cg_datagram){.buf = bufs[i], .size = sizeof bufs[i]};
        move = request(CG_IO_RECV_DATAGRAMS, ends[0], list, 3);
        submit(test.reactor, &move);
        n = finish(test.reactor, &move);
        ck_assert(n > 0 && n <= 3);
    }
    close_ends(test.reactor, ends);
    test_close(&test);
}

/* Requests for datagrams fail on a descriptor that is not open. */
static void wrong_descriptors(void)
{
    struct test test = test_open();
    char buf[8];
    struct cg_datagram one = {.buf = buf, .size = sizeof buf};
    struct request receive = request(CG_IO_RECV_DATAGRAMS, 987654, &one, 1);

    submit(test.reactor, &receive);
    ck_assert_int_lt(finish(test.reactor, &receive), 0);
    IS(CALL(test.reactor, .code = CG_IO_SET_PEER, .fd = 987654), -EBADF);
    test_close(&test);
}

static ssize_t move(struct cg_reactor *reactor, enum cg_io_code code, int fd)
{
    char buf[8] = "hello";
    struct cg_datagram one = {.buf = buf, .len = 5, .size = sizeof buf};
    struct request move = request((uint8_t)code, fd, &one, 1);

    submit(reactor, &move);
    return finish(reactor, &move);
}

/* Waits until a socket has input, or an error. */
static void wait_for(struct cg_reactor *reactor, int fd, ssize_t event)
{
    struct request poll = {.io = {.code = CG_IO_POLL, .fd = fd, .events = CG_IN}};

    submit(reactor, &poll);
    while (!(OK(finish(reactor, &poll)) & event)) {
        OK(reactor->type->wait(reactor, CG_MILLISECOND));
        submit(reactor, &poll);
    }
}

/* A socket returns an error before the datagrams that have arrived earlier. */
static void refused(void)
{
    struct test test = test_open();
    struct cg_reactor *reactor = test.reactor;
    struct sockaddr_in in;
    int ends[2];

    open_ends(reactor, ends);
    OK(CALL(reactor, .code = CG_IO_SOCKNAME, .fd = ends[1], .value = &in, .size = sizeof in));
    IS(CALL(reactor, .code = CG_IO_SET_PEER, .fd = ends[0], .addr = (struct sockaddr *)&in,
            .addrlen = sizeof in),
       0);
    send_text(reactor, ends[0], "early");
    wait_for(reactor, ends[1], CG_IN);
    reactor->type->forget(reactor, ends[0]);
    IS(CALL(reactor, .code = CG_IO_CLOSE, .fd = ends[0]), 0);
    send_text(reactor, ends[1], "to nobody");
    wait_for(reactor, ends[1], CG_ERR);
    IS(move(reactor, CG_IO_RECV_DATAGRAMS, ends[1]), -ECONNREFUSED);
    IS(move(reactor, CG_IO_RECV_DATAGRAMS, ends[1]), 1);
    IS(CALL(reactor, .code = CG_IO_SHUTDOWN, .fd = ends[1], .how = SHUT_WR), 0);
    IS(move(reactor, CG_IO_SEND_DATAGRAMS, ends[1]), -EPIPE);
    reactor->type->forget(reactor, ends[1]);
    IS(CALL(reactor, .code = CG_IO_CLOSE, .fd = ends[1]), 0);
    test_close(&test);
}

static int bind_unix(struct cg_reactor *reactor, struct sockaddr_un *un)
{
    int fd = (int)OK(CALL(reactor, .code = CG_IO_SOCKET, .domain = AF_UNIX, .type = SOCK_DGRAM,
                          .fd = -1));

    IS(CALL(reactor, .code = CG_IO_BIND, .fd = fd, .addr = (struct sockaddr *)un,
            .addrlen = sizeof *un),
       0);
    return fd;
}

static void set_peer(struct cg_reactor *reactor, int fd, struct sockaddr_un *un)
{
    IS(CALL(reactor, .code = CG_IO_SET_PEER, .fd = fd, .addr = (struct sockaddr *)un,
            .addrlen = sizeof *un),
       0);
}

/* A UNIX socket loses a peer that is closed, even if its address is bound again; and cannot send
 * to one that has ended reading. */
static void lost_peer(void)
{
    struct test test = test_open();
    struct cg_reactor *reactor = test.reactor;
    struct sockaddr_un here = {.sun_family = AF_UNIX}, there = here;
    int ends[2];

    snprintf(here.sun_path + 1, 64, "cogen-here-%d", (int)getpid());
    snprintf(there.sun_path + 1, 64, "cogen-there-%d", (int)getpid());
    ends[0] = bind_unix(reactor, &there);
    ends[1] = bind_unix(reactor, &here);
    set_peer(reactor, ends[1], &there);
    IS(move(reactor, CG_IO_SEND_DATAGRAMS, ends[1]), 1);
    IS(CALL(reactor, .code = CG_IO_SHUTDOWN, .fd = ends[0], .how = SHUT_RD), 0);
    IS(move(reactor, CG_IO_SEND_DATAGRAMS, ends[1]), -EPIPE);
    reactor->type->forget(reactor, ends[0]);
    IS(CALL(reactor, .code = CG_IO_CLOSE, .fd = ends[0]), 0);
    ends[0] = bind_unix(reactor, &there);
    IS(move(reactor, CG_IO_SEND_DATAGRAMS, ends[1]), -ECONNREFUSED);
    IS(move(reactor, CG_IO_SEND_DATAGRAMS, ends[1]), -ENOTCONN);
    set_peer(reactor, ends[1], &there);
    IS(move(reactor, CG_IO_SEND_DATAGRAMS, ends[1]), 1);
    close_ends(reactor, ends);
    test_close(&test);
}

static const struct test_case cases[] = {
    PLAIN(cancelled),
    PLAIN(several),
    PLAIN(wrong_descriptors),
    PLAIN(refused),
    PLAIN(lost_peer),
};

int main(void)
{
    return test_main("conform_datagrams", cases, COUNT(cases));
}
