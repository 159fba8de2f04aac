/* SPDX-License-Identifier: MIT */
/* The c-ares resolver, with a name server of the test. */
#include "config.h"

#include "tests/sockets/name_server.h"
#include "tests/sockets/resolving.h"
#include "tests/support/child.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS CG_MILLISECOND

static struct name_server *dns;

/* Gives the scheduler a c-ares resolver that asks the test's server, once for each
 * query. */
static void use_cares(struct cg_sched *sched, int64_t timeout, const char *resolv_conf)
{
    char text[CG_ADDR_SIZE];
    struct cg_resolver_options options = {
        .servers = text, .resolv_conf = resolv_conf, .timeout = timeout, .tries = 1};

    dns = name_server_start(text);
    resolving_use(sched, "c-ares", &options);
}

/* Names with addresses of one family and of both, a name that does not exist, one without
 * addresses, and a server failure. */
static ssize_t asks_servers(void *arg)
{
    struct cg_addr_list list = resolving_untouched();

    (void)arg;
    use_cares(cg_sched_self(), CG_NEVER, NULL);
    IS(cg_yield(cg_resolve("none.test", "80", &list)), CG_EHOST);
    IS(cg_yield(cg_resolve("empty.test", "80", &list)), CG_EHOST);
    IS(cg_yield(cg_resolve("fail.test", "80", &list)), CG_ELOOKUP);
    resolving_check_untouched(&list);
    IS(cg_yield(cg_resolve("v4.test", "80", &list)), 1);
    resolving_check(&list.addrs[0], "127.0.0.4:80");
    IS(cg_yield(cg_resolve("v6.test", "81", &list)), 1);
    resolving_check(&list.addrs[0], "[2001:db8::6]:81");
    IS(cg_yield(cg_resolve("both.test", "http", &list)), 2);
    ck_assert(resolving_has(&list, "127.0.0.4:80") && resolving_has(&list, "[2001:db8::6]:80"));
    IS(cg_yield(cg_resolve("both.test", "80", &list, .family = AF_INET)), 1);
    resolving_check(&list.addrs[0], "127.0.0.4:80");
    IS(cg_yield(cg_resolve("both.test", "80", &list, .family = AF_INET6)), 1);
    resolving_check(&list.addrs[0], "[2001:db8::6]:80");
    IS(cg_yield(cg_resolve("v4.test", "80", &list, .family = AF_INET6)), CG_EHOST);
    IS(cg_yield(cg_resolve("many.test", "80", &list)), CG_ADDRS_MOST);
    name_server_stop(dns);
    return 0;
}

/* With an invalid list of servers every look-up fails, even one that c-ares can resolve
 * without a server. */
static ssize_t servers_that_are_none(void *arg)
{
    struct cg_addr_list list;

    (void)arg;
    resolving_use(cg_sched_self(), "c-ares",
                  &(struct cg_resolver_options){.servers = "no server"});
    IS(cg_yield(cg_resolve("sub.localhost", "80", &list)), CG_ELOOKUP);
    IS(cg_yield(cg_resolve("sub.localhost", "80", &list)), CG_ELOOKUP);
    return 0;
}

/* A server that does not respond: the resolver's timeout completes the look-up with
 * CG_ELOOKUP, the op's own timeout with -ETIMEDOUT. */
static ssize_t asks_in_vain(void *arg)
{
    struct cg_addr_list list = resolving_untouched();

    (void)arg;
    use_cares(cg_sched_self(), 50 * MS, NULL);
    IS(cg_yield(cg_resolve("mute.test", "80", &list)), CG_ELOOKUP);
    IS(cg_yield(cg_resolve("mute.test", "80", &list, .timeout = 5 * MS)), -ETIMEDOUT);
    IS(cg_yield(cg_any((cg_resolve("mute.test", "80", &list), cg_sleep(MS)))), 1);
    resolving_check_untouched(&list);
    while (cg_yield(cg_resolve("v4.test", "80", &list)) == CG_ELOOKUP)
        continue; /* 50 ms can be too short on a busy machine */
    resolving_check(&list.addrs[0], "127.0.0.4:80");
    name_server_stop(dns);
    return 0;
}

/* While a response is held back other coroutines run, and other look-ups complete.
 * Cancelling one look-up does not affect the others. */
static ssize_t asks_in_parallel(void *arg)
{
    struct resolving lookups[] = {
        {.host = "held.test"}, {.host = "held.too"}, {.host = "held.three"}};
    struct cg_coro *coros[COUNT(lookups)];
    struct cg_addr_list list;

    (void)arg;
    resolving_use(cg_sched_self(), "c-ares",
        &(struct cg_resolver_options){.servers = name_server_addr(&dns),
                                      .timeout = CG_MINUTE});
    for (size_t i = 0; i < COUNT(lookups); i++)
        coros[i] = test_start(resolving_look_up, &lookups[i]);
    for (int i = 0; i < 10; i++) {
        OK(cg_yield(cg_sleep(MS)));
        ck_assert_int_eq(cg_coro_state(coros[0]), CG_CORO_WAITING);
    }
    IS(cg_yield(cg_resolve("v4.test", "80", &list)), 1);
    OK(cg_yield(cg_cancel(coros[1])));
    IS(test_end(coros[1]), -ECANCELED);
    IS(cg_yield(cg_resolve("v6.test", "80", &list)), 1);
    name_server_release(dns);
    IS(test_end(coros[0]), 1);
    resolving_check(&lookups[0].list.addrs[0], "127.0.0.4:80");
    IS(test_end(coros[2]), 1);
    name_server_stop(dns);
    return 0;
}

static ssize_t join_look_up(void *coro)
{
    SURE(cg_yield(cg_join(coro)) == 1);
    return 0;
}

/* A child made by fork() sends its queries again, from its own sockets. From the shared
 * sockets it would read the parent's responses. */
static ssize_t child_asks_itself(void *arg)
{
    struct resolving lookup = {.host = "held.test"};
    struct cg_coro *coro;
    unsigned questions;
    pid_t pid;

    (void)arg;
    use_cares(cg_sched_self(), CG_MINUTE, NULL);
    coro = test_start(resolving_look_up, &lookup);
    test_until_waiting(coro);
    while ((questions = name_server_questions(dns)) < 2) /* A and AAAA */
        OK(cg_yield(cg_sleep(MS)));
    pid = child_fork(join_look_up, coro);
    while (name_server_questions(dns) < 2 * questions)
        usleep(1000);
    name_server_release(dns);
    child_ended_well(pid);
    IS(test_end(coro), 1);
    name_server_stop(dns);
    return 0;
}

/* When its last waiter is gone, the coroutine that runs c-ares ends: the run ends although
 * a query is in flight. Another run sends its own queries. */
static void holds_nothing_open(void)
{
    struct test test = test_open(.timeout = 0);
    struct resolving lost = {.host = "held.test", .timeout = 2 * MS},
                  found = {.host = "v4.test"};
    struct cg_resolver_options options = {.servers = name_server_addr(&dns),
                                          .timeout = CG_MINUTE};
    struct cg_coro *coro;

    resolving_use(test.sched, "c-ares", &options);
    for (int i = 0; i < 3; i++) {
        OK(cg_sched_start(test.sched, resolving_look_up, &lost));
        test_finish(&test);
        OK(cg_sched_start(test.sched, resolving_look_up, &found, .coro = &coro));
        test_finish(&test);
        IS(cg_coro_result(coro), 1);
        cg_coro_unref(coro);
    }
    lost.timeout = 0; /* the scheduler is freed during this look-up */
    OK(cg_sched_start(test.sched, resolving_look_up, &lost));
    for (int i = 0; i < 5; i++)
        IS(cg_sched_step(test.sched, MS), 1);
    test_close(&test);
    name_server_stop(dns);
}

/* A shielded look-up completes although the scheduler has been told to stop. */
static void shielded(void)
{
    struct test test = test_open(.timeout = 0);
    struct resolving lookups[] = {{.host = "held.test", .shield = true},
                               {.host = "held.test"}};
    struct cg_resolver_options options = {.servers = name_server_addr(&dns),
                                          .timeout = CG_MINUTE};
    struct cg_coro *coros[2];

    resolving_use(test.sched, "c-ares", &options);
    for (int i = 0; i < 2; i++)
        OK(cg_sched_start(test.sched, resolving_look_up, &lookups[i],
                          .coro = &coros[i]));
    for (int i = 0; i < 5; i++)
        IS(cg_sched_step(test.sched, MS), 1);
    cg_sched_stop(test.sched);
    IS(cg_sched_step(test.sched, 0), 1);
    name_server_release(dns);
    test_finish(&test);
    IS(cg_coro_result(coros[0]), 1);
    IS(cg_coro_result(coros[1]), -ECANCELED);
    cg_coro_unref(coros[0]);
    cg_coro_unref(coros[1]);
    test_close(&test);
    name_server_stop(dns);
}

/* A short name is tried with the domains of resolv.conf. */
static ssize_t respects_resolv_conf(void *arg)
{
    char path[] = "/tmp/cogen-test-XXXXXX";
    int fd = mkstemp(path);
    struct cg_addr_list list;

    (void)arg;
    OK(fd);
    OK(dprintf(fd, "search none.example corp.example\noptions ndots:1\n"));
    close(fd);
    use_cares(cg_sched_self(), CG_MINUTE, path);
    IS(cg_yield(cg_resolve("short", "80", &list)), 1);
    resolving_check(&list.addrs[0], "127.0.0.4:80");
    unlink(path);
    name_server_stop(dns);
    return 0;
}

/* Finds the first IPv4 host in the hosts file that is not localhost. */
static bool known_host(char host[static 64], char addr[static 64])
{
    FILE *file = fopen("/etc/hosts", "r");
    char line[256];
    bool found = false;

    while (file && !found && fgets(line, sizeof line, file))
        found = sscanf(line, "%63s %63s", addr, host) == 2 && addr[0] != '#' &&
                strchr(addr, ':') == NULL && strcmp(host, "localhost") != 0;
    if (file)
        fclose(file);
    return found;
}

/* The hosts file is read before any server is asked. The test's server does not have this
 * name. */
static ssize_t respects_hosts(void *arg)
{
    char host[64], addr[64], want[80];
    struct cg_addr_list list;

    (void)arg;
    if (!known_host(host, addr)) {
        printf("SKIP respects_hosts: /etc/hosts has nobody but localhost\n");
        return 0;
    }
    use_cares(cg_sched_self(), CG_MINUTE, NULL);
    OK(cg_yield(cg_resolve(host, "80", &list)));
    snprintf(want, sizeof want, "%s:80", addr);
    ck_assert(resolving_has(&list, want));
    cg_yield(cg_resolve(host, "80", &list, .family = AF_INET6)); /* either result is ok */
    IS(name_server_questions(dns), 0);
    name_server_stop(dns);
    return 0;
}

/* cg_connect to a name that c-ares resolves. */
static ssize_t connects(void *arg)
{
    char addr[CG_ADDR_SIZE], name[CG_ADDR_SIZE];
    struct cg_sock *listener, *conn;

    (void)arg;
    use_cares(cg_sched_self(), CG_MINUTE, NULL);
    OK(cg_sock_listen(cg_sched_self(), "127.0.0.4:0", &listener));
    OK(cg_sock_local_addr(listener, addr, sizeof addr));
    snprintf(name, sizeof name, "v4.test%s", strrchr(addr, ':'));
    OK(cg_yield(cg_connect(name, &conn, .timeout = 20 * CG_SECOND)));
    cg_sock_close(conn);
    cg_sock_close(listener);
    IS(cg_yield(cg_connect(name, &conn, .timeout = 20 * CG_SECOND)), -ECONNREFUSED);
    IS(cg_yield(cg_connect("none.test:80", &conn)), CG_EHOST);
    name_server_stop(dns);
    return 0;
}

/* A server that drops AAAA queries does not delay a connect to a host with an IPv4
 * address. */
static ssize_t connects_without_aaaa(void *arg)
{
    char addr[CG_ADDR_SIZE], name[CG_ADDR_SIZE];
    struct cg_sock *listener, *conn;

    (void)arg;
    use_cares(cg_sched_self(), CG_HOUR, NULL);
    OK(cg_sock_listen(cg_sched_self(), "127.0.0.4:0", &listener));
    OK(cg_sock_local_addr(listener, addr, sizeof addr));
    snprintf(name, sizeof name, "half.test%s", strrchr(addr, ':'));
    OK(cg_yield(cg_connect(name, &conn)));
    cg_sock_close(conn);
    cg_sock_close(listener);
    name_server_stop(dns);
    return 0;
}

/* A simulated world has no name servers. */
static ssize_t not_simulated(void *arg)
{
    struct cg_addr_list list;

    (void)arg;
    use_cares(cg_sched_self(), CG_MINUTE, NULL);
    IS(cg_yield(cg_resolve("v4.test", "80", &list)), CG_ELOOKUP);
    name_server_stop(dns);
    return 0;
}

/* Queries on the network */

/* True: the sendmsg below acts as if the name server had closed its stream. A write to such
 * a stream raises SIGPIPE. */
static bool broken_streams;

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    socklen_t size = sizeof(int);
    int type;

    if (broken_streams && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
        type == SOCK_STREAM)
        shutdown(fd, SHUT_WR);
    return send(fd, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len, flags);
}

/* Replaces writev like sendmsg above, for versions of c-ares that use it. It has no
 * flags. */
ssize_t writev(int fd, const struct iovec *parts, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};

    return sendmsg(fd, &message, 0);
}

/* A response that is too long for a datagram is asked for over a stream. If the server
 * closes the stream, the look-up fails and the program goes on. */
static ssize_t asks_by_stream(void *arg)
{
    struct cg_addr_list list = resolving_untouched();

    (void)arg;
    use_cares(cg_sched_self(), CG_MINUTE, NULL);
    broken_streams = true;
    IS(cg_yield(cg_resolve("cut.test", "80", &list)), CG_ELOOKUP);
    resolving_check_untouched(&list);
    broken_streams = false;
    IS(cg_yield(cg_resolve("cut.test", "80", &list)), 1);
    resolving_check(&list.addrs[0], "127.0.0.4:80");
    name_server_stop(dns);
    return 0;
}

/* What the servers allow is remembered: addresses, and that a host does not exist; not that
 * a server has failed. */
static ssize_t remembers(void *arg)
{
    struct cg_addr_list list;
    unsigned asked;

    (void)arg;
    use_cares(cg_sched_self(), CG_MINUTE, NULL);
    IS(cg_yield(cg_resolve("both.test", "80", &list)), 2);
    IS(cg_yield(cg_resolve("none.test", "80", &list)), CG_EHOST);
    asked = name_server_questions(dns);
    list.count = 0;
    IS(cg_yield(cg_resolve("Both.Test", "81", &list)), 2);
    ck_assert(resolving_has(&list, "127.0.0.4:81") && resolving_has(&list, "[2001:db8::6]:81"));
    IS(cg_yield(cg_resolve("none.test", "80", &list)), CG_EHOST);
    ck_assert_uint_eq(name_server_questions(dns), asked);
    IS(cg_yield(cg_resolve("fail.test", "80", &list)), CG_ELOOKUP);
    asked = name_server_questions(dns);
    IS(cg_yield(cg_resolve("fail.test", "80", &list)), CG_ELOOKUP);
    ck_assert_uint_gt(name_server_questions(dns), asked);
    name_server_stop(dns);
    return 0;
}

/* Addresses behind an alias are remembered no longer than the alias lives. */
static ssize_t remembers_aliases(void *arg)
{
    struct cg_addr_list list;

    (void)arg;
    use_cares(cg_sched_self(), CG_MINUTE, NULL);
    for (unsigned asked = 1; asked <= 2; asked++) {
        IS(cg_yield(cg_resolve("alias.test", "80", &list, .family = AF_INET)), 1);
        ck_assert(resolving_has(&list, "127.0.0.4:80"));
        ck_assert_uint_eq(name_server_questions(dns), asked);
    }
    name_server_stop(dns);
    return 0;
}

static ssize_t remembers_nothing(void *arg)
{
    char text[CG_ADDR_SIZE];
    struct cg_resolver_options options = {
        .servers = text, .timeout = CG_MINUTE, .tries = 1, .no_cache = true};
    struct cg_addr_list list;

    (void)arg;
    dns = name_server_start(text);
    resolving_use(cg_sched_self(), "c-ares", &options);
    IS(cg_yield(cg_resolve("v4.test", "80", &list, .family = AF_INET)), 1);
    IS(cg_yield(cg_resolve("v4.test", "80", &list, .family = AF_INET)), 1);
    ck_assert_uint_eq(name_server_questions(dns), 2);
    name_server_stop(dns);
    return 0;
}

/* Each query in flight has a port of its own, up to a limit, so that an attacker has to
 * guess both its id and its port (RFC 5452). All queries are answered. */
static void ports_differ(void)
{
    static const struct {
        unsigned lookups, ports;
    } table[] = {{40, 80}, {150, 257}};
    static struct resolving lookups[150];
    struct cg_coro *coros[150];

    for (size_t i = 0; i < COUNT(table); i++) {
        struct test test = test_open(.timeout = 0);
        unsigned n = table[i].lookups;

        use_cares(test.sched, CG_MINUTE, NULL);
        for (unsigned k = 0; k < n; k++) {
            lookups[k] = (struct resolving){.host = "held.test"};
            OK(cg_sched_start(test.sched, resolving_look_up, &lookups[k],
                              .coro = &coros[k]));
        }
        while (name_server_questions(dns) < 2 * n)
            IS(cg_sched_step(test.sched, MS), 1);
        ck_assert_uint_eq(name_server_ports(dns), table[i].ports);
        name_server_release(dns);
        test_finish(&test);
        for (unsigned k = 0; k < n; k++) {
            IS(cg_coro_result(coros[k]), 1);
            cg_coro_unref(coros[k]);
        }
        test_close(&test);
        name_server_stop(dns);
    }
}

static const struct test_case cases[] = {
    CORO(asks_servers, .where = ON_KERNEL),
    CORO(servers_that_are_none, .where = ON_KERNEL),
    CORO(asks_in_vain, .where = ON_KERNEL),
    CORO(asks_in_parallel, .where = ON_KERNEL),
    PLAIN(holds_nothing_open, .where = ON_KERNEL),
    PLAIN(shielded, .where = ON_KERNEL),
    CORO(remembers, .where = ON_KERNEL),
    CORO(remembers_aliases, .where = ON_KERNEL),
    CORO(remembers_nothing, .where = ON_KERNEL),
    CORO(respects_resolv_conf, .where = ON_KERNEL),
    CORO(respects_hosts, .where = ON_KERNEL),
    CORO(connects, .where = ON_KERNEL),
    CORO(connects_without_aaaa, .where = ON_KERNEL),
    CORO(child_asks_itself, .where = ON_KERNEL),
    CORO(asks_by_stream, .where = ON_KERNEL),
    PLAIN(ports_differ, .where = ON_KERNEL),
    CORO(not_simulated, .where = ON_SIM),
};

int main(void)
{
    return test_main("resolve_cares", cases, COUNT(cases));
}
