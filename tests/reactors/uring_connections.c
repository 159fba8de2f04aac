/* SPDX-License-Identifier: MIT */
/* Connections with io_uring: accept and connect, and what they wait for. */
#include "config.h"

#include "tests/reactors/uring_asked.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

START_TEST(accept_and_connect)
{
    struct sockaddr_in addr;
    int listener = listening(&addr);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct asked a = ASK(CG_IO_ACCEPT, listener);
    struct asked c = ASK(CG_IO_CONNECT, client, .addr = (struct sockaddr *)&addr,
                         .addrlen = sizeof addr);

    submit(&a);
    turn(0);
    cancel(&a);
    ck_assert_int_eq(a.last, -ECANCELED);
    submit(&a);
    submit(&c);
    await_idle(&a);
    await_idle(&c);
    ck_assert_int_eq(c.last, 0);
    OK(a.last);
    ck_assert_int_eq(fcntl((int)a.last, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(fcntl((int)a.last, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    shut((int)a.last);
    shut(client);
    shut(listener);
    c.io.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    submit(&c);
    await_idle(&c);
    ck_assert_int_eq(c.last, -ECONNREFUSED);
    shut(c.io.fd);
}
END_TEST

/* A connect to a UNIX socket whose backlog is full waits until there is room. */
START_TEST(connect_waits_for_backlog)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    socklen_t size = sizeof addr.sun_family;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), n;
    struct asked c[8];

    OK(bind(listener, (struct sockaddr *)&addr, size)); /* the kernel chooses a name */
    size = sizeof addr;
    OK(getsockname(listener, (struct sockaddr *)&addr, &size));
    OK(listen(listener, 1));
    for (int i = 0; i < 8; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        c[i] = (struct asked)ASK(CG_IO_CONNECT, fd, .addr = (struct sockaddr *)&addr,
                                 .addrlen = size);
        submit(&c[i]);
    }
    turns_in(50 * CG_MILLISECOND);
    n = 0;
    for (int i = 0; i < 8; i++)
        n += c[i].answers > 0;
    ck_assert_int_lt(n, 8);
    ck_assert_int_ne(c[7].answers, 1);
    cancel(&c[7]);
    ck_assert_int_eq(c[7].last, -ECANCELED);
    for (n = 0; n < 7; n++) {
        struct asked a = ASK(CG_IO_ACCEPT, listener);
        submit(&a);
        await(&a, 1);
        OK(a.last);
        shut((int)a.last);
    }
    for (int i = 0; i < 8; i++) {
        await_idle(&c[i]);
        ck_assert_int_eq(c[i].last, i < 7 ? 0 : -ECANCELED);
        shut(c[i].io.fd);
    }
    shut(listener);
}
END_TEST

/* With no descriptor left an accept fails. The next accept waits for a pause, without
 * spinning, and can be cancelled. */
START_TEST(accept_survives_emfile)
{
    struct sockaddr_in addr;
    struct rlimit limit, before;
    int listener = listening(&addr), client, spare;

    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    OK(connect(client, (struct sockaddr *)&addr, sizeof addr));
    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    spare = dup(client);
    limit.rlim_cur = (rlim_t)spare + 1;
    OK(setrlimit(RLIMIT_NOFILE, &limit));
    struct asked a = ASK(CG_IO_ACCEPT, listener);
    for (unsigned i = 1; i <= 2; i++) {
        submit(&a);
        await(&a, i);
        ck_assert_int_eq(a.last, -EMFILE);
    }
    submit(&a);
    ck_assert_int_le(turns_in(50 * CG_MILLISECOND), 200);
    cancel(&a);
    submit(&a);
    turn(0);
    close(spare);
    await_idle(&a);
    if (a.last == -EMFILE) {
        submit(&a);
        await_idle(&a);
    }
    OK(a.last);
    setrlimit(RLIMIT_NOFILE, &before);
    shut((int)a.last);
    shut(client);
    shut(listener);
}
END_TEST

void connection_cases(TCase *tests)
{
    tcase_add_test(tests, accept_and_connect);
    tcase_add_test(tests, connect_waits_for_backlog);
    tcase_add_test(tests, accept_survives_emfile);
}
