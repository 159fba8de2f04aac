/* SPDX-License-Identifier: MIT */
/* cg_resolve and its resolvers: the fixed table in virtual time, and threads that call this
 * test's getaddrinfo. c-ares is in test_resolve_cares.c. */
#include "config.h"

#include "lib/base/sanitize.h"
#include "tests/sockets/resolving.h"
#include "tests/support/child.h"
#include "tests/support/support.h"

#include <cogen/sim.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS CG_MILLISECOND

/* Without a resolver */

/* Numeric addresses, scopes and localhost are resolved at once, on every reactor. */
static ssize_t numeric(void *arg)
{
    static const struct {
        const char *host, *port, *text;
    } table[] = {
        {"127.0.0.1", "80", "127.0.0.1:80"},
        {"::1", "65535", "[::1]:65535"},
        {"10.1.2.3", NULL, "10.1.2.3:0"},
        {"fe80::1%1", "1", "[fe80::1%1]:1"},
        {"1.2.3.4", "0", "1.2.3.4:0"},
        {"2001:db8::5", "443", "[2001:db8::5]:443"},
    };
    struct cg_addr_list list;

    (void)arg;
    for (size_t i = 0; i < COUNT(table); i++) {
        IS(cg_yield(cg_resolve(table[i].host, table[i].port, &list)), 1);
        IS(list.count, 1);
        resolving_check(&list.addrs[0], table[i].text);
    }
    IS(cg_yield(cg_resolve("::1", "80", &list, .family = AF_INET)), CG_EHOST);
    IS(cg_yield(cg_resolve("localhost", "80", &list, .family = AF_INET)), 1);
    resolving_check(&list.addrs[0], "127.0.0.1:80");
    IS(cg_yield(cg_resolve("LocalHost", "80", &list)), 2);
    ck_assert(resolving_has(&list, "127.0.0.1:80") && resolving_has(&list, "[::1]:80"));
    IS(cg_yield(cg_resolve("localhost.", "http", &list)), 2);
    ck_assert(resolving_has(&list, "127.0.0.1:80") && resolving_has(&list, "[::1]:80"));
    return 0;
}

/* An invalid host or service fails without a look-up. */
static ssize_t refused(void *arg)
{
    static const char *const hosts[] = {
        "",    "a b", "1.2.3",  "1.2.3.4.5",    "::g",        "[::1]",
        "a/b", "a@b", "0x7f.1", "::1%nonesuch", "h\303\266st"};
    static const char *const services[] = {"",    "65536",    "-1",
                                           "80x", "nonesuch", "0000080"};
    struct cg_addr_list list = resolving_untouched();
    char longer[300];

    (void)arg;
    for (size_t i = 0; i < COUNT(hosts); i++)
        test_is(cg_yield(cg_resolve(hosts[i], "80", &list)), CG_EADDR, hosts[i],
                __FILE__, __LINE__);
    for (size_t i = 0; i < COUNT(services); i++)
        test_is(cg_yield(cg_resolve("::1", services[i], &list)), CG_EADDR, services[i],
                __FILE__, __LINE__);
    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    IS(cg_yield(cg_resolve(longer, "80", &list)), CG_EADDR);
    IS(cg_yield(cg_resolve(NULL, "80", &list)), -EINVAL);
    IS(cg_yield(cg_resolve("::1", "80", NULL)), -EINVAL);
    IS(cg_yield(cg_resolve("::1", "80", &list, .family = AF_UNIX)), -EINVAL);
    resolving_check_untouched(&list);
    return 0;
}

/* Resolvers are opened by name. A scheduler has one resolver. */
static ssize_t choices(void *arg)
{
    const struct cg_resolver_options options = {.servers = "127.0.0.1"};
    struct cg_resolver *resolver, *other;

    (void)arg;
    IS(cg_resolver_open("nonesuch", NULL, &resolver), -EINVAL);
    IS(cg_resolver_open("thread", &options, &resolver), -EOPNOTSUPP);
    IS(cg_resolver_open("fixed", &options, &resolver), -EOPNOTSUPP);
    OK(cg_resolver_open(NULL, NULL, &resolver));
    OK(cg_sched_set_resolver(cg_sched_self(), resolver));
    IS(cg_sched_set_resolver(cg_sched_self(), resolver), -EBUSY);
    OK(cg_resolver_open("fixed", NULL, &other));
    IS(cg_sched_set_resolver(cg_sched_self(), other), -EBUSY);
    IS(cg_resolver_set_host(resolver, "web.test", "::1"), -EINVAL);
    OK(cg_resolver_set_host(other, "web.test", "::1"));
    cg_resolver_close(other);
    cg_resolver_close(NULL);
    return 0;
}

/* The fixed table */

/* The table returns the addresses of a name in the order in which they were set. Names are
 * not case-sensitive. Other names complete with CG_EHOST. */
static ssize_t fixed(void *arg)
{
    struct cg_resolver *names = resolving_use(cg_sched_self(), "fixed", NULL);
    struct cg_addr_list list = resolving_untouched();

    (void)arg;
    IS(cg_yield(cg_resolve("web.test", "80", &list)), CG_EHOST);
    OK(cg_resolver_set_host(names, "web.test", "10.0.0.2  2001:db8::1 10.0.0.1 "));
    OK(cg_resolver_set_host(names, "bad.test", NULL, .error = CG_ELOOKUP));
    IS(cg_yield(cg_resolve("bad.test", "80", &list)), CG_ELOOKUP);
    resolving_check_untouched(&list);
    IS(cg_yield(cg_resolve("WEB.test.", "80", &list)), 3);
    resolving_check(&list.addrs[0], "10.0.0.2:80");
    resolving_check(&list.addrs[1], "[2001:db8::1]:80");
    resolving_check(&list.addrs[2], "10.0.0.1:80");
    IS(cg_yield(cg_resolve("web.test", "80", &list, .family = AF_INET)), 2);
    IS(list.count, 2);
    resolving_check(&list.addrs[1], "10.0.0.1:80");
    IS(cg_yield(cg_resolve("web.test", "80", &list, .family = AF_INET6)), 1);
    resolving_check(&list.addrs[0], "[2001:db8::1]:80");
    OK(cg_resolver_set_host(names, "Web.Test", "::1"));
    IS(cg_yield(cg_resolve("web.test", "80", &list, .family = AF_INET)), CG_EHOST);
    IS(cg_yield(cg_resolve("web.test", "81", &list)), 1);
    resolving_check(&list.addrs[0], "[::1]:81");
    IS(cg_resolver_set_host(names, "web.test", NULL), -EINVAL);
    IS(cg_resolver_set_host(names, "web.test", "::1", .error = CG_EHOST), -EINVAL);
    IS(cg_resolver_set_host(names, "web.test", "::1", .delay = -1), -EINVAL);
    IS(cg_resolver_set_host(names, "web.test", "::1", .delay_ipv4 = -1), -EINVAL);
    IS(cg_resolver_set_host(names, "web.test", "::1", .delay_ipv6 = -1), -EINVAL);
    IS(cg_resolver_set_host(names, "web.test", ""), CG_EADDR);
    IS(cg_resolver_set_host(names, "web.test", "web.test"), CG_EADDR);
    IS(cg_resolver_set_host(names, "10.0.0.1", "10.0.0.1"), CG_EADDR);
    IS(cg_resolver_set_host(names, "a b", "10.0.0.1"), CG_EADDR);
    IS(cg_resolver_set_host(names, "web.test",
                            "1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 "
                            "1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 "
                            "1.1.1.1 1.1.1.1 1.1.1.1"),
       CG_EADDR);
    IS(cg_yield(cg_resolve("web.test", "81", &list)), 1);
    return 0;
}

/* A result that has a delay, or an error, comes after that delay. A shorter timeout, of the
 * op or of a call around it, comes first. */
static ssize_t delays(void *arg)
{
    struct cg_resolver *names = resolving_use(cg_sched_self(), "fixed", NULL);
    struct cg_addr_list list = resolving_untouched();
    int64_t start = cg_sched_now(cg_sched_self());
    struct resolving lookup = {.host = "slow.test"};

    (void)arg;
    OK(cg_resolver_set_host(names, "slow.test", "10.0.0.1", .delay = 100 * MS));
    OK(cg_resolver_set_host(names, "bad.test", NULL, .delay = 100 * MS,
                            .error = CG_EHOST));
    OK(cg_resolver_set_host(names, "mute.test", "10.0.0.1", .delay = CG_NEVER));
    OK(cg_resolver_set_host(names, "half.test", "10.0.0.1 ::1", .delay = 3 * MS,
                            .delay_ipv6 = 4 * MS));
    IS(cg_yield(cg_resolve("half.test", "80", &list, .family = AF_INET)), 1);
    ck_assert_int_eq(cg_sched_now(cg_sched_self()) - start, 3 * MS);
    IS(cg_yield(cg_resolve("half.test", "80", &list, .family = AF_INET6)), 1);
    ck_assert_int_eq(cg_sched_now(cg_sched_self()) - start, 10 * MS);
    IS(cg_yield(cg_resolve("half.test", "80", &list)), 2);
    ck_assert_int_eq(cg_sched_now(cg_sched_self()) - start, 17 * MS);
    list = resolving_untouched();
    start = cg_sched_now(cg_sched_self());
    IS(cg_yield(cg_resolve("slow.test", "80", &list, .timeout = 99 * MS)), -ETIMEDOUT);
    ck_assert_int_eq(cg_sched_now(cg_sched_self()) - start, 99 * MS);
    IS(cg_yield(cg_resolve("mute.test", "80", &list, .timeout = CG_MINUTE)),
       -ETIMEDOUT);
    IS(cg_yield(cg_call(resolving_look_up, &lookup, .timeout = 50 * MS)), -ETIMEDOUT);
    IS(cg_yield(cg_any((cg_resolve("slow.test", "80", &list), cg_sleep(99 * MS)))), 1);
    resolving_check_untouched(&list);
    start = cg_sched_now(cg_sched_self());
    IS(cg_yield(cg_resolve("bad.test", "80", &list, .timeout = 101 * MS)), CG_EHOST);
    ck_assert_int_eq(cg_sched_now(cg_sched_self()) - start, 100 * MS);
    IS(cg_yield(cg_resolve("slow.test", "80", &list)), 1);
    ck_assert_int_eq(cg_sched_now(cg_sched_self()) - start, 200 * MS);
    resolving_check(&list.addrs[0], "10.0.0.1:80");
    return 0;
}

/* A simulated world does not use the resolver of the machine. */
static ssize_t sim_default(void *arg)
{
    struct cg_addr_list list;

    (void)arg;
    IS(cg_yield(cg_resolve("example.com", "80", &list)), CG_EHOST);
    IS(cg_yield(cg_resolve("localhost", "80", &list)), 2);
    return 0;
}

/* Threads */

/* This program's getaddrinfo replaces that of libc. It blocks for "held" hosts while held
 * is true. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned in, most, calls;
    bool held;
} system_names = {.lock = PTHREAD_MUTEX_INITIALIZER,
                  .changed = PTHREAD_COND_INITIALIZER};

static struct addrinfo *info_of(const char *host, unsigned port, struct addrinfo *next)
{
    struct addrinfo *info = calloc(1, sizeof *info + sizeof(struct sockaddr_in6));
    struct sockaddr_in *in = (struct sockaddr_in *)(info + 1);
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(info + 1);

    info->ai_addr = (struct sockaddr *)(info + 1);
    info->ai_next = next;
    if (strchr(host, ':') != NULL) {
        in6->sin6_family = AF_INET6;
        inet_pton(AF_INET6, host, &in6->sin6_addr);
    } else {
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
        inet_pton(AF_INET, host, &in->sin_addr);
    }
    info->ai_family = info->ai_addr->sa_family;
    return info;
}

static void visit(bool wait)
{
    pthread_mutex_lock(&system_names.lock);
    system_names.calls++;
    system_names.in++;
    if (system_names.in > system_names.most)
        system_names.most = system_names.in;
    pthread_cond_broadcast(&system_names.changed);
    while (wait && system_names.held)
        pthread_cond_wait(&system_names.changed, &system_names.lock);
    system_names.in--;
    pthread_cond_broadcast(&system_names.changed);
    pthread_mutex_unlock(&system_names.lock);
}

int getaddrinfo(const char *restrict host, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
    (void)hints;
    if (host == NULL) {
        if (strcmp(service, "http") != 0)
            return EAI_SERVICE;
        *found = info_of("0.0.0.0", 80, NULL);
        return 0;
    }
    visit(strncmp(host, "held", 4) == 0);
    if (strncmp(host, "none", 4) == 0)
        return EAI_NONAME;
    if (strncmp(host, "again", 5) == 0)
        return EAI_AGAIN;
    *found = info_of("2001:db8::7", 0, info_of("10.0.0.7", 0, NULL));
    return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
    while (info != NULL) {
        struct addrinfo *next = info->ai_next;

        free(info);
        info = next;
    }
}

static void hold_names(bool held)
{
    pthread_mutex_lock(&system_names.lock);
    system_names.held = held;
    pthread_cond_broadcast(&system_names.changed);
    pthread_mutex_unlock(&system_names.lock);
}

/* Blocks until n threads are in getaddrinfo. */
static void wait_for_visitors(unsigned n)
{
    pthread_mutex_lock(&system_names.lock);
    while (system_names.in != n)
        pthread_cond_wait(&system_names.changed, &system_names.lock);
    pthread_mutex_unlock(&system_names.lock);
}

/* A look-up in a thread has the same results as any other. */
static ssize_t in_threads(void *arg)
{
    struct cg_addr_list list = resolving_untouched();

    (void)arg;
    resolving_use(cg_sched_self(), "thread", NULL);
    IS(cg_yield(cg_resolve("none.test", "80", &list)), CG_EHOST);
    IS(cg_yield(cg_resolve("again.test", "80", &list)), CG_ELOOKUP);
    resolving_check_untouched(&list);
    IS(cg_yield(cg_resolve("web.test", "http", &list)), 2);
    resolving_check(&list.addrs[0], "[2001:db8::7]:80");
    resolving_check(&list.addrs[1], "10.0.0.7:80");
    IS(cg_yield(cg_resolve("web.test", "http", &list, .family = AF_INET)), 1);
    resolving_check(&list.addrs[0], "10.0.0.7:80");
    return 0;
}

/* Other coroutines run while a thread blocks, and its look-up keeps the run open. A timeout
 * does not wait for the thread. */
static ssize_t threads_block_nobody(void *arg)
{
    struct resolving lookup = {.host = "held.test"};
    struct cg_addr_list list = resolving_untouched();
    struct cg_coro *coro;

    (void)arg;
    resolving_use(cg_sched_self(), "thread", NULL);
    hold_names(true);
    coro = test_start(resolving_look_up, &lookup);
    for (int i = 0; i < 10; i++) {
        OK(cg_yield(cg_sleep(MS)));
        ck_assert_int_eq(cg_coro_state(coro), CG_CORO_WAITING);
    }
    IS(cg_yield(cg_resolve("held.too", "80", &list, .timeout = 2 * MS)), -ETIMEDOUT);
    IS(cg_yield(cg_resolve("web.test", "80", &list)), 2);
    wait_for_visitors(2);
    hold_names(false);
    IS(test_end(coro), 2);
    resolving_check(&lookup.list.addrs[1], "10.0.0.7:80");
    return 0;
}

/* At most eight threads look up names at once. The other look-ups wait in a queue, where
 * they may be cancelled. */
static ssize_t threads_are_limited(void *arg)
{
    enum {
        LOOKUPS = 20,
        THREADS = 8
    };
    static struct resolving lookups[LOOKUPS];
    struct cg_coro *coros[LOOKUPS];

    (void)arg;
    resolving_use(cg_sched_self(), "thread", NULL);
    hold_names(true);
    for (int i = 0; i < LOOKUPS; i++) {
        lookups[i].host = "held.test";
        coros[i] = test_start(resolving_look_up, &lookups[i]);
    }
    OK(cg_yield(cg_sleep(5 * MS)));
    wait_for_visitors(THREADS);
    OK(cg_yield(cg_cancel(coros[0])));
    OK(cg_yield(cg_cancel(coros[LOOKUPS - 1])));
    OK(cg_yield(cg_cancel(coros[THREADS + 2])));
    hold_names(false);
    for (int i = 0; i < LOOKUPS; i++)
        IS(test_end(coros[i]),
           i == 0 || i == LOOKUPS - 1 || i == THREADS + 2 ? -ECANCELED : 2);
    ck_assert_uint_eq(system_names.most, THREADS);
    ck_assert_uint_eq(system_names.calls, LOOKUPS - 2);
    return 0;
}

/* A thread may outlive the look-up, the run and the scheduler. */
static void threads_outlive(void)
{
    struct resolving lookups[10];
    struct test test = test_open(.timeout = 0);

    resolving_use(test.sched, "thread", NULL);
    hold_names(true);
    for (int i = 0; i < 10; i++) {
        lookups[i] = (struct resolving){.host = "held.test", .timeout = MS};
        OK(cg_sched_start(test.sched, resolving_look_up, &lookups[i]));
    }
    test_finish(&test);
    wait_for_visitors(8);
    test_close(&test);
    hold_names(false);
    wait_for_visitors(0);
}

struct inherited {
    struct resolving lookups[10];
    struct cg_coro *coros[10];
};

/* Runs in a child, which has none of the parent's threads: all look-ups that a coroutine
 * waits for start again, also those that were queued. New ones work too. */
static ssize_t look_up_again(void *arg)
{
    struct inherited *in = arg;
    struct resolving another = {.host = "web.test"};

    system_names.in = 0;
    system_names.held = false;
    pthread_cond_init(&system_names.changed, NULL);
    SURE(resolving_look_up(&another) == 2);
    for (int i = 0; i < 9; i++)
        SURE(cg_yield(cg_join(in->coros[i])) == 2 && in->lookups[i].list.count == 2);
    return 0;
}

static ssize_t cancel_look_ups(void *arg)
{
    struct inherited *in = arg;

    for (int i = 0; i < 9; i++)
        cg_coro_cancel(in->coros[i]);
    for (int i = 0; i < 9; i++)
        SURE(cg_yield(cg_join(in->coros[i])) == -ECANCELED);
    return 0;
}

static ssize_t exit_at_once(void *arg)
{
    (void)arg;
    return 0;
}

/* TSan takes the child's memory for the parent's, whose threads still use it. */
static bool without_threads_after_fork(void)
{
    if (CG__TSAN)
        puts("SKIP: look-ups in a child made by fork(): TSan reports the parent's threads");
    return CG__TSAN;
}

static ssize_t threads_stay_with_the_parent(void *arg)
{
    static struct inherited in;

    (void)arg;
    if (without_threads_after_fork())
        return 0;
    resolving_use(cg_sched_self(), "thread", NULL);
    hold_names(true);
    for (int i = 9; i >= 0; i--) {
        in.lookups[i].host = "held.test";
        in.coros[i] = test_start(resolving_look_up, &in.lookups[i]);
    }
    OK(cg_yield(cg_sleep(5 * MS)));
    wait_for_visitors(8);
    OK(cg_yield(cg_cancel(in.coros[9]))); /* its thread goes on */
    child_ended_well(child_fork(look_up_again, &in));
    child_ended_well(child_fork(cancel_look_ups, &in));
    child_ended_well(child_fork(exit_at_once, &in));
    hold_names(false);
    for (int i = 0; i < 9; i++)
        IS(test_end(in.coros[i]), 2);
    IS(test_end(in.coros[9]), -ECANCELED);
    return 0;
}

/* A child may free a scheduler whose look-ups run in threads of the parent. */
static void child_frees_look_ups(void)
{
    struct test test;
    struct resolving lookup = {.host = "held.test"};
    struct cg_coro *coro;

    if (without_threads_after_fork())
        return;
    test = test_open(.timeout = 0);
    resolving_use(test.sched, "thread", NULL);
    hold_names(true);
    OK(cg_sched_start(test.sched, resolving_look_up, &lookup, .coro = &coro));
    OK(cg_sched_step(test.sched, 0));
    wait_for_visitors(1);
    child_ended_well(child_fork(child_frees, &test));
    hold_names(false);
    test_finish(&test);
    IS(cg_coro_result(coro), 2);
    cg_coro_unref(coro);
    test_close(&test);
}

/* In a world where answers are missing, a look-up fails at once or after 30 s, or its answer comes
 * late, but before that. */
static ssize_t lacks_answers(void *arg)
{
    struct cg_reactor *reactor = cg_sched_reactor(cg_sched_self());
    struct cg_resolver *names = resolving_use(cg_sched_self(), "fixed", NULL);
    unsigned at_once = 0, late = 0, right = 0;

    (void)arg;
    OK(cg_resolver_set_host(names, "web.test", "10.0.0.1"));
    cg_sim_set_lack(reactor, CG_LACKS_NAMES, 1000);
    for (int i = 0; i < 100; i++) {
        int64_t begin = cg_sched_now(cg_sched_self()), took;
        struct cg_addr_list list;
        ssize_t n = cg_yield(cg_resolve("web.test", "80", &list));

        took = cg_sched_now(cg_sched_self()) - begin;
        if (n == CG_ELOOKUP && took > 0)
            IS(took, 30 * CG_SECOND);
        else if (n == 1 && took > 0)
            ck_assert_int_lt(took, 30 * CG_SECOND);
        at_once += n == CG_ELOOKUP && took == 0;
        late += n == CG_ELOOKUP && took > 0;
        right += n == 1 && took > 0;
    }
    ck_assert_uint_gt(at_once, 5);
    ck_assert_uint_gt(late, 5);
    ck_assert_uint_gt(right, 5);
    cg_sim_set_lack(reactor, CG_LACKS_NAMES, 0);
    return 0;
}

static const struct test_case cases[] = {
    CORO(lacks_answers, .where = ON_SIM),
    CORO(numeric),
    CORO(refused),
    CORO(choices),
    CORO(fixed),
    CORO(delays, .where = ON_SIM),
    CORO(sim_default, .where = ON_SIM),
    CORO(in_threads, .where = ON_KERNEL),
    CORO(threads_block_nobody, .where = ON_KERNEL),
    CORO(threads_are_limited, .where = ON_KERNEL),
    PLAIN(threads_outlive, .where = ON_KERNEL),
    CORO(threads_stay_with_the_parent, .where = ON_KERNEL),
    PLAIN(child_frees_look_ups, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("resolve", cases, COUNT(cases));
}
