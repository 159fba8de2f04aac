/* SPDX-License-Identifier: MIT */
/* The name server of simulated worlds, and the resolver that asks it. Messages: what is written
 * is read as the same again, and nothing else is. */
#include "config.h"

#include "sockets/names/names_message.h"
#include "tests/support/hosts.h"
#include "tests/support/support.h"

#include <cogen/resolve.h>
#include <errno.h>
#include <string.h>

#define S CG_SECOND

static struct hosts hosts;
static char zone[256];

static const struct cg_sim_options plain = {.name_server = CG_SIM_NAME_SERVER,
                                            .latency = 10 * CG_MILLISECOND};
static const struct cg_sim_options rough = {.seed = 3,
                                            .name_server = CG_SIM_NAME_SERVER,
                                            .latency = 10 * CG_MILLISECOND,
                                            .lose_permille = 300,
                                            .double_permille = 500,
                                            .reorder_permille = 300,
                                            .completion = true,
                                            .late_cancel = true};

static int64_t now(void)
{
    return cg_sched_now(cg_sched_self());
}

/* The addresses of a host, in their order; or the error. */
static const char *find(const char *host, int family)
{
    static char text[256];
    struct cg_addr_list list;
    ssize_t n = cg_yield(cg_resolve(host, "80", &list, .family = (sa_family_t)family));
    char addr[CG_ADDR_SIZE];

    snprintf(text, sizeof text, "%s", n < 0 ? cg_strerror(n) : "");
    for (int i = 0; i < n; i++) {
        IS(cg_addr_print(&list.addrs[i], addr, sizeof addr), 0);
        strcat(strcat(text, i > 0 ? " " : ""), addr);
    }
    return text;
}

#define FINDS(host, family, want) ck_assert_str_eq(find(host, family), want)
#define FAILS(host, family, error) ck_assert_str_eq(find(host, family), cg_strerror(error))

static ssize_t asks(void *arg)
{
    (void)arg;
    cg_yield(cg_sleep(S)); /* the server begins */
    FINDS("WWW.test", AF_UNSPEC, "[2001:db8::1]:80 10.0.0.1:80 10.0.0.2:80");
    FINDS("www.test.", AF_INET, "10.0.0.1:80 10.0.0.2:80");
    FINDS("www.test", AF_INET6, "[2001:db8::1]:80");
    FINDS("v4.test", AF_UNSPEC, "10.0.0.4:80");
    FAILS("v4.test", AF_INET6, CG_EHOST);
    FAILS("none.test", AF_UNSPEC, CG_EHOST);
    FAILS("empty.test", AF_UNSPEC, CG_EHOST);
    FAILS("bad.test", AF_UNSPEC, CG_EHOST);
    FAILS("two..dots", AF_UNSPEC, CG_EHOST);
    FAILS("a-label-of-64-bytes-is-one-byte-too-long-for-any-name-that-exists.test", AF_UNSPEC,
          CG_EHOST);
    cg_sched_stop(hosts.sched[1]);
    return 0;
}

static void serve_and(cg_fn *fn, const struct cg_sim_options *options)
{
    strcpy(zone, "v4.test 60 10.0.0.4\nwww.test 60 10.0.0.1 2001:db8::1 10.0.0.2 nonsense\n"
                 "empty.test 5\n\nbad.test soon 10.0.0.9");
    hosts_open(&hosts, 2, options);
    hosts_start(&hosts, 1, cg_sim_serve_names, zone);
    hosts_start(&hosts, 0, fn, NULL);
    hosts_run(&hosts);
    hosts_close(&hosts);
}

/* Hosts are found, on a good network and on one that loses, doubles and reorders datagrams. */
static void finds_hosts(void)
{
    serve_and(asks, &plain);
    serve_and(asks, &rough);
}

static ssize_t remembers(void *arg)
{
    (void)arg;
    cg_yield(cg_sleep(S));
    FINDS("v4.test", AF_INET, "10.0.0.4:80");
    FAILS("new.test", AF_INET, CG_EHOST);
    strcpy(zone, "v4.test 1 10.0.0.5\nnew.test 1 10.0.0.6");
    cg_yield(cg_sleep(4 * S));
    FINDS("v4.test", AF_INET, "10.0.0.4:80");
    FAILS("new.test", AF_INET, CG_EHOST);
    cg_yield(cg_sleep(2 * S));
    FINDS("new.test", AF_INET, "10.0.0.6:80");
    cg_yield(cg_sleep(60 * S));
    FINDS("v4.test", AF_INET, "10.0.0.5:80");
    cg_sched_stop(hosts.sched[1]);
    return 0;
}

/* As long as an answer may be remembered, nobody is asked. */
static void remembers_answers(void)
{
    serve_and(remembers, &plain);
}

/* Without an answer it asks four times, and waits twice as long each time. Cancelled, it gives up
 * at once. */
static ssize_t waits_in_vain(void *arg)
{
    struct cg_addr_list list;
    int64_t begin;

    (void)arg;
    cg_yield(cg_sleep(S));
    cg_sim_set_link(hosts.reactor[1], hosts.reactor[0], false);
    begin = now();
    FAILS("v4.test", AF_UNSPEC, CG_ELOOKUP);
    IS(now() - begin, 75 * S);
    IS(cg_yield(cg_resolve("v4.test", NULL, &list, .timeout = 2 * S)), -ETIMEDOUT);
    IS(now() - begin, 77 * S);
    cg_sim_set_link(hosts.reactor[1], hosts.reactor[0], true);
    FINDS("v4.test", AF_UNSPEC, "10.0.0.4:80");
    cg_sched_stop(hosts.sched[1]);
    cg_yield(cg_sleep(S));
    FAILS("none.test", AF_UNSPEC, CG_ELOOKUP); /* nobody is there, and that is told at once */
    ck_assert_int_lt(now() - begin, 79 * S);
    return 0;
}

static void gives_up(void)
{
    serve_and(waits_in_vain, &plain);
}

/* What is wrong with answers is told as what it is, and passes. */
static ssize_t hears_nonsense(void *arg)
{
    unsigned failed = 0, unknown = 0, wrong = 0, right = 0;

    (void)arg;
    cg_yield(cg_sleep(S));
    cg_sim_set_lack(hosts.reactor[0], CG_LACKS_NAMES, 600);
    strcpy(zone, "v4.test 0 10.0.0.4");
    for (int i = 0; i < 200; i++) {
        const char *text = find("v4.test", AF_INET);

        failed += strcmp(text, cg_strerror(CG_ELOOKUP)) == 0;
        unknown += strcmp(text, cg_strerror(CG_EHOST)) == 0;
        wrong += strcmp(text, "192.0.2.1:80") == 0;
        right += strcmp(text, "10.0.0.4:80") == 0;
        cg_yield(cg_sleep(6 * S));
    }
    IS(failed + unknown + wrong + right, 200);
    ck_assert_uint_gt(failed, 10);
    ck_assert_uint_gt(unknown, 10);
    ck_assert_uint_gt(wrong, 10);
    ck_assert_uint_gt(right, 50);
    cg_sim_set_lack(hosts.reactor[0], CG_LACKS_NAMES, 0);
    FINDS("v4.test", AF_INET, "10.0.0.4:80");
    cg_sched_stop(hosts.sched[1]);
    return 0;
}

static void answers_go_wrong(void)
{
    serve_and(hears_nonsense, &plain);
}

/* Other programs may ask it, too; what is no query is ignored. */
static ssize_t sends_anything(void *arg)
{
    struct cg__names_question question = {.id = 7, .type = 16, .host = "v4.test"};
    unsigned char message[CG__NAMES_SIZE];
    size_t len = cg__names_message_ask(message, &question);
    struct cg__names_answer answer;
    struct cg_sock *sock;
    ssize_t n;

    (void)arg;
    cg_yield(cg_sleep(S));
    OK(cg_datagram_open(cg_sched_self(), NULL, &sock, .peer = CG_SIM_NAME_SERVER));
    for (size_t cut = 0; cut < len; cut++)
        OK(cg_yield(cg_send_to(sock, message, cut, NULL)));
    IS(cg_yield(cg_receive_from(sock, message, sizeof message, NULL, .timeout = S)), -ETIMEDOUT);
    OK(cg_yield(cg_send_to(sock, message, len, NULL)));
    OK(n = cg_yield(cg_receive_from(sock, message, sizeof message, NULL)));
    ck_assert(cg__names_message_read_answer(message, (size_t)n, &question, &answer));
    IS(answer.code, CG__NAMES_FINE); /* the host is there, and has no text */
    IS(answer.addrs.count, 0);
    cg_sock_close(sock);
    cg_sched_stop(hosts.sched[1]);
    return 0;
}

static void serves_others(void)
{
    serve_and(sends_anything, &plain);
}

/* An answer that is cut anywhere, or has another question, is none. */
static void messages(void)
{
    struct cg__names_question question = {.id = 513, .type = CG__NAMES_A, .host = "a.b"}, read;
    struct cg__names_answer answer = {.ttl = 70000, .code = CG__NAMES_FAILED}, again;
    unsigned char message[CG__NAMES_SIZE];
    size_t len = cg__names_message_ask(message, &question);

    ck_assert(cg__names_message_read(message, len, &read));
    ck_assert_str_eq(read.host, "a.b");
    IS(read.id, 513);
    ck_assert(!cg__names_message_read_answer(message, len, &question, &again));
    answer.addrs.count = 1;
    answer.addrs.addrs[0].in =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {0x05060708}};
    len = cg__names_message_answer(message, &question, &answer);
    ck_assert(!cg__names_message_read(message, len, &read));
    ck_assert(cg__names_message_read_answer(message, len, &question, &again));
    IS(again.ttl, 70000);
    IS(again.code, CG__NAMES_FAILED);
    IS(again.addrs.count, 1);
    IS(again.addrs.addrs[0].in.sin_addr.s_addr, 0x05060708);
    for (size_t cut = 0; cut < len; cut++)
        ck_assert(!cg__names_message_read_answer(message, cut, &question, &again));
    message[len - 13] = 5; /* an alias: how long it lives counts, too */
    ck_assert(cg__names_message_read_answer(message, len, &question, &again));
    IS(again.addrs.count, 0);
    IS(again.ttl, 70000);
    question.type = CG__NAMES_AAAA;
    ck_assert(!cg__names_message_read_answer(message, len, &question, &again));
}

/* The resolver is for worlds only, and for addresses only. */
static ssize_t elsewhere(void *arg)
{
    struct cg_resolver_options options = {.resolv_conf = "/etc/resolv.conf"};
    struct cg_addr_list list;
    struct cg_srv_list srvs;
    struct cg_resolver *resolver;

    (void)arg;
    IS(cg_resolver_open("world", &options, &resolver), -EOPNOTSUPP);
    options = (struct cg_resolver_options){.tries = -1};
    IS(cg_resolver_open("world", &options, &resolver), -EINVAL);
    IS(cg_resolver_open("world", NULL, &resolver), 0);
    IS(cg_sched_set_resolver(cg_sched_self(), resolver), 0);
    IS(cg_yield(cg_resolve_srv("_a._tcp.test", &srvs)), -EOPNOTSUPP);
    if (!cg_sched_reactor(cg_sched_self())->simulated) {
        IS(cg_yield(cg_resolve("v4.test", NULL, &list)), -EOPNOTSUPP);
        IS(cg_sim_serve_names(zone), -EOPNOTSUPP);
    }
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(finds_hosts, .where = ON_SIM),
        PLAIN(remembers_answers, .where = ON_SIM),
        PLAIN(gives_up, .where = ON_SIM),
        PLAIN(answers_go_wrong, .where = ON_SIM),
        PLAIN(serves_others, .where = ON_SIM),
        PLAIN(messages, .where = ON_SIM),
        CORO(elsewhere),
    };

    return test_main("names", cases, COUNT(cases));
}
