/* SPDX-License-Identifier: MIT */
/* Stacks: their geometry, the pool, guards of both kinds, trimming, and what happens when
 * one overflows. madvise and mprotect are replaced by ones that can be told to fail. */
#include "config.h"

#include "lib/context.h"
#include "lib/stack.h"
#include "tests/child.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if CG__ASAN
#include <sanitizer/lsan_interface.h>
#endif
#ifdef HAVE_VALGRIND_VALGRIND_H
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

enum {
    HEAD = 400,
    SANITIZED = CG__ASAN || CG__TSAN
};

static size_t page;
static struct cg_stacks *stacks;

static void setup(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    stacks = cg__stacks_new();
    ck_assert_ptr_nonnull(stacks);
}

static void teardown(void)
{
    cg__stacks_free(stacks);
}

/* -- system calls that can be told to fail -- */

static bool no_light_guards, lying_guards, no_mprotect;

int madvise(void *address, size_t size, int advice)
{
    if (advice == 102 && no_light_guards)
        return errno = EINVAL, -1;
    if (advice == 102 && lying_guards)
        return 0;
    return (int)syscall(SYS_madvise, address, size, advice);
}

int mprotect(void *address, size_t size, int prot)
{
    if (no_mprotect)
        return errno = ENOMEM, -1;
    return (int)syscall(SYS_mprotect, address, size, prot);
}

/* -- geometry -- */

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

/* -- the pool -- */

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
        cg__stacks_trim(stacks, 50);
    }
}
END_TEST

/* -- trimming -- */

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
    ck_assert_uint_eq(cg__stacks_trim(stacks, N), 0); /* all are in use */
    for (int i = 0; i < N; i++)
        cg__stack_put(stacks, at[i]);
    for (int i = 0; i < N; i++)
        before += resident(low[i], at[i]);
    ck_assert_uint_eq(cg__stacks_trim(stacks, 10), 10); /* no more than was said */
    ck_assert_uint_eq(cg__stacks_trim(stacks, N), N - 10 - CG__STACK_KEEP);
    ck_assert_uint_eq(cg__stacks_trim(stacks, N), 0);
    for (int i = 0; i < N; i++)
        after += resident(low[i], at[i]);
    ck_assert_uint_ge(before, N * size);
    ck_assert_uint_le(after, CG__STACK_KEEP * size);

    for (int i = 0; i < N;
         i++) { /* all of them serve again before there is a new one */
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

/* Where many come and go they are not trimmed each time. */
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
    ck_assert_uint_eq(cg__stacks_trim(stacks, SIZE_MAX), 0);
    cg__stack_put(stacks, at[N]);
    ck_assert_uint_eq(cg__stacks_trim(stacks, SIZE_MAX), 2);
}
END_TEST

/* -- guards -- */

static void guards_hold(void)
{
    int fds[2];
    void *low;

    ck_assert_int_eq(pipe(fds), 0);
    for (int i = 0; i < 20; i++) {
        char *head = cg__stack_get(stacks, 1, HEAD, &low);

        ck_assert_ptr_nonnull(head);
        for (size_t below = 1; below <= CG__STACK_GUARD; below += page - 1) {
            ck_assert_int_eq(syscall(SYS_write, fds[1], (char *)low - below, 1), -1);
            ck_assert_int_eq(errno, EFAULT);
        }
        *(char *)low = 1;
        ck_assert_int_eq(write(fds[1], low, 1), 1);
        if (i % 2 == 0)
            cg__stack_put(stacks, head);
    }
    close(fds[0]);
    close(fds[1]);
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

/* Emulators answer 0 to an madvise that they do not know. */
START_TEST(a_guard_that_guards_nothing_is_not_trusted)
{
    lying_guards = true;
    guards_hold();
}
END_TEST

/* Locked memory refuses light guards although the probe was given one. */
START_TEST(a_single_refusal_is_made_up_for)
{
    guards_hold();
    no_light_guards = true;
    guards_hold();
}
END_TEST

START_TEST(a_stack_without_a_guard_is_not_given_out)
{
    void *low, *head = cg__stack_get(stacks, 1, HEAD, &low);

    ck_assert_ptr_nonnull(head);
    no_light_guards = no_mprotect = true;
    ck_assert_ptr_null(cg__stack_get(stacks, 1, HEAD, &low));
    cg__stack_put(stacks, head);
    ck_assert_ptr_eq(cg__stack_get(stacks, 1, HEAD, &low), head);
    no_mprotect = false;
    ck_assert_ptr_nonnull(cg__stack_get(stacks, 1, HEAD, &low));
}
END_TEST

#if !CG__ASAN && !CG__TSAN

/* Where mappings run out (vm.max_map_count) there is an error, and what there is goes on
 * to serve; light guards have no such limit. */
START_TEST(forty_thousand_or_a_clean_refusal)
{
    enum {
        N = 40000
    };
    static void *heads[N];
    void *low;
    int n = 0;

    no_light_guards = _i == 1;
    while (n < N &&
           (heads[n] = cg__stack_get(stacks, CG__STACK_DEFAULT, HEAD, &low)) != NULL)
        n++;
    ck_assert_int_ge(n, no_light_guards ? 1000 : 1);
    for (int i = 0; i < n; i++)
        cg__stack_put(stacks, heads[i]);
    ck_assert_ptr_eq(cg__stack_get(stacks, CG__STACK_DEFAULT, HEAD, &low),
                     heads[n - 1]);
    ck_assert_uint_eq(cg__stacks_trim(stacks, SIZE_MAX),
                      (size_t)n - 1 - CG__STACK_KEEP);
}
END_TEST

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
    ck_assert_int_ge(n, 40); /* 2 MiB / 36 KiB, the last slabs small ones */
    cg__stack_put(stacks, head);
    ck_assert_ptr_eq(cg__stack_get(stacks, 1, HEAD, &low), head);
}
END_TEST

#endif

/* -- overflow -- */

static __thread struct {
    const char *name;
    void *low;
    size_t size;
    struct cg_context here, ctx;
} running;

bool cg__overflow_suspect(const char **kind, const char **name, const void **low,
                          size_t *size)
{
    *kind = "coroutine";
    *name = running.name;
    *low = running.low;
    *size = running.size;
    return running.low != NULL;
}

__attribute__((noinline)) static int recurse(int n)
{
    volatile char local[512];

    local[0] = (char)n;
    if (n == INT32_MAX)
        return 0;
    return recurse(n + 1) + local[0];
}

static void *overflow_entry(void *arg)
{
    *(int *)arg = recurse(0);
    return cg__context_exit(&running.ctx, &running.here);
}

static void *touch_entry(void *address)
{
    *(volatile char *)address = 1;
    return cg__context_exit(&running.ctx, &running.here);
}

static void run(void *(*entry)(void *), void *arg)
{
    void *head = cg__stack_get(stacks, CG__STACK_DEFAULT, HEAD, &running.low);

    running.name = "sheep";
    running.size = (size_t)((char *)head - (char *)running.low);
    cg__context_adopt(&running.here);
    cg__context_make(&running.ctx, running.low, head, entry, arg);
    cg__context_switch(&running.here, &running.ctx);
    running.low = NULL;
}

#if CG__ASAN

__attribute__((noinline)) static void *hold_entry(void *arg)
{
    char *held = malloc(100);

    (void)arg;
    __asm__ volatile(""
                     : "+r"(held)); /* in a register, hence on the stack; not in the
                                          fake frame of detect_stack_use_after_return */
    cg__context_switch(&running.ctx, &running.here);
    free(held);
    return cg__context_exit(&running.ctx, &running.here);
}

/* Stacks are root regions for LeakSanitizer. */
START_TEST(what_a_suspended_stack_holds_is_no_leak)
{
    run(hold_entry, NULL);
    ck_assert_int_eq(__lsan_do_recoverable_leak_check(), 0);
    cg__context_switch(&running.here, &running.ctx);
}
END_TEST

#endif

static void ck_died(int status, int sig)
{
    if (SANITIZED) /* by its own report, then exit */
        ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
    else
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == sig);
}

static char message[16 * 1024], expected[128];

static const char *overflow_line(void)
{
    snprintf(expected, sizeof expected,
             "cogen: stack overflow in coroutine sheep (%d KiB stack)\n",
             CG__STACK_DEFAULT / 1024);
    return expected;
}

static void act_overflow(void)
{
    int sum;

    cg__overflow_watch();
    cg__overflow_watch(); /* once is enough, twice does no harm */
    run(overflow_entry, &sum);
}

START_TEST(an_overflow_is_reported_by_name)
{
    ck_died(child_run(act_overflow, message, sizeof message), SIGSEGV);
    if (SANITIZED)
        ck_assert_ptr_nonnull(strstr(message, overflow_line()));
    else
        ck_assert_str_eq(message, overflow_line());
}
END_TEST

static void act_overflow_mprotect(void)
{
    no_light_guards = true;
    act_overflow();
}

START_TEST(an_overflow_into_a_protected_page_as_well)
{
    ck_died(child_run(act_overflow_mprotect, message, sizeof message), SIGSEGV);
    ck_assert_ptr_nonnull(strstr(message, overflow_line()));
}
END_TEST

static void *thread_main(void *arg)
{
    act_overflow();
    return arg;
}

static void act_overflow_thread(void)
{
    pthread_t thread;

    cg__overflow_watch();
    pthread_create(&thread, NULL, thread_main, NULL);
    pthread_join(thread, NULL);
}

START_TEST(an_overflow_in_another_thread_as_well)
{
    ck_died(child_run(act_overflow_thread, message, sizeof message), SIGSEGV);
    ck_assert_ptr_nonnull(strstr(message, overflow_line()));
}
END_TEST

static void *fault_address = (void *)64; /* nothing is mapped there */

static void act_fault(void)
{
    cg__overflow_watch();
    run(touch_entry, fault_address);
}

START_TEST(another_fault_is_none_of_ours)
{
    ck_died(child_run(act_fault, message, sizeof message), SIGSEGV);
    ck_assert_ptr_null(strstr(message, "overflow in coroutine"));
}
END_TEST

/* A fault in a guard that is not the running stack's is no overflow of that. */
static void act_fault_above(void)
{
    void *low, *stack = cg__stack_get(stacks, CG__STACK_DEFAULT, HEAD, &low);

    (void)stack;
    cg__overflow_watch();
    run(touch_entry, (char *)low - 1);
}

START_TEST(a_fault_in_somebody_elses_guard_is_none_of_ours)
{
    ck_died(child_run(act_fault_above, message, sizeof message), SIGSEGV);
    ck_assert_ptr_null(strstr(message, "overflow in coroutine"));
}
END_TEST

static void plain_handler(int sig)
{
    _exit(sig == SIGSEGV ? 41 : 1);
}

static void info_handler(int sig, siginfo_t *info, void *context)
{
    _exit(sig == SIGSEGV && info->si_addr == fault_address && context != NULL ? 42 : 1);
}

static void act_plain_handler(void)
{
    signal(SIGSEGV, plain_handler);
    act_fault();
}

static void act_info_handler(void)
{
    struct sigaction action = {.sa_sigaction = info_handler, .sa_flags = SA_SIGINFO};

    sigaction(SIGSEGV, &action, NULL);
    cg__overflow_watch();
    run(touch_entry, fault_address);
}

START_TEST(a_fault_goes_to_the_handler_that_was_there)
{
    int status = child_run(act_plain_handler, message, sizeof message);

    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 41);
    status = child_run(act_info_handler, message, sizeof message);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 42);
}
END_TEST

static void act_ignored(void)
{
    signal(SIGSEGV, SIG_IGN);
    cg__overflow_watch();
    raise(SIGSEGV); /* ignored */
    if (write(STDERR_FILENO, "alive", 5) == 5)
        run(touch_entry, fault_address); /* cannot be */
}

START_TEST(an_ignored_signal_stays_ignored_but_a_fault_kills)
{
    int status = child_run(act_ignored, message, sizeof message);

    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    ck_assert_ptr_nonnull(strstr(message, "alive"));
}
END_TEST

static void act_sent(void)
{
    signal(SIGBUS, SIG_DFL);
    cg__overflow_watch();
    raise(SIGBUS);
}

START_TEST(a_signal_that_was_sent_kills_too)
{
    int status = child_run(act_sent, message, sizeof message);

    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    ck_assert_str_eq(message, "");
}
END_TEST

/* -- signal stacks -- */

static void *own_stack(void *arg)
{
    stack_t mine = {.ss_sp = arg, .ss_size = 64 * 1024}, now;

    sigaltstack(&mine, NULL);
    cg__overflow_watch();
    sigaltstack(NULL, &now);
    mine.ss_flags = SS_DISABLE;
    sigaltstack(&mine, NULL);
    return now.ss_sp == arg ? arg : NULL;
}

static void *given_stack(void *arg)
{
    stack_t now;

    (void)arg;
    cg__overflow_watch();
    sigaltstack(NULL, &now);
    return now.ss_flags & SS_DISABLE ? NULL : now.ss_sp;
}

START_TEST(a_thread_keeps_the_signal_stack_it_has)
{
    void *mem = malloc(64 * 1024), *answer;
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, own_stack, mem), 0);
    ck_assert_int_eq(pthread_join(thread, &answer), 0);
    ck_assert_ptr_eq(answer, mem);
    free(mem);
}
END_TEST

START_TEST(a_thread_without_one_is_given_one_until_it_ends)
{
    unsigned char pages;
    pthread_t thread;
    void *mem;

    ck_assert_int_eq(pthread_create(&thread, NULL, given_stack, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, &mem), 0);
    ck_assert_ptr_nonnull(mem);
    if (!SANITIZED) /* theirs is theirs */
        ck_assert(mincore(mem, page, &pages) < 0 && errno == ENOMEM);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stack");
    TCase *pool = tcase_create("pool"), *overflow = tcase_create("overflow");
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
    tcase_add_test(pool, as_many_as_are_in_use_stay_warm);
    tcase_add_test(pool, a_guard_lies_below_each_stack);
    tcase_add_test(pool, guards_are_made_without_the_light_kind);
    tcase_add_test(pool, a_guard_that_guards_nothing_is_not_trusted);
    tcase_add_test(pool, a_single_refusal_is_made_up_for);
    tcase_add_test(pool, a_stack_without_a_guard_is_not_given_out);
#if !CG__ASAN && !CG__TSAN
    /* Valgrind keeps a table of mappings, a small one. */
    tcase_add_loop_test(pool, forty_thousand_or_a_clean_refusal, 0,
                        RUNNING_ON_VALGRIND ? 1 : 2);
    tcase_add_test(pool, without_address_space_there_are_fewer_then_none);
#endif
#if CG__ASAN
    tcase_add_test(pool, what_a_suspended_stack_holds_is_no_leak);
#endif
    suite_add_tcase(suite, pool);

    tcase_add_checked_fixture(overflow, setup, teardown);
    tcase_set_timeout(overflow, 60);
    tcase_add_test(overflow, an_overflow_is_reported_by_name);
    tcase_add_test(overflow, an_overflow_into_a_protected_page_as_well);
    tcase_add_test(overflow, an_overflow_in_another_thread_as_well);
    tcase_add_test(overflow, another_fault_is_none_of_ours);
    tcase_add_test(overflow, a_fault_in_somebody_elses_guard_is_none_of_ours);
    tcase_add_test(overflow, a_fault_goes_to_the_handler_that_was_there);
    tcase_add_test(overflow, an_ignored_signal_stays_ignored_but_a_fault_kills);
    tcase_add_test(overflow, a_signal_that_was_sent_kills_too);
    tcase_add_test(overflow, a_thread_keeps_the_signal_stack_it_has);
    tcase_add_test(overflow, a_thread_without_one_is_given_one_until_it_ends);
    if (!RUNNING_ON_VALGRIND) /* it counts the faults as errors, rightly */
        suite_add_tcase(suite, overflow);

    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
