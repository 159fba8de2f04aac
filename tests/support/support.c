/* SPDX-License-Identifier: MIT */
/* Runs cases on every reactor (support.h). Each case is a process of its own (Check's fork
 * mode; CK_FORK=no for debuggers and Valgrind). */
#include "config.h"

#include "tests/support/support.h"

#include <assert.h>
#include <cogen/sim.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REACTORS_MAX = 16, PATIENCE = 30 /* seconds a case may take */ };

static const struct test_case *all_cases;
static struct cg_reactor_info reactors[REACTORS_MAX];
static size_t reactor_count;
static const char *current = "sim";
static const char *over = "";
static struct cg_sched *watched;

static bool wanted(const char *name)
{
    const char *list = getenv("COGEN_TEST_REACTORS");
    size_t len = strlen(name);

    if (!list || !*list)
        return true;
    while (*list) {
        size_t item = strcspn(list, ",");

        if (item == len && !strncmp(list, name, len))
            return true;
        list += item + (list[item] == ',');
    }
    return false;
}

/* Besides the perfect world there are two others, in which the network behaves like
 * io_uring: nothing completes at once, and a cancel may come too late. In the "late" world
 * everything is delayed. In the "single" world nothing is, so that bytes and cancels meet,
 * and a receive fills the reader's own buffer. */
static const struct cg_sim_options late_world = {
    .latency = 50 * CG_MICROSECOND,
    .jitter = 100 * CG_MICROSECOND,
    .completion = true,
    .multishot = true,
    .late_cancel = true,
};

static void list_reactors(void)
{
    size_t n = cg_reactor_list(reactors, REACTORS_MAX);

    assert(n + 2 <= REACTORS_MAX);
    reactors[n] = (struct cg_reactor_info){"sim-late", NULL};
    reactors[n + 1] = (struct cg_reactor_info){"sim-single", NULL};
    reactor_count = n + 2;
}

int test_open_reactor(struct cg_reactor **reactor)
{
    struct cg_sim_options options = late_world;
    const char *seed = getenv("COGEN_TEST_SEED");

    if (!test_on_late_sim())
        return cg_reactor_open(current, reactor);
    if (!strcmp(current, "sim-single")) {
        options.latency = options.jitter = 0;
        options.multishot = false;
    }
    options.seed = seed ? strtoull(seed, NULL, 0) : 1;
    return cg_sim_open(&options, reactor);
}

static ssize_t run_links(void *arg)
{
    static const char *const names[] = {" over TCP", " over IPv6", " over UNIX", " in memory"};
    const struct test_case *c = arg;
    struct cg_sock *a, *b;

    for (unsigned i = 0; i < COUNT(names); i++) {
        if (c->over && !(c->over & 1u << i))
            continue;
        over = names[i];
        if (!test_connect((enum test_link)(1u << i), &a, &b)) {
            printf("SKIP %s%s: there is none here\n", c->name, over);
            continue;
        }
        if (c->above)
            c->above(&a, &b);
        c->link(a, b);
    }
    return 0;
}

/* Check gives a loop test one number, which encodes the case and the reactor. */
static void run_case(int number)
{
    const struct test_case *c = &all_cases[(size_t)number / reactor_count];
    int fds = test_count_fds();

    current = reactors[(size_t)number % reactor_count].name;
    if (c->coro)
        IS(test_run(c->coro, NULL), 0);
    else if (c->link)
        IS(test_run(run_links, (void *)c), 0);
    else
        c->plain();
    IS(test_count_fds(), fds);
}

static bool applies(const struct test_case *c, const char *reactor)
{
    if (c->where == ON_SIM)
        return !strcmp(reactor, "sim");
    return c->where == ON_ALL || strncmp(reactor, "sim", 3) != 0;
}

static Suite *suite_on(size_t r, const char *theme, const struct test_case *cases, size_t n)
{
    static TTest tests[512];
    static size_t used;
    static char names[REACTORS_MAX][64]; /* Check does not copy them */
    char *name = names[r];
    Suite *suite = NULL;
    TCase *tcase = NULL;

    for (size_t i = 0; i < n; i++) {
        int number = (int)(i * reactor_count + r);

        if (!applies(&cases[i], reactors[r].name))
            continue;
        if (!suite) {
            snprintf(name, sizeof names[r], "%s/%s", theme, reactors[r].name);
            suite = suite_create(name);
            tcase = tcase_create(name);
            tcase_set_timeout(tcase, 2 * PATIENCE);
            suite_add_tcase(suite, tcase);
        }
        assert(used < COUNT(tests));
        tests[used] = (TTest){cases[i].name, run_case, __FILE__, __LINE__};
        _tcase_add_test(tcase, &tests[used++], 0, 0, number, number + 1);
    }
    return suite;
}

static int run_all(SRunner *runner)
{
    int failed;

    signal(SIGPIPE, SIG_DFL); /* a raised SIGPIPE ends the case */
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int test_main(const char *theme, const struct test_case *cases, size_t n)
{
    SRunner *runner = srunner_create(NULL);
    bool any = false;

    setvbuf(stdout, NULL, _IOLBF, 0);
    all_cases = cases;
    list_reactors();
    for (size_t r = 0; r < reactor_count; r++) {
        Suite *suite;

        if (!wanted(reactors[r].name))
            continue;
        if (reactors[r].why) {
            printf("SKIP %s: %s\n", reactors[r].name, reactors[r].why);
            continue;
        }
        suite = suite_on(r, theme, cases, n);
        if (suite)
            srunner_add_suite(runner, suite);
        any |= suite != NULL;
    }
    if (!any) {
        printf("SKIP %s: none of its reactors is available\n", theme);
        srunner_free(runner);
        return 77; /* means "skipped" to automake */
    }
    return run_all(runner);
}

int check_main(Suite *suite, ...)
{
    SRunner *runner = srunner_create(suite);
    va_list more;

    va_start(more, suite);
    while ((suite = va_arg(more, Suite *)))
        srunner_add_suite(runner, suite);
    va_end(more);
    return run_all(runner);
}

const char *test_reactor(void)
{
    return current;
}

bool test_on_sim(void)
{
    return !strncmp(current, "sim", 3);
}

bool test_on_late_sim(void)
{
    return !strncmp(current, "sim-", 4);
}

/* Not safe in a signal handler, but the process is lost anyway, and the list of waiting
 * coroutines is worth the risk. */
static void bark(int sig)
{
    (void)sig;
    fprintf(stderr, "the case hangs on %s%s; its coroutines:\n", current, over);
    if (watched)
        cg_coro_dump(watched, stderr);
    _exit(99);
}

void test_watch(struct cg_sched *sched, unsigned seconds)
{
    const char *factor = getenv("CK_TIMEOUT_MULTIPLIER");
    struct sigaction action = {.sa_handler = bark};

    watched = sched;
    sigaction(SIGALRM, &action, NULL);
    alarm(seconds * (unsigned)(factor && atoi(factor) > 0 ? atoi(factor) : 1));
}

int64_t test_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * CG_SECOND + ts.tv_nsec;
}

static long waits(void)
{
    struct rusage usage;

    IS(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_nvcsw;
}

void test_never_waits(void (*act)(void *arg), void *arg)
{
    enum { CALLS = 50 };
    long before = waits();

    for (int i = 0; i < CALLS; i++)
        act(arg);
    ck_assert_int_lt(waits() - before, CALLS);
}

void test_never_spins(int64_t length)
{
    int64_t begin;
    int tries = 0;

    do {
        ck_assert_int_lt(tries++, 10);
        begin = test_clock(CLOCK_PROCESS_CPUTIME_ID);
        IS(cg_yield(cg_sleep(length)), 0);
    } while (test_clock(CLOCK_PROCESS_CPUTIME_ID) - begin >= length / 2);
}

void test_put_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

int test_count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = -3; /* ".", ".." and the directory itself */

    if (dir) {
        while (readdir(dir))
            count++;
        closedir(dir);
        return count;
    }
    count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

struct test test_open_with(const struct cg_sched_options *options)
{
    struct test test = {NULL, NULL};

    OK(test_open_reactor(&test.reactor));
    test.sched = cg_sched_new_with(test.reactor, options);
    ck_assert_ptr_nonnull(test.sched);
    test_watch(test.sched, PATIENCE);
    return test;
}

void test_finish(struct test *test)
{
    ssize_t left = cg_sched_run(test->sched);

    if (left)
        cg_coro_dump(test->sched, stderr);
    IS(left, 0);
}

void test_close(struct test *test)
{
    test_watch(NULL, PATIENCE);
    cg_sched_free(test->sched);
    if (test_on_sim())
        IS((ssize_t)cg_sim_handles(test->reactor), 0);
    cg_reactor_close(test->reactor);
    test_watch(NULL, 0);
}

ssize_t test_run(cg_fn *fn, void *arg)
{
    struct test test = test_open(.timeout = 0);
    struct cg_coro *coro;
    ssize_t result;

    OK(cg_sched_start(test.sched, fn, arg, .name = "case", .coro = &coro));
    test_finish(&test);
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_FINISHED);
    result = cg_coro_result(coro);
    cg_coro_unref(coro);
    test_close(&test);
    return result;
}

static const char *in_words(ssize_t answer)
{
    return answer < 0 ? cg_strerror(answer) : "success";
}

ssize_t test_ok(ssize_t answer, const char *expr, const char *file, int line)
{
    if (answer < 0)
        ck_abort_msg("%s:%d: %s on %s%s: %zd (%s)", file, line, expr, current, over, answer,
                     in_words(answer));
    return answer;
}

void test_is(ssize_t answer, ssize_t want, const char *expr, const char *file, int line)
{
    char words[128];

    if (answer == want)
        return;
    snprintf(words, sizeof words, "%s", in_words(want));
    ck_abort_msg("%s:%d: %s on %s%s: %zd (%s), wanted %zd (%s)", file, line, expr, current,
                 over, answer, in_words(answer), want, words);
}

void test_label(const char *label)
{
    over = label;
}

struct cg_coro *test_start(cg_fn *fn, void *arg)
{
    struct cg_coro *coro = NULL;

    OK(cg_sched_start(cg_sched_self(), fn, arg, .name = "helper", .coro = &coro));
    return coro;
}

ssize_t test_end(struct cg_coro *coro)
{
    ssize_t result = cg_yield(cg_join(coro));

    cg_coro_unref(coro);
    return result;
}

size_t test_count(const char *prefix)
{
    size_t n = 0;

    for (struct cg_coro *coro = NULL; (coro = cg_coro_next(cg_sched_self(), coro));)
        n += strncmp(cg_coro_name(coro), prefix, strlen(prefix)) == 0;
    return n;
}

void test_until_waiting(const struct cg_coro *coro)
{
    while (cg_coro_state(coro) == CG_CORO_READY)
        OK(cg_yield(cg_pass(.prio = CG_PRIO_LAST)));
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_WAITING);
}

struct cg_sock *test_listen(char addr[static CG_ADDR_SIZE])
{
    struct cg_sock *listener;

    OK(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &listener));
    OK(cg_sock_local_addr(listener, addr, CG_ADDR_SIZE));
    return listener;
}

struct dial {
    char addr[CG_ADDR_SIZE];
    struct cg_sock **conn;
};

static ssize_t dial(void *arg)
{
    struct dial *d = arg;

    return cg_yield(cg_connect(d->addr, d->conn));
}

static bool connect_through(const char *addr, struct cg_sock **accepted,
                            struct cg_sock **connected)
{
    struct dial d = {.conn = connected};
    struct cg_sock *listener;
    struct cg_coro *dialer;
    int answer = cg_sock_listen(cg_sched_self(), addr, &listener);

    if (answer == -EADDRNOTAVAIL || answer == -EAFNOSUPPORT)
        return false;
    OK(answer);
    OK(cg_sock_local_addr(listener, d.addr, sizeof d.addr));
    dialer = test_start(dial, &d);
    OK(cg_yield(cg_accept(listener, accepted)));
    OK(test_end(dialer));
    cg_sock_close(listener);
    return true;
}

void test_tcp(struct cg_sock **accepted, struct cg_sock **connected)
{
    ck_assert(connect_through("127.0.0.1:0", accepted, connected));
}

bool test_connect(enum test_link kind, struct cg_sock **accepted,
                  struct cg_sock **connected)
{
    char path[CG_ADDR_SIZE];

    switch (kind) {
    case OVER_PAIR:
        OK(cg_sock_pair(cg_sched_self(), accepted, connected));
        return true;
    case OVER_TCP6:
        return connect_through("[::1]:0", accepted, connected);
    case OVER_UNIX:
        test_unix_path(path);
        return connect_through(path, accepted, connected);
    default:
        return connect_through("127.0.0.1:0", accepted, connected);
    }
}

/* The path is not in the build directory, whose name may be too long for an address. */
void test_unix_path(char path[static CG_ADDR_SIZE])
{
    static unsigned count;
    const char *dir = getenv("TMPDIR");

    if (!dir || strlen(dir) > 60)
        dir = "/tmp";
    snprintf(path, CG_ADDR_SIZE, "unix:%s/cogen-test-%ld-%u", dir, (long)getpid(), ++count);
    unlink(path + strlen("unix:")); /* a crashed process with the same pid may have left
                                     * it */
}

int test_file(size_t size)
{
    char path[] = "/tmp/cogen-test-XXXXXX", block[4096];
    int fd = mkstemp(path);

    OK(fd);
    unlink(path);
    for (size_t at = 0, n; at < size; at += n) {
        n = size - at < sizeof block ? size - at : sizeof block;
        test_fill(block, n, at);
        IS(write(fd, block, n), (ssize_t)n);
    }
    return fd;
}

/* The period, 251, is a prime, so a chunk that is missing or comes twice is noticed. */
static unsigned char byte_at(size_t at)
{
    return (unsigned char)(at % 251 + at / 251 % 5);
}

void test_fill(void *buf, size_t size, size_t at)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)buf)[i] = byte_at(at + i);
}

void test_verify(const void *buf, size_t size, size_t at)
{
    for (size_t i = 0; i < size; i++)
        if (((const unsigned char *)buf)[i] != byte_at(at + i))
            ck_abort_msg("%s%s: byte %zu of the stream is wrong", current, over, at + i);
}

uint32_t test_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}
