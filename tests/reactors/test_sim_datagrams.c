/* SPDX-License-Identifier: MIT */
/* Datagrams of the simulated world, over many seeds: nothing is invented, borders are kept,
 * and what is lost, doubled or reordered is so only where the world says so. */
#include "config.h"

#include "tests/support/support.h"

#include <cogen/sim.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SEEDS = 200, SENT = 60, LONGEST = 300, MANY = 5 };

struct trial {
    struct cg_reactor *world;
    struct cg_sim_options options;
    struct cg_sock *receiver;
    char addr[CG_ADDR_SIZE];
    unsigned seen[SENT];
    unsigned received, reordered;
    int last;
    uint64_t trace; /* hash of all lines */
};

static size_t length_of(int number)
{
    return (size_t)(number * 37) % LONGEST + sizeof number;
}

static void note(struct trial *t, const struct cg_datagram *one)
{
    int number;

    ck_assert_uint_ge(one->len, sizeof number);
    memcpy(&number, one->buf, sizeof number);
    ck_assert(number >= 0 && number < SENT);
    ck_assert_uint_eq(one->len, length_of(number));
    ck_assert_uint_eq(one->whole, one->len);
    test_verify((char *)one->buf + sizeof number, one->len - sizeof number, (size_t)number);
    t->seen[number]++;
    t->received++;
    t->reordered += number < t->last;
    t->last = number;
}

/* Receives in one of several ways, some of which are given up. Returns false at the end. */
static bool receive(struct trial *t)
{
    static char bufs[MANY][LONGEST + 8];
    struct cg_datagram list[MANY];
    struct cg_op *ops[2];
    int64_t limit = (int64_t)cg_sim_random(t->world, 2000) * CG_MICROSECOND;
    ssize_t n = -1;

    for (int i = 0; i < MANY; i++)
        list[i] = (struct cg_datagram){.buf = bufs[i], .size = sizeof bufs[i]};
    switch (cg_sim_random(t->world, 4)) {
    case 0:
        n = cg_yield(cg_receive_datagrams(t->receiver, list, MANY));
        break;
    case 1:
        n = cg_yield(cg_receive_datagrams(t->receiver, list, MANY, .timeout = limit + 1));
        break;
    case 2:
        ops[0] = cg_receive_datagrams(t->receiver, list, MANY);
        ops[1] = cg_sleep(limit);
        if (cg_yield(cg_any_of(ops, 2)) == 0)
            n = cg_op_result(ops[0]);
        break;
    case 3:
        n = cg_yield(cg_receive_datagrams(t->receiver, list, 1, .timeout = CG_NOWAIT));
        break;
    }
    for (ssize_t i = 0; i < n; i++)
        note(t, &list[i]);
    return n != -EBADF;
}

static ssize_t receives(void *arg)
{
    while (receive(arg))
        OK(cg_yield(cg_pass()));
    return 0;
}

static ssize_t sends(void *arg)
{
    struct trial *t = arg;
    char text[LONGEST + 8];
    struct cg_sock *sock;

    OK(cg_datagram_open(cg_sched_self(), NULL, &sock, .peer = t->addr));
    for (int i = 0; i < SENT; i++) {
        memcpy(text, &i, sizeof i);
        test_fill(text + sizeof i, length_of(i) - sizeof i, (size_t)i);
        IS(cg_yield(cg_send_to(sock, text, length_of(i), NULL)), (ssize_t)length_of(i));
        if (cg_sim_random(t->world, 3) == 0)
            IS(cg_yield(cg_sleep((int64_t)cg_sim_random(t->world, 500) * CG_MICROSECOND)), 0);
    }
    cg_sock_close(sock);
    return 0;
}

static ssize_t both(void *arg)
{
    struct trial *t = arg;
    struct cg_coro *sender, *receiver;

    OK(cg_datagram_open(cg_sched_self(), t->addr, &t->receiver));
    OK(cg_sock_local_addr(t->receiver, t->addr, sizeof t->addr));
    receiver = test_start(receives, t);
    sender = test_start(sends, t);
    IS(test_end(sender), 0);
    IS(cg_yield(cg_sleep(CG_SECOND)), 0); /* whatever is in flight arrives */
    cg_sock_close(t->receiver);
    IS(test_end(receiver), 0);
    return 0;
}

static void hash(void *arg, const char *line)
{
    struct trial *t = arg;

    for (; *line; line++)
        t->trace = (t->trace ^ (unsigned char)*line) * UINT64_C(0x100000001b3);
}

static void run(struct trial *t, const char *addr, struct cg_sim_options options)
{
    struct cg_sched *sched;
    struct cg_coro *coro;

    *t = (struct trial){.options = options};
    strcpy(t->addr, addr);
    OK(cg_sim_open(&options, &t->world));
    cg_sim_trace(t->world, hash, t);
    sched = cg_sched_new(t->world);
    OK(cg_sched_start(sched, both, t, .coro = &coro));
    OK(cg_sched_run(sched));
    IS(cg_coro_result(coro), 0);
    cg_coro_unref(coro);
    ck_assert_uint_eq(cg_sim_handles(t->world), 0);
    cg_sched_free(sched);
    cg_reactor_close(t->world);
}

/* Counts the datagrams that did not come, and those that came twice. */
static void count(const struct trial *t, unsigned *lost, unsigned *doubled)
{
    *lost = *doubled = 0;
    for (int i = 0; i < SENT; i++) {
        ck_assert_uint_le(t->seen[i], 2);
        *lost += t->seen[i] == 0;
        *doubled += t->seen[i] == 2;
    }
}

static struct cg_sim_options kernel_of(uint64_t seed)
{
    return (struct cg_sim_options){
        .seed = seed,
        .latency = (int64_t)(seed % 3) * 100 * CG_MICROSECOND,
        .short_permille = seed % 5 * 100,
        .completion = seed & 1,
        .late_cancel = seed & 2,
    };
}

/* In a world without faults each datagram arrives once and in order. */
START_TEST(perfect)
{
    struct trial t;
    unsigned lost, doubled;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(&t, seed % 2 ? "127.0.0.1:0" : "unix:@trial", kernel_of(seed));
        count(&t, &lost, &doubled);
        ck_assert_msg(lost + doubled + t.reordered == 0, "seed %d: %u lost, %u doubled, %u late",
                      (int)seed, lost, doubled, t.reordered);
    }
}
END_TEST

/* In a world with one kind of fault no other kind happens. */
START_TEST(faults)
{
    struct trial t;
    unsigned lost, doubled, sum[3] = {0};

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct cg_sim_options options = kernel_of(seed);

        options.lose_permille = 200;
        run(&t, "[::1]:0", options);
        count(&t, &lost, &doubled);
        ck_assert_uint_eq(doubled + t.reordered, 0);
        sum[0] += lost;
        options = kernel_of(seed);
        options.double_permille = 200;
        run(&t, "127.0.0.1:0", options);
        count(&t, &lost, &doubled);
        ck_assert_uint_eq(lost + t.reordered, 0);
        sum[1] += doubled;
        options = kernel_of(seed);
        if (seed % 2)
            options.reorder_permille = 200;
        else
            options.jitter = CG_MILLISECOND;
        run(&t, "127.0.0.1:0", options);
        count(&t, &lost, &doubled);
        ck_assert_uint_eq(lost + doubled, 0);
        sum[2] += t.reordered;
    }
    for (int i = 0; i < 2; i++)
        ck_assert(sum[i] > SEEDS * SENT / 10 && sum[i] < SEEDS * SENT / 3);
    ck_assert_uint_gt(sum[2], SEEDS);
}
END_TEST

/* UNIX datagrams are never lost, doubled or reordered. */
START_TEST(unix_is_reliable)
{
    struct trial t;
    unsigned lost, doubled;

    for (uint64_t seed = 1; seed <= SEEDS / 4; seed++) {
        struct cg_sim_options options = kernel_of(seed);

        options.lose_permille = options.double_permille = options.reorder_permille = 500;
        options.jitter = CG_MILLISECOND;
        run(&t, "unix:@trial", options);
        count(&t, &lost, &doubled);
        ck_assert_uint_eq(lost + doubled + t.reordered, 0);
    }
}
END_TEST

/* What exceeds the receiver's window is lost, and nothing else. */
START_TEST(window)
{
    struct trial t;
    unsigned lost, doubled, sum = 0;

    for (uint64_t seed = 1; seed <= SEEDS / 4; seed++) {
        struct cg_sim_options options = kernel_of(seed);

        options.window = 400;
        run(&t, "127.0.0.1:0", options);
        count(&t, &lost, &doubled);
        ck_assert_uint_eq(doubled + t.reordered, 0);
        sum += lost;
    }
    ck_assert_uint_gt(sum, 0);
}
END_TEST

/* One seed has one trace, and another seed another. */
START_TEST(same_seed_same_trace)
{
    struct trial t;
    uint64_t before = 0;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct cg_sim_options options = kernel_of(seed);
        uint64_t first;

        options.lose_permille = options.double_permille = options.reorder_permille = 100;
        run(&t, "127.0.0.1:0", options);
        first = t.trace;
        run(&t, "127.0.0.1:0", options);
        ck_assert(first == t.trace);
        ck_assert(first != before);
        before = first;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim_datagrams");
    TCase *tests = tcase_create("sim_datagrams");

    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, perfect);
    tcase_add_test(tests, faults);
    tcase_add_test(tests, unix_is_reliable);
    tcase_add_test(tests, window);
    tcase_add_test(tests, same_seed_same_trace);
    suite_add_tcase(suite, tests);
    return check_main(suite, NULL);
}
