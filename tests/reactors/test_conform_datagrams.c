/* SPDX-License-Identifier: MIT */
/* Conformance: the requests for datagrams, made of a reactor directly. */
#include "config.h"

#include "tests/support/support.h"

#include <cogen/datagram.h>
#include <cogen/reactor.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

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

static const struct test_case cases[] = {
    PLAIN(cancelled),
    PLAIN(several),
    PLAIN(wrong_descriptors),
};

int main(void)
{
    return test_main("conform_datagrams", cases, COUNT(cases));
}
