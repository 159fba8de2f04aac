/* SPDX-License-Identifier: MIT */
/* The readiness backends: streams whose reads return less than is available, and streams
 * that break. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reactors/readiness/event.h"
#include "tests/reactors/drive.h"

/* A reset completes a waiting receive. */
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

/* A read returns less than is available at urgent data, and on a UNIX socket where
 * descriptors were passed. The kernel reports no further edge then, but the rest is
 * received, too. */
START_TEST(short_of_urgent)
{
    struct ask ask = {0};
    char got[8] = "";
    int ends[2];

    connected_pair(INET, ends);
    for (int round = 0; round < 2; round++) { /* in round 1 it has been waited for */
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

/* Pipes are streams as well. A write to a broken pipe raises no SIGPIPE, and a SIGPIPE that
 * the program has pending itself stays pending. */
START_TEST(pipes)
{
    struct ask in = {0}, out = {0};
    int ends[2], number;
    sigset_t set;

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
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGPIPE);
    transmit(&out, ends[1], "x", 1);
    ck_assert_int_eq(finish(&out), -EPIPE);
    ck_assert_int_eq(sigwait(&set, &number), 0); /* else the test hangs */
    ck_assert_int_eq(sigpending(&set), 0);
    ck_assert_int_eq(sigismember(&set, SIGPIPE), 0);
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

/* A descriptor that can no longer be watched */

static struct {
    const struct cg__watcher *watcher;
    struct cg__fd *record;
    unsigned watched;
    int ends[2];
    struct ask in, out, later;
} unwatched;

static int refuse(struct cg__readiness *r, struct cg__fd *d, unsigned events)
{
    (void)r;
    (void)d;
    (void)events;
    return -ENOMEM;
}

/* Closes the descriptor and opens another one with the same number. */
static void take_its_place(struct cg_io *io, ssize_t result)
{
    int number = unwatched.ends[1];

    completed(io, result);
    ((struct cg__readiness *)reactor)->watcher = unwatched.watcher;
    unwatched.record->watched = unwatched.watched;
    cancel(&unwatched.out);
    shut(number);
    close(unwatched.ends[0]);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, unwatched.ends), 0);
    if (unwatched.ends[0] == number) {
        unwatched.ends[0] = unwatched.ends[1];
        unwatched.ends[1] = number;
    }
    ck_assert_int_eq(unwatched.ends[1], number);
    attach(number);
    fill(&unwatched.later, number);
}

/* The requests of the descriptor complete with the error. Those of a new descriptor with
 * the same number do not. */
START_TEST(cannot_be_watched)
{
    struct cg__readiness *r = (struct cg__readiness *)reactor;
    struct cg__watcher refusing = *r->watcher;

    memset(&unwatched, 0, sizeof unwatched);
    connected_pair(UNIX, unwatched.ends);
    ck_assert_int_eq(receive(&unwatched.in, unwatched.ends[1]), CG_PENDING);
    fill(&unwatched.out, unwatched.ends[1]);
    unwatched.in.io.complete = take_its_place;
    unwatched.record = cg__readiness_find(r, unwatched.ends[1]);
    unwatched.watched = unwatched.record->watched;
    unwatched.watcher = r->watcher;
    /* as after an event in a backend that reports each event once */
    refusing.watch = refuse;
    r->watcher = &refusing;
    unwatched.record->watched = 0;
    cg__readiness_event_in_vain(r, unwatched.record);
    ck_assert_ptr_eq(r->watcher, unwatched.watcher);
    ck_assert_int_eq(unwatched.in.result, -ENOMEM);
    ck_assert_int_eq(unwatched.out.completed, 0);
    quiet(&unwatched.later);
    ck_assert_int_eq(unwatched.later.completed, 0);
    cancel(&unwatched.later);
    shut(unwatched.ends[1]);
    close(unwatched.ends[0]);
}
END_TEST

/* The owner of a polled descriptor has closed it without a word, and its number belongs to
 * another file when it is polled for something else. */
START_TEST(polled_number_reused)
{
    struct ask in = {0}, out = {0}, write = {0};
    int old[2], ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, old), 0);
    connected_pair(UNIX, ends);
    fill(&write, ends[1]);
    cancel(&write);
    ck_assert_int_eq(poll_for(&in, old[1], CG_IN), CG_PENDING);
    ck_assert_int_eq(dup2(ends[1], old[1]), old[1]);
    ck_assert_int_eq(poll_for(&out, old[1], CG_OUT), CG_PENDING);
    empty(ends[0]);
    ck_assert_int_eq(finish(&out), CG_OUT);
    cancel(&in);
    close(old[0]);
    close(old[1]);
    close(ends[0]);
    shut(ends[1]);
}
END_TEST

void broken_cases(TCase *tests)
{
    const TTest *const cases[] = {reset, short_of_urgent, short_of_descriptors, pipes,
                                  pipe_end, cannot_be_watched, polled_number_reused};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        tcase_add_test(tests, cases[i]);
}
