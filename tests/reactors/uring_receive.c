/* SPDX-License-Identifier: MIT */
/* Receiving with io_uring: armed receives, their cancels and races with data, and a
 * shortage of buffers. */
#include "config.h"

#include "tests/reactors/uring_asked.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* One submit receives until the end of the stream, 0, which leaves the request idle. */
START_TEST(recv_stays_armed)
{
    int fd[2];

    pair(fd);
    struct asked a = ASK(CG_IO_RECV, fd[0]);
    submit(&a);
    turn(0);
    ck_assert_uint_eq(a.answers, 0);
    put(fd[1], "spam");
    await(&a, 1);
    ck_assert_int_eq(a.io.state, CG_IO_PENDING);
    put(fd[1], "eggs");
    await(&a, 2);
    ck_assert_mem_eq(a.data, "spameggs", 8);
    shut(fd[1]);
    await_idle(&a);
    ck_assert_int_eq(a.last, 0);
    ck_assert_uint_eq(a.answers, 3);
    shut(fd[0]);
}
END_TEST

/* The end of a cancel is reported once, as -ECANCELED. Bytes that come later stay in the
 * socket. */
START_TEST(cancel_is_told_once)
{
    int fd[2];
    char byte;

    pair(fd);
    struct asked a = ASK(CG_IO_RECV, fd[0]);
    submit(&a);
    turn(0);
    ck_assert_int_eq(ring->type->cancel(ring, &a.io), CG_PENDING);
    ck_assert_int_eq(ring->type->cancel(ring, &a.io), CG_PENDING);
    await_idle(&a);
    ck_assert_uint_eq(a.answers, 1);
    ck_assert_int_eq(a.last, -ECANCELED);
    put(fd[1], "x");
    turn(0);
    turn(CG_MILLISECOND);
    ck_assert_uint_eq(a.answers, 1);
    ck_assert_int_eq(read(fd[0], &byte, 1), 1);
    shut(fd[0]);
    shut(fd[1]);
}
END_TEST

/* A request that is cancelled before the kernel has seen it is still tried once. */
START_TEST(cancel_right_after_submit)
{
    int fd[2], pipefd[2];

    pair(fd);
    OK(pipe2(pipefd, O_NONBLOCK | O_CLOEXEC));
    put(fd[1], "spam");
    put(pipefd[1], "eggs");
    struct asked a = ASK(CG_IO_RECV, fd[0]), b = ASK(CG_IO_RECV, pipefd[0]);
    submit(&a);
    submit(&b);
    cancel(&a);
    cancel(&b);
    ck_assert_mem_eq(a.data, "spam", 4);
    ck_assert_mem_eq(b.data, "eggs", 4);
    for (int i = 0; i < 2; i++) {
        shut(fd[i]);
        shut(pipefd[i]);
    }
}
END_TEST

static void *write_stream(void *arg)
{
    int fd = *(int *)arg;
    char buf[777];
    ssize_t n;

    for (size_t at = 0; at < 4 << 20; at += (size_t)n) {
        test_fill(buf, sizeof buf, at);
        if ((n = send(fd, buf, sizeof buf, 0)) < 0)
            return NULL;
    }
    shutdown(fd, SHUT_WR);
    return NULL;
}

/* Data arrive at any moment while a receive is being cancelled: no byte is lost or out of
 * order. */
START_TEST(cancel_races_with_data)
{
    int fd[2];
    unsigned rounds = 0;
    pthread_t writer;

    pair(fd);
    fcntl(fd[1], F_SETFL, 0);
    pthread_create(&writer, NULL, write_stream, &fd[1]);
    struct asked a = ASK(CG_IO_RECV, fd[0]);
    a.at = 0;
    for (a.last = 1; a.last != 0; rounds++) {
        submit(&a);
        for (unsigned turns = rounds % 3; turns > 0 && a.io.state; turns--)
            turn(rounds % 2 * CG_MILLISECOND);
        if (a.io.state == CG_IO_PENDING)
            cancel(&a);
        ck_assert(a.last >= 0 || a.last == -ECANCELED);
    }
    pthread_join(writer, NULL);
    ck_assert_uint_ge(a.size, 4 << 20);
    ck_assert_uint_gt(rounds, 10);
    shut(fd[0]);
    shut(fd[1]);
}
END_TEST

/* Thousands of receives that all have data share a few hundred buffers. All complete, stay
 * armed or are submitted again, and can all be cancelled at once. The queues overflow
 * meanwhile. */
START_TEST(many_receives_few_buffers)
{
    struct rlimit limit;
    int n = 5000;

    getrlimit(RLIMIT_NOFILE, &limit);
    if ((rlim_t)n > (limit.rlim_cur - 50) / 2)
        n = (int)(limit.rlim_cur - 50) / 2;
    struct asked *all = calloc((size_t)n, sizeof *all);
    int(*fd)[2] = calloc((size_t)n, sizeof *fd);

    for (int i = 0; i < n; i++) {
        pair(fd[i]);
        all[i] = (struct asked)ASK(CG_IO_RECV, fd[i][0]);
        submit(&all[i]);
    }
    turn(0);
    for (unsigned round = 1; round <= 2; round++) {
        for (int i = 0; i < n; i++)
            put(fd[i][1], "eggs");
        for (int i = 0; i < n; i++) {
            await(&all[i], round);
            ck_assert_int_eq(all[i].last, 4);
            if (all[i].io.state == CG_IO_IDLE)
                submit(&all[i]);
        }
    }
    for (int i = 0; i < n; i++)
        put(fd[i][1], "x");
    for (int i = 0; i < n; i += 2) /* there are fewer buffers than requests */
        ring->type->cancel(ring, &all[i].io);
    for (int i = 1; i < n; i += 2)
        await(&all[i], 3);
    for (int i = 0; i < n; i++) {
        cancel(&all[i]);
        ck_assert_uint_ge(all[i].size, i % 2 ? 9 : 8);
        shut(fd[i][0]);
        shut(fd[i][1]);
    }
    ck_assert_uint_le(ring->chunks_out, 256);
    free(all);
    free(fd);
}
END_TEST

/* Whether the first page of a chunk has memory. */
static bool resident(struct cg_chunk *chunk)
{
    unsigned char found = 0;

    OK(mincore(chunk, 1, &found));
    return found & 1;
}

static void ask_all(struct asked *all, int (*fd)[2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        pair(fd[i]);
        all[i] = (struct asked)ASK(CG_IO_RECV, fd[i][0]);
    }
}

static void end_all(struct asked *all, int (*fd)[2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        cancel(&all[i]);
        shut(fd[i][0]);
        shut(fd[i][1]);
    }
}

/* A burst: data have come for all receives before they are submitted. */
static void burst_begins(struct asked *all, int (*fd)[2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put(fd[i][1], "eggs");
        if (all[i].io.state == CG_IO_IDLE)
            submit(&all[i]);
    }
}

static void burst_ends(struct asked *all, size_t n, unsigned answers)
{
    for (size_t i = 0; i < n; i++) {
        await(&all[i], answers);
        if (i >= n / 2) {
            cancel(&all[i]);
            all[i].answers = answers;
        }
    }
    turn(0);
}

/* After a burst the ring holds no buffer, and none has memory, once the loop is idle. The
 * receives that are armed get what comes later. */
START_TEST(burst_leaves_no_buffers)
{
    enum { N = 600 };
    static struct asked all[N];
    int fd[N][2];

    ask_all(all, fd, N);
    for (unsigned round = 1; round <= 3; round++) {
        burst_begins(all, fd, N);
        burst_ends(all, N, round);
        ck_assert_uint_eq(ring->chunks_held, 256);
        ck_assert_uint_eq(ring->chunks_out, 256);
        cg__chunk_cool(ring);
        ck_assert_uint_eq(ring->chunks_held, 0);
        ck_assert_uint_eq(ring->chunks_out, 0);
        ck_assert_uint_eq(ring->chunks_cold, 256);
        for (size_t i = 0; i < ring->chunks_cold; i++)
            ck_assert(!resident(ring->cold[i]));
        turn(0);
        ck_assert_uint_eq(ring->chunks_out, 32);
    }
    for (int i = 0; i < N; i++) {
        ck_assert_uint_eq(all[i].size, 12);
        ck_assert_mem_eq(all[i].data, "eggseggseggs", 12);
    }
    end_all(all, fd, N);
}
END_TEST

/* Buffers whose completions wait in the queue stay where they are. */
START_TEST(filled_buffers_stay)
{
    enum { N = 100 };
    static struct asked all[N];
    int fd[N][2];
    size_t out;

    ask_all(all, fd, N);
    burst_begins(all, fd, N);
    burst_ends(all, N, 1);
    burst_begins(all, fd, N);
    turn(CG_SECOND); /* reaps the first completions only */
    out = ring->chunks_out;
    cg__chunk_cool(ring);
    ck_assert_uint_eq(ring->chunks_out, out);
    burst_ends(all, N, 2);
    for (int i = 0; i < N; i++)
        ck_assert_mem_eq(all[i].data, "eggseggs", 8);
    end_all(all, fd, N);
}
END_TEST

/* A thread of the kernel may be reading what is no socket into a buffer. */
START_TEST(buffers_of_plain_reads_stay)
{
    int pipefd[2];

    OK(pipe2(pipefd, O_NONBLOCK | O_CLOEXEC));
    struct asked a = ASK(CG_IO_RECV, pipefd[0]);
    submit(&a);
    put(pipefd[1], "eggs");
    await(&a, 1);
    turn(0);
    ck_assert_uint_eq(ring->chunks_out, 32);
    cg__chunk_cool(ring);
    ck_assert_uint_eq(ring->chunks_out, 32);
    shut(pipefd[0]);
    shut(pipefd[1]);
    cg__chunk_cool(ring);
    ck_assert_uint_eq(ring->chunks_out, 0);
}
END_TEST

/* Pipes and terminals can be read too. A socket may follow under the same number. */
START_TEST(recv_from_pipe_and_terminal)
{
    int pipefd[2], fd[2], master = posix_openpt(O_RDWR | O_NOCTTY), slave;

    OK(pipe2(pipefd, O_NONBLOCK | O_CLOEXEC));
    struct asked a = ASK(CG_IO_RECV, pipefd[0]);
    for (unsigned i = 1; i <= 2; i++) {
        submit(&a);
        turn(0);
        put(pipefd[1], "spam");
        await(&a, i);
        ck_assert_int_eq(a.io.state, CG_IO_IDLE);
    }
    ck_assert_mem_eq(a.data, "spamspam", 8);
    submit(&a);
    turn(0);
    cancel(&a);
    ck_assert_int_eq(a.last, -ECANCELED);
    submit(&a);
    turn(0);
    shut(pipefd[1]);
    await_idle(&a);
    ck_assert_int_eq(a.last, 0);
    shut(pipefd[0]);

    pair(fd);
    ck_assert(fd[0] == pipefd[0] || fd[1] == pipefd[0]);
    struct asked b = ASK(CG_IO_RECV, pipefd[0]);
    submit(&b);
    put(fd[0] == pipefd[0] ? fd[1] : fd[0], "ham");
    await(&b, 1);
    ck_assert_int_eq(b.io.state, CG_IO_PENDING);
    cancel(&b);
    shut(fd[0]);
    shut(fd[1]);

    grantpt(master);
    unlockpt(master);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK);
    ck_assert_int_ge(slave, 0);
    struct asked c = ASK(CG_IO_RECV, slave);
    submit(&c);
    turn(0);
    turn(5 * CG_MILLISECOND);
    ck_assert_uint_eq(c.answers, 0);
    put(master, "line\n");
    await(&c, 1);
    ck_assert_mem_eq(c.data, "line\n", 5);
    submit(&c);
    turn(0);
    turn(0);
    cancel(&c);
    ck_assert_int_eq(c.last, -ECANCELED);
    shut(slave);
    shut(master);
}
END_TEST

void receive_cases(TCase *tests)
{
    tcase_add_test(tests, recv_stays_armed);
    tcase_add_test(tests, cancel_is_told_once);
    tcase_add_test(tests, cancel_right_after_submit);
    tcase_add_test(tests, cancel_races_with_data);
    tcase_add_test(tests, many_receives_few_buffers);
    tcase_add_test(tests, burst_leaves_no_buffers);
    tcase_add_test(tests, filled_buffers_stay);
    tcase_add_test(tests, buffers_of_plain_reads_stay);
    tcase_add_test(tests, recv_from_pipe_and_terminal);
}
