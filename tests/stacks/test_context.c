/* SPDX-License-Identifier: MIT */
/* The context switch alone: the values that must survive it, and the stack that entry
 * gets. */
#include "config.h"

#include "lib/stacks/context.h"

#include <check.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef HAVE_VALGRIND_VALGRIND_H
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_STACK_REGISTER(low, high) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

enum {
    SIZE = 256 * 1024,
    MANY = CG__TSAN ? 1000 : 10000, /* gcc's TSan has room for 8,000 fibres */
};

#if defined __x86_64__
#define IN_FLOAT "x"
#elif defined __aarch64__
#define IN_FLOAT "w"
#else
#define IN_FLOAT "m"
#endif

/* A context on its own stack, and the context to which it returns. */
struct ctx {
    struct cg_context ctx, *back;
    void *mem;
    size_t size;
    unsigned valgrind;
    int count;
};

static void open_sized(struct ctx *c, size_t size, struct cg_context *back,
                       void *(*entry)(void *))
{
    c->size = size;
    c->back = back;
    c->mem =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(c->mem, MAP_FAILED);
    c->valgrind = VALGRIND_STACK_REGISTER(c->mem, (char *)c->mem + size);
    cg__context_make(&c->ctx, c->mem, (char *)c->mem + size, entry, c);
}

static void open_ctx(struct ctx *c, struct cg_context *back, void *(*entry)(void *))
{
    open_sized(c, SIZE, back, entry);
}

static void close_ctx(struct ctx *c)
{
    cg__context_drop(&c->ctx);
    VALGRIND_STACK_DEREGISTER(c->valgrind);
    munmap(c->mem, c->size);
}

static char story[64];
static struct ctx ping, pong;

static void *ping_entry(void *arg)
{
    ck_assert_ptr_eq(arg, &ping);
    for (int i = 0; i < 3; i++) {
        strcat(story, "a");
        cg__context_switch(&ping.ctx, &pong.ctx); /* directly, not through the main context */
    }
    strcat(story, "A");
    return cg__context_exit(&ping.ctx, &pong.ctx);
}

static void *pong_entry(void *arg)
{
    ck_assert_ptr_eq(arg, &pong);
    for (int i = 0; i < 3; i++) {
        strcat(story, "b");
        cg__context_switch(&pong.ctx, &ping.ctx);
    }
    strcat(story, "B");
    return cg__context_exit(&pong.ctx, pong.back);
}

START_TEST(switches_happen_in_order)
{
    struct cg_context here;

    cg__context_adopt(&here);
    open_ctx(&ping, &here, ping_entry);
    open_ctx(&pong, &here, pong_entry);
    strcat(story, "(");
    cg__context_switch(&here, &ping.ctx);
    strcat(story, ")");
    ck_assert_str_eq(story, "(abababAB)");
    close_ctx(&ping);
    close_ctx(&pong);
    cg__context_drop(&here);
}
END_TEST

static struct cg_context caller;

static ssize_t ten_more(void *arg)
{
    ssize_t *n = arg;

    ck_assert_uint_eq((uintptr_t)__builtin_frame_address(0) % 16, 0);
    return *n += 10;
}

static void *then_entry(void *arg)
{
    struct ctx *self = arg;
    ssize_t n = 100;

    for (int i = 1; i <= 3; i++)
        ck_assert_int_eq(
            cg__context_switch_then(&self->ctx, self->back, ten_more, &n), 100 + i * 10);
    return cg__context_exit(&self->ctx, self->back);
}

/* switch_then calls its function when the context continues, not before, and returns the
 * function's result. */
START_TEST(what_is_to_follow_a_switch_is_called_on_return)
{
    struct ctx c;
    ssize_t n = 0;

    cg__context_adopt(&caller);
    open_ctx(&c, &caller, then_entry);
    for (int i = 1; i <= 4; i++)
        ck_assert_int_eq(cg__context_switch_then(&caller, &c.ctx, ten_more, &n), i * 10);
    close_ctx(&c);
}
END_TEST

/* Keeps more values across a switch than there are callee-saved registers; each context
 * has others. */
static void keep_values(struct cg_context *self, struct cg_context *other,
                        uintptr_t seed)
{
    uintptr_t a = seed + 1, b = seed + 2, c = seed + 3, d = seed + 4, e = seed + 5,
              f = seed + 6, g = seed + 7, h = seed + 8, i = seed + 9, j = seed + 10;
    double q = (double)seed + .1, r = (double)seed + .2, s = (double)seed + .3,
           t = (double)seed + .4, u = (double)seed + .5, v = (double)seed + .6,
           w = (double)seed + .7, x = (double)seed + .8;

    __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
    __asm__ volatile("" : "+r"(f), "+r"(g), "+r"(h), "+r"(i), "+r"(j));
    __asm__ volatile(""
                     : "+" IN_FLOAT(q), "+" IN_FLOAT(r), "+" IN_FLOAT(s),
                       "+" IN_FLOAT(t));
    __asm__ volatile(""
                     : "+" IN_FLOAT(u), "+" IN_FLOAT(v), "+" IN_FLOAT(w),
                       "+" IN_FLOAT(x));
    cg__context_switch(self, other);
    ck_assert_uint_eq(a + b + c + d + e, 5 * seed + 15);
    ck_assert_uint_eq(f + g + h + i + j, 5 * seed + 40);
    ck_assert_double_eq(q, (double)seed + .1);
    ck_assert_double_eq(r, (double)seed + .2);
    ck_assert_double_eq(s, (double)seed + .3);
    ck_assert_double_eq(t, (double)seed + .4);
    ck_assert_double_eq(u, (double)seed + .5);
    ck_assert_double_eq(v, (double)seed + .6);
    ck_assert_double_eq(w, (double)seed + .7);
    ck_assert_double_eq(x, (double)seed + .8);
}

static void *values_entry(void *arg)
{
    struct ctx *self = arg;

    for (uintptr_t i = 0; i < 100; i++)
        keep_values(&self->ctx, self->back, 1000 * i);
    return cg__context_exit(&self->ctx, self->back);
}

__attribute__((noinline)) static ssize_t twice(ssize_t n)
{
    return cg__context_return(n * 2);
}

/* A function that ends with cg__context_return(x) returns x to its caller. */
START_TEST(an_answer_reaches_the_caller)
{
    for (ssize_t i = -3; i <= 3; i++)
        ck_assert_int_eq(twice(i) + i, 3 * i);
}
END_TEST

START_TEST(values_survive_a_switch)
{
    struct cg_context here;
    struct ctx c;

    cg__context_adopt(&here);
    open_ctx(&c, &here, values_entry);
    for (uintptr_t i = 0; i < 100; i++)
        keep_values(&here, &c.ctx, 7 * i);
    cg__context_switch(&here, &c.ctx);
    close_ctx(&c);
}
END_TEST

static uintptr_t frame;

static void *frame_entry(void *arg)
{
    struct ctx *self = arg;

    frame = (uintptr_t)__builtin_frame_address(0);
    return cg__context_exit(&self->ctx, self->back);
}

START_TEST(entry_has_an_aligned_frame_at_the_top)
{
    struct cg_context here;
    struct ctx c;

    cg__context_adopt(&here);
    open_ctx(&c, &here, frame_entry);
    cg__context_switch(&here, &c.ctx);
    ck_assert_uint_eq(frame % 16, 0);
    ck_assert_uint_le(frame, (uintptr_t)c.mem + SIZE);
    ck_assert_uint_ge(frame, (uintptr_t)c.mem + SIZE - 8192);
    close_ctx(&c);
}
END_TEST

__attribute__((noinline)) static int deep(struct ctx *self, int depth)
{
    volatile char local[256];

    memset((char *)local, depth & 127, sizeof local);
    if (depth == 0)
        cg__context_switch(&self->ctx, self->back);
    else if (deep(self, depth - 1) != depth - 1)
        return -1;
    for (size_t i = 0; i < sizeof local; i++)
        if (local[i] != (depth & 127))
            return -1;
    return depth;
}

static void *deep_entry(void *arg)
{
    struct ctx *self = arg;

    self->count = deep(self, 300);
    return cg__context_exit(&self->ctx, self->back);
}

START_TEST(deep_frames_survive_a_switch)
{
    struct cg_context here;
    struct ctx c;

    cg__context_adopt(&here);
    open_ctx(&c, &here, deep_entry);
    cg__context_switch(&here, &c.ctx); /* it is in its deepest call now */
    cg__context_switch(&here, &c.ctx);
    ck_assert_int_eq(c.count, 300);
    close_ctx(&c);
}
END_TEST

static int depth;

static void *backtrace_entry(void *arg)
{
    struct ctx *self = arg;
    void *frames[64];

    depth = backtrace(frames, 64);
    return cg__context_exit(&self->ctx, self->back);
}

/* A backtrace by the unwind tables ends at the end of the stack. */
START_TEST(a_backtrace_ends)
{
    struct cg_context here;
    struct ctx c;

    cg__context_adopt(&here);
    open_ctx(&c, &here, backtrace_entry);
    cg__context_switch(&here, &c.ctx);
    ck_assert_int_ge(depth, 1);
    ck_assert_int_le(depth, 6);
    close_ctx(&c);
}
END_TEST

static void *count_entry(void *arg)
{
    struct ctx *self = arg;

    for (int i = 0; i < 3; i++) {
        self->count += i;
        cg__context_switch(&self->ctx, self->back);
    }
    self->count += 100;
    return cg__context_exit(&self->ctx, self->back);
}

START_TEST(ten_thousand_take_turns)
{
    int many = RUNNING_ON_VALGRIND ? 100 : MANY; /* Valgrind searches a list of stacks */
    struct ctx *all = calloc((size_t)many, sizeof *all);
    struct cg_context here;

    ck_assert_ptr_nonnull(all);
    cg__context_adopt(&here);
    for (int i = 0; i < many; i++)
        open_sized(&all[i], 32 * 1024, &here, count_entry);
    for (int turn = 0; turn < 4; turn++)
        for (int i = 0; i < many; i++)
            cg__context_switch(&here, &all[i].ctx);
    for (int i = 0; i < many; i++) {
        ck_assert_int_eq(all[i].count, 103);
        close_ctx(&all[i]);
    }
    free(all);
}
END_TEST

/* Exits from inside frames with arrays. A sanitizer has poisoned memory around the arrays,
 * and the frames never return. */
static void *leave(struct ctx *self, int level);
static void *(*volatile deeper)(struct ctx *self, int level) = leave;

static void *leave(struct ctx *self, int level)
{
    char local[64];
    void *to;

    memset(local, level, sizeof local);
    if (level == 0)
        to = cg__context_exit(&self->ctx, self->back);
    else
        to = deeper(self, level - 1);
    self->count += local[level];
    return to;
}

static void *leave_entry(void *arg)
{
    struct ctx *self = arg;

    return leave(self, self->count % 20);
}

START_TEST(a_stack_serves_again_after_an_exit)
{
    struct cg_context here;
    struct ctx c = {.count = 0};

    cg__context_adopt(&here);
    open_ctx(&c, &here, leave_entry);
    for (int i = 0; i < 1000; i++) {
        c.count = i;
        cg__context_switch(&here, &c.ctx);
        cg__context_drop(&c.ctx);
        if (!RUNNING_ON_VALGRIND) /* Valgrind forbids access below the stack pointer */
            memset((char *)c.mem + SIZE - 4096, 0x55, 4096);
        cg__context_make(&c.ctx, c.mem, (char *)c.mem + SIZE, leave_entry, &c);
    }
    close_ctx(&c); /* abandoned before it ran */
}
END_TEST

static void *thread_main(void *arg)
{
    struct cg_context here;
    struct ctx c = {.count = 0};

    cg__context_adopt(&here);
    open_ctx(&c, &here, count_entry);
    for (int turn = 0; turn < 4; turn++)
        cg__context_switch(&here, &c.ctx);
    *(int *)arg = c.count;
    close_ctx(&c);
    cg__context_drop(&here);
    return NULL;
}

START_TEST(threads_do_not_disturb_each_other)
{
    pthread_t threads[4];
    int counts[4] = {0};

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, thread_main, &counts[i]), 0);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_int_eq(counts[i], 103);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("context");
    TCase *tcase = tcase_create("context");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, switches_happen_in_order);
    tcase_add_test(tcase, what_is_to_follow_a_switch_is_called_on_return);
    tcase_add_test(tcase, an_answer_reaches_the_caller);
    tcase_add_test(tcase, values_survive_a_switch);
    tcase_add_test(tcase, entry_has_an_aligned_frame_at_the_top);
    tcase_add_test(tcase, deep_frames_survive_a_switch);
    tcase_add_test(tcase, a_backtrace_ends);
    tcase_add_test(tcase, ten_thousand_take_turns);
    tcase_add_test(tcase, a_stack_serves_again_after_an_exit);
    tcase_add_test(tcase, threads_do_not_disturb_each_other);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
