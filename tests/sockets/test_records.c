/* SPDX-License-Identifier: MIT */
/* cg_resolve_srv, cg_resolve_txt and cg_resolve_ptr with the fixed resolver and with threads;
 * the order of servers. */
#include "config.h"

#include "sockets/resolve/records.h"
#include "tests/sockets/resolving.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MS CG_MILLISECOND

static ssize_t refused(void *arg)
{
    static const char *const none[] = {"", "a b", "1.2.3", "::1", "10.0.0.1"};
    static const char *const no_addrs[] = {"",          "a",       "[::1]",   "::1:",
                                           "[10.0.0.1]:80", "10.0.0.1:x", "10.0.0.1:65536", ":80"};
    struct cg_srv_list srvs = {.count = -1};
    struct cg_name_list names = {.count = -1};

    (void)arg;
    resolving_use(cg_sched_self(), "fixed", NULL);
    IS(cg_yield(cg_resolve_srv(NULL, &srvs)), -EINVAL);
    IS(cg_yield(cg_resolve_srv("a.test", NULL)), -EINVAL);
    IS(cg_yield(cg_resolve_srv("a.test", &srvs, .family = AF_INET)), -EINVAL);
    for (size_t i = 0; i < COUNT(none); i++)
        IS(cg_yield(cg_resolve_srv(none[i], &srvs)), CG_EADDR);
    for (size_t i = 0; i < COUNT(no_addrs); i++)
        IS(cg_yield(cg_resolve_ptr(no_addrs[i], &names)), CG_EADDR);
    IS(cg_yield(cg_resolve_srv("a.test", &srvs)), CG_EHOST);
    IS(cg_yield(cg_resolve_ptr("10.0.0.1", &names)), CG_EHOST);
    IS(srvs.count, -1);
    IS(names.count, -1);
    return 0;
}

/* Records of a kind are those of no other kind, and of no address. */
static ssize_t fixed_records(void *arg)
{
    struct cg_resolver *fixed = resolving_use(cg_sched_self(), "fixed", NULL);
    struct cg_srv_list srvs;
    struct cg_txt_list txts;
    struct cg_name_list names;
    struct cg_addr_list list;

    (void)arg;
    OK(cg_resolver_set_records(fixed, CG_RESOLVE_SRV, "_x._tcp.a.test",
                               "20 0 81 b.test\n10 0 80 a.test"));
    OK(cg_resolver_set_records(fixed, CG_RESOLVE_TXT, "a.test", "one\n\nthe third"));
    OK(cg_resolver_set_records(fixed, CG_RESOLVE_PTR, "10.0.0.1", "a.test\nalias.test"));
    OK(cg_resolver_set_records(fixed, CG_RESOLVE_PTR, "2001:db8::1", "six.test"));
    OK(cg_resolver_set_records(fixed, CG_RESOLVE_TXT, "broken.test", NULL,
                               .error = CG_ELOOKUP));

    IS(cg_yield(cg_resolve_srv("_X._TCP.A.TEST.", &srvs)), 2);
    IS(srvs.count, 2);
    ck_assert_str_eq(srvs.srvs[0].host, "a.test");
    IS(srvs.srvs[0].port, 80);
    ck_assert_str_eq(srvs.srvs[1].host, "b.test");
    IS(srvs.srvs[1].priority, 20);
    IS(cg_yield(cg_resolve_txt("a.test", &txts)), 3);
    ck_assert_str_eq(cg_txt_list_text(&txts, 0), "one");
    ck_assert_str_eq(cg_txt_list_text(&txts, 1), "");
    ck_assert_str_eq(cg_txt_list_text(&txts, 2), "the third");
    IS(txts.lens[2], 9);
    IS(cg_yield(cg_resolve_ptr("10.0.0.1", &names)), 2);
    ck_assert_str_eq(names.names[1], "alias.test");
    IS(cg_yield(cg_resolve_ptr("10.0.0.1:80", &names)), 2);
    IS(cg_yield(cg_resolve_ptr("::ffff:10.0.0.1", &names)), 2);
    IS(cg_yield(cg_resolve_ptr("[2001:db8::1]:443", &names)), 1);
    ck_assert_str_eq(names.names[0], "six.test");
    IS(cg_yield(cg_resolve_txt("broken.test", &txts)), CG_ELOOKUP);
    IS(cg_yield(cg_resolve_txt("_x._tcp.a.test", &txts)), CG_EHOST);
    IS(cg_yield(cg_resolve("a.test", NULL, &list)), CG_EHOST);
    OK(cg_resolver_set_records(fixed, CG_RESOLVE_PTR, "::ffff:10.0.0.1", "new.test"));
    IS(cg_yield(cg_resolve_ptr("10.0.0.1", &names)), 1);
    return 0;
}

static ssize_t fixed_refuses(void *arg)
{
    static const char *const bad[] = {"",        "1 2 3",         "1 2 3 ",    "1 2 65536 a",
                                      "1 2 3 .", "1 2 3 1.2.3.4", "-1 2 3 a", "1 2 3 a\n"};
    struct cg_resolver *fixed = resolving_use(cg_sched_self(), "fixed", NULL);
    char many[5000] = "";

    (void)arg;
    for (size_t i = 0; i < COUNT(bad); i++)
        IS(cg_resolver_set_records(fixed, CG_RESOLVE_SRV, "a.test", bad[i]), -EINVAL);
    IS(cg_resolver_set_records(fixed, CG_RESOLVE_ADDR, "a.test", "10.0.0.1"), -EINVAL);
    IS(cg_resolver_set_records(fixed, CG_RESOLVE_SRV, "a.test", NULL), -EINVAL);
    IS(cg_resolver_set_records(fixed, CG_RESOLVE_PTR, "a.test", "b.test"), CG_EADDR);
    IS(cg_resolver_set_records(fixed, CG_RESOLVE_TXT, "a b", "b.test"), CG_EADDR);
    IS(cg_resolver_set_records(fixed, CG_RESOLVE_TXT, "a.test", "", .delay = -1), -EINVAL);
    IS(cg_resolver_set_records(fixed, CG_RESOLVE_PTR, "::1", "a\nb\nc\nd\ne\nf\ng\nh\ni"),
       -EMSGSIZE);
    memset(many, 'x', CG_TXT_SIZE - 1);
    OK(cg_resolver_set_records(fixed, CG_RESOLVE_TXT, "a.test", many));
    many[CG_TXT_SIZE - 1] = 'x';
    IS(cg_resolver_set_records(fixed, CG_RESOLVE_TXT, "a.test", many), -EMSGSIZE);
    memset(many, '\n', CG_TXTS_MOST);
    many[CG_TXTS_MOST - 1] = '\0';
    OK(cg_resolver_set_records(fixed, CG_RESOLVE_TXT, "a.test", many));
    many[CG_TXTS_MOST - 1] = '\n';
    many[CG_TXTS_MOST] = '\0';
    IS(cg_resolver_set_records(fixed, CG_RESOLVE_TXT, "a.test", many), -EMSGSIZE);
    return 0;
}

/* Within a priority each server comes first as often as its weight says, a server of weight
 * 0 hardly ever; servers of a worse priority come behind. The seed of the world decides. */
static ssize_t weights(void *arg)
{
    enum { ROUNDS = 4000 };
    struct cg_resolver *fixed = resolving_use(cg_sched_self(), "fixed", NULL);
    struct cg_srv_list srvs;
    unsigned first[128] = {0}, second[128] = {0};

    (void)arg;
    OK(cg_resolver_set_records(fixed, CG_RESOLVE_SRV, "s.test",
                               "9 65535 1 z\n1 0 1 n\n1 30 1 a\n1 10 1 b\n8 0 1 y"));
    for (int i = 0; i < ROUNDS; i++) {
        IS(cg_yield(cg_resolve_srv("s.test", &srvs)), 5);
        first[(unsigned char)srvs.srvs[0].host[0]]++;
        second[(unsigned char)srvs.srvs[1].host[0]]++;
        ck_assert(srvs.srvs[3].host[0] == 'y' && srvs.srvs[4].host[0] == 'z');
    }
    ck_assert_uint_lt(first['n'], 10);
    ck_assert_uint_gt(first['a'], ROUNDS * 70 / 100);
    ck_assert_uint_lt(first['a'], ROUNDS * 80 / 100);
    ck_assert_uint_gt(second['b'], ROUNDS * 70 / 100);
    return 0;
}

/* Of too many servers those of the best priorities are kept. */
static void keeps_the_best(void)
{
    struct cg_srv_list list = {.count = 0};
    unsigned sum = 0;

    for (uint16_t i = 0; i < 40; i++) {
        struct cg_srv srv = {.host = "a.test", .priority = (uint16_t)((i * 7 + 3) % 40)};

        cg__records_add_srv(&list, &srv);
    }
    IS(list.count, CG_SRVS_MOST);
    for (int i = 0; i < list.count; i++)
        sum += list.srvs[i].priority;
    ck_assert_uint_eq(sum, CG_SRVS_MOST * (CG_SRVS_MOST - 1) / 2);
}

static ssize_t delays(void *arg)
{
    struct cg_resolver *fixed = resolving_use(cg_sched_self(), "fixed", NULL);
    int64_t start = cg_sched_now(cg_sched_self());
    struct cg_txt_list txts = {.count = -1};

    (void)arg;
    OK(cg_resolver_set_records(fixed, CG_RESOLVE_TXT, "a.test", "late", .delay = 50 * MS));
    IS(cg_yield(cg_resolve_txt("a.test", &txts, .timeout = 10 * MS)), -ETIMEDOUT);
    IS(cg_yield(cg_any((cg_resolve_txt("a.test", &txts), cg_sleep(10 * MS)))), 1);
    IS(txts.count, -1);
    IS(cg_yield(cg_resolve_txt("a.test", &txts)), 1);
    ck_assert_int_eq(cg_sched_now(cg_sched_self()) - start, 70 * MS);
    return 0;
}

/* The system's resolver knows names of addresses, but has no call for the rest. */
static ssize_t in_threads(void *arg)
{
    struct cg_srv_list srvs;
    struct cg_txt_list txts;
    struct cg_name_list names = {.count = -1};
    ssize_t n;

    (void)arg;
    resolving_use(cg_sched_self(), "thread", NULL);
    IS(cg_yield(cg_resolve_srv("a.test", &srvs)), -EOPNOTSUPP);
    IS(cg_yield(cg_resolve_txt("a.test", &txts)), -EOPNOTSUPP);
    n = cg_yield(cg_resolve_ptr("127.0.0.1:80", &names));
    if (n == 1)
        ck_assert_str_eq(names.names[0], "localhost");
    else
        printf("SKIP in_threads: /etc/hosts does not name 127.0.0.1\n");
    ck_assert(n == 1 || names.count == -1);
    return 0;
}

static ssize_t printed(void *arg)
{
    struct cg_srv_list srvs;
    char text[64];

    (void)arg;
    cg_op_print(cg_resolve_srv("_x._tcp.a.test", &srvs), text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "SRV _x._tcp.a.test"));
    return 0;
}

static const struct test_case cases[] = {
    CORO(refused),
    CORO(fixed_records),
    CORO(fixed_refuses),
    CORO(weights),
    PLAIN(keeps_the_best),
    CORO(delays, .where = ON_SIM),
    CORO(in_threads, .where = ON_KERNEL),
    CORO(printed),
};

int main(void)
{
    return test_main("records", cases, COUNT(cases));
}
