/* SPDX-License-Identifier: MIT */
/* Lists of datagrams, some of which the kernel may get as the segments of one message:
 * whatever their lengths, addresses and sources, each arrives as it was sent. */
#include "config.h"

#include "tests/sockets/datagrams.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 300, MOST = 40, LONGEST = 1600, TARGETS = 2 };

struct world {
    struct talk talk;
    struct cg_sock *sender, *targets[TARGETS];
    struct cg_addr addrs[TARGETS];
    uint64_t seed;
    size_t n;
    struct cg_datagram list[MOST];
    unsigned char target[MOST], bufs[MOST][LONGEST];
    struct cg_datagram_info from[MOST];
};

static unsigned below(struct world *world, unsigned most)
{
    return test_random(&world->seed) % most;
}

static bool has_sources(const struct world *world)
{
    return world->talk.kind == OVER_TCP;
}

/* A few runs of equal length, which differ in length, target or source. */
static void draw(struct world *world)
{
    static const size_t lens[] = {0, 1, 2, 64, 700, 1471, 1472, 1473, LONGEST};
    unsigned targets = world->talk.kind == OVER_UNIX ? 1 : TARGETS;

    world->n = 0;
    while (world->n < MOST && (world->n == 0 || below(world, 6) > 0)) {
        size_t len = lens[below(world, COUNT(lens))];
        unsigned target = below(world, targets), source = below(world, 3);

        for (unsigned run = 1 + below(world, 20); run > 0 && world->n < MOST; run--) {
            size_t i = world->n++;

            world->target[i] = (unsigned char)target;
            memset(world->bufs[i], (int)test_random(&world->seed), len);
            world->list[i] = (struct cg_datagram){
                .buf = world->bufs[i], .len = len, .addr = &world->addrs[target]};
            if (source == 0 || !has_sources(world))
                continue;
            world->from[i] = (struct cg_datagram_info){
                .local = {.in = {.sin_family = AF_INET,
                                 .sin_addr = {htonl(INADDR_LOOPBACK + source)}},
                          .len = sizeof(struct sockaddr_in)}};
            world->list[i].info = &world->from[i];
        }
    }
}

static ssize_t send_all(void *arg)
{
    struct world *world = arg;

    IS(cg_yield(cg_send_datagrams(world->sender, world->list, world->n)), (ssize_t)world->n);
    return 0;
}

static void receive_one(struct world *world, size_t i)
{
    unsigned char buf[LONGEST];
    struct cg_addr from;
    const struct cg_datagram *sent = &world->list[i];
    ssize_t len = cg_yield(
        cg_receive_from(world->targets[world->target[i]], buf, sizeof buf, &from));

    if (len != (ssize_t)sent->len || memcmp(buf, sent->buf, sent->len) != 0)
        ck_abort_msg("datagram %zu: %zd bytes, %zu were sent", i, len, sent->len);
    if (sent->info != NULL &&
        from.in.sin_addr.s_addr != sent->info->local.in.sin_addr.s_addr)
        ck_abort_msg("datagram %zu has another source", i);
}

/* The targets tell the sender their addresses. Over UNIX the sender has a peer. */
static void introduce(struct world *world)
{
    char addr[CG_ADDR_SIZE], bound[CG_ADDR_SIZE], any;

    OK(cg_datagram_open(cg_sched_self(),
                        world->talk.kind == OVER_TCP6 ? "[::1]:0" : "0.0.0.0:0",
                        &world->sender));
    OK(cg_sock_local_addr(world->sender, bound, sizeof bound));
    snprintf(addr, sizeof addr, "%s%s",
             world->talk.kind == OVER_TCP6 ? "[::1]" : "127.0.0.1", strrchr(bound, ':'));
    for (int i = 0; i < TARGETS; i++) {
        IS(cg_yield(cg_send_to(world->targets[i], "x", 1, addr)), 1);
        IS(cg_yield(cg_receive_from(world->sender, &any, 1, &world->addrs[i])), 1);
    }
}

static void sends(struct talk *talk)
{
    static struct world world;
    char addr[CG_ADDR_SIZE];

    world = (struct world){.talk = *talk, .seed = 7};
    world.sender = talk->client;
    world.targets[0] = talk->server;
    world.targets[1] = talk_open_one(talk->kind, addr);
    if (talk->kind != OVER_UNIX)
        introduce(&world);
    for (int round = 0; round < ROUNDS; round++) {
        struct cg_coro *sender;

        draw(&world);
        sender = test_start(send_all, &world);
        for (size_t i = 0; i < world.n; i++)
            receive_one(&world, i);
        IS(test_end(sender), 0);
    }
    if (talk->kind != OVER_UNIX)
        cg_sock_close(world.sender);
    cg_sock_close(world.targets[1]);
}

static ssize_t lists(void *arg)
{
    (void)arg;
    if (!test_on_late_sim()) /* there datagrams overtake each other */
        talk_over_all(sends);
    return 0;
}

static const struct test_case cases[] = {
    CORO(lists),
};

int main(void)
{
    return test_main("datagram runs", cases, COUNT(cases));
}
