/* SPDX-License-Identifier: MIT */
/* The scheduler and threads, on every reactor: posts from other threads, several
 * schedulers, and the thread that a scheduler belongs to. */
#include "config.h"

#include "tests/reactors/talks.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#define MS CG_MILLISECOND

enum { POSTS = 2000 };

struct posting {
    struct cg_sched *sched;
    int next;
};

static void posted(void *arg)
{
    struct posting *p = arg;

    ck_assert_ptr_null(cg_coro_self());
    if (++p->next == POSTS)
        cg_sched_unhold(p->sched);
}

static void *posts(void *arg)
{
    struct posting *p = arg;

    for (int i = 0; i < POSTS; i++) {
        OK(cg_sched_post(p->sched, posted, p));
        if (i % 200 == 0)
            nanosleep(&(struct timespec){0, 500000}, NULL); /* the scheduler sleeps */
    }
    return NULL;
}

/* Posts from a thread wake the scheduler while a hold keeps its run open. All of them
 * run. */
static void post_from_thread(void)
{
    struct test test = test_open(.timeout = 0);
    struct posting p = {.sched = test.sched};
    pthread_t thread;

    cg_sched_hold(test.sched);
    OK(cg_sched_start(test.sched, talks, &(int){20}));
    IS(pthread_create(&thread, NULL, posts, &p), 0);
    test_finish(&test);
    ck_assert_int_eq(p.next, POSTS);
    pthread_join(thread, NULL);
    test_close(&test);
}

struct numbered {
    struct numbered_list *list;
    int number;
};

struct numbered_list {
    struct numbered items[100];
    int next;
};

static void in_order(void *arg)
{
    struct numbered *n = arg;

    ck_assert_int_eq(n->number, n->list->next++);
}

/* Posts of one thread run in order. */
static void posts_in_order(void)
{
    struct test test = test_open(.timeout = 0);
    static struct numbered_list list;

    for (int i = 0; i < 100; i++) {
        list.items[i] = (struct numbered){&list, i};
        OK(cg_sched_post(test.sched, in_order, &list.items[i]));
    }
    test_finish(&test);
    ck_assert_int_eq(list.next, 100);
    test_close(&test);
}

/* A post that has not run when the scheduler is freed is dropped, without a leak. */
static void posts_dropped(void)
{
    struct test test = test_open(.timeout = 0);

    OK(cg_sched_post(test.sched, in_order, NULL));
    test_close(&test);
}

static void *runs_one(void *arg)
{
    int rounds = 200;
    struct cg_reactor *reactor;
    struct cg_sched *sched;

    OK(cg_reactor_open(arg, &reactor));
    sched = cg_sched_new(reactor);
    OK(cg_sched_start(sched, talks, &rounds));
    OK(cg_sched_start(sched, talks, &rounds));
    IS(cg_sched_run(sched), 0);
    cg_sched_free(sched);
    cg_reactor_close(reactor);
    return NULL;
}

/* Schedulers of different threads do not affect each other. */
static void threads_apart(void)
{
    pthread_t threads[4];

    test_watch(NULL, 30);
    for (size_t i = 0; i < COUNT(threads); i++)
        IS(pthread_create(&threads[i], NULL, runs_one, (void *)test_reactor()), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
}

static void *runs_foreign(void *arg)
{
    IS(cg_sched_run(arg), -EPERM);
    IS(cg_sched_step(arg, 0), -EPERM);
    return NULL;
}

/* Only the thread that ran a scheduler first may run it. */
static void belongs_to_thread(void)
{
    struct test test = test_open(.timeout = 0);
    pthread_t thread;

    OK(cg_sched_start(test.sched, talks, &(int){1}));
    test_finish(&test);
    IS(pthread_create(&thread, NULL, runs_foreign, test.sched), 0);
    pthread_join(thread, NULL);
    test_close(&test);
}

static ssize_t runs_another(void *arg)
{
    IS(cg_sched_run(arg), -EBUSY);
    IS(cg_sched_step(arg, 0), -EBUSY);
    return 0;
}

static void *runs(void *arg)
{
    IS(cg_sched_run(arg), 0);
    return NULL;
}

/* A run that is refused, because a coroutine calls it, does not bind the scheduler to this
 * thread. */
static void refused_is_not_first(void)
{
    struct test test = test_open(.timeout = 0), other = test_open(.timeout = 0);
    pthread_t thread;

    OK(cg_sched_start(test.sched, runs_another, other.sched));
    test_finish(&test);
    test_close(&test);
    OK(cg_sched_start(other.sched, talks, &(int){1}));
    IS(pthread_create(&thread, NULL, runs, other.sched), 0);
    pthread_join(thread, NULL);
    test_close(&other);
}

static const struct test_case cases[] = {
    PLAIN(post_from_thread, .where = ON_KERNEL),
    PLAIN(posts_in_order),
    PLAIN(posts_dropped),
    PLAIN(threads_apart, .where = ON_KERNEL),
    PLAIN(belongs_to_thread),
    PLAIN(refused_is_not_first),
};

int main(void)
{
    return test_main("conform_thread", cases, COUNT(cases));
}
