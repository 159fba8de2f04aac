/* SPDX-License-Identifier: MIT */
/* Hosts of a simulated world that are killed and started again, paused, and cut off. */
#include "config.h"

#include "tests/support/hosts.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS CG_MILLISECOND
#define S CG_SECOND

static struct hosts hosts;

static const struct cg_sim_options slow = {.latency = 10 * MS};
static const struct cg_sim_options late = {.seed = 5,
                                           .latency = 10 * MS,
                                           .jitter = MS,
                                           .short_permille = 300,
                                           .completion = true,
                                           .multishot = true,
                                           .late_cancel = true};

static const struct cg_sim_options *const worlds[] = {&slow, &late};

static int64_t now(void)
{
    return cg_sched_now(cg_sched_self());
}

static ssize_t echo(struct cg_sock *conn, void *arg)
{
    char line[64];
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_readline(conn, line, sizeof line))) > 0)
        if ((n = cg_yield(cg_writeall(conn, line, (size_t)n))) < 0)
            break;
    cg_sock_close(conn);
    return n;
}

/* Echoes lines to all who connect, until it is killed. */
static ssize_t echoes(void *arg)
{
    struct cg_sock *listener;

    OK(cg_sock_listen(cg_sched_self(), "10.0.0.1:7", &listener));
    cg_yield(cg_serve(listener, echo, .arg = arg));
    cg_sock_close(listener);
    return 0;
}

static ssize_t ask(struct cg_sock *conn, int64_t timeout)
{
    char line[64];
    ssize_t n = cg_yield(cg_writeall(conn, "well?\n", 6));

    return n < 0 ? n : cg_yield(cg_readline(conn, line, sizeof line, .timeout = timeout));
}

static struct cg_sock *friend(void)
{
    struct cg_sock *conn;

    while (cg_yield(cg_connect("10.0.0.1:7", &conn)) < 0)
        IS(cg_yield(cg_sleep(MS)), 0);
    IS(ask(conn, S), 6);
    return conn;
}

/* Runs an echo server on host 1 and fn on host 0, which kills the server in the end. */
static void meet(cg_fn *fn)
{
    for (unsigned i = 0; i < COUNT(worlds); i++) {
        hosts_open(&hosts, 2, worlds[i]);
        hosts_start(&hosts, 1, echoes, NULL);
        hosts_start(&hosts, 0, fn, NULL);
        hosts_run(&hosts);
        hosts_close(&hosts);
    }
}

static void kill_server(void)
{
    cg_sim_kill(hosts.reactor[1]);
    hosts.sched[1] = NULL;
    hosts.reactor[1] = NULL;
}

static ssize_t sees_it_die(void *arg)
{
    struct cg_sock *conn = friend(), *other;
    char line[8];

    kill_server();
    IS(cg_yield(cg_read(conn, line, sizeof line)), -ECONNRESET);
    IS(cg_yield(cg_connect("10.0.0.1:7", &other)), -ECONNREFUSED);
    cg_sock_close(conn);
    hosts_add(&hosts, 1); /* its address is free */
    hosts_start(&hosts, 1, echoes, NULL);
    cg_sock_close(friend());
    kill_server();
    return arg ? 0 : 0;
}

/* A host that is killed resets its connections, and can be started again. */
static void killed(void)
{
    meet(sees_it_die);
}

static ssize_t last_words;

/* Its coroutines can free what they have, but nothing that they do reaches anybody. */
static ssize_t speaks_when_it_dies(void *arg)
{
    void *memory = malloc(100);
    struct cg_sock *conn, *other;

    ck_assert_ptr_nonnull(memory);
    OK(cg_yield(cg_connect("10.0.0.1:7", &conn)));
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    last_words = cg_yield(cg_writeall(conn, "ah\n", 3, .shield = true));
    IS(cg_yield(cg_connect("10.0.0.1:7", &other, .shield = true)), -ENETDOWN);
    IS(cg_sock_listen(cg_sched_self(), "10.0.0.2:7", &other), -ENETDOWN);
    IS(cg_yield(cg_sleep(S, .shield = true)), 0); /* others go on meanwhile */
    cg_sock_close(conn);
    free(memory);
    return arg ? 0 : 0;
}

static ssize_t hears_nothing(void *arg)
{
    struct cg_sock *listener, *conn;
    char line[8];

    OK(cg_sock_listen(cg_sched_self(), "10.0.0.1:7", &listener));
    OK(cg_yield(cg_accept(listener, &conn)));
    IS(cg_yield(cg_sleep(S)), 0);
    kill_server();
    IS(cg_yield(cg_read(conn, line, sizeof line)), -ECONNRESET);
    cg_sock_close(conn);
    cg_sock_close(listener);
    return arg ? 0 : 0;
}

static void dying(void)
{
    for (unsigned i = 0; i < COUNT(worlds); i++) {
        last_words = 0;
        hosts_open(&hosts, 2, worlds[i]);
        hosts_start(&hosts, 0, hears_nothing, NULL);
        hosts_start(&hosts, 1, speaks_when_it_dies, NULL);
        hosts_run(&hosts);
        IS(last_words, -ENETDOWN);
        hosts_close(&hosts);
    }
}

static ssize_t waits_for_nobody(void *arg)
{
    return cg_yield(cg_wait_signal("nobody", arg));
}

static ssize_t kills_idle_ones(void *arg)
{
    cg_sched_stop(hosts.sched[2]);
    IS(cg_yield(cg_sleep(S)), 0); /* its run has ended */
    for (unsigned i = 1; i < 3; i++)
        cg_sim_kill(hosts.reactor[i]);
    IS(cg_yield(cg_sleep(S)), 0); /* both are gone */
    IS(cg_sim_host(hosts.reactor[0], &hosts.reactor[2]), 0);
    cg_reactor_close(hosts.reactor[2]);
    hosts.count = 1;
    hosts_add(&hosts, 1);
    hosts_start(&hosts, 1, waits_for_nobody, NULL);
    cg_sim_kill(hosts.reactor[1]); /* before it has begun */
    IS(cg_sim_host(hosts.reactor[0], &hosts.reactor[2]), 0);
    cg_sim_kill(hosts.reactor[2]); /* without a scheduler */
    cg_sim_kill(hosts.reactor[0]); /* and itself */
    IS(cg_yield(cg_sleep(S)), -ECANCELED);
    return arg ? 0 : 0;
}

/* Hosts that have nothing to do, or have not begun, can be killed, too; and the last one. */
static void idle_ones(void)
{
    hosts_open(&hosts, 3, NULL);
    hosts_start(&hosts, 0, kills_idle_ones, NULL);
    hosts_start(&hosts, 2, waits_for_nobody, NULL);
    IS(cg_sim_run(hosts.reactor[0]), 0);
}

static ssize_t pauses_it(void *arg)
{
    struct cg_sock *conn = friend();
    int64_t begin = now();

    cg_sim_set_paused(hosts.reactor[1], true);
    IS(ask(conn, 3 * S), -ETIMEDOUT);
    IS(now() - begin, 3 * S);
    cg_sim_set_paused(hosts.reactor[1], false);
    IS(ask(conn, S), 6); /* to the first question */
    cg_sim_set_paused(hosts.reactor[1], true);
    cg_sock_close(conn);
    kill_server();
    return arg ? 0 : 0;
}

/* A paused host answers when it goes on. */
static void paused(void)
{
    meet(pauses_it);
}

static ssize_t pauses_for_ever(void *arg)
{
    struct cg_sock *conn = friend();

    cg_sim_set_paused(hosts.reactor[1], true);
    IS(ask(conn, CG_NEVER), 6);
    cg_sock_close(conn);
    kill_server();
    return arg ? 0 : 0;
}

/* When nothing else can happen, it goes on by itself: the waits of others have ended. */
static void paused_for_ever(void)
{
    hosts_open(&hosts, 2, &slow);
    hosts_start(&hosts, 1, echoes, NULL);
    hosts_start(&hosts, 0, pauses_for_ever, NULL);
    hosts_run(&hosts);
    hosts_close(&hosts);
}

static void cut(bool there, bool back)
{
    cg_sim_set_link(hosts.reactor[0], hosts.reactor[1], !there);
    cg_sim_set_link(hosts.reactor[1], hosts.reactor[0], !back);
}

static ssize_t is_cut_off(void *arg)
{
    struct cg_sock *conn = friend(), *other;
    char line[64];

    for (int i = 1; i < 4; i++) { /* there, back, both ways */
        cut(i & 1, i & 2);
        IS(ask(conn, 10 * S), -ETIMEDOUT);
        IS(cg_yield(cg_connect("10.0.0.1:7", &other, .timeout = S / 2)), -ETIMEDOUT);
        cut(false, false);
        IS(cg_yield(cg_readline(conn, line, sizeof line, .timeout = CG_MINUTE)), 6);
        IS(ask(conn, S), 6);
    }
    cg_sock_close(conn);
    kill_server();
    return arg ? 0 : 0;
}

/* What was sent while a link was down arrives later. */
static void cut_off(void)
{
    meet(is_cut_off);
}

static ssize_t gives_up(void *arg)
{
    struct cg_sock *conn = friend(), *other;
    int64_t begin = now();

    cut(true, true);
    IS(cg_yield(cg_connect("10.0.0.1:7", &other)), -ETIMEDOUT);
    ck_assert_int_ge(now() - begin, 127 * S);
    ck_assert_int_lt(now() - begin, 128 * S);
    IS(ask(conn, CG_NEVER), -ETIMEDOUT); /* it may have begun to send again before */
    ck_assert_int_ge(now() - begin, 924 * S);
    ck_assert_int_lt(now() - begin, (128 + 925) * S);
    cg_sock_close(conn);
    kill_server();
    return arg ? 0 : 0;
}

static ssize_t takes_over(void *arg)
{
    struct cg_sock *listener, *conn;
    char line[64];

    OK(cg_sock_attach(cg_sched_self(), (int)(intptr_t)arg, &listener));
    IS(cg_yield(cg_sleep(S)), 0); /* the client sends meanwhile */
    OK(cg_yield(cg_accept(listener, &conn)));
    IS(cg_yield(cg_readline(conn, line, sizeof line, .timeout = 10 * MS)), 6);
    IS(cg_yield(cg_writeall(conn, line, 6)), 6);
    cg_sock_close(conn);
    cg_sock_close(listener);
    return 0;
}

static ssize_t waits_for_successor(void *arg)
{
    struct cg_sock *conn;

    OK(cg_yield(cg_connect("10.0.0.1:7", &conn)));
    IS(cg_yield(cg_sleep(S)), 0); /* the listener is handed over */
    IS(ask(conn, S), 6);
    cg_sock_close(conn);
    return arg ? 0 : 0;
}

static ssize_t hands_over(void *arg)
{
    struct cg_sock *listener;
    int handle;
    size_t len;
    void *rest;

    OK(cg_sock_listen(cg_sched_self(), "10.0.0.1:7", &listener));
    IS(cg_yield(cg_sleep(S / 2)), 0); /* the connection waits in the backlog */
    OK(handle = cg_sock_detach(listener, &rest, &len));
    hosts_add(&hosts, 2);
    hosts_start(&hosts, 2, takes_over, (void *)(intptr_t)handle);
    for (int i = 1; i < 3; i++) {
        cg_sim_set_link(hosts.reactor[0], hosts.reactor[i], false);
        cg_sim_set_link(hosts.reactor[i], hosts.reactor[0], false);
    }
    return arg ? 0 : 0;
}

/* A connection in the backlog moves with its listener: to where the old host does not reach. */
static void handed_over(void)
{
    for (unsigned i = 0; i < COUNT(worlds); i++) {
        hosts_open(&hosts, 2, worlds[i]);
        hosts_start(&hosts, 0, hands_over, NULL);
        hosts_start(&hosts, 1, waits_for_successor, NULL);
        hosts_run(&hosts);
        hosts_close(&hosts);
    }
}

/* If a link stays down, whoever sends learns of it in the end. */
static void cut_off_for_good(void)
{
    meet(gives_up);
}

static ssize_t is_never_told(void *arg)
{
    struct cg_sock *conn = friend();
    int64_t begin = now();

    cut(false, true);
    IS(ask(conn, CG_NEVER), -ETIMEDOUT);
    ck_assert_int_ge(now() - begin, 924 * S);
    cg_sock_close(conn);
    kill_server();
    return arg ? 0 : 0;
}

/* Whoever waits for acknowledgements gives up, although what it sends arrives. */
static void lost_acknowledgements(void)
{
    meet(is_never_told);
}

static ssize_t counts_datagrams(void *arg)
{
    struct cg_sock *sock;
    char buf[8];

    OK(cg_datagram_open(cg_sched_self(), "10.0.0.1:9", &sock));
    while (cg_yield(cg_receive_from(sock, buf, sizeof buf, NULL, .timeout = 10 * S)) > 0)
        ++*(int *)arg;
    cg_sock_close(sock);
    return 0;
}

static ssize_t sends_datagrams(void *arg)
{
    struct cg_sock *sock;

    OK(cg_datagram_open(cg_sched_self(), "10.0.0.2:9", &sock));
    for (int i = 0; i < 6; i++) {
        IS(cg_yield(cg_sleep(S)), 0);
        cut(i % 3 == 0, i % 3 == 1);
        IS(cg_yield(cg_send_to(sock, "hello", 5, "10.0.0.1:9")), 5);
        IS(cg_yield(cg_sleep(S)), 0);
    }
    cg_sock_close(sock);
    return arg ? 0 : 0;
}

/* Datagrams that are sent while the link is down are lost. */
static void lost_datagrams(void)
{
    int received = 0;

    hosts_open(&hosts, 2, &slow);
    hosts_start(&hosts, 1, counts_datagrams, &received);
    hosts_start(&hosts, 0, sends_datagrams, NULL);
    hosts_run(&hosts);
    ck_assert_int_eq(received, 4);
    hosts_close(&hosts);
}

static ssize_t connects_slowly(void *arg)
{
    struct cg_sock *conn;
    int64_t begin = now();

    cg_sim_set_delay(hosts.reactor[0], hosts.reactor[1], S);
    while (cg_yield(cg_connect("10.0.0.1:7", &conn)) < 0)
        IS(cg_yield(cg_sleep(MS)), 0);
    ck_assert_int_ge(now() - begin, S + 20 * MS);
    cg_sock_close(conn);
    kill_server();
    return arg ? 0 : 0;
}

/* A slow link delays a connect, too. */
static void slow_connect(void)
{
    meet(connects_slowly);
}

static ssize_t receives_in_order(void *arg)
{
    static const char *const wanted[] = {"fast", "slow", "slow"};
    struct cg_sock *sock;
    int64_t begin = now();
    char buf[8];

    OK(cg_datagram_open(cg_sched_self(), "10.0.0.1:9", &sock));
    cg_sim_set_delay(hosts.reactor[1], hosts.reactor[0], S);
    for (size_t i = 0; i < COUNT(wanted); i++) {
        IS(cg_yield(cg_receive_from(sock, buf, sizeof buf, NULL)), 4);
        ck_assert_mem_eq(buf, wanted[i], 4);
        IS((now() - begin) / S, i > 0);
    }
    cg_sock_close(sock);
    return arg ? 0 : 0;
}

static ssize_t sends_later(void *text)
{
    struct cg_sock *sock;
    bool fast = strcmp(text, "fast") == 0;

    OK(cg_datagram_open(cg_sched_self(), fast ? "10.0.0.3:9" : "10.0.0.2:9", &sock));
    IS(cg_yield(cg_sleep((fast ? 100 : 50) * MS)), 0);
    for (int i = fast; i < 2; i++)
        IS(cg_yield(cg_send_to(sock, text, 4, "10.0.0.1:9")), 4);
    cg_sock_close(sock);
    return 0;
}

/* A slow link delays each datagram on it, and none of those on other links. */
static void slow_datagrams(void)
{
    hosts_open(&hosts, 3, &slow);
    hosts_start(&hosts, 0, receives_in_order, NULL);
    hosts_start(&hosts, 1, sends_later, "slow");
    hosts_start(&hosts, 2, sends_later, "fast");
    hosts_run(&hosts);
    hosts_close(&hosts);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(killed, .where = ON_SIM),
        PLAIN(dying, .where = ON_SIM),
        PLAIN(idle_ones, .where = ON_SIM),
        PLAIN(paused, .where = ON_SIM),
        PLAIN(paused_for_ever, .where = ON_SIM),
        PLAIN(cut_off, .where = ON_SIM),
        PLAIN(cut_off_for_good, .where = ON_SIM),
        PLAIN(handed_over, .where = ON_SIM),
        PLAIN(lost_acknowledgements, .where = ON_SIM),
        PLAIN(lost_datagrams, .where = ON_SIM),
        PLAIN(slow_connect, .where = ON_SIM),
        PLAIN(slow_datagrams, .where = ON_SIM),
    };

    return test_main("sim_fail", cases, COUNT(cases));
}
