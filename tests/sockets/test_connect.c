/* SPDX-License-Identifier: MIT */
/* cg_connect to host names: which addresses it tries, when it tries them, and that every
 * attempt that does not win is closed. The names are in a fixed table; the times are those
 * of the simulated clock. */
#include "config.h"

#include "tests/sockets/web.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MS CG_MILLISECOND

/* What is tried, and when */

enum {
    TRIES_MOST = 16
};

struct attempt {
    int64_t when; /* since the trace began */
    char addr[CG_ADDR_SIZE];
};

static struct attempt tries[TRIES_MOST];
static int try_count;
static int64_t began;

static void trace(void *arg, const char *line)
{
    long long s, ns;
    int handle;

    (void)arg;
    if (sscanf(line, "%lld.%lld %d connects to %127s", &s, &ns, &handle,
               tries[try_count].addr) != 4)
        return;
    tries[try_count].when = s * CG_SECOND + ns - began;
    ck_assert_int_lt(++try_count, TRIES_MOST);
}

/* Connects to web.test, and records every attempt. */
static ssize_t connect_web(struct cg_sock **conn, int64_t timeout)
{
    struct cg_reactor *world = cg_sched_reactor(cg_sched_self());
    ssize_t n;

    try_count = 0;
    began = cg_sched_now(cg_sched_self());
    cg_sim_trace(world, trace, NULL);
    n = cg_yield(cg_connect("web.test:80", conn, .timeout = timeout));
    cg_sim_trace(world, NULL, NULL);
    return n;
}

static int64_t since(void)
{
    return cg_sched_now(cg_sched_self()) - began;
}

static void tried(int i, const char *addr, int64_t when)
{
    ck_assert_str_eq(tries[i].addr, addr);
    ck_assert_int_eq(tries[i].when, when);
}

static void check_peer(struct cg_sock *conn, const char *want)
{
    char text[CG_ADDR_SIZE];

    OK(cg_sock_peer_addr(conn, text, sizeof text));
    ck_assert_str_eq(text, want);
}

/* Where no address responds, the families take turns, with 250 ms between attempts. The
 * timeout comes to the nanosecond, and leaves nothing open. */
static ssize_t takes_turns(void *arg)
{
    struct hole holes[] = {dig(V6_1), dig(V6_2), dig(V4_1), dig(V4_2)};
    size_t handles = cg_sim_handles(cg_sched_reactor(cg_sched_self()));
    struct cg_sock *conn;

    (void)arg;
    web_is(ALL_FOUR);
    IS(connect_web(&conn, CG_SECOND), -ETIMEDOUT);
    ck_assert_int_eq(since(), CG_SECOND);
    IS(try_count, 4);
    tried(0, V6_1, 0);
    tried(1, V4_1, 250 * MS);
    tried(2, V6_2, 500 * MS);
    tried(3, V4_2, 750 * MS);
    ck_assert_uint_eq(cg_sim_handles(cg_sched_reactor(cg_sched_self())), handles);
    for (size_t i = 0; i < COUNT(holes); i++)
        fill_in(&holes[i]);
    return 0;
}

/* The order within a family is the resolver's. The family of the resolver's first address
 * comes first. */
static ssize_t keeps_the_order(void *arg)
{
    struct cg_sock *conn;

    (void)arg;
    web_is("10.0.0.2 10.0.0.1 10.0.0.3 2001:db8::2");
    IS(connect_web(&conn, CG_NEVER), -ECONNREFUSED);
    IS(try_count, 4);
    tried(0, "10.0.0.2:80", 0);
    tried(1, "[2001:db8::2]:80", 0);
    tried(2, "10.0.0.1:80", 0);
    tried(3, "10.0.0.3:80", 0);
    return 0;
}

/* A refused attempt starts the next one at once. No address after the one that succeeds is
 * tried. */
static ssize_t refused_first(void *arg)
{
    struct cg_sock *listener = serve(V4_1), *conn;

    (void)arg;
    web_is(ALL_FOUR);
    IS(connect_web(&conn, CG_NEVER), 0);
    ck_assert_int_eq(since(), 0);
    IS(try_count, 2);
    check_peer(conn, V4_1);
    cg_sock_close(conn);
    cg_sock_close(listener);
    return 0;
}

/* An IPv6 address that does not respond costs 250 ms. Its attempt is closed when another
 * wins. */
static ssize_t black_hole_first(void *arg)
{
    struct hole hole = dig(V6_1);
    struct cg_sock *listener = serve(V4_1), *conn, *late;

    (void)arg;
    web_is(ALL_FOUR);
    IS(connect_web(&conn, CG_NEVER), 0);
    ck_assert_int_eq(since(), CG_CONNECT_DELAY);
    ck_assert_int_eq(CG_CONNECT_DELAY, 250 * MS);
    IS(try_count, 2);
    check_peer(conn, V4_1);
    open_up(&hole);
    IS(cg_yield(cg_accept(hole.listener, &late, .timeout = CG_SECOND)), -ETIMEDOUT);
    cg_sock_close(conn);
    cg_sock_close(listener);
    fill_in(&hole);
    return 0;
}

static ssize_t open_up_later(void *arg)
{
    OK(cg_yield(cg_sleep(300 * MS)));
    open_up(arg);
    return 0;
}

/* An attempt goes on when the next one has begun, and may still win. */
static ssize_t slow_first(void *arg)
{
    struct hole first = dig(V6_1), second = dig(V4_1);
    struct cg_coro *opener = test_start(open_up_later, &first);
    struct cg_sock *conn;

    (void)arg;
    web_is(ALL_FOUR);
    IS(connect_web(&conn, CG_NEVER), 0);
    ck_assert_int_eq(since(), 300 * MS);
    IS(try_count, 2);
    check_peer(conn, V6_1);
    IS(test_end(opener), 0);
    cg_sock_close(conn);
    fill_in(&first);
    fill_in(&second);
    return 0;
}

static ssize_t fill_in_later(void *arg)
{
    OK(cg_yield(cg_sleep(100 * MS)));
    fill_in(arg);
    return 0;
}

/* An attempt that fails within 250 ms starts the next one, whose 250 ms begin then. */
static ssize_t fails_meanwhile(void *arg)
{
    struct hole first = dig(V6_1), second = dig(V4_1);
    struct cg_coro *closer = test_start(fill_in_later, &first);
    struct cg_sock *listener = serve(V6_2), *conn;

    (void)arg;
    web_is(ALL_FOUR);
    IS(connect_web(&conn, CG_NEVER), 0);
    IS(try_count, 3);
    tried(0, V6_1, 0);
    tried(1, V4_1, 100 * MS);
    tried(2, V6_2, 350 * MS);
    check_peer(conn, V6_2);
    IS(test_end(closer), 0);
    cg_sock_close(conn);
    cg_sock_close(listener);
    fill_in(&second);
    return 0;
}

/* When the last address fails, the pending attempts still go on. */
static ssize_t waits_for_all(void *arg)
{
    struct hole first = dig(V6_1);
    struct cg_coro *opener = test_start(open_up_later, &first);
    struct cg_sock *conn;

    (void)arg;
    web_is("2001:db8::1 10.0.0.1");
    IS(connect_web(&conn, CG_NEVER), 0);
    ck_assert_int_eq(since(), 300 * MS);
    IS(try_count, 2);
    check_peer(conn, V6_1);
    IS(test_end(opener), 0);
    cg_sock_close(conn);
    fill_in(&first);
    return 0;
}

/* Families whose look-ups complete at different times */

/* What a case expects: the attempts and their times, the result and its time. */
struct apart {
    const char *addrs;
    int64_t delay_ipv4, delay_ipv6;
    const char *listener;
    ssize_t answer;
    int64_t took;
    int tries;
    struct attempt attempts[2];
};

static void check_apart(struct cg_resolver *names, const struct apart *apart)
{
    struct cg_sock *listener = serve(apart->listener), *conn;
    size_t handles = cg_sim_handles(cg_sched_reactor(cg_sched_self()));

    OK(cg_resolver_set_host(names, "web.test", apart->addrs,
                            .delay_ipv4 = apart->delay_ipv4,
                            .delay_ipv6 = apart->delay_ipv6));
    IS(connect_web(&conn, 20 * CG_SECOND), apart->answer);
    ck_assert_int_eq(since(), apart->took);
    IS(try_count, apart->tries);
    for (int i = 0; i < apart->tries; i++)
        tried(i, apart->attempts[i].addr, apart->attempts[i].when);
    if (apart->answer == 0) {
        check_peer(conn, apart->attempts[apart->tries - 1].addr);
        cg_sock_close(conn);
    } else {
        ck_assert_uint_eq(cg_sim_handles(cg_sched_reactor(cg_sched_self())), handles);
    }
    cg_sock_close(listener);
}

/* If only the IPv4 addresses are there, the first attempt waits 50 ms for IPv6. IPv6
 * addresses are tried at once. A look-up that finds no address ends that wait. Addresses
 * that come later are tried later. */
static ssize_t answered_apart(void *arg)
{
    static const char both[] = "10.0.0.1 2001:db8::1";
    static const struct apart table[] = {
        /* The AAAA query is dropped. */
        {both, 0, CG_NEVER, V4_1, 0, 50 * MS, 1, {{50 * MS, V4_1}}},
        {both, 10 * MS, CG_NEVER, V4_1, 0, 60 * MS, 1, {{60 * MS, V4_1}}},
        {both, 0, CG_NEVER, V4_2, -ETIMEDOUT, 20 * CG_SECOND, 1, {{50 * MS, V4_1}}},
        /* The AAAA response is late, but within 50 ms. */
        {both, 0, 30 * MS, V6_1, 0, 30 * MS, 1, {{30 * MS, V6_1}}},
        {both, 0, 30 * MS, V4_1, 0, 30 * MS, 2, {{30 * MS, V6_1}, {30 * MS, V4_1}}},
        /* The AAAA response is too late for the first attempt. */
        {both, 0, 80 * MS, V6_1, 0, 80 * MS, 2, {{50 * MS, V4_1}, {80 * MS, V6_1}}},
        /* The A query is dropped, or its response is late. */
        {both, CG_NEVER, 1, V6_1, 0, 1, 1, {{1, V6_1}}},
        {both, 90 * MS, 1, V4_1, 0, 90 * MS, 2, {{1, V6_1}, {90 * MS, V4_1}}},
        /* Both queries are dropped. */
        {both, CG_NEVER, CG_NEVER, V4_1, -ETIMEDOUT, 20 * CG_SECOND, 0, {{0}}},
        /* One family has no address. */
        {"10.0.0.1", 0, 20 * MS, V4_1, 0, 20 * MS, 1, {{20 * MS, V4_1}}},
        {"10.0.0.1", 20 * MS, 0, V4_1, 0, 20 * MS, 1, {{20 * MS, V4_1}}},
        {"2001:db8::1", 0, 70 * MS, V6_1, 0, 70 * MS, 1, {{70 * MS, V6_1}}},
        {"10.0.0.1", 0, 20 * MS, V6_1, -ECONNREFUSED, 20 * MS, 1, {{20 * MS, V4_1}}},
        {"10.0.0.1", 0, 70 * MS, V6_1, -ECONNREFUSED, 70 * MS, 1, {{50 * MS, V4_1}}},
    };
    struct cg_resolver *names = names_for(cg_sched_self());

    (void)arg;
    ck_assert_int_eq(CG_RESOLUTION_DELAY, 50 * MS);
    for (size_t i = 0; i < COUNT(table); i++)
        check_apart(names, &table[i]);
    return 0;
}

/* An attempt has its 250 ms even if more addresses come meanwhile. */
static ssize_t joins_later(void *arg)
{
    struct hole holes[] = {dig(V4_1), dig(V6_1)};
    struct cg_sock *listener = serve(V4_2), *conn;

    (void)arg;
    OK(cg_resolver_set_host(names_for(cg_sched_self()), "web.test",
                            "10.0.0.1 10.0.0.2 2001:db8::1", .delay_ipv6 = 100 * MS));
    IS(connect_web(&conn, CG_NEVER), 0);
    IS(try_count, 3);
    tried(0, V4_1, 50 * MS);
    tried(1, V6_1, 300 * MS);
    tried(2, V4_2, 550 * MS);
    check_peer(conn, V4_2);
    cg_sock_close(conn);
    cg_sock_close(listener);
    fill_in(&holes[0]);
    fill_in(&holes[1]);
    return 0;
}

/* If both look-ups fail, connect completes with their error. */
static ssize_t fails_apart(void *arg)
{
    struct cg_resolver *names = names_for(cg_sched_self());
    struct cg_sock *conn;

    (void)arg;
    OK(cg_resolver_set_host(names, "web.test", NULL, .error = CG_ELOOKUP,
                            .delay_ipv6 = 10 * MS));
    IS(connect_web(&conn, CG_NEVER), CG_ELOOKUP);
    ck_assert_int_eq(since(), 10 * MS);
    OK(cg_resolver_set_host(names, "web.test", NULL, .error = CG_EHOST,
                            .delay_ipv4 = 10 * MS));
    IS(connect_web(&conn, CG_NEVER), CG_EHOST);
    return 0;
}

/* Results */

/* An error of the look-up is the result of connect. The timeout covers look-up and attempts
 * together. */
static ssize_t answers(void *arg)
{
    struct cg_resolver *names = names_for(cg_sched_self());
    struct hole hole = dig(V4_1);
    struct cg_sock *conn = NULL;

    (void)arg;
    OK(cg_resolver_set_host(names, "gone.test", NULL, .error = CG_EHOST));
    OK(cg_resolver_set_host(names, "down.test", NULL, .error = CG_ELOOKUP,
                            .delay = 5 * MS));
    OK(cg_resolver_set_host(names, "mute.test", "10.0.0.1", .delay = CG_NEVER));
    OK(cg_resolver_set_host(names, "web.test", "10.0.0.1", .delay = 600 * MS));
    IS(cg_yield(cg_connect("gone.test:80", &conn)), CG_EHOST);
    IS(cg_yield(cg_connect("unheard.of:80", &conn)), CG_EHOST);
    IS(cg_yield(cg_connect("down.test:80", &conn)), CG_ELOOKUP);
    IS(cg_yield(cg_connect("mute.test:80", &conn, .timeout = CG_SECOND)), -ETIMEDOUT);
    IS(cg_yield(cg_connect("web.test:0", &conn)), CG_EADDR);
    IS(cg_yield(cg_connect("web.test", &conn)), CG_EADDR);
    IS(cg_yield(cg_connect("web test:80", &conn)), CG_EADDR);
    IS(connect_web(&conn, CG_SECOND), -ETIMEDOUT);
    ck_assert_int_eq(since(), CG_SECOND);
    IS(try_count, 1);
    tried(0, V4_1, 600 * MS);
    ck_assert_ptr_null(conn);
    fill_in(&hole);
    return 0;
}

static void check_waits_for(const char *addr, const char *want)
{
    struct cg_coro *coro = test_start(connects, (void *)addr);
    char text[128];

    test_until_waiting(coro);
    cg_op_print(cg_coro_op(coro), text, sizeof text);
    ck_assert_msg(strncmp(text, want, strlen(want)) == 0, "it waits for: %s", text);
    OK(cg_yield(cg_cancel(coro)));
    IS(test_end(coro), -ECANCELED);
}

/* A connect to an address is one operation. A connect to a name waits for other operations,
 * and cg_op_print shows those. */
static ssize_t one_op_or_several(void *arg)
{
    struct hole hole = dig(V4_1);
    struct cg_resolver *names = names_for(cg_sched_self());

    (void)arg;
    OK(cg_resolver_set_host(names, "web.test", "10.0.0.1"));
    OK(cg_resolver_set_host(names, "mute.test", "10.0.0.1", .delay = CG_NEVER));
    check_waits_for(V4_1, "connect 10.0.0.1:80");
    check_waits_for("mute.test:80", "resolve mute.test");
    check_waits_for("web.test:80", "connects 1 of 1");
    fill_in(&hole);
    return 0;
}

/* On every reactor */

/* localhost means all loopback addresses. It is enough that one of them has a listener. */
static ssize_t localhost(void *arg)
{
    char addr[CG_ADDR_SIZE], name[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn, *accepted;

    (void)arg;
    snprintf(name, sizeof name, "localhost%s", strrchr(addr, ':'));
    OK(cg_yield(cg_connect(name, &conn, .timeout = 20 * CG_SECOND)));
    OK(cg_yield(cg_accept(listener, &accepted)));
    IS(cg_yield(cg_write(conn, "x", 1)), 1);
    IS(cg_yield(cg_read(accepted, name, 1)), 1);
    cg_sock_close(conn);
    cg_sock_close(accepted);
    cg_sock_close(listener);
    return 0;
}

/* Addresses that refuse are skipped, and so are those of a family that the machine does not
 * have. */
static ssize_t passes_over(void *arg)
{
    char addr[CG_ADDR_SIZE], name[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn;

    (void)arg;
    web_is("127.0.0.2 127.0.0.3 ::1 127.0.0.1");
    snprintf(name, sizeof name, "web.test%s", strrchr(addr, ':'));
    OK(cg_yield(cg_connect(name, &conn, .timeout = 20 * CG_SECOND)));
    check_peer(conn, addr);
    cg_sock_close(conn);
    cg_sock_close(listener);
    IS(cg_yield(cg_connect(name, &conn, .timeout = 20 * CG_SECOND)), -ECONNREFUSED);
    return 0;
}

/* A connect that loses a race against an op that completes soon leaves nothing open. */
static ssize_t loses(void *arg)
{
    char addr[CG_ADDR_SIZE], name[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn = NULL;

    (void)arg;
    web_is("127.0.0.2 127.0.0.1");
    snprintf(name, sizeof name, "web.test%s", strrchr(addr, ':'));
    for (int passes = 0; passes < 8; passes++) {
        struct cg_op *connect = cg_connect(name, &conn);

        OK(cg_yield(cg_any((connect, cg_sleep(passes * 20 * CG_MICROSECOND)))));
        if (cg_op_result(connect) >= 0)
            cg_sock_close(conn);
        else
            IS(cg_op_result(connect), -ECANCELED);
    }
    cg_sock_close(listener);
    return 0;
}

static const struct test_case cases[] = {
    CORO(takes_turns, .where = ON_SIM),
    CORO(keeps_the_order, .where = ON_SIM),
    CORO(refused_first, .where = ON_SIM),
    CORO(black_hole_first, .where = ON_SIM),
    CORO(slow_first, .where = ON_SIM),
    CORO(fails_meanwhile, .where = ON_SIM),
    CORO(waits_for_all, .where = ON_SIM),
    CORO(answered_apart, .where = ON_SIM),
    CORO(joins_later, .where = ON_SIM),
    CORO(fails_apart, .where = ON_SIM),
    CORO(answers, .where = ON_SIM),
    CORO(one_op_or_several, .where = ON_SIM),
    CORO(localhost),
    CORO(passes_over),
    CORO(loses),
};

int main(void)
{
    return test_main("connect", cases, COUNT(cases));
}
