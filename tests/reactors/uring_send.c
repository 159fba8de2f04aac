/* SPDX-License-Identifier: MIT */
/* Sending with io_uring: waiting for room, short sends, files. */
#include "config.h"

#include "tests/reactors/uring_asked.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A send waits for room, may be short, can be cancelled, and raises no signal. */
START_TEST(send_waits)
{
    static char big[1 << 20];
    int fd[2];

    pair(fd);
    struct asked a = ASK(CG_IO_SEND, fd[0], .buf = big, .len = sizeof big);
    submit_any(&a);
    await(&a, 1);
    ck_assert_int_gt(a.last, 0);
    while (send(fd[0], big, sizeof big, MSG_DONTWAIT) > 0)
        ;
    submit(&a);
    turn(5 * CG_MILLISECOND);
    ck_assert_uint_eq(a.answers, 1);
    cancel(&a);
    ck_assert_int_eq(a.last, -ECANCELED);
    struct iovec parts[2] = {{big, 10}, {big, 20}};
    struct asked b = ASK(CG_IO_SENDV, fd[0], .iov = parts, .iovcnt = 2);
    submit(&b);
    turn(0);
    while (recv(fd[1], big, sizeof big, MSG_DONTWAIT) > 0)
        ;
    await(&b, 1);
    ck_assert_int_eq(b.last, 30);
    shut(fd[1]);
    submit_any(&a);
    submit(&b);
    await_idle(&a);
    await_idle(&b);
    ck_assert_int_eq(a.last, -EPIPE);
    ck_assert_int_eq(b.last, -EPIPE);
    shut(fd[0]);
}
END_TEST

/* Many bytes are sent at once, as one part or as several; few wait for the next enter, which
 * sends them without a system call of their own. */
START_TEST(many_bytes_at_once)
{
    static char buf[4096];
    struct iovec parts[2] = {{buf, 64}, {buf, 2048}};
    int fd[2];

    pair(fd);
    struct asked few[] = {
        ASK(CG_IO_SEND, fd[0], .buf = buf, .len = 64),
        ASK(CG_IO_SENDV, fd[0], .iov = parts, .iovcnt = 1),
    };
    struct asked many[] = {
        ASK(CG_IO_SEND, fd[0], .buf = buf, .len = 2112),
        ASK(CG_IO_SENDV, fd[0], .iov = parts, .iovcnt = 2),
    };
    for (size_t i = 0; i < COUNT(few); i++) {
        submit(&few[i]);
        ck_assert_int_eq(recv(fd[1], buf, sizeof buf, MSG_DONTWAIT), -1);
        await(&few[i], 1);
        ck_assert_int_eq(few[i].last, 64);
        ck_assert_int_eq(recv(fd[1], buf, sizeof buf, MSG_DONTWAIT), 64);
        submit_any(&many[i]);
        ck_assert_uint_eq(many[i].answers, 1);
        ck_assert_int_eq(many[i].last, 2112);
        ck_assert_int_eq(recv(fd[1], buf, sizeof buf, MSG_DONTWAIT), 2112);
    }
    shut(fd[0]);
    shut(fd[1]);
}
END_TEST

/* A send to a pipe waits for room, may be short, and can be cancelled. */
START_TEST(send_to_pipe)
{
    static char big[1 << 20];
    struct iovec parts[2] = {{"spam", 4}, {"eggs", 4}};
    int fd[2];
    char got[9] = "";

    OK(pipe2(fd, O_NONBLOCK | O_CLOEXEC));
    struct asked a = ASK(CG_IO_SENDV, fd[1], .iov = parts, .iovcnt = 2);
    struct asked b = ASK(CG_IO_SEND, fd[1], .buf = big, .len = sizeof big);
    submit_any(&a);
    await(&a, 1);
    ck_assert_int_eq(a.last, 8);
    ck_assert_int_eq(read(fd[0], got, 8), 8);
    ck_assert_str_eq(got, "spameggs");
    submit_any(&b);
    await(&b, 1);
    ck_assert_int_gt(b.last, 0);
    submit_any(&b);
    turn(0);
    turn(5 * CG_MILLISECOND);
    ck_assert_uint_eq(b.answers, 1);
    cancel(&b);
    ck_assert_int_eq(b.last, -ECANCELED);
    shut(fd[0]);
    submit_any(&b);
    await_idle(&b);
    ck_assert_int_eq(b.last, -EPIPE);
    shut(fd[1]);
    OK(pipe2(fd, O_NONBLOCK | O_CLOEXEC));
    for (unsigned i = 1; i <= 2; i++) { /* the wrong end is never ready */
        struct asked c = ASK(CG_IO_SEND, fd[0], .buf = big, .len = 1);
        submit_any(&c);
        await(&c, 1);
        ck_assert_int_eq(c.last, -EBADF);
    }
    struct asked d = ASK(CG_IO_SENDFILE, fd[0], .file = fd[1], .count = 1);
    submit_any(&d);
    await(&d, 1);
    ck_assert_int_eq(d.last, -EBADF);
    shut(fd[0]);
    shut(fd[1]);
}
END_TEST

START_TEST(sendfile_waits)
{
    static char buf[1 << 20];
    char name[] = "/tmp/cogen-test-XXXXXX";
    int fd[2], file = mkstemp(name);
    size_t sent = 0, got = 0;
    ssize_t n;

    unlink(name);
    pair(fd);
    test_fill(buf, sizeof buf, 0);
    ck_assert_int_eq(write(file, buf, sizeof buf), sizeof buf);
    struct asked a = ASK(CG_IO_SENDFILE, fd[0], .file = file, .count = sizeof buf);
    while (got < sizeof buf) {
        unsigned before = a.answers;
        if (a.io.state == CG_IO_IDLE && sent < sizeof buf) {
            a.io.offset = (int64_t)sent;
            submit_any(&a);
        }
        turn(CG_MILLISECOND);
        if (a.answers > before) {
            ck_assert_int_gt(a.last, 0);
            sent += (size_t)a.last;
        } else if ((n = recv(fd[1], buf, sizeof buf, MSG_DONTWAIT)) > 0) {
            test_verify(buf, (size_t)n, got);
            got += (size_t)n;
        }
    }
    a.io.offset = sizeof buf;
    submit_any(&a);
    await_idle(&a);
    ck_assert_int_eq(a.last, 0);
    while (send(fd[0], buf, sizeof buf, MSG_DONTWAIT) > 0)
        ;
    a.io.offset = 0;
    submit_any(&a);
    turn(0);
    cancel(&a);
    ck_assert_int_eq(a.last, -ECANCELED);
    shut(file);
    shut(fd[0]);
    shut(fd[1]);
}
END_TEST

/* The kernel also completes a poll for room when the peer has shut down its side. A send
 * that waits for room must not spin then, and must still complete. */
START_TEST(room_with_a_peer_half_closed)
{
    static char buf[1 << 20];
    struct iovec part = {buf, sizeof buf};
    char name[] = "/tmp/cogen-test-XXXXXX";
    int fd[2], file = mkstemp(name);

    unlink(name);
    ck_assert_int_eq(write(file, buf, 100), 100);
    pair(fd);
    shutdown(fd[1], SHUT_WR);
    struct asked all[] = {
        ASK(CG_IO_SEND, fd[0], .buf = buf, .len = sizeof buf),
        ASK(CG_IO_SENDV, fd[0], .iov = &part, .iovcnt = 1),
        ASK(CG_IO_SENDFILE, fd[0], .file = file, .count = 100),
        ASK(CG_IO_POLL, fd[0], .events = CG_OUT),
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        while (send(fd[0], buf, sizeof buf, MSG_DONTWAIT) > 0)
            ;
        submit(&all[i]);
        ck_assert_int_le(turns_in(20 * CG_MILLISECOND), 50);
        ck_assert_uint_eq(all[i].answers, 0);
        cancel(&all[i]);
        ck_assert_int_eq(all[i].last, -ECANCELED);
        submit(&all[i]);
        turn(0);
        turn(0);
        while (recv(fd[1], buf, sizeof buf, MSG_DONTWAIT) > 0)
            ;
        await(&all[i], 2);
        ck_assert_int_gt(all[i].last, 0);
    }
    shut(fd[0]);
    shut(fd[1]);
    shut(file);
}
END_TEST

void send_cases(TCase *tests)
{
    tcase_add_test(tests, send_waits);
    tcase_add_test(tests, many_bytes_at_once);
    tcase_add_test(tests, send_to_pipe);
    tcase_add_test(tests, sendfile_waits);
    tcase_add_test(tests, room_with_a_peer_half_closed);
}
