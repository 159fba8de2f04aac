/* SPDX-License-Identifier: MIT */
/* The stack overflow of a generator is reported, wherever it runs. */
#include "config.h"

#include "lib/base/sanitize.h"
#include "tests/support/child.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <string.h>

static char said[64 * 1024];

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

/* The report has the generator's name and the size of its stack. */
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

static const struct test_case cases[] = {
    PLAIN(an_overflow_is_reported, .where = ON_SIM),
};

int main(void)
{
    return test_main("generator_overflow", cases, COUNT(cases));
}
