/* SPDX-License-Identifier: MIT */
/* Dumps: what they say about coroutines that wait, and that they are complete. What they say
 * about those that wait in vain is in test_dump_cycles.c. */
#include "config.h"

#include "lib/insight/backtrace.h"
#include "lib/insight/dump.h"
#include "tests/insight/dumps.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static ssize_t waits(void *name)
{
    return cg_yield(cg_wait_signal((const char *)name, NULL));
}

static ssize_t starts_another(void *arg)
{
    (void)arg;
    OK(cg_yield(cg_add(waits, "godot", .name = "child")));
    return waits("go");
}

/* The tree tells who started whom, what they wait for, and since when. */
static ssize_t tells_the_tree(void *arg)
{
    char *text;

    (void)arg;
    OK(cg_yield(cg_add(starts_another, NULL, .name = "parent")));
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    text = dump_of(NULL);
    dump_says(text, "cogen dump of process ");
    dump_says(text, " 3 coroutines, 0 ready, ");
    dump_says(text, "\n  parent: wait_signal \"go\", since 0.0 s [#2, age 0.0 s");
    dump_says(text, "\n    child: wait_signal \"godot\", since 0.0 s [#3, age 0.0 s");
    dump_says(text, "end of dump\n");
    free(text);
    OK(cg_yield(cg_signal("go", 0)));
    OK(cg_yield(cg_pass()));
    text = dump_of(NULL);
    dump_says_not(text, "parent:");
    dump_says(text, "\nchild: wait_signal \"godot\", since 0.0 s [#3, its starter has ended, ");
    free(text);
    OK(cg_yield(cg_signal("godot", 0)));
    return 0;
}

/* Those that are alike are printed once. */
static ssize_t collapses(void *arg)
{
    enum { N = 100 };
    char *text;

    (void)arg;
    for (int i = 0; i < N; i++)
        OK(cg_yield(cg_add(waits, "go", .name = "one")));
    OK(cg_yield(cg_add(waits, "go", .name = "other")));
    text = dump_of(NULL);
    dump_says(text, "\n  100 x one: wait_signal \"go\"");
    dump_says(text, "\n  other: wait_signal \"go\"");
    if (cg__backtrace_works())
        dump_says(text, ", of 101 coroutines:\n    ");
    free(text);
    OK(cg_yield(cg_signal("go", 0)));
    return 0;
}

/* At most so many are examined, and the others are counted. */
static ssize_t keeps_the_limit(void *arg)
{
    char *text;

    (void)arg;
    for (int i = 0; i < 10; i++)
        OK(cg_yield(cg_add(waits, "go", .name = "one")));
    text = dump_of(&(struct cg_dump_options){.limit = 4});
    dump_says(text, "\n  3 x one: ");
    dump_says(text, "\nand 7 more, which were not examined\n");
    free(text);
    OK(cg_yield(cg_signal("go", 0)));
    return 0;
}

static ssize_t even(uintptr_t bits);

/* One function or the other is called, as the bits say, so that each number has a backtrace of its
 * own. They differ, or the compiler would make them one. */
__attribute__((noinline)) static ssize_t odd(uintptr_t bits)
{
    volatile ssize_t rc = bits <= 1 ? waits("go") : bits & 2 ? odd(bits >> 1) : even(bits >> 1);

    return rc + 1;
}

__attribute__((noinline)) static ssize_t even(uintptr_t bits)
{
    volatile ssize_t rc = bits & 2 ? odd(bits >> 1) : even(bits >> 1);

    return rc + 2;
}

static ssize_t waits_by_bits(void *bits)
{
    uintptr_t number = (uintptr_t)bits;

    return number & 1 ? odd(number) : even(number);
}

/* A dump prints a limited number of backtraces, and counts the others. */
static ssize_t prints_some_backtraces(void *arg)
{
    char *text;

    (void)arg;
    if (!cg__backtrace_works())
        return 0;
    for (uintptr_t i = 1; i < CG__DUMP_TRACES + 10; i++) /* and the caller's */
        OK(cg_yield(cg_add(waits_by_bits, (void *)i)));
    text = dump_of(&(struct cg_dump_options){.limit = 10000});
    dump_says(text, "\nbacktrace 500, of 1 coroutine:\n");
    dump_says_not(text, "\nbacktrace 501,");
    dump_says(text, "\nand 10 more backtraces, which are not printed\n");
    free(text);
    text = dump_of(&(struct cg_dump_options){.limit = 10000, .json = true});
    dump_says(text, "{\"id\": 500, \"coroutines\": 1, ");
    dump_says_not(text, "{\"id\": 501, \"coroutines\": 1, \"frames\"");
    free(text);
    OK(cg_yield(cg_signal("go", 0)));
    return 0;
}

static ssize_t produce(struct cg_gen *gen, void *arg)
{
    (void)gen;
    return waits(arg);
}

/* Inlined functions would have no frame of their own. */
__attribute__((noinline)) static ssize_t in_a_generator(void *arg)
{
    struct cg_gen *gen = cg_gen_new(produce, "go");
    void *value;
    ssize_t rc = cg_gen_next(gen, &value);

    (void)arg;
    cg_gen_free(gen);
    return rc;
}

/* The innermost frames are the generator's, then come those of the coroutine. */
static ssize_t looks_into_generators(void *arg)
{
    struct cg_coro *coro = test_start(in_a_generator, NULL);
    struct cg__backtrace backtrace, own;
    char *text;

    (void)arg;
    test_until_waiting(coro);
    text = dump_of(NULL);
    dump_says(text, " 1 generator,");
    free(text);
    cg__backtrace_make(&backtrace, coro);
    cg__backtrace_make(&own, cg_coro_self());
    if (cg__backtrace_works()) {
        ck_assert_uint_gt(backtrace.count, 4);
        ck_assert(!backtrace.repeats);
        ck_assert_uint_gt(own.count, 1);
        /* Both end in the function that begins every coroutine. */
        ck_assert_ptr_eq(backtrace.frames[backtrace.count - 1], own.frames[own.count - 1]);
    }
    OK(cg_yield(cg_signal("go", 0)));
    return test_end(coro);
}

/* What repeats has the same frames as what is made. */
static ssize_t deep(int depth, void *arg)
{
    volatile int here = depth;
    ssize_t rc = depth == 0 ? waits(arg) : deep(depth - 1, arg);

    return rc + here - depth;
}

static ssize_t waits_deep(void *depth)
{
    return deep((int)(intptr_t)depth, "go");
}

static bool same(const struct cg__backtrace *a, const struct cg__backtrace *b)
{
    return a->count == b->count &&
           memcmp(a->frames, b->frames, a->count * sizeof a->frames[0]) == 0;
}

static ssize_t repeats(void *arg)
{
    enum { N = 12 };
    struct cg__backtrace made[N];
    struct cg_coro *coros[N];

    (void)arg;
    for (int i = 0; i < N; i++)
        coros[i] = test_start(waits_deep, (void *)(intptr_t)(i % 4));
    test_until_waiting(coros[N - 1]);
    for (int i = 0; i < N; i++)
        cg__backtrace_make(&made[i], coros[i]);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            if (made[k].repeats && made[k].count > 0)
                ck_assert_int_eq(cg__backtrace_repeats(&made[k], coros[i]),
                                 same(&made[i], &made[k]));
    OK(cg_yield(cg_signal("go", 0)));
    for (int i = 0; i < N; i++)
        OK(test_end(coros[i]));
    return 0;
}

static ssize_t wait_for_it(void *arg)
{
    return cg_yield((struct cg_op *)arg);
}

/* Groups and scopes are printed with their deadlines, branches below their race. */
static ssize_t tells_scopes(void *arg)
{
    struct cg_group group;
    struct cg_scope scope;
    struct cg_coro *racer;
    char *text;

    (void)arg;
    cg_group_open(&group, .timeout = CG_MINUTE);
    OK(cg_yield(cg_add_to_group(&group, waits, "go", .name = "member")));
    cg_scope_open(&scope, CG_NEVER, true);
    racer = test_start(wait_for_it,
                       cg_any((cg_call(waits, "go"), cg_sleep(CG_MINUTE))));
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    text = dump_of(NULL);
    dump_says(text, "\n  - scope, shielded\n");
    dump_says(text, "\n  - group of 1, ends in ");
    dump_says(text, "\n  member: wait_signal \"go\", since 0.0 s [#2, member, age ");
    dump_says(text, "\n    call: wait_signal \"go\", since 0.0 s [#4, branch, age ");
    free(text);
    cg_scope_close(&scope);
    OK(cg_yield(cg_signal("go", 0)));
    OK(cg_yield(cg_wait_group(&group)));
    return test_end(racer);
}

/* Names are escaped in JSON. */
static ssize_t escapes(void *arg)
{
    char *text;

    (void)arg;
    OK(cg_yield(cg_add(waits, "go", .name = "a \"b\\c\n")));
    text = dump_of(&(struct cg_dump_options){.json = true});
    dump_says(text, "{\"cogen_dump\": 1, \"process\": ");
    dump_says(text, "\"name\": \"a \\\"b\\\\c\\u000a\", \"count\": 1, \"parent\": 1");
    dump_says(text, "\"waits_for\": \"wait_signal \\\"go\\\", since 0.0 s\"");
    free(text);
    OK(cg_yield(cg_signal("go", 0)));
    return 0;
}

/* A name can neither begin a line of its own nor command a terminal. */
static ssize_t keeps_names_in_line(void *arg)
{
    char *text;

    (void)arg;
    OK(cg_yield(cg_add(waits, "go\nend of dump", .name = "a \"b\\c\x1b[2J\xff")));
    text = dump_of(NULL);
    dump_says(text, "\n  a \"b\\c\\u001b[2J\\ufffd: wait_signal \"go\\u000aend of dump\", since ");
    free(text);
    OK(cg_yield(cg_signal("go\nend of dump", 0)));
    return 0;
}

/* The counts. */
static ssize_t counts(void *arg)
{
    struct cg_sock *a, *b;
    struct cg_coro *sleeper;
    char *text;

    (void)arg;
    OK(cg_sock_pair(cg_sched_self(), &a, &b));
    sleeper = test_start(wait_for_it, cg_sleep(CG_MINUTE));
    test_until_waiting(sleeper);
    text = dump_of(NULL);
    dump_says(text, " 2 coroutines, 0 ready, 1 timer, 2 sockets, ");
    dump_says(text, " 0 idle connections, 0 generators, 0 functions queued, ");
    free(text);
    cg_sock_close(a);
    cg_sock_close(b);
    text = dump_of(NULL);
    dump_says(text, " 0 sockets, ");
    free(text);
    cg_coro_cancel(sleeper);
    IS(test_end(sleeper), -ECANCELED);
    return 0;
}

/* A file that cannot be written. */
static ssize_t reports_errors(void *arg)
{
    FILE *full = fopen("/dev/full", "w");

    (void)arg;
    if (full == NULL)
        return 0;
    IS(cg_sched_dump(cg_sched_self(), full), -EIO);
    fclose(full);
    return 0;
}

static ssize_t ends_at_once(void *arg)
{
    (void)arg;
    return 0;
}

/* A coroutine whose stack was that of a group's member is like others. */
static ssize_t joins_those_on_old_stacks(void *arg)
{
    struct cg_group group;
    struct cg_coro *coro[3];
    char *text;

    cg_group_open(&group);
    OK(cg_yield(cg_add_to_group(&group, ends_at_once, arg)));
    OK(cg_yield(cg_wait_group(&group)));
    for (size_t i = 0; i < COUNT(coro); i++) {
        coro[i] = test_start(waits, "never");
        test_until_waiting(coro[i]);
    }
    text = dump_of(NULL);
    dump_says(text, "3 x helper: wait_signal");
    free(text);
    for (size_t i = 0; i < COUNT(coro); i++) {
        cg_coro_cancel(coro[i]);
        IS(test_end(coro[i]), -ECANCELED);
    }
    return 0;
}

static const struct test_case cases[] = {
    CORO(tells_the_tree),
    CORO(collapses),
    CORO(keeps_the_limit),
    CORO(prints_some_backtraces),
    CORO(looks_into_generators),
    CORO(repeats),
    CORO(tells_scopes),
    CORO(joins_those_on_old_stacks),
    CORO(escapes),
    CORO(keeps_names_in_line),
    CORO(counts),
    CORO(reports_errors),
};

int main(void)
{
    return test_main("dump", cases, COUNT(cases));
}
