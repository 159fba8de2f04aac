/* SPDX-License-Identifier: MIT */
/* See lives.h. */
#include "config.h"

#include "tests/failing/lives.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

static __thread bool counted; /* one of this thread's allocations fails */
static long countdown;        /* allocations until then */
static bool failed;
static bool no_stacks; /* mapping a stack fails */

bool failing_now(enum failing_what what)
{
    if (no_stacks && what == FAILING_PAGES)
        return true;
    if (!counted || failed || countdown-- > 0)
        return false;
    return failed = true;
}

struct life {
    cg_fn *fn;
    ssize_t answer, again;
    bool told; /* something failed */
};

static ssize_t awaits(void *arg)
{
    return cg_yield(cg_wait_event(arg));
}

/* Runs a life after all pooled stacks were taken. */
static ssize_t lives(void *arg)
{
    struct life *life = arg;
    struct cg_event event = {0};
    struct cg_group group;

    cg_group_open(&group);
    no_stacks = true;
    while (cg_group_start_with(&group, awaits, &event, NULL, NULL) == 0)
        ;
    no_stacks = false;
    counted = true;
    life->answer = life->fn(NULL);
    counted = false;
    cg_event_set(&event);
    return cg_yield(cg_wait_group(&group));
}

/* One trial. False: there was nothing left to fail. */
static bool survives(cg_fn *fn, long n)
{
    struct life life = {.fn = fn};
    struct test test;
    bool told;

    if (n >= 0) /* the trial with n < 0 makes what is never freed */
        failing_watch();
    test = test_open(.timeout = 0);
    failed = n < 0;
    countdown = n;
    OK(cg_sched_start(test.sched, lives, &life));
    test_finish(&test);
    told = failed && n >= 0;
    if (life.answer < 0 || !told)
        IS(life.answer, told ? -ENOMEM : 0);
    failed = true;
    OK(cg_sched_start(test.sched, lives, &life));
    test_finish(&test);
    IS(life.answer, 0);
    test_close(&test);
    IS((ssize_t)failing_left(), 0);
    return told;
}

void lives_each(const char *name, cg_fn *fn, long least)
{
    static char label[64];
    long n = 0;

    snprintf(label, sizeof label, ", %s", name);
    test_label(label);
    survives(fn, -1);
    while (survives(fn, n))
        snprintf(label, sizeof label, ", %s, allocation %ld fails", name, ++n);
    HAS(n >= least);
}

static void *run_alone(void *arg)
{
    struct life *life = arg;

    counted = true;
    life->answer = life->fn(NULL);
    counted = false;
    life->told = failed;
    failed = true;
    life->again = life->fn(NULL);
    return NULL;
}

void lives_alone(cg_fn *fn, long least)
{
    struct life life = {.fn = fn, .told = true};
    pthread_t thread;
    long n;

    for (n = -1; life.told; n++) {
        if (n >= 0)
            failing_watch();
        failed = n < 0;
        countdown = n;
        IS(pthread_create(&thread, NULL, run_alone, &life), 0);
        IS(pthread_join(thread, NULL), 0);
        if (life.answer < 0 || !life.told)
            IS(life.answer, life.told ? -ENOMEM : 0);
        IS(life.again, 0);
        IS((ssize_t)failing_left(), 0);
    }
    HAS(n >= least);
}
