/* SPDX-License-Identifier: MIT */
/* Stacks: their geometry, the pool, trimming. */
#include "config.h"

#include "lib/stacks/kept_stacks.h"
#include "lib/stacks/stack.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { HEAD = 400 };

static size_t page;
static struct cg_stacks *stacks;

static void setup(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    stacks = cg__stack_pool_new();
    ck_assert_ptr_nonnull(stacks);
}

static void teardown(void)
{
    cg__stack_pool_free(stacks);
}

static size_t usable(size_t size, size_t head)
{
    void *low;
    char *at = cg__stack_get(stacks, size, head, &low);

    if (at == NULL)
        return 0;
    ck_assert_uint_eq((uintptr_t)at % 64, 0);
    ck_assert_uint_eq((uintptr_t)low % page, 0);
    /* The head and the first frames share the top page. */
    ck_assert_uint_lt((uintptr_t)at % page + head, page);
    ck_assert_uint_ge((uintptr_t)at % page, page / 4);
    memset(low, 0x5a, (size_t)(at - (char *)low));
    memset(at, 0xa5, head);
    return (size_t)(at - (char *)low);
}

START_TEST(sizes_are_powers_of_two)
{
    static const size_t sizes[] = {0,
                                   1,
                                   CG__STACK_MIN,
                                   CG__STACK_MIN + 1,
                                   CG__STACK_DEFAULT,
                                   CG__STACK_DEFAULT + 1,
                                   1024 * 1024};
    static const size_t heads[] = {0, 1, 64, HEAD, CG__STACK_HEAD};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t j = 0; j < sizeof heads / sizeof *heads; j++) {
            size_t wanted = CG__STACK_MIN;
            size_t got = usable(sizes[i], heads[j]);

            while (wanted < sizes[i])
                wanted *= 2;
            ck_assert_uint_ge(got, wanted);
            ck_assert_uint_le(got, wanted + page);
        }
}
END_TEST

START_TEST(an_impossible_size_is_refused)
{
    void *low;

    ck_assert_ptr_null(cg__stack_get(stacks, SIZE_MAX, HEAD, &low));
    ck_assert_ptr_null(cg__stack_get(stacks, (size_t)1 << 46, HEAD, &low));
    ck_assert_uint_gt(usable(1, HEAD), 0);
}
END_TEST

START_TEST(tops_are_coloured)
{
    bool seen[4096 / 64] = {false};
    int colours = 0;

    for (int i = 0; i < 64; i++) {
        void *low;
        uintptr_t at = (uintptr_t)cg__stack_get(stacks, 1, HEAD, &low);

        colours += !seen[at % 4096 / 64];
        seen[at % 4096 / 64] = true;
    }
    ck_assert_int_ge(colours, 8);
}
END_TEST

START_TEST(the_last_one_put_back_is_the_next_one_out)
{
    void *low, *low_again;
    void *one = cg__stack_get(stacks, 1, HEAD, &low);
    void *two = cg__stack_get(stacks, 1, HEAD, &low);
    void *large;

    ck_assert_ptr_ne(one, two);
    cg__stack_put(stacks, one);
    cg__stack_put(stacks, two);
    large = cg__stack_get(stacks, CG__STACK_MIN + 1, HEAD, &low_again);
    ck_assert_ptr_ne(large, two);
    ck_assert_ptr_eq(cg__stack_get(stacks, 1, HEAD, &low_again), two);
    ck_assert_ptr_eq(low, low_again);
    ck_assert_ptr_eq(cg__stack_get(stacks, 1, HEAD, &low_again), one);
}
END_TEST

START_TEST(stacks_do_not_overlap)
{
    enum {
        N = 300
    };
    static struct {
        char *at, *low;
    } all[N];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            void *low;

            all[i].at =
                cg__stack_get(stacks, i % 3 == 0 ? CG__STACK_DEFAULT : 1, HEAD, &low);
            all[i].low = low;
            ck_assert_ptr_nonnull(all[i].at);
            memset(low, i, (size_t)(all[i].at - all[i].low) + HEAD);
        }
        for (int i = 0; i < N; i++) {
            for (char *p = all[i].low; p < all[i].at + HEAD; p += 64)
                if (*p != (char)i)
                    ck_abort_msg("stack %d was overwritten", i);
            cg__stack_put(stacks, all[i].at);
        }
        cg__stack_pool_trim(stacks, 50, CG__STACK_KEEP);
    }
}
END_TEST

static size_t resident(char *low, const char *end)
{
    static unsigned char pages[4096];
    size_t n = 0, size = ((size_t)(end - low) + page - 1) / page * page;

    ck_assert_uint_le(size / page, sizeof pages);
    ck_assert_int_eq(mincore(low, size, pages), 0);
    for (size_t i = 0; i < size / page; i++)
        n += pages[i] & 1;
    return n;
}

START_TEST(trimming_gives_memory_back)
{
    enum {
        N = 100
    };
    static char *at[N], *low[N];
    size_t before = 0, after = 0, size = 0;

    for (int i = 0; i < N; i++) {
        void *mem;

        at[i] = cg__stack_get(stacks, 1, HEAD, &mem);
        low[i] = mem;
        memset(low[i], 1, (size_t)(at[i] - low[i]));
        size = (size_t)(at[i] - low[i]) / page + 1;
    }
    /* all stacks are in use */
    ck_assert_uint_eq(cg__stack_pool_trim(stacks, N, CG__STACK_KEEP), 0);
    for (int i = 0; i < N; i++)
        cg__stack_put(stacks, at[i]);
    for (int i = 0; i < N; i++)
        before += resident(low[i], at[i]);
    /* not more than asked for */
    ck_assert_uint_eq(cg__stack_pool_trim(stacks, 10, CG__STACK_KEEP), 10);
    ck_assert_uint_eq(cg__stack_pool_trim(stacks, N, CG__STACK_KEEP), N - 10 - CG__STACK_KEEP);
    ck_assert_uint_eq(cg__stack_pool_trim(stacks, N, CG__STACK_KEEP), 0);
    ck_assert_uint_eq(cg__stack_pool_trim(stacks, N, 2), CG__STACK_KEEP - 2);
    for (int i = 0; i < N; i++)
        after += resident(low[i], at[i]);
    ck_assert_uint_ge(before, N * size);
    ck_assert_uint_le(after, 2 * size);

    for (int i = 0; i < N;
         i++) { /* all of them are used again before a new one is made */
        void *mem;
        char *again = cg__stack_get(stacks, 1, HEAD, &mem);
        int j = 0;

        while (j < N && at[j] != again)
            j++;
        ck_assert_int_lt(j, N);
        ck_assert_ptr_eq(mem, low[j]);
        memset(mem, 2, (size_t)(again - (char *)mem) + HEAD);
    }
}
END_TEST

/* Large slabs whose stacks are all trimmed are unmapped. Others are made when they are needed,
 * and the stacks that stayed warm are used first. */
START_TEST(cold_slabs_are_unmapped)
{
    enum {
        N = 1000
    };
    static char *at[N], *low[N];
    unsigned char there;
    void *mem;
    int gone = 0;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            at[i] = cg__stack_get(stacks, CG__STACK_DEFAULT, HEAD, &mem);
            ck_assert_ptr_nonnull(at[i]);
            low[i] = mem;
            memset(at[i], i, HEAD);
        }
        for (int i = 0; i < N; i++) {
            ck_assert_int_eq(at[i][HEAD - 1], (char)i);
            cg__stack_put(stacks, at[i]);
        }
        ck_assert_uint_eq(cg__stack_pool_trim(stacks, SIZE_MAX, CG__STACK_KEEP),
                          N - CG__STACK_KEEP);
        gone = 0;
        for (int i = 0; i < N; i++)
            gone += mincore(low[i], page, &there) < 0;
        ck_assert_int_ge(gone, N / 2);
    }
    cg__stack_get(stacks, CG__STACK_DEFAULT, HEAD, &mem);
    ck_assert_int_eq(mincore(mem, page, &there), 0);
}
END_TEST

/* If many stacks are taken and returned all the time, they are not trimmed each time. */
START_TEST(as_many_as_are_in_use_stay_warm)
{
    enum {
        N = 100
    };
    static void *at[2 * N];
    void *low;

    for (int i = 0; i < 2 * N; i++)
        at[i] = cg__stack_get(stacks, 1, HEAD, &low);
    for (int i = 0; i < N; i++)
        cg__stack_put(stacks, at[i]);
    ck_assert_uint_eq(cg__stack_pool_trim(stacks, SIZE_MAX, CG__STACK_KEEP), 0);
    cg__stack_put(stacks, at[N]);
    ck_assert_uint_eq(cg__stack_pool_trim(stacks, SIZE_MAX, CG__STACK_KEEP), 2);
}
END_TEST

/* A thread keeps a pool for its next world, unless one of its stacks is in use or somebody
 * else has a reference, and it keeps few. */
START_TEST(pools_are_kept_for_the_next_world)
{
    struct cg_stacks *first = cg__kept_stacks_take(), *many[20];
    void *low, *head = cg__stack_get(first, 1, HEAD, &low);

    ck_assert(!cg__stack_pool_is_idle(first));
    cg__stack_put(first, head);
    cg__kept_stacks_give(first);
    ck_assert_ptr_eq(cg__kept_stacks_take(), first);
    ck_assert_ptr_eq(cg__stack_get(first, 1, HEAD, &low), head);
    cg__kept_stacks_give(first); /* frees it */
    cg__kept_stacks_give(NULL);

    first = cg__kept_stacks_take();
    cg__stack_pool_keep(first);
    cg__kept_stacks_give(first);
    many[0] = cg__kept_stacks_take();
    ck_assert_ptr_ne(many[0], first);
    cg__stack_pool_free(first);

    for (size_t i = 1; i < sizeof many / sizeof *many; i++)
        ck_assert_ptr_nonnull(many[i] = cg__kept_stacks_take());
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        cg__kept_stacks_give(many[i]);
    ck_assert_ptr_eq(cg__kept_stacks_take(), many[7]);
    cg__kept_stacks_give(many[7]);
}
END_TEST

#if !CG__ASAN && !CG__TSAN

START_TEST(without_address_space_there_are_fewer_then_none)
{
    struct rlimit limit;
    FILE *statm = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    void *low, *head = NULL;
    int n = 0;

    if (statm == NULL)
        return;
    ck_assert_int_eq(fscanf(statm, "%lu", &pages), 1);
    fclose(statm);
    limit.rlim_cur = limit.rlim_max = pages * page + 2 * 1024 * 1024;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    for (void *next; (next = cg__stack_get(stacks, 1, HEAD, &low)) != NULL; n++)
        head = next;
    ck_assert_int_ge(n, 40); /* 2 MiB / 36 KiB; the last slabs are small */
    cg__stack_put(stacks, head);
    ck_assert_ptr_eq(cg__stack_get(stacks, 1, HEAD, &low), head);
}
END_TEST

#endif

int main(void)
{
    Suite *suite = suite_create("stack");
    TCase *pool = tcase_create("pool");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(pool, setup, teardown);
    tcase_set_timeout(pool, 60);
    tcase_add_test(pool, sizes_are_powers_of_two);
    tcase_add_test(pool, an_impossible_size_is_refused);
    tcase_add_test(pool, tops_are_coloured);
    tcase_add_test(pool, the_last_one_put_back_is_the_next_one_out);
    tcase_add_test(pool, stacks_do_not_overlap);
    tcase_add_test(pool, trimming_gives_memory_back);
    tcase_add_test(pool, cold_slabs_are_unmapped);
    tcase_add_test(pool, as_many_as_are_in_use_stay_warm);
    tcase_add_test(pool, pools_are_kept_for_the_next_world);
#if !CG__ASAN && !CG__TSAN
    tcase_add_test(pool, without_address_space_there_are_fewer_then_none);
#endif
    suite_add_tcase(suite, pool);

    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
