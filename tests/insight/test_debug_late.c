/* SPDX-License-Identifier: MIT */
/* The debug mode and what outlives its scheduler. Another scheduler may get the address of the one
 * that is gone, and run in another thread: TSan sees whether that one's notes are touched. */
#include "config.h"

#include "tests/support/child.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LATE = 1000, /* futures that outlive their scheduler */
    TRIES = 64,  /* schedulers, one of which may get its address */
};

static struct cg_future *late[LATE];
static atomic_bool begun, over;

static struct cg_sched *open_sched(void)
{
    struct cg_reactor *reactor;
    struct cg_sched *sched;

    SURE(cg_reactor_open(test_on_sim() ? "sim" : test_reactor(), &reactor) == 0);
    SURE((sched = cg_sched_new(reactor, .debug = true)) != NULL);
    return sched;
}

static void close_sched(struct cg_sched *sched)
{
    struct cg_reactor *reactor = cg_sched_reactor(sched);

    cg_sched_free(sched);
    cg_reactor_close(reactor);
}

static ssize_t leaves_futures(void *arg)
{
    (void)arg;
    for (int i = 0; i < LATE; i++)
        SURE((late[i] = cg_future_new(cg_sched_self())) != NULL);
    return 0;
}

static ssize_t makes_futures(void *arg)
{
    (void)arg;
    while (!atomic_load(&over)) {
        cg_future_unref(cg_future_new(cg_sched_self()));
        atomic_store(&begun, true);
    }
    return 0;
}

static void *runs(void *sched)
{
    SURE(cg_sched_start(sched, makes_futures, NULL) == 0);
    SURE(cg_sched_run(sched) == 0);
    return NULL;
}

/* A scheduler, with the address of one that is gone if the allocator has it so. */
static struct cg_sched *open_there(uintptr_t address)
{
    struct cg_sched *all[TRIES] = {NULL}, *found = NULL;

    for (int i = 0; i < TRIES && (uintptr_t)found != address; i++)
        all[i] = found = open_sched();
    for (int i = 0; i < TRIES && all[i]; i++)
        if (all[i] != found)
            close_sched(all[i]);
    return found;
}

static void act(void)
{
    struct cg_sched *sched = open_sched();
    uintptr_t address = (uintptr_t)sched;
    pthread_t thread;

    SURE(cg_sched_start(sched, leaves_futures, NULL) == 0);
    SURE(cg_sched_run(sched) == 0);
    close_sched(sched);
    sched = open_there(address);
    SURE(pthread_create(&thread, NULL, runs, sched) == 0);
    while (!atomic_load(&begun))
        continue;
    for (int i = 0; i < LATE; i++)
        cg_future_unref(late[i]);
    atomic_store(&over, true);
    SURE(pthread_join(thread, NULL) == 0);
    close_sched(sched);
}

static void leaves_others_alone(void)
{
    static char said[64 * 1024];

    IS(child_run(act, said, sizeof said), 0);
    ck_assert_msg(strstr(said, "cogen: 1000 futures were not released, made by #1 ") == said &&
                      strchr(said, '\n')[1] == '\0',
                  "%s", said);
}

static const struct test_case cases[] = {
    PLAIN(leaves_others_alone),
};

int main(void)
{
    return test_main("debug late", cases, COUNT(cases));
}
