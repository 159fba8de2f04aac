/* SPDX-License-Identifier: MIT */
/* The simulated world: its clock, its options and faults, and that two runs with one seed
 * are the same. Its network is tested in test_sim_net.c. */
#include "config.h"

#include <pthread.h>

#include "tests/reactors/sim_world.h"

/* Time */

/* The clock starts at 1 s. Only waits and cg_sim_advance move it. */
START_TEST(clock_is_virtual)
{
    WORLD();
    IS(now(), CG_SECOND);
    IS(wait_for(0), 0);
    IS(now(), CG_SECOND);
    IS(wait_for(CG_HOUR), 0);
    IS(now(), CG_SECOND + CG_HOUR);
    cg_sim_advance(world, 5);
    IS(now(), CG_SECOND + CG_HOUR + 5);
}
END_TEST

/* A wait ends with the first event, at the time of that event. */
START_TEST(latency_is_exact)
{
    struct req req;
    char buf[8];

    WORLD(.latency = 10 * CG_MILLISECOND);
    connect_pair();
    IS(now(), CG_SECOND + 20 * CG_MILLISECOND);
    IS(send_to(client, "ping", 4), 4);
    req = REQ(.code = CG_IO_RECV, .fd = server, .buf = buf, .len = 8);
    ck_assert(!submit(&req));
    IS(wait_for(3 * CG_MILLISECOND), 0);
    IS(now(), CG_SECOND + 23 * CG_MILLISECOND);
    IS(req.completions, 0);
    IS(wait_for(CG_HOUR), 0);
    IS(now(), CG_SECOND + 30 * CG_MILLISECOND);
    IS(req.result, 4);
}
END_TEST

/* With a cost for each call the clock moves, even in a program that never waits. */
START_TEST(looking_costs)
{
    WORLD(.cost = 100);
    IS(wait_for(0), 0);
    IS(wait_for(0), 0);
    OK(make(AF_INET));
    IS(now(), CG_SECOND + 300);
}
END_TEST

/* A wait without limit for nothing is a deadlock. A wake makes one wait return. */
START_TEST(deadlock_and_wake)
{
    struct req req;

    WORLD();
    IS(wait_for(CG_NEVER), -EDEADLK);
    connect_pair();
    req = REQ(.code = CG_IO_RECV, .fd = server);
    ck_assert(!submit(&req));
    IS(wait_for(CG_NEVER), -EDEADLK);
    world->type->wake(world);
    world->type->wake(world);
    IS(wait_for(CG_HOUR), 0);
    IS(now(), CG_SECOND);
    IS(wait_for(CG_NEVER), -EDEADLK);
    IS(world->type->cancel(world, &req.io), CG_DONE);
}
END_TEST

static void *wake_later(void *arg)
{
    (void)arg;
    usleep(20000);
    world->type->wake(world);
    return NULL;
}

/* With .threads the wait sleeps until another thread wakes it, each time. */
START_TEST(threads_wake)
{
    pthread_t thread;
    int i;

    WORLD(.threads = true);
    world->type->wake(world); /* while no thread sleeps */
    IS(wait_for(0), 0);
    for (i = 0; i < 3; i++) {
        IS(pthread_create(&thread, NULL, wake_later, NULL), 0);
        IS(wait_for(CG_NEVER), 0);
        IS(pthread_join(thread, NULL), 0);
    }
    IS(now(), CG_SECOND);
}
END_TEST

/* Invalid options are refused. */
START_TEST(bad_options)
{
    struct cg_reactor *none = NULL;

    IS(cg_sim_open(&(struct cg_sim_options){.latency = -1}, &none), -EINVAL);
    IS(cg_sim_open(&(struct cg_sim_options){.jitter = -1}, &none), -EINVAL);
    IS(cg_sim_open(&(struct cg_sim_options){.cost = -1}, &none), -EINVAL);
    IS(cg_sim_open(&(struct cg_sim_options){.cost = INT64_MAX}, &none), -EINVAL);
    IS(cg_sim_open(&(struct cg_sim_options){.short_permille = 1001}, &none), -EINVAL);
    ck_assert_ptr_null(none);
    IS(cg__reactor_sim.open(&world), 0);
    IS(world->fd, -1);
}
END_TEST

/* Valid use */

/* With .completion no request that may wait is done at once. */
START_TEST(completion_shaped)
{
    struct req req = REQ(.code = CG_IO_SEND, .buf = "x", .len = 1);
    char buf[8];

    WORLD(.completion = true);
    connect_pair();
    req.io.fd = client;
    ck_assert(!submit(&req));
    IS(wait_for(0), 0);
    IS(req.result, 1);
    req.io = (struct cg_io){.code = CG_IO_RECV, .fd = server, .buf = buf, .len = 8};
    wait_for(0);
    ck_assert(!submit(&req));
    IS(wait_for(CG_NEVER), 0);
    IS(req.completions, 2);
    IS(req.result, 1);
    IS(now(), CG_SECOND);
}
END_TEST

/* With .multishot a receive goes on until it is cancelled or the stream ends. */
START_TEST(multishot)
{
    struct req req = REQ(.code = CG_IO_RECV);
    int i;

    WORLD(.completion = true, .multishot = true);
    connect_pair();
    req.io.fd = server;
    ck_assert(!submit(&req));
    for (i = 1; i <= 3; i++) {
        IS(send_to(client, "x", 1), 1);
        while (req.completions < (unsigned)i)
            IS(wait_for(CG_NEVER), 0);
        IS(req.io.state, CG_IO_PENDING);
        ck_assert_int_eq(req.head[0], 'x');
    }
    IS(close_fd(client), 0);
    IS(wait_for(CG_NEVER), 0);
    IS(req.completions, 4);
    IS(req.result, 0);
    IS(req.io.state, CG_IO_IDLE);
}
END_TEST

/* A late cancel has one of two outcomes, and loses no bytes in either. */
START_TEST(late_cancel)
{
    unsigned round, late = 0, clean = 0;
    char buf[1];

    WORLD(.late_cancel = true, .seed = 3);
    connect_pair();
    for (round = 0; round < 200; round++) {
        struct req req = REQ(.code = CG_IO_RECV, .fd = server, .buf = buf, .len = 1);

        ck_assert(!submit(&req));
        IS(send_to(client, &(char){(char)round}, 1), 1);
        IS(world->type->cancel(world, &req.io), CG_PENDING);
        IS(req.io.state, CG_IO_CANCELLING);
        IS(req.completions, 0);
        IS(wait_for(CG_NEVER), 0);
        IS(req.completions, 1);
        IS(req.io.state, CG_IO_IDLE);
        if (req.result == -ECANCELED) {
            clean++;
            IS(recv_from(server, buf, 1), 1);
        } else {
            late++;
            IS(req.result, 1);
        }
        IS((unsigned char)buf[0], round);
    }
    ck_assert_uint_gt(late, 50);
    ck_assert_uint_gt(clean, 50);
}
END_TEST

/* After a late cancel of an accept or connect, the connection is either reported or stays,
 * never both or neither. */
START_TEST(late_cancel_connections)
{
    union addr to = v4("127.0.0.1", 80);
    unsigned round, accepted = 0, connected = 0;

    WORLD(.late_cancel = true, .seed = 4);
    listener = listen_on(to, 1000);
    for (round = 0; round < 100; round++) {
        struct req in = REQ(.code = CG_IO_ACCEPT, .fd = listener);
        struct req out = REQ(.code = CG_IO_CONNECT, .fd = make(AF_INET), .addr = &to.sa,
                             .addrlen = sizeof to.in);
        int conn;

        ck_assert(!submit(&in));
        ck_assert(!submit(&out));
        IS(world->type->cancel(world, &in.io), CG_PENDING);
        IS(world->type->cancel(world, &out.io), CG_PENDING);
        IS(wait_for(CG_NEVER), 0);
        IS(in.completions, 1);
        IS(out.completions, 1);
        if ((conn = (int)in.result) >= 0)
            accepted++;
        else
            OK(conn = accept_from(listener));
        connected += out.result == 0;
        IS(close_fd(out.io.fd), 0);
        IS(close_fd(conn), 0);
    }
    IS(wait_for(CG_NEVER), -EDEADLK);
    ck_assert_uint_gt(accepted, 20);
    ck_assert_uint_lt(accepted, 80);
    ck_assert_uint_gt(connected, 20);
    ck_assert_uint_lt(connected, 80);
    IS(cg_sim_handles(world), 1);
}
END_TEST

static void resubmit(struct cg_io *io, ssize_t result)
{
    completed(io, result);
    if (result > 0)
        IS(world->type->submit(world, io), CG_PENDING);
}

static void close_other(struct cg_io *io, ssize_t result)
{
    struct req *req = io->owner;

    completed(io, result);
    IS(close_fd(req->io.fd), 0);
}

/* A completion function may submit again, and may close its socket. */
START_TEST(completions_may_act)
{
    struct req in = REQ(.code = CG_IO_RECV), out;
    char buf[1];
    int i;

    WORLD(.completion = true);
    connect_pair();
    in.io.fd = server;
    in.io.buf = buf;
    in.io.len = 1;
    submit(&in);
    in.io.complete = resubmit;
    IS(send_to(client, "12345", 5), 5);
    for (i = 0; i < 10 && in.completions < 5; i++)
        IS(wait_for(0), 0);
    IS(in.completions, 5);
    out = REQ(.code = CG_IO_SEND, .fd = client, .buf = "x", .len = 1);
    submit(&out);
    out.io.complete = close_other;
    IS(wait_for(CG_NEVER), 0);
    while (in.result > 0)
        IS(wait_for(CG_NEVER), 0);
    IS(in.result, 0);
    IS(cg_sim_handles(world), 2);
}
END_TEST

/* Faults, and repetition */

/* Transfers are cut short and delayed at random, but no byte is lost or reordered. */
START_TEST(short_transfers)
{
    static char from[20000], to[sizeof from];
    size_t sent = 0, got = 0, i;
    bool sent_short = false;

    WORLD(.short_permille = 500, .jitter = CG_SECOND, .latency = CG_SECOND,
          .window = 4096);
    connect_pair();
    for (i = 0; i < sizeof from; i++)
        from[i] = (char)cg_sim_random(world, 256);
    while (got < sizeof from) {
        size_t n = sizeof from - sent < 1000 ? sizeof from - sent : 1000;

        if (n > 0) {
            ssize_t moved = send_to(client, from + sent, n);

            ck_assert(moved > 0);
            sent_short |= (size_t)moved < n;
            sent += (size_t)moved;
        }
        while (got < sent) {
            ssize_t moved = recv_from(server, to + got, sizeof to - got);

            ck_assert(moved > 0);
            got += (size_t)moved;
        }
    }
    ck_assert(sent_short);
    ck_assert_mem_eq(from, to, sizeof from);
}
END_TEST

/* Each fault that is requested happens. */
START_TEST(faults)
{
    char buf[8];

    WORLD(.reset_permille = 1000);
    connect_pair();
    IS(send_to(client, "x", 1), -ECONNRESET);
    IS(recv_from(server, buf, 8), -ECONNRESET);
    IS(send_to(client, "x", 1), -EPIPE);
    close_world();

    WORLD(.refuse_permille = 1000);
    listener = listen_on(v4("127.0.0.1", 80), 4);
    IS(connect_to(make(AF_INET), v4("127.0.0.1", 80)), -ECONNREFUSED);
    close_world();

    WORLD(.abort_permille = 1000);
    listener = listen_on(v4("127.0.0.1", 80), 4);
    client = make(AF_INET);
    IS(connect_to(client, v4("127.0.0.1", 80)), 0);
    IS(accept_from(listener), -EDEADLK);
    IS(recv_from(client, buf, 8), -ECONNRESET);
}
END_TEST

struct log {
    char *text;
    size_t size;
};

/* Random connections that open, exchange data and break. Returns the trace. */
static struct log trace_of_life(uint64_t seed)
{
    struct log log = {.text = NULL};
    FILE *file = open_memstream(&log.text, &log.size);
    union addr to = v4("127.0.0.1", 80);
    unsigned round;

    WORLD(.seed = seed, .latency = CG_MILLISECOND, .jitter = CG_MILLISECOND,
          .window = 512, .short_permille = 200, .reset_permille = 30,
          .refuse_permille = 100, .abort_permille = 50, .completion = seed & 1,
          .late_cancel = seed & 2, .multishot = seed & 4);
    cg_sim_trace(world, cg_sim_print, file);
    listener = listen_on(to, 2);
    for (round = 0; round < 60; round++) {
        struct req in = REQ(.code = CG_IO_ACCEPT, .fd = listener);
        int i;

        client = make(AF_INET);
        submit(&in);
        if (connect_to(client, to) == 0) {
            while (in.completions == 0 && wait_for(CG_NEVER) == 0)
                ;
            for (i = 0; in.completions && i < 20; i++) {
                char buf[600] = "";
                size_t n = 1 + cg_sim_random(world, sizeof buf);
                struct req out =
                    REQ(.code = CG_IO_SEND, .fd = client, .buf = buf, .len = n);
                struct req back = REQ(.code = CG_IO_RECV, .fd = (int)in.result);

                submit(&out);
                submit(&back);
                wait_for((int64_t)cg_sim_random(world, 3) * CG_MILLISECOND);
                if (out.io.state && world->type->cancel(world, &out.io) == CG_PENDING)
                    wait_for(0);
                if (back.io.state && world->type->cancel(world, &back.io) == CG_PENDING)
                    wait_for(0);
                IS(out.io.state | back.io.state, CG_IO_IDLE);
            }
        }
        if (in.io.state && world->type->cancel(world, &in.io) == CG_PENDING)
            wait_for(0);
        if (in.completions && in.result >= 0)
            IS(close_fd((int)in.result), 0);
        IS(close_fd(client), 0);
    }
    close_world();
    fclose(file);
    return log;
}

/* The same seed has the same trace, byte for byte. Another seed has another trace. */
START_TEST(same_seed_same_trace)
{
    struct log last = trace_of_life(0), log, again;
    uint64_t seed;

    for (seed = 1; seed < 32; seed++) {
        log = trace_of_life(seed);
        again = trace_of_life(seed);
        ck_assert_uint_gt(log.size, 10000);
        ck_assert_str_eq(log.text, again.text);
        ck_assert_str_ne(log.text, last.text);
        free(again.text);
        free(last.text);
        last = log;
    }
    free(last.text);
}
END_TEST

/* Each line of a trace says what happened, when, and to which handle. */
START_TEST(trace_reads_well)
{
    static const char want[] = "1.000000000 1000000 is a new socket\n"
                               "1.000000000 1000000 is bound to 127.0.0.1:80\n"
                               "1.000000000 1000000 listens, backlog 16\n"
                               "1.000000000 1000001 is a new socket\n"
                               "1.000000000 1000001 connects to 127.0.0.1:80\n"
                               "1.002000000 1000001 connect = 0\n"
                               "1.002000000 1000002 is accepted by 1000000 from "
                               "127.0.0.1:32768\n"
                               "1.002000000 1000000 accept = 1000002\n"
                               "1.002000000 1000001 send = 2\n"
                               "1.003000000 1000002 gets 2 bytes\n"
                               "1.003000000 1000002 recv = 2\n"
                               "1.003000000 1000002 is closed\n"
                               "1.004000000 1000001 gets the end\n"
                               "1.004000000 1000001 recv = 0\n";
    struct log log;
    FILE *file = open_memstream(&log.text, &log.size);
    char buf[4];

    WORLD(.latency = CG_MILLISECOND);
    cg_sim_trace(world, cg_sim_print, file);
    connect_pair();
    IS(send_to(client, "hi", 2), 2);
    IS(recv_from(server, buf, 4), 2);
    IS(close_fd(server), 0);
    IS(recv_from(client, buf, 4), 0);
    cg_sim_trace(world, NULL, NULL);
    IS(close_fd(client), 0);
    fclose(file);
    ck_assert_str_eq(log.text, want);
    free(log.text);
}
END_TEST

/* Ten thousand connections at once, each with its own bytes. */
START_TEST(many_connections)
{
    enum {
        MANY = 10000
    };
    static int end[MANY], conn[MANY];
    static struct req in[MANY];
    static char buf[MANY][12];
    char text[12];
    int i;

    WORLD(.latency = CG_MILLISECOND, .jitter = CG_MILLISECOND);
    listener = listen_on(v4("127.0.0.1", 80), MANY);
    for (i = 0; i < MANY; i++) {
        end[i] = make(AF_INET);
        IS(connect_to(end[i], v4("127.0.0.1", 80)), 0);
        OK(conn[i] = accept_from(listener));
        in[i] =
            REQ(.code = CG_IO_RECV, .fd = conn[i], .buf = buf[i], .len = sizeof buf[i]);
        ck_assert(!submit(&in[i]));
    }
    IS(cg_sim_handles(world), 2 * MANY + 1);
    for (i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "%d", i);
        IS(send_to(end[i], text, sizeof text), sizeof text);
    }
    while (wait_for(CG_NEVER) == 0)
        ;
    for (i = 0; i < MANY; i++) {
        IS(in[i].result, sizeof text);
        IS(atoi(buf[i]), i);
        IS(close_fd(i % 2 ? end[i] : conn[i]), 0);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        clock_is_virtual,
        latency_is_exact,
        looking_costs,
        deadlock_and_wake,
        threads_wake,
        bad_options,
        completion_shaped,
        multishot,
        late_cancel,
        late_cancel_connections,
        completions_may_act,
        short_transfers,
        faults,
        same_seed_same_trace,
        trace_reads_well,
        many_connections,
    };

    return run_tests("sim", tests, sizeof tests / sizeof tests[0]);
}
