/* SPDX-License-Identifier: MIT */
/* A program that offloads functions, under timeouts, cancelled groups and a lack of threads: a
 * function runs once or never, as its fate says, and whoever leaves one running has its argument
 * abandoned once, after it has run. */
#include "config.h"

#include "tests/worlds/worlds.h"

enum { CLERKS = 4, ERRANDS = 6, ALL = CLERKS * ERRANDS };

struct errand {
    enum cg_fate fate;
    ssize_t wanted;
    int begun, ran, abandoned;
};

static struct errand errands[ALL];

static ssize_t work(void *arg)
{
    struct errand *errand = arg;

    MUST(!errand->abandoned);
    errand->ran++;
    return errand->wanted;
}

static void abandon(void *arg)
{
    struct errand *errand = arg;

    MUST(errand->ran == 1);
    errand->abandoned++;
}

static void verify_fate(const struct errand *errand, ssize_t n)
{
    switch (errand->fate) {
    case CG_FATE_RAN:
        MUST(errand->ran == 1 && !errand->abandoned);
        MUST(n == errand->wanted || n == -ETIMEDOUT || n == -ECANCELED);
        break;
    case CG_FATE_LEFT: /* it may have returned meanwhile */
        MUST(errand->ran == 1);
        MUST(n == -ETIMEDOUT || n == -ECANCELED);
        break;
    case CG_FATE_NOT_RUN:
        MUST(!errand->ran && !errand->abandoned);
        MUST(n == -EAGAIN || n == -ETIMEDOUT || n == -ECANCELED);
        break;
    }
}

static ssize_t clerk(void *arg)
{
    struct errand *errand = arg;

    for (int i = 0; i < ERRANDS; i++, errand++) {
        void (*left)(void *) = chance(2) ? abandon : NULL;
        int64_t timeout = chance(2) ? chance(30000) * CG_MICROSECOND : 0;
        ssize_t n;

        errand->wanted = (ssize_t)chance(1000);
        errand->begun = 1;
        n = cg_yield(cg_offload(work, errand, .timeout = timeout, .abandon = left,
                                .fate = &errand->fate));
        verify_fate(errand, n);
        if (n == -ECANCELED)
            return n;
        dawdle();
    }
    return 0;
}

static void verify_end(const struct errand *errand)
{
    bool left = errand->begun && errand->fate == CG_FATE_LEFT;

    MUST(errand->begun || !errand->ran);
    MUST(errand->abandoned == left);
}

static ssize_t office(void *arg)
{
    struct cg_group group;

    (void)arg;
    memset(errands, 0, sizeof errands);
    cg_group_open(&group);
    for (int i = 0; i < CLERKS; i++)
        cg_group_start(&group, clerk, &errands[i * ERRANDS], NULL, .name = "clerk");
    cg_yield(cg_wait_group(&group, .timeout = (1 + (int64_t)chance(20000)) * CG_MILLISECOND));
    cg_yield(cg_sleep(CG_SECOND)); /* for what has been left */
    for (int i = 0; i < ALL; i++)
        verify_end(&errands[i]);
    return 0;
}

const struct subject offload_subject = {
    .name = "offload",
    .fn = office,
    .faults = CG_SIM_ALL_FAULTS,
    .share = 10,
};
