/* SPDX-License-Identifier: MIT */
/* Records by c-ares: with a name server of the test, and from messages that are broken. */
#include "config.h"

#include "sockets/resolve/cares_answer.h"
#include "tests/sockets/name_server.h"
#include "tests/sockets/resolving.h"
#include "tests/support/support.h"

#include <ares.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct name_server *dns;

static void use_cares(const char *resolv_conf)
{
    struct cg_resolver_options options = {.servers = name_server_addr(&dns),
                                          .resolv_conf = resolv_conf,
                                          .timeout = CG_MINUTE,
                                          .tries = 1};

    resolving_use(cg_sched_self(), "c-ares", &options);
}

/* Servers in their order without what is no host; texts; names of addresses. */
static ssize_t asks_servers(void *arg)
{
    struct cg_srv_list srvs;
    struct cg_txt_list txts;
    struct cg_name_list names;

    (void)arg;
    use_cares(NULL);
    IS(cg_yield(cg_resolve_srv("srv.test", &srvs)), 2);
    ck_assert_str_eq(srvs.srvs[0].host, "a.test");
    IS(srvs.srvs[0].priority, 5);
    IS(srvs.srvs[0].weight, 60);
    IS(srvs.srvs[0].port, 80);
    ck_assert_str_eq(srvs.srvs[1].host, "b.test");
    IS(cg_yield(cg_resolve_txt("txt.test", &txts)), 2);
    ck_assert_str_eq(cg_txt_list_text(&txts, 0), "one");
    ck_assert_str_eq(cg_txt_list_text(&txts, 1), "two parts");
    IS(txts.lens[1], 9);
    IS(cg_yield(cg_resolve_ptr("127.0.0.4:80", &names)), 1);
    ck_assert_str_eq(names.names[0], "v4.test");
    IS(cg_yield(cg_resolve_ptr("2001:db8::6", &names)), 1);
    ck_assert_str_eq(names.names[0], "v6.test");
    name_server_stop(dns);
    return 0;
}

/* What there is not: no name, none of this kind, a service that is not offered, a server that
 * fails. */
static ssize_t finds_nothing(void *arg)
{
    struct cg_srv_list srvs = {.count = -1};
    struct cg_name_list names = {.count = -1};

    (void)arg;
    use_cares(NULL);
    IS(cg_yield(cg_resolve_srv("none.test", &srvs)), CG_EHOST);
    IS(cg_yield(cg_resolve_srv("v4.test", &srvs)), CG_EHOST);
    IS(cg_yield(cg_resolve_srv("not.test", &srvs)), CG_EHOST);
    IS(cg_yield(cg_resolve_srv("fail.test", &srvs)), CG_ELOOKUP);
    IS(cg_yield(cg_resolve_ptr("10.0.0.1", &names)), CG_EHOST);
    IS(srvs.count, -1);
    IS(names.count, -1);
    name_server_stop(dns);
    return 0;
}

/* Records are remembered, each kind by itself, and that there are none. */
static ssize_t remembers(void *arg)
{
    struct cg_srv_list srvs;
    struct cg_txt_list txts;
    struct cg_name_list names;
    unsigned asked;

    (void)arg;
    use_cares(NULL);
    IS(cg_yield(cg_resolve_srv("srv.test", &srvs)), 2);
    IS(cg_yield(cg_resolve_txt("srv.test", &txts)), CG_EHOST);
    IS(cg_yield(cg_resolve_ptr("127.0.0.4", &names)), 1);
    asked = name_server_questions(dns);
    srvs.count = 0;
    IS(cg_yield(cg_resolve_srv("SRV.test", &srvs)), 2);
    ck_assert_str_eq(srvs.srvs[0].host, "a.test");
    IS(cg_yield(cg_resolve_txt("srv.test", &txts)), CG_EHOST);
    IS(cg_yield(cg_resolve_ptr("127.0.0.4", &names)), 1);
    ck_assert_uint_eq(name_server_questions(dns), asked);
    name_server_stop(dns);
    return 0;
}

/* A short name is tried with the domains of resolv.conf. */
static ssize_t searches(void *arg)
{
    char path[] = "/tmp/cogen-test-XXXXXX";
    int fd = mkstemp(path);
    struct cg_txt_list txts;

    (void)arg;
    OK(fd);
    OK(dprintf(fd, "search none.example corp.example\noptions ndots:1\n"));
    close(fd);
    use_cares(path);
    IS(cg_yield(cg_resolve_txt("short", &txts)), 2);
    unlink(path);
    name_server_stop(dns);
    return 0;
}

/* The hosts file is read before any server is asked. */
static ssize_t respects_hosts(void *arg)
{
    struct cg_name_list names;

    (void)arg;
    use_cares(NULL);
    if (cg_yield(cg_resolve_ptr("127.0.0.1", &names)) < 1) {
        printf("SKIP respects_hosts: /etc/hosts does not name 127.0.0.1\n");
    } else {
        ck_assert_str_eq(names.names[0], "localhost");
        IS(name_server_questions(dns), 0);
    }
    name_server_stop(dns);
    return 0;
}

/* A response with an alias, which has the shorter time to live, and a server. */
static const unsigned char message[] =
    "\0\1\x81\x80\0\1\0\2\0\0\0\0"
    "\1s\4test\0\0\x21\0\1"
    "\xc0\x0c\0\5\0\1\0\0\0\7\0\4\1t\xc0\x0e"
    "\xc0\x1f\0\x21\0\1\0\0\0\x3c\0\x0a\0\1\0\2\0\x50\1a\xc0\x0e";

enum { LEN = sizeof message - 1 };

static void parse(struct cg__cares_answer *answer, const unsigned char *data, int len)
{
    unsigned char *copy = malloc((size_t)len + 1); /* for ASan */

    memcpy(copy, data, (size_t)len);
    copy = realloc(copy, len > 0 ? (size_t)len : 1);
    cg__cares_answer_message(answer, CG_RESOLVE_SRV, ARES_SUCCESS, copy, len);
    free(copy);
}

/* The shortest time to live counts. */
static void time_to_live(void)
{
    static struct cg__cares_answer answer;

    parse(&answer, message, LEN);
    IS(answer.result, 1);
    ck_assert_str_eq(answer.records.srvs.srvs[0].host, "a.test");
    ck_assert_int_eq(answer.lifetime, 7 * CG_SECOND);
}

/* A message that is cut off is an error; no changed byte leads out of the message. */
static void broken_messages(void)
{
    static struct cg__cares_answer answer;
    unsigned char changed[LEN];

    for (int len = 0; len < LEN; len++) {
        parse(&answer, message, len);
        if (answer.result != CG_ELOOKUP)
            ck_abort_msg("%d bytes: %d", len, answer.result);
    }
    for (int at = 0; at < LEN; at++)
        for (int byte = 0; byte < 256; byte++) {
            memcpy(changed, message, LEN);
            changed[at] = (unsigned char)byte;
            parse(&answer, changed, LEN);
        }
}

static const struct test_case cases[] = {
    CORO(asks_servers, .where = ON_KERNEL),
    CORO(finds_nothing, .where = ON_KERNEL),
    CORO(remembers, .where = ON_KERNEL),
    CORO(searches, .where = ON_KERNEL),
    CORO(respects_hosts, .where = ON_KERNEL),
    PLAIN(time_to_live, .where = ON_SIM),
    PLAIN(broken_messages, .where = ON_SIM),
};

int main(void)
{
    return test_main("records_cares", cases, COUNT(cases));
}
