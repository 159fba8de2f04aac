/* SPDX-License-Identifier: MIT */
/* Stacks of coroutines that wait: memory that a burst of deep calls has used is returned
 * to the system; so is that of input buffers. */
#include "config.h"

#include "tests/support/support.h"

#include <cogen/reactor.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SLEEPERS = 100,
    DEEP = 40 * 1024,
};

struct sleeper {
    int64_t pause;
    int times;
    uintptr_t deep; /* an address far below the frames that it has while it sleeps */
};

/* Uses a VLA, since under ASan other locals may lie on a fake stack. */
__attribute__((noinline)) static void call_deep(size_t size, uintptr_t *at)
{
    char room[size];

    memset(room, 1, size);
    __asm__ volatile("" ::"r"(room) : "memory");
    *at = (uintptr_t)room;
}

static bool resident(uintptr_t at)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    unsigned char in = 0;

    ck_assert_int_eq(mincore((void *)(at & ~(page - 1)), page, &in), 0);
    return in & 1;
}

static ssize_t sleeper(void *arg)
{
    struct sleeper *self = arg;
    char text[] = "still here";

    call_deep(DEEP, &self->deep);
    for (int i = 0; i < self->times; i++)
        if (cg_yield(cg_sleep(self->pause)) < 0)
            return -1;
    call_deep(DEEP, &self->deep);
    ck_assert_str_eq(text, "still here");
    return 0;
}

/* Coroutines that have slept for more than five seconds keep no memory below their stack
 * pointers; those that wake again and again keep theirs. All of them continue. */
static ssize_t idle_stacks_are_cut_back(void *arg)
{
    static struct sleeper all[SLEEPERS];
    struct cg_coro *coros[SLEEPERS];
    int left = 0;

    (void)arg;
    for (int i = 0; i < SLEEPERS; i++) {
        bool often = i % 2;

        all[i] = (struct sleeper){often ? CG_SECOND : CG_MINUTE, often ? 60 : 1, 0};
        cg_yield(cg_add(sleeper, &all[i], .coro = &coros[i]));
    }
    for (int i = 0; i < SLEEPERS; i++)
        left += resident(all[i].deep);
    ck_assert_int_eq(left, SLEEPERS);

    cg_yield(cg_sleep(12 * CG_SECOND));
    for (int i = 0; i < SLEEPERS; i++)
        ck_assert_int_eq(resident(all[i].deep), i % 2);

    for (int i = 0; i < SLEEPERS; i++) {
        ck_assert_int_eq(cg_yield(cg_join(coros[i])), 0);
        cg_coro_unref(coros[i]);
    }
    return 0;
}

static ssize_t wakes_once(void *arg)
{
    struct sleeper *self = arg;

    call_deep(DEEP, &self->deep);
    cg_yield(cg_sleep(self->pause));
    return cg_yield(cg_sleep(CG_MINUTE));
}

/* When all coroutines are quiet, the memory is returned after five seconds, whenever the
 * last sweep was. */
static ssize_t quiet_stacks_are_cut_back_in_time(void *arg)
{
    static struct sleeper all[SLEEPERS];
    struct cg_coro *coros[SLEEPERS];

    (void)arg;
    for (int i = 0; i < SLEEPERS; i++) {
        all[i] = (struct sleeper){3 * CG_SECOND, 1, 0};
        cg_yield(cg_add(wakes_once, &all[i], .coro = &coros[i]));
    }
    cg_yield(cg_sleep(8500 * CG_MILLISECOND));
    for (int i = 0; i < SLEEPERS; i++)
        ck_assert(!resident(all[i].deep));

    for (int i = 0; i < SLEEPERS; i++) {
        ck_assert_int_eq(cg_yield(cg_join(coros[i])), 0);
        cg_coro_unref(coros[i]);
    }
    return 0;
}

/* A few stacks are not trimmed: the loop does not wake for them. */
static ssize_t few_stacks_are_let_be(void *arg)
{
    struct sleeper one = {CG_MINUTE, 1, 0};
    struct cg_coro *coro;

    (void)arg;
    cg_yield(cg_add(sleeper, &one, .coro = &coro));
    cg_yield(cg_sleep(30 * CG_SECOND));
    ck_assert(resident(one.deep));
    ck_assert_int_eq(cg_yield(cg_join(coro)), 0);
    cg_coro_unref(coro);
    return 0;
}

/* The input buffers of a burst keep no memory while the loop is idle; they stay in the pool,
 * and can be used again. */
static ssize_t buffers_are_cooled(void *arg)
{
    struct cg_reactor *reactor = cg_sched_reactor(cg_sched_self());
    struct cg_chunk *chunks[SLEEPERS];

    (void)arg;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < SLEEPERS; i++) {
            chunks[i] = cg_chunk_get(reactor);
            ck_assert_ptr_nonnull(chunks[i]);
            ck_assert_uint_eq(chunks[i]->size, CG_CHUNK_SIZE);
            memset(chunks[i]->data, 1, CG_CHUNK_SIZE);
        }
        for (int i = 0; i < SLEEPERS; i++)
            cg_chunk_put(reactor, chunks[i]);
        ck_assert_uint_eq(reactor->chunks_free, SLEEPERS);
        ck_assert(resident((uintptr_t)chunks[0]));
        cg_yield(cg_sleep(12 * CG_SECOND));
        for (int i = 0; i < SLEEPERS; i++)
            ck_assert(!resident((uintptr_t)chunks[i]));
        ck_assert_uint_eq(reactor->chunks_free, SLEEPERS);
    }
    return 0;
}

static void take_back(struct cg_reactor *reactor)
{
    ck_assert_uint_eq(reactor->chunks_held, SLEEPERS);
    reactor->chunks_held = 0;
}

/* An idle loop lets its reactor take back the buffers that the kernel holds since a burst. */
static ssize_t held_buffers_are_recalled(void *arg)
{
    struct cg_reactor *reactor = cg_sched_reactor(cg_sched_self());

    (void)arg;
    reactor->recall = take_back;
    for (int round = 0; round < 2; round++) {
        reactor->chunks_held = SLEEPERS;
        cg_yield(cg_sleep(12 * CG_SECOND));
        ck_assert_uint_eq(reactor->chunks_held, 0);
    }
    reactor->recall = NULL;
    return 0;
}

static const struct test_case cases[] = {
    CORO(idle_stacks_are_cut_back, .where = ON_SIM),
    CORO(quiet_stacks_are_cut_back_in_time, .where = ON_SIM),
    CORO(few_stacks_are_let_be, .where = ON_SIM),
    CORO(buffers_are_cooled, .where = ON_SIM),
    CORO(held_buffers_are_recalled, .where = ON_SIM),
};

int main(void)
{
    return test_main("idle", cases, COUNT(cases));
}
