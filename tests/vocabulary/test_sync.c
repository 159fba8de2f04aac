/* SPDX-License-Identifier: MIT */
/* Mutex, monitor and semaphore: order, misuse, and that a wait that gives up takes
 * nothing. And everything of cogen/sync.h together; conditions, events and barriers by
 * themselves are in test_condition.c. */
#include "config.h"

#include "tests/vocabulary/sync.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MS CG_MILLISECOND

static ssize_t locks(void *arg)
{
    struct part *part = arg;

    IS(cg_yield(cg_lock(part->object, .timeout = part->timeout)), part->wanted);
    if (part->wanted < 0)
        return 0;
    note(part->mark);
    OK(cg_yield(cg_pass()));
    IS(cg_mutex_unlock(part->object), 0);
    note("-");
    return 0;
}

/* One owner at a time, in the order of the waits. A coroutine that unlocks a mutex and
 * locks it again goes to the end of the line. */
static ssize_t mutex_in_order(void *arg)
{
    static struct cg_mutex mutex; /* needs no initialisation but zeros */
    struct part a = {.mark = "a", .object = &mutex},
                b = {.mark = "b", .object = &mutex},
                c = {.mark = "c", .object = &mutex};
    struct cg_coro *coros[3];

    (void)arg;
    IS(cg_yield(cg_lock(&mutex)), 0);
    coros[0] = waits(locks, &a);
    coros[1] = waits(locks, &b);
    coros[2] = waits(locks, &c);
    IS(cg_mutex_unlock(&mutex), 0);
    IS(cg_yield(cg_lock(&mutex)), 0);
    ck_assert_str_eq(noted, "a-b-c-");
    IS(cg_mutex_unlock(&mutex), 0);
    for (size_t i = 0; i < COUNT(coros); i++)
        test_end(coros[i]);
    IS(cg_mutex_destroy(&mutex), 0);
    return 0;
}

/* Only the owner can unlock a mutex. It cannot be locked twice, nor destroyed while it is
 * owned. */
static ssize_t mutex_misuse(void *arg)
{
    struct cg_mutex mutex = {0};
    struct part other = {"o", &mutex, CG_NOWAIT, -ETIMEDOUT, 0};

    (void)arg;
    IS(cg_mutex_unlock(&mutex), -EPERM);
    IS(cg_yield(cg_lock(&mutex)), 0);
    IS(cg_yield(cg_lock(&mutex)), -EDEADLK);
    IS(cg_mutex_destroy(&mutex), -EBUSY);
    test_end(test_start(locks, &other));
    IS(cg_mutex_unlock(&mutex), 0);
    IS(cg_mutex_unlock(&mutex), -EPERM);
    IS(cg_mutex_destroy(&mutex), 0);
    return 0;
}

static ssize_t unlocks_anothers(void *arg)
{
    IS(cg_mutex_unlock(arg), -EPERM);
    return 0;
}

/* A coroutine that does not own the mutex cannot unlock it, nor can code outside
 * coroutines. */
static void mutex_strangers(void)
{
    struct cg_mutex mutex = {0};

    IS(cg_mutex_unlock(&mutex), -EPERM);
    IS(test_run(unlocks_anothers, &mutex), 0);
}

/* A lock that times out, is cancelled or loses a race does not wait any more. */
static ssize_t mutex_gives_up(void *arg)
{
    struct cg_mutex mutex = {0};
    struct part late = {"l", &mutex, MS, -ETIMEDOUT, 0},
                lost = {"x", &mutex, 0, -ECANCELED, 0};
    struct part last = {"z", &mutex, 0, 0, 0};
    struct cg_coro *coros[3];

    (void)arg;
    IS(cg_yield(cg_lock(&mutex)), 0);
    coros[0] = waits(locks, &late);
    coros[1] = waits(locks, &lost);
    coros[2] = waits(locks, &last);
    OK(cg_yield(cg_sleep(2 * MS)));
    IS(cg_yield(cg_cancel(coros[1])), 0);
    IS(cg_mutex_unlock(&mutex), 0);
    for (size_t i = 0; i < COUNT(coros); i++)
        test_end(coros[i]);
    ck_assert_str_eq(noted, "z-");
    IS(cg_mutex_destroy(&mutex), 0);
    return 0;
}

static ssize_t races_for_both(void *arg)
{
    struct cg_mutex *m = arg;
    struct cg_op *a = cg_lock(&m[0]), *b = cg_lock(&m[1]);
    ssize_t winner = cg_yield(cg_any((a, b)));

    OK(winner);
    IS(cg_op_result(winner ? a : b), -ECANCELED);
    IS(cg_mutex_unlock(&m[winner]), 0);
    IS(cg_mutex_unlock(&m[!winner]), -EPERM);
    return winner;
}

/* If two locks race, the coroutine owns exactly the mutex whose lock has won. */
static ssize_t mutex_race(void *arg)
{
    struct cg_mutex m[2] = {{0}};
    struct cg_coro *racer;

    (void)arg;
    IS(cg_yield(cg_lock(&m[0])), 0);
    IS(cg_yield(cg_lock(&m[1])), 0);
    racer = waits(races_for_both, m);
    IS(cg_mutex_unlock(&m[1]), 0);
    IS(cg_mutex_unlock(&m[0]), 0); /* both in one turn */
    IS(cg_yield(cg_join(racer)), 1);
    cg_coro_unref(racer);
    IS(cg_mutex_destroy(&m[0]), 0);
    IS(cg_mutex_destroy(&m[1]), 0);
    return 0;
}

static ssize_t locks_canceled(void *arg)
{
    IS(cg_yield(cg_lock(arg)), 0);
    IS(cg_yield(cg_pass()), -ECANCELED);
    IS(cg_mutex_unlock(arg), 0);
    return 0;
}

/* A coroutine that is cancelled in the turn in which the mutex is passed to it owns the
 * mutex. */
static ssize_t mutex_owner_canceled(void *arg)
{
    struct cg_mutex mutex = {0};
    struct cg_coro *coro;

    (void)arg;
    IS(cg_yield(cg_lock(&mutex)), 0);
    coro = waits(locks_canceled, &mutex);
    IS(cg_mutex_unlock(&mutex), 0);
    IS(cg_coro_cancel(coro), 0);
    IS(cg_yield(cg_lock(&mutex)), 0);
    IS(cg_mutex_unlock(&mutex), 0);
    return test_end(coro);
}

static ssize_t inside(void *arg)
{
    note("[");
    OK(cg_yield(cg_sleep(MS)));
    note("]");
    return *(int *)arg;
}

static ssize_t inside_canceled(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(CG_SECOND)), -ECANCELED);
    note("c");
    return -ECANCELED;
}

static struct cg_mutex shared;

static ssize_t monitors(void *arg)
{
    return cg_yield(cg_call_locked(&shared, inside, arg));
}

/* The functions of a monitor run one at a time. The result is that of the function, and
 * the mutex is unlocked however the function ends. */
static ssize_t monitor(void *arg)
{
    int numbers[] = {1, 2, -3};
    struct cg_coro *coros[COUNT(numbers)];

    (void)arg;
    shared = (struct cg_mutex){0};
    for (size_t i = 0; i < COUNT(coros); i++)
        coros[i] = test_start(monitors, &numbers[i]);
    for (size_t i = 0; i < COUNT(coros); i++)
        IS(test_end(coros[i]), numbers[i]);
    ck_assert_str_eq(noted, "[][][]");
    IS(cg_yield(cg_call_locked(&shared, inside_canceled, NULL, .timeout = MS)),
       -ETIMEDOUT);
    IS(cg_yield(cg_any((cg_sleep(MS), cg_call_locked(&shared, inside_canceled, NULL)))),
       0);
    IS(cg_yield(cg_call_locked(&shared, NULL, NULL)), -EINVAL);
    ck_assert_str_eq(noted, "[][][]cc");
    IS(cg_yield(cg_lock(&shared)), 0);
    IS(cg_yield(cg_call_locked(&shared, inside, NULL)), -EDEADLK);
    IS(cg_mutex_unlock(&shared), 0);
    return 0;
}

static ssize_t acquires(void *arg)
{
    struct part *part = arg;

    IS(cg_yield(
           cg_acquire(part->object, .units = part->units, .timeout = part->timeout)),
       part->wanted);
    note(part->mark);
    return 0;
}

/* Units are counted. Waiters for few units do not overtake one that waits for many; when
 * that one gives up, they continue. */
static ssize_t semaphore(void *arg)
{
    struct cg_semaphore s = {.units = 2};
    struct part many = {"M", &s, 0, 0, 3}, one = {"o", &s, 0, 0, 1};
    struct part late = {"L", &s, MS, -ETIMEDOUT, 5}, two = {"t", &s, 0, 0, 2};
    struct cg_coro *coros[4];

    (void)arg;
    coros[0] = waits(acquires, &many);
    coros[1] = waits(acquires, &one);
    IS(cg_yield(cg_acquire(&s, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_semaphore_destroy(&s), -EBUSY);
    IS(cg_semaphore_release(&s, 1), 0);
    OK(cg_yield(cg_pass()));
    ck_assert_str_eq(noted, "M");
    IS(cg_semaphore_release(&s, 1), 0);
    OK(cg_yield(cg_pass()));
    ck_assert_str_eq(noted, "Mo");
    IS(cg_semaphore_release(&s, 2), 0);
    coros[2] = waits(acquires, &late);
    coros[3] = waits(acquires, &two);
    OK(cg_yield(cg_sleep(2 * MS)));
    test_end(coros[2]);
    test_end(coros[3]);
    ck_assert(strlen(noted) == 4); /* the order of the last notes may differ */
    IS((ssize_t)s.units, 0);
    test_end(coros[0]);
    test_end(coros[1]);
    IS(cg_semaphore_destroy(&s), 0);
    return 0;
}

/* There are never more units than the limit, or than the counter can count. */
static ssize_t semaphore_limit(void *arg)
{
    struct cg_semaphore s = {.units = 1, .limit = 2}, free = {0};

    (void)arg;
    IS(cg_semaphore_release(&s, 2), -EOVERFLOW);
    IS(cg_semaphore_release(&s, 1), 0);
    IS(cg_semaphore_release(&s, 1), -EOVERFLOW);
    IS(cg_yield(cg_acquire(&s, .units = 3)), -EINVAL);
    IS(cg_yield(cg_acquire(&s, .units = 2)), 0);
    IS(cg_semaphore_release(&free, UINT_MAX), 0);
    IS(cg_semaphore_release(&free, 1), -EOVERFLOW);
    return 0;
}

/* Two branches of one race never both get a unit. */
static ssize_t semaphore_race(void *arg)
{
    struct cg_semaphore *s = arg;
    struct cg_op *a = cg_acquire(s), *b = cg_acquire(s, .units = 2);

    IS(cg_yield(cg_any((a, b))), 0);
    IS(cg_op_result(b), -ECANCELED);
    return 0;
}

static ssize_t semaphore_races(void *arg)
{
    struct cg_semaphore s = {0};
    struct cg_coro *coro = waits(semaphore_race, &s);

    (void)arg;
    IS(cg_semaphore_release(&s, 3), 0);
    IS((ssize_t)s.units, 2);
    return test_end(coro);
}

enum {
    ROUNDS = 100,
    WORKERS = 8
};

struct storm {
    struct cg_mutex mutex;
    struct cg_semaphore semaphore;
    struct cg_condition condition;
    unsigned inside, units, done;
    uint64_t seed;
};

static ssize_t storms(void *arg)
{
    struct storm *s = arg;

    for (int i = 0; i < ROUNDS; i++) {
        int64_t t = 1 + test_random(&s->seed) % MS;
        struct cg_op *lock = cg_lock(&s->mutex);
        struct cg_op *acquire =
            cg_acquire(&s->semaphore, .units = 1 + test_random(&s->seed) % 3);
        unsigned units = ((struct cg_acquire_op *)acquire)->units;
        ssize_t rc = cg_yield(cg_any((lock, acquire, cg_sleep(t)), .timeout = t));

        ck_assert((cg_op_result(lock) == 0) + (cg_op_result(acquire) == 0) <= 1);
        if (cg_op_result(lock) == 0) {
            IS(s->inside++, 0);
            if (test_random(&s->seed) % 2) {
                s->inside--;
                rc =
                    cg_yield(cg_wait_condition(&s->condition, &s->mutex, .timeout = t));
                ck_assert(rc == 0 || rc == -ETIMEDOUT);
                IS(s->inside++, 0);
            }
            OK(cg_yield(cg_sleep(test_random(&s->seed) % (MS / 4))));
            s->inside--;
            IS(cg_mutex_unlock(&s->mutex), 0);
        } else if (cg_op_result(acquire) == 0) {
            s->units += units;
            ck_assert_uint_le(s->units, 3);
            OK(cg_yield(cg_sleep(test_random(&s->seed) % (MS / 4))));
            s->units -= units;
            IS(cg_semaphore_release(&s->semaphore, units), 0);
        }
        cg_condition_notify(&s->condition);
        s->done++;
    }
    return 0;
}

/* At random, with timeouts and races: the mutex has at most one owner, no more units are
 * taken than there are, and at the end all are free. */
static ssize_t storm(void *arg)
{
    struct storm s = {.semaphore = {.units = 3, .limit = 3}, .seed = 11};
    struct cg_coro *coros[WORKERS];

    (void)arg;
    for (size_t i = 0; i < COUNT(coros); i++)
        coros[i] = test_start(storms, &s);
    for (size_t i = 0; i < COUNT(coros); i++)
        test_end(coros[i]);
    IS(s.done, ROUNDS * WORKERS);
    IS(s.semaphore.units, 3);
    IS(cg_mutex_destroy(&s.mutex), 0);
    IS(cg_semaphore_destroy(&s.semaphore), 0);
    IS(cg_condition_destroy(&s.condition), 0);
    return 0;
}

static ssize_t yields(void *op)
{
    return cg_yield(op);
}

static ssize_t reads_news(void *arg)
{
    struct cg_wait_condition_op *wait = arg;
    ssize_t n;

    IS(cg_yield(cg_lock(wait->mutex)), 0);
    n = cg_yield(&wait->op);
    IS(cg_mutex_unlock(wait->mutex), 0);
    return n;
}

/* A dump shows the object of a wait by its name, or by its address. An op that does not
 * wait prints the address only, because the object may have been freed. */
static void shows(cg_fn *fn, struct cg_op *op, const char *kind, const void *object,
                  const char *wanted)
{
    struct cg_coro *coro = waits(fn, op);
    char text[64], address[64];

    cg_op_print(op, text, sizeof text);
    ck_assert_msg(strncmp(text, wanted, strlen(wanted)) == 0, "%s", text);
    IS(cg_coro_cancel(coro), 0);
    IS(test_end(coro), -ECANCELED);
    snprintf(address, sizeof address, "%s %p", kind, object);
    cg_op_print(op, text, sizeof text);
    ck_assert_msg(strncmp(text, address, strlen(address)) == 0, "%s", text);
}

static ssize_t shown_by_name(void *arg)
{
    struct cg_mutex mutex = {.name = "door"}, nameless = {0}, free = {0};
    struct cg_semaphore semaphore = {.name = "places"};
    struct cg_condition condition = {.name = "news"};
    struct cg_event event = {.name = "morning"};
    struct cg_barrier barrier = {.name = "gate", .parties = 3};
    char address[32];

    (void)arg;
    IS(cg_yield(cg_lock(&mutex)), 0);
    IS(cg_yield(cg_lock(&nameless)), 0);
    snprintf(address, sizeof address, "lock %p", (void *)&nameless);
    shows(yields, cg_lock(&nameless), "lock", &nameless, address);
    shows(yields, cg_lock(&mutex), "lock", &mutex, "lock door");
    shows(yields, cg_acquire(&semaphore, .units = 2), "acquire", &semaphore,
          "acquire places, 2");
    shows(reads_news, cg_wait_condition(&condition, &free), "wait_condition", &condition,
          "wait_condition news");
    shows(yields, cg_wait_event(&event), "wait_event", &event, "wait_event morning");
    shows(yields, cg_wait_barrier(&barrier), "wait_barrier", &barrier,
          "wait_barrier gate, 1/3");
    return 0;
}

/* When a race is decided, a branch that it takes back does not serve the next branch, which
 * would keep a unit that nobody gives back. Its own timeout serves those behind it. */
static ssize_t semaphore_rivals(void *arg)
{
    struct cg_semaphore s = {.units = 1};
    struct cg_op *one = cg_acquire(&s);

    (void)arg;
    IS(cg_yield(cg_any((cg_sleep(CG_MILLISECOND), cg_acquire(&s, .units = 2), one))), 0);
    IS(cg_op_result(one), -ECANCELED);
    IS(s.units, 1);
    IS(cg_yield(cg_all((cg_acquire(&s, .units = 2, .timeout = CG_MILLISECOND), one))), 0);
    IS(cg_op_result(one), 0);
    IS(s.units, 0);
    return 0;
}

/* A branch inside a branch times out, which decides nothing: it serves the other branches of the
 * race. */
static ssize_t semaphore_inner(void *arg)
{
    struct cg_semaphore s = {.units = 1};
    struct cg_op *two = cg_acquire(&s, .units = 2, .timeout = CG_MILLISECOND);

    (void)arg;
    IS(cg_yield(cg_any((cg_all((two, cg_sleep(CG_SECOND))), cg_acquire(&s)))), 1);
    IS(cg_op_result(two), -ETIMEDOUT);
    IS(s.units, 0);
    return 0;
}

/* A race that is cancelled while it waits in several branches acquires nothing. */
static ssize_t semaphore_cancelled(void *arg)
{
    struct cg_semaphore s = {.units = 1};
    struct cg_op *one = cg_acquire(&s);

    (void)arg;
    IS(cg_yield(cg_any((cg_acquire(&s, .units = 2), one), .timeout = CG_MILLISECOND)),
       -ETIMEDOUT);
    IS(cg_op_result(one), -ECANCELED);
    IS(s.units, 1);
    return 0;
}

static const struct test_case cases[] = {
    CORO(mutex_in_order),
    CORO(mutex_misuse),
    PLAIN(mutex_strangers),
    CORO(mutex_gives_up),
    CORO(mutex_race),
    CORO(mutex_owner_canceled),
    CORO(monitor),
    CORO(semaphore),
    CORO(semaphore_limit),
    CORO(semaphore_races),
    CORO(semaphore_rivals, .where = ON_SIM),
    CORO(semaphore_inner, .where = ON_SIM),
    CORO(semaphore_cancelled, .where = ON_SIM),
    CORO(storm, .where = ON_SIM),
    CORO(shown_by_name, .where = ON_SIM),
};

int main(void)
{
    return test_main("sync", cases, COUNT(cases));
}
