/* SPDX-License-Identifier: MIT */
/* The io_uring reactor by itself, without a scheduler: what the suite for all reactors
 * cannot see, such as races of cancels with data, a shortage of buffers, and the ring's
 * descriptor. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cogen/reactor.h>

#include "tests/support.h"

static struct cg_reactor *r;

/* A request and all that it was told. */
struct asked {
    struct cg_io io;
    unsigned answers; /* how often complete was called */
    ssize_t last;     /* what it was told last */
    size_t size;      /* of what was received */
    char data[64];    /* the beginning of that */
    size_t at;        /* position in a stream that is verified; SIZE_MAX: it is not */
    void (*then)(struct asked *asked);
};

static void complete(struct cg_io *io, ssize_t result)
{
    struct asked *a = io->owner;
    struct cg_chunk *chunk = io->chunk;

    a->answers++;
    a->last = result;
    if (chunk) {
        ck_assert_int_eq(io->code, CG_IO_RECV);
        ck_assert_uint_eq(chunk->end - chunk->start, (size_t)result);
        for (ssize_t i = 0; i < result && a->size + (size_t)i < sizeof a->data; i++)
            a->data[a->size + (size_t)i] = chunk->data[i];
        if (a->at != SIZE_MAX)
            test_verify(chunk->data + chunk->start, (size_t)result, a->at + a->size);
        a->size += (size_t)result;
        cg_chunk_put(r, chunk);
        io->chunk = NULL;
    } else if (io->code == CG_IO_RECV) {
        ck_assert_int_le(result, 0);
    }
    if (a->then)
        a->then(a);
}

#define ASK(what, ...) ASK_(what, __VA_ARGS__, )
#define ASK_(what, f, ...)                                                             \
    {                                                                                  \
        .io = {.code = (what), .fd = (f), .complete = complete, __VA_ARGS__},          \
        .at = SIZE_MAX                                                                 \
    }

static void submit(struct asked *a)
{
    a->io.owner = a;
    ck_assert_int_eq(r->type->submit(r, &a->io), CG_PENDING);
}

static void turn(int64_t timeout)
{
    OK(r->type->wait(r, timeout));
}

/* Waits that long: in how many turns. Who spins takes thousands. */
static int turns_in(int64_t length)
{
    int64_t end = r->type->now(r) + length;
    int turns = 0;

    for (; r->type->now(r) < end; turns++)
        turn(10 * CG_MILLISECOND);
    return turns;
}

/* Waits until the request has been answered n times. */
static void await(const struct asked *a, unsigned n)
{
    while (a->answers < n)
        turn(CG_SECOND);
    ck_assert_uint_eq(a->answers, n);
}

static void await_idle(const struct asked *a)
{
    while (a->io.state != CG_IO_IDLE)
        turn(CG_SECOND);
}

/* Cancels and waits until nobody holds it. */
static void cancel(struct asked *a)
{
    if (r->type->cancel(r, &a->io) == CG_DONE) {
        ck_assert_int_eq(a->io.state, CG_IO_IDLE);
        a->last = -ECANCELED;
    }
    await_idle(a);
}

static void pair(int fd[2])
{
    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd));
}

static void put(int fd, const char *text)
{
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void shut(int fd)
{
    r->type->forget(r, fd);
    close(fd);
}

static int listening(struct sockaddr_in *addr)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof *addr;

    *addr = (struct sockaddr_in){.sin_family = AF_INET};
    addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    OK(bind(fd, (struct sockaddr *)addr, size));
    OK(listen(fd, 16));
    OK(getsockname(fd, (struct sockaddr *)addr, &size));
    return fd;
}

static void set_up(void)
{
    OK(cg_reactor_open("io_uring", &r));
    test_watch(NULL, 30);
}

static void tear_down(void)
{
    test_watch(NULL, 0);
    cg_reactor_close(r);
}

/* ---- Receiving ---- */

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

/* The end of a cancel is told once, as -ECANCELED, and what comes later stays in the
 * socket. */
START_TEST(cancel_is_told_once)
{
    int fd[2];
    char byte;

    pair(fd);
    struct asked a = ASK(CG_IO_RECV, fd[0]);
    submit(&a);
    turn(0);
    ck_assert_int_eq(r->type->cancel(r, &a.io), CG_PENDING);
    ck_assert_int_eq(r->type->cancel(r, &a.io), CG_PENDING);
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

/* A request that is cancelled before the kernel saw it has its one attempt all the
 * same. */
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

/* Whenever data arrive while a receive is being cancelled: no byte is lost or out of
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

/* Thousands that all have data, with a few hundred buffers: all are answered, all stay
 * armed or come again, all can be cancelled at once. The queues overflow meanwhile. */
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
    for (int i = 0; i < n; i += 2) /* some of them starve */
        r->type->cancel(r, &all[i].io);
    for (int i = 1; i < n; i += 2)
        await(&all[i], 3);
    for (int i = 0; i < n; i++) {
        cancel(&all[i]);
        ck_assert_uint_ge(all[i].size, i % 2 ? 9 : 8);
        shut(fd[i][0]);
        shut(fd[i][1]);
    }
    ck_assert_uint_le(r->chunks_out, 256);
    free(all);
    free(fd);
}
END_TEST

/* Pipes and terminals are read as well; a socket may follow under the same number. */
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

/* ---- Sending ---- */

/* A send waits for room, may be short, can be cancelled, and raises no signal. */
START_TEST(send_waits)
{
    static char big[1 << 20];
    int fd[2];

    pair(fd);
    struct asked a = ASK(CG_IO_SEND, fd[0], .buf = big, .len = sizeof big);
    submit(&a);
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
    submit(&a);
    submit(&b);
    await_idle(&a);
    await_idle(&b);
    ck_assert_int_eq(a.last, -EPIPE);
    ck_assert_int_eq(b.last, -EPIPE);
    shut(fd[0]);
}
END_TEST

/* The same to a pipe. */
START_TEST(send_to_pipe)
{
    static char big[1 << 20];
    struct iovec parts[2] = {{"spam", 4}, {"eggs", 4}};
    int fd[2];
    char got[9] = "";

    OK(pipe2(fd, O_NONBLOCK | O_CLOEXEC));
    struct asked a = ASK(CG_IO_SENDV, fd[1], .iov = parts, .iovcnt = 2);
    struct asked b = ASK(CG_IO_SEND, fd[1], .buf = big, .len = sizeof big);
    submit(&a);
    await(&a, 1);
    ck_assert_int_eq(a.last, 8);
    ck_assert_int_eq(read(fd[0], got, 8), 8);
    ck_assert_str_eq(got, "spameggs");
    submit(&b);
    await(&b, 1);
    ck_assert_int_gt(b.last, 0);
    submit(&b);
    turn(0);
    turn(5 * CG_MILLISECOND);
    ck_assert_uint_eq(b.answers, 1);
    cancel(&b);
    ck_assert_int_eq(b.last, -ECANCELED);
    shut(fd[0]);
    submit(&b);
    await_idle(&b);
    ck_assert_int_eq(b.last, -EPIPE);
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
        if (a.io.state == CG_IO_IDLE && sent < sizeof buf) {
            a.io.offset = (int64_t)sent;
            submit(&a);
        }
        unsigned before = a.answers;
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
    submit(&a);
    await_idle(&a);
    ck_assert_int_eq(a.last, 0);
    while (send(fd[0], buf, sizeof buf, MSG_DONTWAIT) > 0)
        ;
    a.io.offset = 0;
    submit(&a);
    turn(0);
    cancel(&a);
    ck_assert_int_eq(a.last, -ECANCELED);
    shut(file);
    shut(fd[0]);
    shut(fd[1]);
}
END_TEST

/* The kernel ends a poll for room also when the peer has shut down its side: whoever
 * waits for room must not spin then, and must still be told. */
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

/* ---- Connections ---- */

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

    OK(bind(listener, (struct sockaddr *)&addr, size)); /* the kernel finds a name */
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

/* Without descriptors left accept pauses, without spinning, and goes on later. */
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
    submit(&a);
    ck_assert_int_le(turns_in(250 * CG_MILLISECOND), 200);
    ck_assert_uint_eq(a.answers, 0);
    cancel(&a);
    ck_assert_int_eq(a.last, -ECANCELED);
    submit(&a);
    turn(0);
    close(spare);
    await_idle(&a);
    OK(a.last);
    setrlimit(RLIMIT_NOFILE, &before);
    shut((int)a.last);
    shut(client);
    shut(listener);
}
END_TEST

/* ---- Readiness, waiting, waking ---- */

START_TEST(poll_events)
{
    char name[] = "/tmp/cogen-test-XXXXXX";
    int fd[2], file = mkstemp(name);

    unlink(name);
    pair(fd);
    struct asked in = ASK(CG_IO_POLL, fd[0], .events = CG_IN);
    struct asked out = ASK(CG_IO_POLL, fd[0], .events = CG_OUT);
    struct asked of_file = ASK(CG_IO_POLL, file, .events = CG_IN | CG_OUT);
    submit(&in);
    submit(&out);
    submit(&of_file);
    await(&out, 1);
    await(&of_file, 1);
    ck_assert_int_eq(out.last, CG_OUT);
    ck_assert_int_eq(of_file.last, CG_IN | CG_OUT);
    cancel(&in);
    ck_assert_int_eq(in.last, -ECANCELED);
    submit(&in);
    put(fd[1], "x");
    await(&in, 2);
    ck_assert_int_eq(in.last, CG_IN);
    shut(fd[1]);
    submit(&in);
    await(&in, 3);
    ck_assert_int_eq(in.last, CG_IN | CG_HUP);
    shut(fd[0]);
    shut(file);
}
END_TEST

START_TEST(timeouts)
{
    int64_t start = r->type->now(r);

    turn(0);
    ck_assert_int_lt(r->type->now(r) - start, 500 * CG_MILLISECOND);
    start = r->type->now(r);
    turn(20 * CG_MILLISECOND);
    ck_assert_int_ge(r->type->now(r) - start, 20 * CG_MILLISECOND);
}
END_TEST

static void *wake_late(void *arg)
{
    usleep(20000);
    r->type->wake(arg);
    return NULL;
}

static void wake_on_signal(int number)
{
    (void)number;
    r->type->wake(r);
}

/* A wake ends the wait that is going on, or the next, from a thread or a signal
 * handler. */
START_TEST(wakes)
{
    struct sigaction action = {.sa_handler = wake_on_signal, .sa_flags = SA_RESTART};
    struct itimerval soon = {.it_value.tv_usec = 20000};
    pthread_t thread;

    for (int i = 0; i < 3; i++) {
        pthread_create(&thread, NULL, wake_late, r);
        turn(CG_NEVER);
        pthread_join(thread, NULL);
    }
    for (int i = 0; i < 3; i++) {
        r->type->wake(r);
        r->type->wake(r);
        turn(CG_NEVER);
    }
    sigaction(SIGALRM, &action, NULL);
    for (int i = 0; i < 3; i++) {
        setitimer(ITIMER_REAL, &soon, NULL);
        turn(CG_NEVER);
    }
    raise(SIGALRM);
    turn(CG_NEVER);
}
END_TEST

static bool readable(int ms)
{
    struct pollfd pollfd = {.fd = r->fd, .events = POLLIN};

    return poll(&pollfd, 1, ms) == 1;
}

/* The ring's descriptor polls readable when, and only when, wait has work. */
START_TEST(descriptor_tells)
{
    struct sockaddr_in addr;
    int fd[2], listener = listening(&addr);
    pthread_t thread;

    pair(fd);
    r->embedded = true;
    turn(0);
    ck_assert(!readable(0));
    struct asked a = ASK(CG_IO_RECV, fd[0]), b = ASK(CG_IO_ACCEPT, listener);
    submit(&a);
    submit(&b);
    turn(0);
    ck_assert(!readable(10));
    for (unsigned i = 1; i <= 3; i++) {
        put(fd[1], "x");
        ck_assert(readable(1000));
        turn(0);
        ck_assert_uint_eq(a.answers, i);
        ck_assert(!readable(0));
    }
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    OK(connect(client, (struct sockaddr *)&addr, sizeof addr));
    ck_assert(readable(1000));
    turn(0);
    ck_assert_uint_eq(b.answers, 1);
    pthread_create(&thread, NULL, wake_late, r);
    ck_assert(readable(1000));
    pthread_join(thread, NULL);
    turn(0);
    ck_assert(!readable(0));
    r->type->wake(r);
    ck_assert(readable(1000));
    cancel(&a);
    shut((int)b.last);
    shut(client);
    shut(listener);
    shut(fd[0]);
    shut(fd[1]);
}
END_TEST

static void *run_elsewhere(void *arg)
{
    struct asked *a = arg;

    await(a, 1);
    return NULL;
}

/* A reactor may be opened, and given requests, in another thread than the one that runs
 * it. */
START_TEST(opened_in_another_thread)
{
    int fd[2];
    pthread_t thread;

    pair(fd);
    struct asked a = ASK(CG_IO_RECV, fd[0]);
    submit(&a);
    shut(fd[1]);
    pthread_create(&thread, NULL, run_elsewhere, &a);
    pthread_join(thread, NULL);
    ck_assert_int_eq(a.last, 0);
    shut(fd[0]);
}
END_TEST

static struct asked *others;

static void cancel_other(struct asked *a)
{
    struct asked *other = &others[a == others];

    if (other->io.state == CG_IO_PENDING && a->last >= 0)
        r->type->cancel(r, &other->io);
    if (a->last == -ECANCELED && a->answers < 100)
        submit(a);
}

/* Callbacks submit and cancel; that a completion of the other is in the same batch is
 * well. */
START_TEST(callbacks_submit_and_cancel)
{
    int fd[2][2];

    for (int round = 0; round < 50; round++) {
        pair(fd[0]);
        pair(fd[1]);
        struct asked a[2] = {ASK(CG_IO_RECV, fd[0][0]), ASK(CG_IO_RECV, fd[1][0])};
        others = a;
        for (int i = 0; i < 2; i++) {
            a[i].then = cancel_other;
            submit(&a[i]);
        }
        if (round % 2)
            turn(0);
        put(fd[0][1], "spam");
        put(fd[1][1], "eggs");
        while (a[0].size < 4 || a[1].size < 4)
            turn(CG_SECOND);
        for (int i = 0; i < 2; i++) {
            a[i].then = NULL;
            cancel(&a[i]);
            ck_assert_uint_eq(a[i].size, 4);
            shut(fd[i][0]);
            shut(fd[i][1]);
        }
    }
}
END_TEST

/* After a cancel has been told nothing holds the descriptor: closing it hangs up. */
START_TEST(close_after_cancel)
{
    struct sockaddr_in addr;
    int listener = listening(&addr);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char byte;

    OK(connect(client, (struct sockaddr *)&addr, sizeof addr));
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct asked a = ASK(CG_IO_RECV, fd);
    submit(&a);
    turn(0);
    cancel(&a);
    shut(fd);
    ck_assert_int_eq(recv(client, &byte, 1, 0), 0);
    shut(client);
    shut(listener);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        recv_stays_armed,
        cancel_is_told_once,
        cancel_right_after_submit,
        cancel_races_with_data,
        many_receives_few_buffers,
        recv_from_pipe_and_terminal,
        send_waits,
        send_to_pipe,
        sendfile_waits,
        accept_and_connect,
        connect_waits_for_backlog,
        accept_survives_emfile,
        poll_events,
        timeouts,
        wakes,
        descriptor_tells,
        opened_in_another_thread,
        callbacks_submit_and_cancel,
        close_after_cancel,
        room_with_a_peer_half_closed,
    };
    Suite *suite = suite_create("io_uring");
    TCase *tc = tcase_create("reactor");
    int err = cg_reactor_open("io_uring", &r);

    if (err < 0) {
        printf("SKIP io_uring: %s\n", cg_strerror(err));
        return 77;
    }
    cg_reactor_close(r);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 60);
    for (size_t i = 0; i < COUNT(tests); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return check_main(suite, NULL);
}
