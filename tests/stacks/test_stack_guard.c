/* SPDX-License-Identifier: MIT */
/* Guards of stacks: both kinds, kernels that refuse them, and how many mappings of the
 * process they may use. */
#include "config.h"

#include "lib/stacks/guard.h"
#include "lib/stacks/stack.h"
#include "tests/stacks/fake_guards.h"

#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef HAVE_VALGRIND_VALGRIND_H
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

enum {
    HEAD = 400
};

static size_t page;
static struct cg_stacks *stacks;
static int probe[2]; /* a pipe; writing a guarded byte to it fails */

static void setup(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    stacks = cg__stack_pool_new();
    ck_assert_ptr_nonnull(stacks);
    ck_assert_int_eq(pipe(probe), 0);
}

static void teardown(void)
{
    cg__stack_pool_free(stacks);
    close(probe[0]);
    close(probe[1]);
}

static bool accessible(const char *at)
{
    char byte;
    ssize_t n = syscall(SYS_write, probe[1], at, 1);

    ck_assert(n == 1 || errno == EFAULT);
    return n == 1 && read(probe[0], &byte, 1) == 1;
}

/* Takes a stack; *low becomes its lowest usable byte. */
static char *take(char **low)
{
    void *mem = NULL;
    char *head = cg__stack_get(stacks, 1, HEAD, &mem);

    *low = mem;
    return head;
}

static bool guarded(const char *low)
{
    ck_assert(accessible(low));
    for (size_t below = 1; below <= CG__STACK_GUARD; below += page - 1)
        if (accessible(low - below))
            return false;
    return true;
}

static void guards_hold(void)
{
    for (int i = 0; i < 20; i++) {
        char *low, *head = take(&low);

        ck_assert_ptr_nonnull(head);
        ck_assert(guarded(low));
        ck_assert_ptr_eq(cg__stack_guard(head), low - CG__STACK_GUARD);
        *low = 1;
        if (i % 2 == 0)
            cg__stack_put(stacks, head);
    }
}

START_TEST(a_guard_lies_below_each_stack)
{
    guards_hold();
}
END_TEST

START_TEST(guards_are_made_without_the_light_kind)
{
    no_light_guards = true;
    guards_hold();
}
END_TEST

/* Under an emulator an madvise that it does not know returns 0. */
START_TEST(a_guard_that_guards_nothing_is_not_trusted)
{
    lying_guards = true;
    guards_hold();
}
END_TEST

/* Locked memory cannot have light guards, although the probe succeeded. */
START_TEST(a_single_refusal_is_made_up_for)
{
    guards_hold();
    no_light_guards = true;
    guards_hold();
}
END_TEST

/* How many mappings the process has. */
static size_t mappings(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    size_t lines = 0;

    for (int c; maps != NULL && (c = getc_unlocked(maps)) != EOF;)
        lines += c == '\n';
    if (maps != NULL)
        fclose(maps);
    return lines;
}

/* Guards use half of the mappings that the process may have. Further stacks have no guard
 * but a gap, whose memory is returned with that of the stack; the next guard below
 * protects them. */
START_TEST(half_of_the_mappings_go_to_guards)
{
    enum {
        N = 1000
    };
    static char *heads[N];
    int own = 0;
    char *low;
    size_t before = mappings();

    no_light_guards = true;
    cg__guard_mappings = 400;
    for (int i = 0; i < N; i++) {
        heads[i] = take(&low);
        ck_assert_ptr_nonnull(heads[i]);
        own += cg__stack_guard(heads[i]) == low - CG__STACK_GUARD;
        ck_assert(cg__stack_guard(heads[i]) <= (void *)(low - CG__STACK_GUARD));
        ck_assert(!accessible(cg__stack_guard(heads[i])));
    }
    ck_assert_int_ge(own, 100);
    ck_assert_int_le(own, 100 + 20); /* the share, and the first stack of each slab */
    ck_assert_uint_le(mappings() - before, 2 * 120 + 20);
    memset(low - CG__STACK_GUARD, 1,
           CG__STACK_GUARD); /* lets the last stack overflow into its gap */
    for (int i = 0; i < N; i++)
        cg__stack_put(stacks, heads[i]);
    ck_assert_uint_eq(cg__stack_pool_trim(stacks, SIZE_MAX, CG__STACK_KEEP),
                      N - CG__STACK_KEEP);
    for (int i = 0; i < N; i++)
        ck_assert_ptr_nonnull(take(&low));
}
END_TEST

/* The mappings that one scheduler returns are available to the next one. */
START_TEST(guards_are_given_back_with_their_stacks)
{
    char *low;

    no_light_guards = true;
    cg__guard_mappings = 400;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 100; i++) {
            ck_assert_ptr_nonnull(take(&low));
            ck_assert(guarded(low));
        }
        cg__stack_pool_free(stacks);
        stacks = cg__stack_pool_new();
        ck_assert_ptr_nonnull(stacks);
    }
}
END_TEST

/* If the first stack of a slab cannot have a guard, there is no stack. */
START_TEST(a_slab_without_a_guard_is_not_used)
{
    char *low;

    no_light_guards = true;
    protections = 0;
    ck_assert_ptr_null(take(&low));
    protections = 1;
    ck_assert_ptr_nonnull(take(&low));
    ck_assert(guarded(low));
}
END_TEST

/* When the kernel refuses a guard because other code uses the mappings, a slab gives up
 * all guards but its first, and no further ones are made. */
START_TEST(a_refused_guard_makes_room_for_others)
{
    enum {
        FIRST = 8,
        N = 100
    };
    char *low[N], *head;
    size_t full;
    int own = 0;

    no_light_guards = true;
    protections = FIRST;
    for (int i = 0; i < FIRST; i++)
        ck_assert_ptr_nonnull(take(&low[i]));
    full = mappings();
    ck_assert_ptr_null(take(&low[FIRST])); /* would need a new slab */
    ck_assert_uint_lt(mappings(), full - 2 * (FIRST - 1) + 4);
    for (int i = 0; i < FIRST; i++)
        ck_assert_int_eq(guarded(low[i]), i == 0);
    protections = UINT32_MAX;
    for (int i = FIRST; i < N; i++) {
        ck_assert_ptr_nonnull(head = take(&low[i]));
        own += cg__stack_guard(head) == low[i] - CG__STACK_GUARD;
    }
    ck_assert_int_ge(own, 1);
    ck_assert_int_le(own, 4); /* the first stack of each slab */
}
END_TEST

#if !CG__ASAN && !CG__TSAN

/* There may be many more stacks than mappings, with guards of either kind. The process has
 * mappings left then, and all stacks can be used again. */
START_TEST(forty_thousand_stacks)
{
    enum {
        N = 40000
    };
    static char *heads[N];
    char *low;

    no_light_guards = _i == 1;
    for (int i = 0; i < N; i++)
        ck_assert_ptr_nonnull(heads[i] = take(&low));
    if (no_light_guards)
        ck_assert_uint_lt(mappings(), cg__guard_mappings * 3 / 5);
    for (int i = 0; i < N; i++)
        cg__stack_put(stacks, heads[i]);
    ck_assert_ptr_eq(take(&low), heads[N - 1]);
    ck_assert_uint_eq(cg__stack_pool_trim(stacks, SIZE_MAX, CG__STACK_KEEP),
                      (size_t)N - 1 - CG__STACK_KEEP);
}
END_TEST

/* Stacks that are so large that a slab has only one do not need a mapping each in the end:
 * their slabs grow, too. */
START_TEST(slabs_of_large_stacks_grow)
{
    void *low;
    size_t before = mappings();

    no_light_guards = true;
    cg__guard_mappings = 400;
    for (int i = 0; i < 1000; i++)
        ck_assert_ptr_nonnull(cg__stack_get(stacks, 128 * 1024 * 1024, HEAD, &low));
    ck_assert_uint_lt(mappings() - before, 400);
}
END_TEST

#endif

int main(void)
{
    Suite *suite = suite_create("stack_guard");
    TCase *guards = tcase_create("guards");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(guards, setup, teardown);
    tcase_set_timeout(guards, 60);
    tcase_add_test(guards, a_guard_lies_below_each_stack);
    tcase_add_test(guards, guards_are_made_without_the_light_kind);
    tcase_add_test(guards, a_guard_that_guards_nothing_is_not_trusted);
    tcase_add_test(guards, a_single_refusal_is_made_up_for);
    tcase_add_test(guards, half_of_the_mappings_go_to_guards);
    tcase_add_test(guards, guards_are_given_back_with_their_stacks);
    tcase_add_test(guards, a_slab_without_a_guard_is_not_used);
    tcase_add_test(guards, a_refused_guard_makes_room_for_others);
#if !CG__ASAN && !CG__TSAN
    /* Valgrind's table of mappings is too small for the second one. */
    tcase_add_loop_test(guards, forty_thousand_stacks, 0, RUNNING_ON_VALGRIND ? 1 : 2);
    if (!RUNNING_ON_VALGRIND)
        tcase_add_test(guards, slabs_of_large_stacks_grow);
#endif
    suite_add_tcase(suite, guards);

    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
