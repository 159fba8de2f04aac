/* SPDX-License-Identifier: MIT */
/* A program with two faults that the usual order of coroutines never shows, and the simulator
 * that finds them. Two coroutines add to an account; a third waits until both have:
 *
 *     ./explore                      tries a thousand orders, and shows the smallest that fails
 *     ./explore --replay 'seed=...'  runs that world again
 *     ./explore mended               the same program without the faults
 */
#include <cogen.h>
#include <cogen/explore.h>

#include <errno.h>
#include <string.h>

enum { ADDERS = 2 };

static bool mended;
static int balance, ready;
static struct cg_mutex mutex;

/* A fault: while this one is at the bank's counter, another one may change the balance. */
static ssize_t add(void *arg)
{
    int seen;

    for (intptr_t i = 0; i < (intptr_t)arg; i++)
        cg_yield(cg_pass());
    if (mended)
        cg_yield(cg_lock(&mutex));
    seen = balance;
    cg_yield(cg_pass());
    balance = seen + 1;
    if (mended)
        cg_mutex_unlock(&mutex);
    ready++;
    cg_yield(cg_signal("ready", NULL));
    return 0;
}

/* A fault: the signal may come between the look and the wait. */
static ssize_t look(void *arg)
{
    (void)arg;
    while (ready < ADDERS) {
        if (!mended)
            cg_yield(cg_pass());
        cg_yield(cg_wait_signal("ready", NULL));
    }
    return balance == ADDERS ? 0 : -EIO;
}

static ssize_t program(void *arg)
{
    struct cg_group group;

    (void)arg;
    balance = ready = 0;
    mutex = (struct cg_mutex){.name = "account"};
    cg_group_open(&group);
    cg_group_start(&group, look, NULL, NULL, .name = "look");
    for (intptr_t i = 0; i < ADDERS; i++)
        cg_group_start(&group, add, (void *)(i * 4), NULL, .name = "add");
    return cg_yield(cg_wait_group(&group));
}

int main(int argc, char **argv)
{
    mended = argc > 1 && strcmp(argv[1], "mended") == 0;
    if (mended) {
        argv[1] = argv[0];
        argc--;
        argv++;
    }
    return cg_sim_explore_main(argc, argv, program, NULL);
}
