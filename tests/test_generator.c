/* SPDX-License-Identifier: MIT */
/* Generators: by themselves, as Python's behave; inside coroutines, where their bodies yield
 * operations; shared between threads. */
#include "config.h"

#include "lib/sanitize.h"
#include "tests/child.h"
#include "tests/support.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS CG_MILLISECOND

static struct cg_gen *make(cg_gen_fn *fn, void *arg)
{
    struct cg_gen *gen = cg_gen_new(fn, arg);

    ck_assert_ptr_nonnull(gen);
    return gen;
}

/* The next value, which must come. */
static intptr_t value_of(struct cg_gen *gen)
{
    intptr_t value = -1;

    IS(cg_gen_next(gen, &value), 1);
    return value;
}

/* ---- Values --------------------------------------------------------------------------- */

static ssize_t yrange(struct cg_gen *gen, void *arg)
{
    intptr_t up_to = *(int *)arg;

    for (intptr_t i = 0; i < up_to; i++)
        if (cg_gen_yield(gen, i, NULL) < 0)
            break;
    return up_to * 10;
}

/* The body begins with the first next; each next brings a value, the end its result, and
 * after the end there is nothing more. */
static void values_come_one_at_a_time(void)
{
    int up_to = 3;
    struct cg_gen *gen = make(yrange, &up_to);
    intptr_t value = -7;

    ck_assert_int_eq(cg_gen_state(gen), CG_GEN_NEW);
    IS(cg_gen_result(gen), -EBUSY);
    for (intptr_t i = 0; i < 3; i++) {
        ck_assert_int_eq(value_of(gen), i);
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
static ssize_t jumping_range(struct cg_gen *gen, void *arg)
{
    intptr_t index = 0, jump;
    ssize_t how;

    while (index < *(int *)arg) {
        if ((how = cg_gen_yield(gen, index, &jump)) < 0)
            return how;
        if (how == 0)
            ck_assert_int_eq(jump, 0);
        index += how == 1 ? jump : 1;
    }
    return 0;
}

static void what_is_sent_arrives(void)
{
    int up_to = 5;
    struct cg_gen *gen = make(jumping_range, &up_to);
    intptr_t value;

    ck_assert_int_eq(value_of(gen), 0);
    IS(cg_gen_send(gen, 2, &value), 1);
    ck_assert_int_eq(value, 2);
    ck_assert_int_eq(value_of(gen), 3);
    IS(cg_gen_send(gen, -1, &value), 1);
    ck_assert_int_eq(value, 2);
    IS(cg_gen_send(gen, 0, &value), 1); /* a zero is a value, too */
    ck_assert_int_eq(value, 2);
    ck_assert_int_eq(value_of(gen), 3);
    ck_assert_int_eq(value_of(gen), 4);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_free(gen), 0);
}

/* There is no yield yet that could take it; and the generator has not been harmed. */
static void nothing_can_be_sent_before_the_start(void)
{
    int up_to = 2;
    struct cg_gen *gen = make(jumping_range, &up_to);
    intptr_t value;

    IS(cg_gen_send(gen, 1, &value), -EINVAL);
    ck_assert_int_eq(cg_gen_state(gen), CG_GEN_NEW);
    ck_assert_int_eq(value_of(gen), 0);
    IS(cg_gen_send(gen, 1, &value), 1);
    ck_assert_int_eq(value, 1);
    IS(cg_gen_free(gen), 0);
}

/* Answers each word with the one before it. */
static ssize_t one_behind(struct cg_gen *gen, void *arg)
{
    const char *word = arg;

    while (cg_gen_yield(gen, word, &word) == 1)
        continue;
    return 0;
}

static void pointers_are_values(void)
{
    struct cg_gen *gen = make(one_behind, "eggs");
    const char *word;

    IS(cg_gen_next(gen, &word), 1);
    ck_assert_str_eq(word, "eggs");
    IS(cg_gen_send(gen, "spam", &word), 1);
    ck_assert_str_eq(word, "spam");
    IS(cg_gen_free(gen), 0);
}

/* ---- Errors and the end --------------------------------------------------------------- */

struct log {
    ssize_t seen[4];
    int n;
    ssize_t result;  /* what the body returns; 1: what it was told */
    int yields_more; /* times it yields after it was told to end */
    bool cleaned;
};

static ssize_t logger(struct cg_gen *gen, void *arg)
{
    struct log *log = arg;
    ssize_t how = 0;

    while (how >= 0)
        how = cg_gen_yield(gen, log->n, NULL);
    log->seen[log->n++] = how;
    while (log->yields_more-- > 0) {
        how = cg_gen_yield(gen, 100 + log->n, NULL);
        log->seen[log->n++] = how;
    }
    log->cleaned = true;
    return log->result == 1 ? how : log->result;
}

/* The code is the answer of the yield; one that is not caught comes out again, one that is
 * does not. */
static void what_is_thrown_arrives(void)
{
    struct log passes = {.result = 1}, catches = {.result = 5},
               goes_on = {.yields_more = 1};
    struct cg_gen *gen = make(logger, &passes);
    intptr_t value = -7;

    value_of(gen);
    IS(cg_gen_throw(gen, 3, &value), -EINVAL); /* no error code */
    IS(cg_gen_throw(gen, -EIO, &value), -EIO);
    ck_assert_int_eq(value, -7);
    IS(passes.seen[0], -EIO);
    IS(cg_gen_result(gen), -EIO);
    IS(cg_gen_next(gen, NULL), 0); /* told once */
    IS(cg_gen_throw(gen, -EPIPE, NULL), -EPIPE);
    IS(cg_gen_result(gen), -EIO);
    IS(cg_gen_free(gen), 0);

    gen = make(logger, &catches);
    value_of(gen);
    IS(cg_gen_throw(gen, -EIO, NULL), 0);
    IS(cg_gen_result(gen), 5);
    IS(cg_gen_free(gen), 0);

    gen = make(logger, &goes_on);
    value_of(gen);
    IS(cg_gen_throw(gen, -EIO, &value), 1);
    ck_assert_int_eq(value, 101);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_free(gen), 0);
}

/* One that has not begun ends without having run. */
static void one_that_never_began(void)
{
    struct log log = {.result = 1};
    struct cg_gen *gen = make(logger, &log);

    IS(cg_gen_throw(gen, -EIO, NULL), -EIO);
    ck_assert_int_eq(cg_gen_state(gen), CG_GEN_FINISHED);
    IS(cg_gen_result(gen), -EIO);
    IS(cg_gen_free(gen), 0);
    gen = make(logger, &log);
    IS(cg_gen_close(gen), 0);
    IS(cg_gen_result(gen), -ECANCELED);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_free(gen), 0);
    IS(cg_gen_free(make(logger, &log)), 0);
    IS(cg_gen_free(NULL), 0);
    ck_assert_int_eq(log.n, 0);
}

/* The yield answers -ECANCELED and the clean-up runs, whether it is closed or abandoned; the
 * body's own error comes out. */
static void closing_runs_the_clean_up(void)
{
    static const struct {
        ssize_t result, answer;
    } cases[] = {{1, 0}, {0, 0}, {7, 0}, {-EIO, -EIO}, {-EBUSY, -EBUSY}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct log log = {.result = cases[i].result}, left = log;
        struct cg_gen *gen = make(logger, &log);

        value_of(gen);
        IS(cg_gen_close(gen), cases[i].answer);
        IS(log.seen[0], -ECANCELED);
        ck_assert(log.cleaned);
        ck_assert_int_eq(cg_gen_state(gen), CG_GEN_FINISHED);
        IS(cg_gen_result(gen), cases[i].result == 1 ? -ECANCELED : cases[i].result);
        IS(cg_gen_close(gen), 0);
        IS(cg_gen_free(gen), 0);

        gen = make(logger, &left);
        value_of(gen);
        IS(cg_gen_free(gen), cases[i].answer);
        ck_assert(left.cleaned);
    }
}

/* It stays where it is then, and can be resumed, or closed again. */
static void yielding_although_closed_is_an_error(void)
{
    struct log log = {.result = 1, .yields_more = 1};
    struct cg_gen *gen = make(logger, &log);

    value_of(gen);
    IS(cg_gen_close(gen), -EBUSY);
    ck_assert_int_eq(cg_gen_state(gen), CG_GEN_SUSPENDED);
    ck_assert(!log.cleaned);
    IS(cg_gen_close(gen), 0);
    ck_assert(log.cleaned);
    IS(cg_gen_free(gen), 0);
}

/* ---- Delegation ----------------------------------------------------------------------- */

struct chain {
    cg_gen_fn *fn;
    void *arg;
    ssize_t answer;
    int depth;
};

static ssize_t delegates(struct cg_gen *gen, void *arg)
{
    struct chain *chain = arg, below = *chain;
    struct cg_gen *sub;

    below.depth--;
    sub = chain->depth > 1 ? make(delegates, &below) : make(chain->fn, chain->arg);
    chain->answer = cg_gen_from(gen, sub);
    ck_assert_int_eq(cg_gen_state(sub), CG_GEN_FINISHED);
    IS(cg_gen_free(sub), 0);
    return chain->answer;
}

/* Values, what is sent, what is thrown, the close and the result go through, however many
 * generators lie between. */
static void delegation_is_transparent(void)
{
    for (int depth = 1; depth <= 20; depth += 19) {
        int up_to = 4;
        struct log log = {.result = 1, .yields_more = 1}, closed = {.result = 1};
        struct chain sends = {jumping_range, &up_to, 1, depth};
        struct chain counts = {yrange, &up_to, 1, depth};
        struct chain throws = {logger, &log, 1, depth};
        struct chain closes = {logger, &closed, 1, depth};
        struct cg_gen *gen = make(delegates, &sends);
        intptr_t value;

        ck_assert_int_eq(value_of(gen), 0);
        IS(cg_gen_send(gen, 3, &value), 1);
        ck_assert_int_eq(value, 3);
        IS(cg_gen_next(gen, NULL), 0);
        IS(sends.answer, 0);
        IS(cg_gen_free(gen), 0);

        gen = make(delegates, &counts);
        for (intptr_t i = 0; i < 4; i++)
            ck_assert_int_eq(value_of(gen), i);
        IS(cg_gen_next(gen, NULL), 0);
        IS(cg_gen_result(gen), 40);
        IS(cg_gen_free(gen), 0);

        gen = make(delegates, &throws);
        value_of(gen);
        IS(cg_gen_throw(gen, -EIO, &value), 1); /* caught below, which yields on */
        ck_assert_int_eq(value, 101);
        IS(cg_gen_throw(gen, -EPIPE, &value), -EPIPE);
        IS(throws.answer, -EPIPE);
        IS(cg_gen_free(gen), 0);

        gen = make(delegates, &closes);
        value_of(gen);
        IS(cg_gen_close(gen), 0);
        IS(closed.seen[0], -ECANCELED);
        ck_assert(closed.cleaned);
        IS(closes.answer, -ECANCELED);
        IS(cg_gen_free(gen), 0);
    }
}

/* A thrown -ECANCELED is an error like any other, no close: one may go on after it. */
static void a_thrown_cancel_is_no_close(void)
{
    struct log log = {.result = 9, .yields_more = 1};
    struct chain chain = {logger, &log, 1, 2};
    struct cg_gen *gen = make(delegates, &chain);
    intptr_t value;

    value_of(gen);
    IS(cg_gen_throw(gen, -ECANCELED, &value), 1);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_result(gen), 9);
    IS(cg_gen_free(gen), 0);
}

/* One below that yields although it is closed makes the closing of all an error. */
static ssize_t delegates_to(struct cg_gen *gen, void *arg)
{
    return cg_gen_from(gen, arg);
}

static void a_stubborn_one_below(void)
{
    struct log log = {.result = 1, .yields_more = 1};
    struct cg_gen *sub = make(logger, &log), *gen = make(delegates_to, sub);

    value_of(gen);
    IS(cg_gen_close(gen), -EBUSY);
    ck_assert_int_eq(cg_gen_state(gen), CG_GEN_FINISHED);
    ck_assert_int_eq(cg_gen_state(sub), CG_GEN_SUSPENDED);
    IS(cg_gen_free(gen), 0);
    IS(cg_gen_free(sub), 0);
    ck_assert(log.cleaned);
}

static ssize_t composed(struct cg_gen *gen, void *arg)
{
    static int up_to = 2;
    struct cg_gen *sub = make(yrange, &up_to);
    ssize_t how = cg_gen_yield(gen, 'A', NULL);

    ck_assert_int_eq(value_of(sub), 0); /* one that is under way is taken from there */
    if (how >= 0)
        how = cg_gen_from(gen, sub);
    *(ssize_t *)arg = how;
    IS(cg_gen_from(gen, sub), 20); /* and one that has ended has its result */
    cg_gen_free(sub);
    return how < 0 ? how : cg_gen_yield(gen, 'B', NULL);
}

static void delegated_and_composed(void)
{
    ssize_t answer = -1;
    struct cg_gen *gen = make(composed, &answer);

    ck_assert_int_eq(value_of(gen), 'A');
    ck_assert_int_eq(value_of(gen), 1);
    ck_assert_int_eq(value_of(gen), 'B');
    IS(answer, 20);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_free(gen), 0);
}

/* ---- Misuse --------------------------------------------------------------------------- */

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
        IS(cg_gen_yield(other, 1, NULL), -EPERM); /* not the innermost */
    return 4;
}

static ssize_t nests(struct cg_gen *gen, void *arg)
{
    struct cg_gen *inner = make(pulls, arg);

    IS(cg_gen_next(inner, NULL), 0);
    IS(cg_gen_yield(inner, 1, NULL), -EPERM); /* has ended */
    IS(cg_gen_free(inner), 0);
    ck_assert_ptr_eq(cg_gen_self(), gen);
    return pulls(gen, arg);
}

/* Whoever is running, itself or further out, answers -EBUSY and is none the worse. */
static void a_running_generator_cannot_be_resumed(void)
{
    struct cg_gen *gen = NULL;

    gen = make(pulls, &gen);
    IS(cg_gen_yield(gen, 1, NULL), -EPERM);
    IS(cg_gen_from(gen, gen), -EPERM);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_result(gen), 4);
    IS(cg_gen_free(gen), 0);
    gen = make(nests, &gen);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_result(gen), 4);
    IS(cg_gen_free(gen), 0);
    ck_assert_ptr_null(cg_gen_self());
    ck_assert_ptr_null(cg_gen_new(NULL, NULL));
    ck_assert_ptr_null(cg_gen_new(pulls, NULL, .stack_size = (size_t)1 << 46));
}

/* ---- Many, and deep ------------------------------------------------------------------- */

/* The sum of a tree's leaves, a generator a node. */
static ssize_t leaves(struct cg_gen *gen, void *arg)
{
    intptr_t depth = (intptr_t)arg;

    if (depth == 0)
        return cg_gen_yield(gen, 1, NULL);
    for (int i = 0; i < 2; i++) {
        struct cg_gen *sub = make(leaves, (void *)(depth - 1));
        ssize_t rc = cg_gen_from(gen, sub);

        cg_gen_free(sub);
        if (rc < 0)
            return rc;
    }
    return depth;
}

static void a_generator_for_each_node(void)
{
    struct cg_gen *gen = make(leaves, (void *)10);
    intptr_t sum = 0, one;

    while (cg_gen_next(gen, &one) == 1)
        sum += one;
    ck_assert_int_eq(sum, 1024);
    IS(cg_gen_result(gen), 10);
    IS(cg_gen_free(gen), 0);
    gen = make(leaves, (void *)10); /* left in the middle: all are closed and freed */
    for (int i = 0; i < 100; i++)
        value_of(gen);
    IS(cg_gen_free(gen), 0);
}

static void ten_thousand_in_lockstep(void)
{
    enum {
        N = CG__TSAN ? 1000 : 10000
    };
    static struct cg_gen *gens[N];
    int up_to = 3;

    for (int i = 0; i < N; i++)
        gens[i] = make(yrange, &up_to);
    for (intptr_t step = 0; step < 3; step++)
        for (int i = 0; i < N; i++)
            ck_assert_int_eq(value_of(gens[i]), step);
    for (int i = 0; i < N; i++)
        IS(cg_gen_free(gens[i]), 0);
    ck_assert_uint_ge(cg_gen_trim(), N / 2);
    ck_assert_uint_eq(cg_gen_trim(), 0);
    for (int i = 0; i < N; i++)
        gens[i] = make(yrange, &up_to);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(value_of(gens[i]), 0);
        IS(cg_gen_free(gens[i]), 0);
    }
}

static char said[64 * 1024];

static void abandon_one(void)
{
    struct log log = {.yields_more = 3};
    struct cg_gen *gen = cg_gen_new(logger, &log, .name = "stubborn");

    cg_gen_next(gen, NULL);
    if (cg_gen_free(gen) != -EBUSY || log.cleaned)
        _exit(1);
}

/* One that will not end is given up, and named. */
static void a_stubborn_one_is_abandoned(void)
{
    ck_assert_int_eq(child_run(abandon_one, said, sizeof said), 0);
    ck_assert_ptr_nonnull(strstr(said, "cogen: generator stubborn abandoned"));
}

__attribute__((noinline)) static int dig(int n)
{
    volatile char local[512];

    local[0] = (char)n;
    if (n == INT32_MAX)
        return 0;
    return dig(n + 1) + local[0];
}

static ssize_t digger(struct cg_gen *gen, void *arg)
{
    (void)arg;
    cg_gen_yield(gen, 1, NULL);
    return dig(0);
}

static void overflow(void)
{
    struct cg_gen *gen = cg_gen_new(digger, NULL, .name = "digger", .stack_size = 1);

    cg_gen_next(gen, NULL);
    cg_gen_next(gen, NULL);
}

static ssize_t overflow_inside(void *arg)
{
    (void)arg;
    overflow();
    return 0;
}

static void overflow_in_a_coroutine(void)
{
    cg_main("sim", overflow_inside, NULL);
}

static void *overflow_thread(void *arg)
{
    struct cg_gen *gen = arg;

    cg_gen_next(gen, NULL);
    return NULL;
}

static void overflow_in_another_thread(void)
{
    struct cg_gen *gen = cg_gen_new(digger, NULL, .name = "digger", .stack_size = 1);
    pthread_t thread;

    cg_gen_next(gen, NULL);
    pthread_create(&thread, NULL, overflow_thread, gen);
    pthread_join(thread, NULL);
}

/* By the generator's name and size, wherever it runs. */
static void an_overflow_is_reported(void)
{
    static void (*const acts[])(void) = {overflow, overflow_in_a_coroutine,
                                         overflow_in_another_thread};

    for (size_t i = 0; i < COUNT(acts); i++) {
        ck_assert_int_ne(child_run(acts[i], said, sizeof said), 0);
        ck_assert_ptr_nonnull(
            strstr(said, CG__ASAN ? "overflow in generator digger (64 KiB"
                                  : "overflow in generator digger (16 KiB"));
    }
}

/* ---- Threads -------------------------------------------------------------------------- */

struct shared {
    struct cg_gen *gen;
    atomic_long got, busy;
    atomic_bool stop;
};

static ssize_t counts(struct cg_gen *gen, void *arg)
{
    long *n = arg; /* plain: only one thread at a time may be in here */
    ssize_t how;

    do {
        if (++*n % 8 == 0)
            sched_yield();
        how = cg_gen_yield(gen, *n, NULL);
    } while (how >= 0);
    return how;
}

static void *sends(void *arg)
{
    struct shared *shared = arg;

    for (int i = 0; i < 2000 || (atomic_load(&shared->busy) == 0 && i < 2000000); i++) {
        intptr_t value;
        ssize_t rc = cg_gen_send(shared->gen, i, &value);

        if (rc == 1)
            atomic_fetch_add(&shared->got, 1);
        else if (rc == -EBUSY)
            atomic_fetch_add(&shared->busy, 1);
        else
            abort();
    }
    return NULL;
}

/* Beazley's cocrash: each send either succeeds alone or is refused; nothing is lost or done
 * twice. */
static void threads_cannot_be_in_it_together(void)
{
    long n = 0;
    struct shared shared = {.gen = make(counts, &n)};
    pthread_t threads[3];

    value_of(shared.gen);
    for (size_t i = 0; i < COUNT(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sends, &shared), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(n, 1 + atomic_load(&shared.got));
    ck_assert_int_gt(atomic_load(&shared.busy), 0);
    IS(cg_gen_free(shared.gen), 0);
}

static void *creates(void *arg)
{
    static int up_to = 5;
    struct cg_gen **gens = arg;

    for (int i = 0; i < 20; i++) {
        gens[i] = make(yrange, &up_to);
        if (i % 2)
            value_of(gens[i]);
    }
    cg_gen_free(gens[19]);
    gens[19] = NULL;
    return NULL;
}

/* A generator may outlive the thread that created it, whose pool goes with the last one. */
static void generators_outlive_their_thread(void)
{
    struct cg_gen *gens[20];
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, creates, gens), 0);
    pthread_join(thread, NULL);
    for (int i = 0; i < 19; i++) {
        ck_assert_int_eq(value_of(gens[i]), i % 2);
        IS(cg_gen_free(gens[i]), 0);
    }
}

static void *frees(void *arg)
{
    struct cg_gen **gens = arg;

    for (int i = 0; i < 40; i++)
        IS(cg_gen_free(gens[i]), 0);
    return NULL;
}

/* Those that another thread has freed serve again where they came from. */
static void stacks_come_home(void)
{
    struct cg_gen *gens[40], *again;
    int up_to = 5;
    pthread_t thread;
    bool found = false;

    for (int i = 0; i < 40; i++)
        value_of(gens[i] = make(yrange, &up_to));
    ck_assert_int_eq(pthread_create(&thread, NULL, frees, gens), 0);
    pthread_join(thread, NULL);
    again = make(yrange, &up_to);
    for (int i = 0; i < 40; i++)
        found |= again == gens[i];
    ck_assert(found);
    IS(cg_gen_free(again), 0);
}

/* ---- In coroutines -------------------------------------------------------------------- */

static ssize_t sleeper(struct cg_gen *gen, void *arg)
{
    ssize_t rc = 0;

    for (intptr_t i = 0; i < *(int *)arg && rc >= 0; i++) {
        if ((rc = cg_yield(cg_sleep(MS))) >= 0)
            rc = cg_gen_yield(gen, i, NULL);
    }
    cg_yield(cg_sleep(1, .shield = true)); /* clean-up that waits */
    return rc;
}

static ssize_t ticker(void *arg)
{
    int *ticks = arg;

    while (cg_yield(cg_sleep(MS / 4)) == 0)
        ++*ticks;
    return 0;
}

/* A body yields operations: the coroutine that has resumed it suspends, and the others
 * run. */
static ssize_t operations_in_a_body(void *arg)
{
    int up_to = 5, ticks = 0;
    struct chain chain = {sleeper, &up_to, 1, 3};
    struct cg_coro *coro = test_start(ticker, &ticks);
    struct cg_gen *gen = make(delegates, &chain);
    int64_t start = cg_now(cg_sched_self());

    (void)arg;
    for (intptr_t i = 0; i < 5; i++)
        ck_assert_int_eq(value_of(gen), i);
    ck_assert_int_ge(cg_now(cg_sched_self()) - start, 5 * MS);
    ck_assert_int_ge(ticks, 1);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_free(gen), 0);
    IS(cg_yield(cg_cancel(coro)), 0);
    return test_end(coro);
}

static ssize_t pulls_one(void *arg)
{
    intptr_t value;
    ssize_t rc = cg_gen_next(arg, &value);

    return rc == 1 ? 10 + value : rc;
}

static ssize_t busy_sleeper(void *arg)
{
    return cg_gen_next(arg, NULL);
}

/* While one coroutine waits inside the body, it is running for all others; then any of them
 * may go on with it. */
static ssize_t several_coroutines_share_one(void *arg)
{
    int up_to = 5;
    struct cg_gen *gen = make(sleeper, &up_to);
    struct cg_coro *first = test_start(pulls_one, gen), *second, *third;

    (void)arg;
    test_until_waiting(first);
    ck_assert_int_eq(cg_gen_state(gen), CG_GEN_RUNNING);
    ck_assert_ptr_null(cg_gen_self());
    IS(cg_gen_next(gen, NULL), -EBUSY);
    IS(cg_gen_free(gen), -EBUSY);
    second = test_start(busy_sleeper, gen);
    IS(test_end(second), -EBUSY);
    IS(test_end(first), 10);
    third = test_start(pulls_one, gen);
    IS(test_end(third), 11);
    ck_assert_int_eq(value_of(gen), 2);
    IS(cg_gen_free(gen), 0);
    return 0;
}

/* Cancelling the coroutine ends what the body waits for, not the generator: that is up to
 * the body. */
static ssize_t a_cancel_reaches_into_the_body(void *arg)
{
    int up_to = 5;
    struct cg_gen *gen = make(sleeper, &up_to);
    struct cg_coro *coro = test_start(pulls_one, gen);

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(cg_cancel(coro)), 0);
    IS(test_end(coro), -ECANCELED);
    ck_assert_int_eq(cg_gen_state(gen), CG_GEN_FINISHED);
    IS(cg_gen_result(gen), -ECANCELED);
    IS(cg_gen_free(gen), 0);

    gen = make(sleeper, &up_to);
    IS(cg_yield(cg_call(pulls_one, gen, .timeout = MS / 10)), -ETIMEDOUT);
    IS(cg_gen_result(gen), -ECANCELED);
    IS(cg_gen_free(gen), 0);
    return 0;
}

static ssize_t closes(void *arg)
{
    return cg_gen_close(arg);
}

/* Closing waits for a clean-up that waits. */
static ssize_t a_clean_up_that_waits(void *arg)
{
    int up_to = 5;
    struct cg_gen *gen = make(sleeper, &up_to);

    (void)arg;
    ck_assert_int_eq(value_of(gen), 0);
    IS(test_end(test_start(closes, gen)), 0);
    IS(cg_gen_result(gen), -ECANCELED);
    return cg_gen_free(gen);
}

static ssize_t yields_inside(void *arg)
{
    return cg_gen_yield(arg, 1, NULL);
}

static ssize_t scoped(struct cg_gen *gen, void *arg)
{
    struct cg_scope scope;

    (void)arg;
    IS(cg_yield(cg_call(yields_inside, gen)), -EPERM);
    cg_scope_open(&scope, CG_NEVER, true);
    IS(cg_gen_yield(gen, 1, NULL), -EPERM);
    IS(cg_gen_from(gen, gen), -EPERM);
    IS(cg_scope_close(&scope), 0);
    IS(cg_gen_yield(gen, 2, NULL), 0);
    return 3;
}

static ssize_t resumes_inside(void *arg)
{
    return cg_gen_next(arg, NULL);
}

/* A scope that the body opened would stay open in the coroutine; one around the resuming
 * does not matter. */
static ssize_t no_value_out_of_a_scope(void *arg)
{
    struct cg_gen *gen = make(scoped, NULL);

    (void)arg;
    ck_assert_int_eq(value_of(gen), 2);
    IS(cg_yield(cg_call(resumes_inside, gen)), 0);
    IS(cg_gen_result(gen), 3);
    return cg_gen_free(gen);
}

static ssize_t races(struct cg_gen *gen, void *arg)
{
    for (int i = 0; i < 3; i++) {
        IS(cg_yield(cg_any((cg_sleep(CG_SECOND), cg_sleep(MS), cg_call(ticker, arg)))),
           1);
        IS(cg_gen_yield(gen, i, NULL), 0);
    }
    return 0;
}

/* Each of several coroutines in a generator of its own, all suspended there at once. */
static ssize_t pulls_all(void *arg)
{
    int ticks = 0;
    struct cg_gen *gen = make(races, &ticks);
    intptr_t value, n = 0;

    (void)arg;
    while (cg_gen_next(gen, &value) == 1)
        ck_assert_int_eq(value, n++);
    ck_assert_int_eq(n, 3);
    return cg_gen_free(gen);
}

static ssize_t many_at_once(void *arg)
{
    struct cg_coro *coros[20];

    (void)arg;
    for (size_t i = 0; i < COUNT(coros); i++)
        coros[i] = test_start(pulls_all, NULL);
    for (size_t i = 0; i < COUNT(coros); i++)
        IS(test_end(coros[i]), 0);
    return 0;
}

/* Outside of any coroutine a body has nobody to yield operations to. */
static ssize_t yields_an_op(struct cg_gen *gen, void *arg)
{
    (void)gen, (void)arg;
    return cg_yield(cg_sleep(1));
}

static ssize_t runs_a_scheduler(struct cg_gen *gen, void *arg)
{
    for (int i = 0; i < 2; i++) {
        IS(test_run(operations_in_a_body, arg), 0);
        ck_assert_ptr_eq(cg_gen_self(), gen);
        IS(cg_gen_yield(gen, i, NULL), 0);
    }
    return 0;
}

/* But it may run a scheduler. */
static void a_scheduler_in_a_body(void)
{
    struct cg_gen *gen = cg_gen_new(runs_a_scheduler, NULL, .stack_size = 256 * 1024);

    ck_assert_int_eq(value_of(gen), 0);
    ck_assert_int_eq(value_of(gen), 1);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_free(gen), 0);
    gen = make(yields_an_op, NULL);
    IS(cg_gen_next(gen, NULL), -EPERM);
    IS(cg_gen_free(gen), 0);
}

struct posted {
    struct cg_deferred deferred;
    struct cg_gen *gen;
    intptr_t value;
};

static void resumes_in_the_loop(struct cg_deferred *deferred)
{
    struct posted *posted = (struct posted *)deferred;

    IS(cg_gen_next(posted->gen, &posted->value), 1);
}

/* The loop's own calls may resume one as well. */
static ssize_t resumed_by_the_loop(void *arg)
{
    int up_to = 2;
    struct posted posted = {
        .deferred.fn = resumes_in_the_loop, .gen = make(yrange, &up_to), .value = -1};

    (void)arg;
    value_of(posted.gen);
    cg_defer(cg_sched_self(), &posted.deferred);
    while (posted.value < 0)
        OK(cg_yield(cg_sleep(1)));
    ck_assert_int_eq(posted.value, 1);
    return cg_gen_free(posted.gen);
}

/* ---- One scheduler, several threads ----------------------------------------------------- */

static ssize_t drains(void *arg)
{
    struct shared *shared = arg;
    intptr_t value;

    while (cg_gen_next(shared->gen, &value) != 0)
        OK(cg_yield(cg_sleep(MS / 10)));
    return 0;
}

static void *in_a_scheduler(void *arg)
{
    return (void *)cg_main(NULL, drains, arg);
}

static ssize_t mixed(struct cg_gen *gen, void *arg)
{
    ssize_t rc;

    (void)arg;
    for (int i = 0; i < 20; i++) {
        if ((rc = cg_yield(cg_sleep(MS / 10))) < 0 && rc != -EPERM)
            return rc;
        if ((rc = cg_gen_yield(gen, i, NULL)) < 0)
            return rc;
    }
    return 0;
}

/* A body goes from the scheduler of one thread to that of another. */
static void from_scheduler_to_scheduler(void)
{
    struct shared shared = {.gen = make(mixed, NULL)};
    pthread_t threads[2];
    void *answer;

    for (size_t i = 0; i < COUNT(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, in_a_scheduler, &shared), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        pthread_join(threads[i], &answer);
        IS((ssize_t)answer, 0);
    }
    IS(cg_gen_result(shared.gen), 0);
    IS(cg_gen_free(shared.gen), 0);
}

static const struct test_case cases[] = {
    PLAIN(values_come_one_at_a_time, .where = ON_SIM),
    PLAIN(what_is_sent_arrives, .where = ON_SIM),
    PLAIN(nothing_can_be_sent_before_the_start, .where = ON_SIM),
    PLAIN(pointers_are_values, .where = ON_SIM),
    PLAIN(what_is_thrown_arrives, .where = ON_SIM),
    PLAIN(one_that_never_began, .where = ON_SIM),
    PLAIN(closing_runs_the_clean_up, .where = ON_SIM),
    PLAIN(yielding_although_closed_is_an_error, .where = ON_SIM),
    PLAIN(delegation_is_transparent, .where = ON_SIM),
    PLAIN(a_thrown_cancel_is_no_close, .where = ON_SIM),
    PLAIN(a_stubborn_one_below, .where = ON_SIM),
    PLAIN(delegated_and_composed, .where = ON_SIM),
    PLAIN(a_running_generator_cannot_be_resumed, .where = ON_SIM),
    PLAIN(a_generator_for_each_node, .where = ON_SIM),
    PLAIN(ten_thousand_in_lockstep, .where = ON_SIM),
    PLAIN(a_stubborn_one_is_abandoned, .where = ON_SIM),
    PLAIN(an_overflow_is_reported, .where = ON_SIM),
    PLAIN(threads_cannot_be_in_it_together, .where = ON_SIM),
    PLAIN(generators_outlive_their_thread, .where = ON_SIM),
    PLAIN(stacks_come_home, .where = ON_SIM),
    PLAIN(from_scheduler_to_scheduler, .where = ON_SIM),
    PLAIN(a_scheduler_in_a_body),
    CORO(operations_in_a_body),
    CORO(several_coroutines_share_one),
    CORO(a_cancel_reaches_into_the_body),
    CORO(a_clean_up_that_waits),
    CORO(no_value_out_of_a_scope),
    CORO(many_at_once),
    CORO(resumed_by_the_loop),
};

int main(void)
{
    return test_main("generator", cases, COUNT(cases));
}
