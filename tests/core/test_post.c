/* SPDX-License-Identifier: MIT */
/* Posts, stops and signals from other threads to a scheduler that ends because of them: it
 * is freed only when the threads no longer use it. TSan and ASan would report a use after
 * that. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <pthread.h>

enum { ROUNDS = 200 };

struct end {
    struct test test;
    pthread_t thread;
};

/* Runs until the thread's call has ended the run, then frees the scheduler at once. The
 * coroutine has begun to wait before the thread calls. */
static void end_by(void *(*thread)(void *end), cg_fn *coro)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct end end = {.test = test_open(.timeout = 0)};

        OK(cg_sched_start(end.test.sched, coro, end.test.sched));
        IS(cg_sched_step(end.test.sched, 0), 1);
        IS(pthread_create(&end.thread, NULL, thread, &end), 0);
        test_finish(&end.test);
        test_close(&end.test);
        pthread_join(end.thread, NULL);
    }
}

static ssize_t holds(void *sched)
{
    cg_sched_hold(sched);
    return 0;
}

static void lets_go(void *sched)
{
    cg_sched_unhold(sched);
}

static void *posts(void *arg)
{
    struct cg_sched *sched = ((struct end *)arg)->test.sched;

    OK(cg_sched_post(sched, lets_go, sched));
    return NULL;
}

static void posted(void)
{
    end_by(posts, holds);
}

static ssize_t sleeps(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(CG_MINUTE)), -ECANCELED);
    return 0;
}

static void *stops(void *arg)
{
    cg_sched_stop(((struct end *)arg)->test.sched);
    return NULL;
}

static void stopped(void)
{
    end_by(stops, sleeps);
}

static ssize_t listens(void *sched)
{
    cg_sched_hold(sched);
    IS(cg_yield(cg_wait_signal("end", NULL)), 0);
    cg_sched_unhold(sched);
    return 0;
}

static void *signals(void *arg)
{
    struct cg_sched *sched = ((struct end *)arg)->test.sched;

    OK(cg_sched_post_signal(sched, "end", 0));
    return NULL;
}

static void signalled(void)
{
    end_by(signals, listens);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(posted, .where = ON_KERNEL),
        PLAIN(stopped, .where = ON_KERNEL),
        PLAIN(signalled, .where = ON_KERNEL),
    };

    return test_main("post", cases, COUNT(cases));
}
