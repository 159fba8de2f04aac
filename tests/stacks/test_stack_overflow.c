/* SPDX-License-Identifier: MIT */
/* What happens when a stack overflows, and at faults that are not an overflow. */
#include "config.h"

#include "lib/stacks/context.h"
#include "lib/stacks/guard.h"
#include "lib/stacks/overflow.h"
#include "lib/stacks/stack.h"
#include "tests/support/child.h"
#include "tests/stacks/fake_guards.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
    stacks = cg__stack_pool_new();
    ck_assert_ptr_nonnull(stacks);
}

static void teardown(void)
{
    cg__stack_pool_free(stacks);
}

static __thread struct {
    const char *name;
    void *low;
    size_t size;
    struct cg_context here, ctx;
} running;

static bool suspect(const char **kind, const char **name, const void **low, size_t *size)
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

    running.name = "sheep\n";
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
                     : "+r"(held)); /* in a register, which the switch saves on the stack; not
                                          in the fake frame of detect_stack_use_after_return */
    cg__context_switch(&running.ctx, &running.here);
    free(held);
    return cg__context_exit(&running.ctx, &running.here);
}

/* LeakSanitizer searches stacks for pointers, as root regions. */
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
    if (SANITIZED) /* the sanitizer reports, then exits */
        ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
    else
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == sig);
}

static char message[16 * 1024], expected[128];

static const char *overflow_line(void)
{
    snprintf(expected, sizeof expected,
             "cogen: stack overflow in coroutine sheep? (%d KiB stack)\n",
             CG__STACK_DEFAULT / 1024);
    return expected;
}

static void act_overflow(void)
{
    int sum;

    cg__overflow_watch(suspect);
    cg__overflow_watch(suspect); /* a second call has no effect */
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

/* A stack without its own guard overflows into its neighbours, until a guard stops it. */
static void act_overflow_unguarded(void)
{
    void *low;

    no_light_guards = true;
    cg__guard_mappings = 4;
    for (int i = 0; i < 3; i++)
        cg__stack_get(stacks, CG__STACK_DEFAULT, HEAD, &low);
    act_overflow();
}

START_TEST(an_overflow_through_neighbours_as_well)
{
    ck_died(child_run(act_overflow_unguarded, message, sizeof message), SIGSEGV);
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

    cg__overflow_watch(suspect);
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
    cg__overflow_watch(suspect);
    run(touch_entry, fault_address);
}

START_TEST(another_fault_is_none_of_ours)
{
    ck_died(child_run(act_fault, message, sizeof message), SIGSEGV);
    ck_assert_ptr_null(strstr(message, "overflow in coroutine"));
}
END_TEST

/* A fault in the guard of another stack is not an overflow of the running one. */
static void act_fault_above(void)
{
    void *low, *stack = cg__stack_get(stacks, CG__STACK_DEFAULT, HEAD, &low);

    (void)stack;
    cg__overflow_watch(suspect);
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
    cg__overflow_watch(suspect);
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

static void act_overflow_handled(void)
{
    signal(SIGSEGV, plain_handler);
    act_overflow();
}

/* An overflow kills the process; no other handler is called, since nothing could
 * continue. */
START_TEST(an_overflow_goes_to_no_other_handler)
{
    ck_died(child_run(act_overflow_handled, message, sizeof message), SIGSEGV);
    ck_assert_ptr_nonnull(strstr(message, overflow_line()));
}
END_TEST

static void act_ignored(void)
{
    signal(SIGSEGV, SIG_IGN);
    cg__overflow_watch(suspect);
    raise(SIGSEGV); /* ignored */
    if (write(STDERR_FILENO, "alive", 5) == 5)
        run(touch_entry, fault_address); /* a fault cannot be ignored */
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
    cg__overflow_watch(suspect);
    raise(SIGBUS);
}

START_TEST(a_signal_that_was_sent_kills_too)
{
    int status = child_run(act_sent, message, sizeof message);

    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    ck_assert_str_eq(message, "");
}
END_TEST

static void *own_stack(void *arg)
{
    stack_t mine = {.ss_sp = arg, .ss_size = 64 * 1024}, now;

    sigaltstack(&mine, NULL);
    cg__overflow_watch(suspect);
    sigaltstack(NULL, &now);
    mine.ss_flags = SS_DISABLE;
    sigaltstack(&mine, NULL);
    return now.ss_sp == arg ? arg : NULL;
}

static void *given_stack(void *arg)
{
    stack_t now;

    (void)arg;
    cg__overflow_watch(suspect);
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
    if (!SANITIZED) /* sanitizers have their own signal stacks */
        ck_assert(mincore(mem, page, &pages) < 0 && errno == ENOMEM);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stack_overflow");
    TCase *overflow = tcase_create("overflow");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(overflow, setup, teardown);
    tcase_set_timeout(overflow, 60);
    tcase_add_test(overflow, an_overflow_is_reported_by_name);
    tcase_add_test(overflow, an_overflow_into_a_protected_page_as_well);
    tcase_add_test(overflow, an_overflow_through_neighbours_as_well);
    tcase_add_test(overflow, an_overflow_in_another_thread_as_well);
    tcase_add_test(overflow, another_fault_is_none_of_ours);
    tcase_add_test(overflow, a_fault_in_somebody_elses_guard_is_none_of_ours);
    tcase_add_test(overflow, a_fault_goes_to_the_handler_that_was_there);
    if (!SANITIZED) /* a sanitizer's handler is called first, and passes it on */
        tcase_add_test(overflow, an_overflow_goes_to_no_other_handler);
    tcase_add_test(overflow, an_ignored_signal_stays_ignored_but_a_fault_kills);
    tcase_add_test(overflow, a_signal_that_was_sent_kills_too);
    tcase_add_test(overflow, a_thread_keeps_the_signal_stack_it_has);
    tcase_add_test(overflow, a_thread_without_one_is_given_one_until_it_ends);
#if CG__ASAN
    tcase_add_test(overflow, what_a_suspended_stack_holds_is_no_leak);
#endif
    if (!RUNNING_ON_VALGRIND) /* Valgrind counts these faults as errors */
        suite_add_tcase(suite, overflow);

    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
