/* SPDX-License-Identifier: MIT */
/* What a dump says about coroutines that wait in vain: in a cycle, for a mutex whose owner has
 * ended, or for a wake-up that was lost. */
#include "config.h"

#include "tests/insight/dumps.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct cg_mutex red, blue;

static ssize_t takes_both(void *arg)
{
    struct cg_mutex **mutexes = arg;
    ssize_t rc = OK(cg_yield(cg_lock(mutexes[0])));

    OK(cg_yield(cg_pass()));
    rc = cg_yield(cg_lock(mutexes[1], .timeout = mutexes[2] ? CG_MINUTE : 0));
    if (rc == 0)
        OK(cg_mutex_unlock(mutexes[1]));
    OK(cg_mutex_unlock(mutexes[0]));
    return rc;
}

/* A cycle is named, while the run goes on; also through a group and cg_all. */
static ssize_t names_cycles(void *arg)
{
    struct cg_mutex *one[] = {&red, &blue, NULL}, *other[] = {&blue, &red, NULL};
    struct cg_coro *a, *b;
    char *text;

    (void)arg;
    red = (struct cg_mutex){.name = "red"};
    blue = (struct cg_mutex){.name = "blue"};
    a = test_start(takes_both, one);
    b = test_start(takes_both, other);
    test_until_waiting(b);
    while (red.waiters.first == NULL || blue.waiters.first == NULL)
        OK(cg_yield(cg_pass()));
    text = dump_of(NULL);
    dump_says(text, "\ncycle: #2 ");
    dump_says(text, ": lock blue, since 0.0 s -> #3 ");
    dump_says(text, ": lock red, since 0.0 s -> #2\n");
    free(text);
    text = dump_of(&(struct cg_dump_options){.json = true});
    dump_says(text, "\"cycles\": [[2, 3]],");
    free(text);
    cg_coro_cancel(a);
    IS(test_end(a), -ECANCELED);
    return test_end(b);
}

/* What times out is no deadlock. */
static ssize_t timeouts_end_cycles(void *arg)
{
    struct cg_mutex *one[] = {&red, &blue, NULL}, *other[] = {&blue, &red, &red};
    struct cg_coro *a = test_start(takes_both, one), *b = test_start(takes_both, other);
    char *text;

    (void)arg;
    while (red.waiters.first == NULL || blue.waiters.first == NULL)
        OK(cg_yield(cg_pass()));
    text = dump_of(NULL);
    dump_says_not(text, "\ncycle");
    dump_says(text, "awaits #2");
    dump_says(text, "awaits #3");
    free(text);
    cg_coro_cancel(b);
    IS(test_end(b), -ECANCELED);
    return test_end(a);
}

static ssize_t joins_its_owner(void *owner)
{
    return cg_yield(cg_join((struct cg_coro *)owner));
}

static ssize_t owns(void *arg)
{
    struct cg_group group;

    (void)arg;
    cg_group_open(&group);
    OK(cg_yield(cg_add_to_group(&group, joins_its_owner, cg_coro_self(), .name = "joins")));
    return cg_yield(cg_wait_group(&group));
}

static ssize_t owns_in_all(void *arg)
{
    return cg_yield(cg_all((cg_call(owns, arg), cg_sleep(1))));
}

/* The branch of a cg_all counts as its coroutine. */
static ssize_t cycles_through_groups(void *arg)
{
    cg_fn *const fns[] = {owns, owns_in_all};

    (void)arg;
    for (int i = 0; i < 2; i++) {
        struct cg_coro *owner = test_start(fns[i], NULL);
        char *text;

        test_until_waiting(owner);
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
        text = dump_of(NULL);
        dump_says(text, "\ncycle: #");
        dump_says(text, ": wait_group for 1, since 0.0 s -> #");
        free(text);
        cg_coro_cancel(owner);
        IS(test_end(owner), -ECANCELED);
    }
    return 0;
}

static ssize_t keeps_it(void *mutex)
{
    return cg_yield(cg_lock((struct cg_mutex *)mutex));
}

/* A mutex whose owner has ended is named by those who wait for it. */
static ssize_t names_lost_mutexes(void *arg)
{
    static struct cg_mutex mutex = {.name = "lost"};
    struct cg_coro *ended, *waiter;
    char *text;

    (void)arg;
    mutex = (struct cg_mutex){.name = "lost"};
    ended = test_start(keeps_it, &mutex); /* the reference keeps its address in use */
    OK(cg_yield(cg_join(ended)));
    waiter = test_start(keeps_it, &mutex);
    test_until_waiting(waiter);
    text = dump_of(NULL);
    dump_says(text, "\nnever unlocked: #3 helper: lock lost, since 0.0 s, but the owner ");
    free(text);
    text = dump_of(&(struct cg_dump_options){.json = true});
    dump_says(text, "\"never_unlocked\": [3]");
    free(text);
    cg_coro_unref(ended);
    cg_coro_cancel(waiter);
    IS(test_end(waiter), -ECANCELED);
    return 0;
}

static ssize_t waits_for_event(void *event)
{
    return cg_yield(cg_wait_event((struct cg_event *)event));
}

static ssize_t takes_a_unit(void *semaphore)
{
    return cg_yield(cg_acquire((struct cg_semaphore *)semaphore));
}

static ssize_t meets(void *barrier)
{
    return cg_yield(cg_wait_barrier((struct cg_barrier *)barrier));
}

/* Who changes an object without its functions wakes nobody. */
static ssize_t names_lost_wakeups(void *arg)
{
    static struct cg_event event;
    static struct cg_semaphore semaphore;
    static struct cg_barrier barrier;
    struct cg_coro *waiter, *taker, *first;
    char *text;

    (void)arg;
    event = (struct cg_event){.name = "go"};
    semaphore = (struct cg_semaphore){.name = "places"};
    waiter = test_start(waits_for_event, &event);
    taker = test_start(takes_a_unit, &semaphore);
    test_until_waiting(waiter);
    test_until_waiting(taker);
    barrier = (struct cg_barrier){.name = "start", .parties = 3};
    first = test_start(meets, &barrier);
    test_until_waiting(first);
    text = dump_of(NULL);
    ck_assert_ptr_null(strstr(text, "lost wake-up"));
    free(text);
    barrier.parties = 1;
    text = dump_of(NULL);
    dump_says(text, ", but 1 wait for the barrier, which is for 1\n");
    free(text);
    cg_coro_cancel(first);
    IS(test_end(first), -ECANCELED);
    event.set = true;
    semaphore.units = 2;
    text = dump_of(NULL);
    dump_says(text, "\nlost wake-up? #2 helper: wait_event go, since 0.0 s, "
                    "but the event is set\n");
    dump_says(text, "\nlost wake-up? #3 helper: acquire places, 1, since 0.0 s, "
                    "but the semaphore has 2 units\n");
    free(text);
    text = dump_of(&(struct cg_dump_options){.json = true});
    dump_says(text, "\"lost_wakeups\": [{\"id\": 2, \"why\": \"but the event is set\"}, "
                    "{\"id\": 3, ");
    free(text);
    event.set = false;
    cg_event_set(&event);
    semaphore.units = 0;
    OK(cg_semaphore_release(&semaphore, 1));
    IS(test_end(waiter), 0);
    return test_end(taker);
}

static const struct test_case cases[] = {
    CORO(names_cycles),
    CORO(timeouts_end_cycles),
    CORO(cycles_through_groups),
    CORO(names_lost_mutexes),
    CORO(names_lost_wakeups),
};

int main(void)
{
    return test_main("dump_cycles", cases, COUNT(cases));
}
