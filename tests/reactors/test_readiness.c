/* SPDX-License-Identifier: MIT */
/* The readiness backends: streams. Each case runs over TCP and over UNIX sockets. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/reactors/drive.h"

/* Data that come later complete a waiting receive. Data that are there need no wait. */
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
    put(ends[0], "0123456789abcdef"); /* into the caller's buffer, which may be filled */
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

/* At the end of the stream every receive completes with 0, also when data and end come as
 * one edge. */
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

/* The end comes while data are being received: the second edge must not be lost. */
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

/* A cancelled receive consumes nothing and does not complete. */
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

/* A receive and a send wait on one descriptor, and complete independently. A second request
 * for either direction is refused. */
START_TEST(full_duplex)
{
    static char block[1 << 20];
    struct ask in = {0}, out = {0}, more = {0};
    ssize_t got = 0, sent = 0, n;
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
    for (; !out.completed; turn(CG_MILLISECOND))
        while ((n = read(ends[0], block, sizeof block)) > 0)
            got += n;
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

/* Megabytes in one direction, with gather writes that wait at times: no byte is lost. */
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

/* Sending to a closed peer is an error and raises no SIGPIPE, not from sendfile either. */
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
    ck_assert_int_eq(ask.result, 0); /* the file has no more bytes */
    close(ends[0]);
    for (int i = 0; i < 2; i++) { /* unread data were lost: maybe a reset first */
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

/* A large file, whose sending waits, and one that sendfile may refuse. */
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
    for (int64_t last = cg__calls_clock(NULL) + CG_SECOND;
         got < sent && cg__calls_clock(NULL) < last;)
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

/* A descriptor is forgotten and closed, and a new one gets its number. It gets no event of
 * the old one, not even one that was fetched in the same wait. */
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

    late = (struct ask){0};
    /* One pair before the victim and one after it, so that both orders are tried. */
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

/* Who waits for input gets no event for the room that a new connection has. Who waits for room
 * later is told of it, and of input as before. */
START_TEST(room)
{
    struct ask in = {0}, out = {0};
    struct pollfd events = {.fd = reactor->fd, .events = POLLIN};
    int ends[2];

    connected_pair(_i, ends);
    ck_assert_int_eq(receive(&in, ends[1]), CG_PENDING);
    if (strcmp(name, "epoll") == 0)
        ck_assert_int_eq(poll(&events, 1, 0), 0);
    fill(&out, ends[1]);
    quiet(&in);
    while (!out.completed) {
        empty(ends[0]);
        turn(0);
    }
    ck_assert_int_gt(out.result, 0);
    put(ends[0], "x");
    ck_assert_int_eq(finish(&in), 1);
    close(ends[0]);
    shut(ends[1]);
}
END_TEST

void stream_cases(TCase *tests)
{
    const TTest *const cases[] = {data, end, end_after_short_read, cancelled, room,
                                  full_duplex, gathered, peer_gone, files,
                                  number_reused};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        tcase_add_loop_test(tests, cases[i], UNIX, INET + 1);
}
