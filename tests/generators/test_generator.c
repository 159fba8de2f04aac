/* SPDX-License-Identifier: MIT */
/* Generators outside coroutines, which behave like Python's: values, errors, ends, misuse,
 * and many at the same time. */
#include "config.h"

#include "lib/base/sanitize.h"
#include "tests/support/child.h"
#include "tests/generators/gen_bodies.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The body begins with the first next. Each next gives a value, the end gives the result,
 * and after the end nothing more comes. */
static void values_come_one_at_a_time(void)
{
    int up_to = 3;
    struct cg_gen *gen = gen_make(gen_range, &up_to);
    intptr_t value = -7;

    ck_assert_int_eq(cg_gen_state(gen), CG_GEN_NEW);
    IS(cg_gen_result(gen), -EBUSY);
    for (intptr_t i = 0; i < 3; i++) {
        ck_assert_int_eq(gen_value(gen), i);
        ck_assert_int_eq(cg_gen_state(gen), CG_GEN_SUSPENDED);
    }
    for (int i = 0; i < 2; i++) {
        IS(cg_gen_next(gen, &value), 0);
        IS(cg_gen_send(gen, 1, &value), 0);
        ck_assert_int_eq(value, -7);
        ck_assert_int_eq(cg_gen_state(gen), CG_GEN_FINISHED);
        IS(cg_gen_result(gen), 30);
    }
    IS(cg_gen_free(gen), 0);
}

/* The text's: what is sent shifts the sequence, and next sends nothing. */

static void what_is_sent_arrives(void)
{
    int up_to = 5;
    struct cg_gen *gen = gen_make(gen_jumps, &up_to);
    intptr_t value;

    ck_assert_int_eq(gen_value(gen), 0);
    IS(cg_gen_send(gen, 2, &value), 1);
    ck_assert_int_eq(value, 2);
    ck_assert_int_eq(gen_value(gen), 3);
    IS(cg_gen_send(gen, -1, &value), 1);
    ck_assert_int_eq(value, 2);
    IS(cg_gen_send(gen, 0, &value), 1); /* a zero is a value, too */
    ck_assert_int_eq(value, 2);
    ck_assert_int_eq(gen_value(gen), 3);
    ck_assert_int_eq(gen_value(gen), 4);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_free(gen), 0);
}

/* Before the first yield nothing can be sent; the generator is not affected by the
 * attempt. */
static void nothing_can_be_sent_before_the_start(void)
{
    int up_to = 2;
    struct cg_gen *gen = gen_make(gen_jumps, &up_to);
    intptr_t value;

    IS(cg_gen_send(gen, 1, &value), -EINVAL);
    ck_assert_int_eq(cg_gen_state(gen), CG_GEN_NEW);
    ck_assert_int_eq(gen_value(gen), 0);
    IS(cg_gen_send(gen, 1, &value), 1);
    ck_assert_int_eq(value, 1);
    IS(cg_gen_free(gen), 0);
}

/* For each word that is sent, yields the previous one. */
static ssize_t one_behind(struct cg_gen *gen, void *arg)
{
    const char *word = arg;

    while (cg_gen_yield(gen, word, &word) == 1)
        continue;
    return 0;
}

static void pointers_are_values(void)
{
    struct cg_gen *gen = gen_make(one_behind, "eggs");
    const char *word;

    IS(cg_gen_next(gen, &word), 1);
    ck_assert_str_eq(word, "eggs");
    IS(cg_gen_send(gen, "spam", &word), 1);
    ck_assert_str_eq(word, "spam");
    IS(cg_gen_free(gen), 0);
}

/* A thrown code is what the yield returns. If the body returns it, throw returns it; if
 * the body handles it, throw does not. */
static void what_is_thrown_arrives(void)
{
    struct gen_log passes = {.result = 1}, catches = {.result = 5},
                   goes_on = {.yields_more = 1};
    struct cg_gen *gen = gen_make(gen_logs, &passes);
    intptr_t value = -7;

    gen_value(gen);
    IS(cg_gen_throw(gen, 3, &value), -EINVAL); /* 3 is not an error code */
    IS(cg_gen_throw(gen, -EIO, &value), -EIO);
    ck_assert_int_eq(value, -7);
    IS(passes.seen[0], -EIO);
    IS(cg_gen_result(gen), -EIO);
    IS(cg_gen_next(gen, NULL), 0); /* the error is returned only once */
    IS(cg_gen_throw(gen, -EPIPE, NULL), -EPIPE);
    IS(cg_gen_result(gen), -EIO);
    IS(cg_gen_free(gen), 0);

    gen = gen_make(gen_logs, &catches);
    gen_value(gen);
    IS(cg_gen_throw(gen, -EIO, NULL), 0);
    IS(cg_gen_result(gen), 5);
    IS(cg_gen_free(gen), 0);

    gen = gen_make(gen_logs, &goes_on);
    gen_value(gen);
    IS(cg_gen_throw(gen, -EIO, &value), 1);
    ck_assert_int_eq(value, 101);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_free(gen), 0);
}

/* A generator that has not begun can be closed; its body never runs. */
static void one_that_never_began(void)
{
    struct gen_log log = {.result = 1};
    struct cg_gen *gen = gen_make(gen_logs, &log);

    IS(cg_gen_throw(gen, -EIO, NULL), -EIO);
    ck_assert_int_eq(cg_gen_state(gen), CG_GEN_FINISHED);
    IS(cg_gen_result(gen), -EIO);
    IS(cg_gen_free(gen), 0);
    gen = gen_make(gen_logs, &log);
    IS(cg_gen_close(gen), 0);
    IS(cg_gen_result(gen), -ECANCELED);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_free(gen), 0);
    IS(cg_gen_free(gen_make(gen_logs, &log)), 0);
    IS(cg_gen_free(NULL), 0);
    ck_assert_int_eq(log.n, 0);
}

/* When a generator is closed or freed, its yield returns -ECANCELED, so that the clean-up
 * runs. An error of the body is returned to the caller. */
static void closing_runs_the_clean_up(void)
{
    static const struct {
        ssize_t result, answer;
    } cases[] = {{1, 0}, {0, 0}, {7, 0}, {-EIO, -EIO}, {-EBUSY, -EBUSY}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gen_log log = {.result = cases[i].result}, left = log;
        struct cg_gen *gen = gen_make(gen_logs, &log);

        gen_value(gen);
        IS(cg_gen_close(gen), cases[i].answer);
        IS(log.seen[0], -ECANCELED);
        ck_assert(log.cleaned);
        ck_assert_int_eq(cg_gen_state(gen), CG_GEN_FINISHED);
        IS(cg_gen_result(gen), cases[i].result == 1 ? -ECANCELED : cases[i].result);
        IS(cg_gen_close(gen), 0);
        IS(cg_gen_free(gen), 0);

        gen = gen_make(gen_logs, &left);
        gen_value(gen);
        IS(cg_gen_free(gen), cases[i].answer);
        ck_assert(left.cleaned);
    }
}

/* A body that yields although it was closed is an error; it stays at that yield, and can
 * be resumed or closed again. */
static void yielding_although_closed_is_an_error(void)
{
    struct gen_log log = {.result = 1, .yields_more = 1};
    struct cg_gen *gen = gen_make(gen_logs, &log);

    gen_value(gen);
    IS(cg_gen_close(gen), -EBUSY);
    ck_assert_int_eq(cg_gen_state(gen), CG_GEN_SUSPENDED);
    ck_assert(!log.cleaned);
    IS(cg_gen_close(gen), 0);
    ck_assert(log.cleaned);
    IS(cg_gen_free(gen), 0);
}

static ssize_t pulls(struct cg_gen *gen, void *arg)
{
    struct cg_gen *other = *(struct cg_gen **)arg;

    ck_assert_ptr_eq(cg_gen_self(), gen);
    ck_assert_int_eq(cg_gen_state(other), CG_GEN_RUNNING);
    IS(cg_gen_next(other, NULL), -EBUSY);
    IS(cg_gen_send(other, 1, NULL), -EBUSY);
    IS(cg_gen_throw(other, -EIO, NULL), -EBUSY);
    IS(cg_gen_close(other), -EBUSY);
    IS(cg_gen_free(other), -EBUSY);
    IS(cg_gen_from(gen, other), -EBUSY);
    if (other != gen)
        IS(cg_gen_yield(other, 1, NULL), -EPERM); /* not the innermost generator */
    return 4;
}

static ssize_t nests(struct cg_gen *gen, void *arg)
{
    struct cg_gen *inner = gen_make(pulls, arg);

    IS(cg_gen_next(inner, NULL), 0);
    IS(cg_gen_yield(inner, 1, NULL), -EPERM); /* has ended */
    IS(cg_gen_free(inner), 0);
    ck_assert_ptr_eq(cg_gen_self(), gen);
    return pulls(gen, arg);
}

/* Resuming a generator that runs, the current one or one further out, fails with -EBUSY
 * and does not affect it. */
static void a_running_generator_cannot_be_resumed(void)
{
    struct cg_gen *gen = NULL;

    gen = gen_make(pulls, &gen);
    IS(cg_gen_yield(gen, 1, NULL), -EPERM);
    IS(cg_gen_from(gen, gen), -EPERM);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_result(gen), 4);
    IS(cg_gen_free(gen), 0);
    gen = gen_make(nests, &gen);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_result(gen), 4);
    IS(cg_gen_free(gen), 0);
    ck_assert_ptr_null(cg_gen_self());
    ck_assert_ptr_null(cg_gen_new(NULL, NULL));
    ck_assert_ptr_null(cg_gen_new(pulls, NULL, .stack_size = (size_t)1 << 46));
}

static void ten_thousand_in_lockstep(void)
{
    enum {
        N = CG__TSAN ? 1000 : 10000
    };
    static struct cg_gen *gens[N];
    int up_to = 3;

    for (int i = 0; i < N; i++)
        gens[i] = gen_make(gen_range, &up_to);
    for (intptr_t step = 0; step < 3; step++)
        for (int i = 0; i < N; i++)
            ck_assert_int_eq(gen_value(gens[i]), step);
    for (int i = 0; i < N; i++)
        IS(cg_gen_free(gens[i]), 0);
    ck_assert_uint_ge(cg_gen_trim(), N / 2);
    ck_assert_uint_eq(cg_gen_trim(), 0);
    for (int i = 0; i < N; i++)
        gens[i] = gen_make(gen_range, &up_to);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(gen_value(gens[i]), 0);
        IS(cg_gen_free(gens[i]), 0);
    }
}

static char said[64 * 1024];

static void abandon_one(void)
{
    struct gen_log log = {.yields_more = 3};
    struct cg_gen *gen = cg_gen_new(gen_logs, &log, .name = "stubborn");

    cg_gen_next(gen, NULL);
    if (cg_gen_free(gen) != -EBUSY || log.cleaned)
        _exit(1);
}

static ssize_t keeps_what_was_sent(struct cg_gen *gen, void *arg)
{
    intptr_t sent = 5;

    (void)arg;
    IS(cg_gen_yield(gen, 1, &sent), -EIO);
    return sent;
}

/* A thrown error does not change the variable for the sent value. */
static void a_throw_brings_no_value(void)
{
    struct cg_gen *gen = gen_make(keeps_what_was_sent, NULL);

    ck_assert_int_eq(gen_value(gen), 1);
    IS(cg_gen_throw(gen, -EIO, NULL), 0);
    IS(cg_gen_result(gen), 5);
    IS(cg_gen_free(gen), 0);
}

/* A generator that yields again and again although it is freed is abandoned, and reported
 * by name. */
static void a_stubborn_one_is_abandoned(void)
{
    ck_assert_int_eq(child_run(abandon_one, said, sizeof said), 0);
    ck_assert_ptr_nonnull(strstr(said, "cogen: generator stubborn abandoned"));
}

static const struct test_case cases[] = {
    PLAIN(values_come_one_at_a_time, .where = ON_SIM),
    PLAIN(what_is_sent_arrives, .where = ON_SIM),
    PLAIN(nothing_can_be_sent_before_the_start, .where = ON_SIM),
    PLAIN(pointers_are_values, .where = ON_SIM),
    PLAIN(what_is_thrown_arrives, .where = ON_SIM),
    PLAIN(a_throw_brings_no_value, .where = ON_SIM),
    PLAIN(one_that_never_began, .where = ON_SIM),
    PLAIN(closing_runs_the_clean_up, .where = ON_SIM),
    PLAIN(yielding_although_closed_is_an_error, .where = ON_SIM),
    PLAIN(a_running_generator_cannot_be_resumed, .where = ON_SIM),
    PLAIN(ten_thousand_in_lockstep, .where = ON_SIM),
    PLAIN(a_stubborn_one_is_abandoned, .where = ON_SIM),
};

int main(void)
{
    return test_main("generator", cases, COUNT(cases));
}
