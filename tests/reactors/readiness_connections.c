/* SPDX-License-Identifier: MIT */
/* The readiness backends: connections that are made or refused, and those that have to
 * wait. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/reactors/drive.h"

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
    /* A second connect is an error, although Linux reports it only from the third on. */
    link_to(&link, client, &addr, sizeof addr);
    finish(&link);
    link_to(&link, client, &addr, sizeof addr);
    ck_assert_int_eq(finish(&link), -EISCONN);
    receive(&in, accept.result);
    transmit(&link, client, "hello", 5);
    ck_assert_int_eq(finish(&link), 5);
    ck_assert_int_eq(finish(&in), 5);
    shut(accept.result);
    shut(client);
    /* No socket listens there any more. */
    shut(fd);
    client = new_socket(AF_INET);
    link_to(&link, client, &addr, sizeof addr);
    ck_assert_int_eq(finish(&link), -ECONNREFUSED);
    shut(client);
}
END_TEST

/* The connect fails although the program has already read the socket's error (SO_ERROR). */
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

/* A connect to an address that does not respond stays pending, and can be cancelled. */
START_TEST(connect_cancelled)
{
    struct ask link[3] = {0};
    struct sockaddr_in addr;
    int fd = listener(&addr), client[3];

    listen(fd, 0); /* the first connection is queued; the next ones get no response */
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

/* A connect to a UNIX listener with a full backlog fails with EAGAIN while poll reports the
 * socket writable. The connect waits without spinning, and completes when there is room. */
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
    for (begun = cg__calls_clock(NULL);
         cg__calls_clock(NULL) < begun + 50 * CG_MILLISECOND; turns++)
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

/* With no descriptor left an accept fails with that error. The next accept waits for a
 * pause, without spinning, and other requests go on. It accepts once descriptors are
 * available. */
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
    ck_assert_int_eq(finish(&accept), -EMFILE);
    ck_assert_int_eq(start(&accept, CG_IO_ACCEPT, fd), CG_PENDING);
    for (begun = cg__calls_clock(NULL);
         cg__calls_clock(NULL) < begun + 250 * CG_MILLISECOND; turns++) {
        if (accept.completed)
            ck_assert_int_eq(start(&accept, CG_IO_ACCEPT, fd), CG_PENDING);
        turn(250 * CG_MILLISECOND);
    }
    ck_assert_int_le(turns, 8);
    setrlimit(RLIMIT_NOFILE, &limit);
    while (finish(&accept) == -EMFILE)
        ck_assert_int_eq(start(&accept, CG_IO_ACCEPT, fd), CG_PENDING);
    ck_assert_int_ge(accept.result, 0);
    shut(accept.result);
    shut(fd);
    shut(ends[1]);
    close(ends[0]);
    close(client);
}
END_TEST

void connection_cases(TCase *tests)
{
    const TTest *const cases[] = {connections, error_taken, connect_cancelled,
                                  unix_backlog, out_of_descriptors};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        tcase_add_test(tests, cases[i]);
}
