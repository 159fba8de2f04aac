/* SPDX-License-Identifier: MIT */
/* Errands: see errand.h. While the state is SENT, both sides may claim an errand, and an
 * atomic exchange of the state decides. Until the errand is back or withdrawn, it counts
 * as a poster of home (cg__post_enter), so that home is not freed while the other
 * scheduler posts it back, nor while it still may. */
#include "config.h"

#include "lib/core/op.h"
#include "lib/threads/errand.h"

#include <errno.h>
#include <stdlib.h>

enum {
    SENT,     /* the other scheduler has not begun it */
    BEGUN,    /* the other scheduler will post it back */
    RETURNED, /* it has been posted back */
    LEFT,     /* home no longer waits for it: the other scheduler frees it */
};

static void part_drop(struct cg__part *part, struct cg_sched *sched);
static void part_forked(struct cg__part *part, struct cg_sched *sched);

static const struct cg__part part = {.drop = part_drop, .forked = part_forked};

static void unlist(struct cg__errand *errand)
{
    cg__away_remove(&errand->away, errand->home);
}

static bool change(struct cg__errand *errand, int from, int to)
{
    return atomic_compare_exchange_strong(&errand->state, &from, to);
}

void cg__errand_ref(struct cg__errand *errand)
{
    atomic_fetch_add(&errand->refs, 1);
}

void cg__errand_unref(struct cg__errand *errand)
{
    if (atomic_fetch_sub(&errand->refs, 1) == 1)
        free(errand);
}

/* Home's part when the errand will not come back. */
static void give_up(struct cg__errand *errand)
{
    struct cg_sched *home = errand->home;

    unlist(errand);
    cg__errand_unref(errand);
    cg__post_leave(home);
}

/* Runs in the other scheduler when the errand has arrived. */
static void arrived(struct cg__post *post, bool dropped)
{
    struct cg__errand *errand = (struct cg__errand *)post;

    if (!change(errand, SENT, BEGUN))
        cg__errand_unref(errand);
    else if (dropped)
        cg__errand_return(errand, -ESRCH);
    else
        errand->arrive(errand);
}

static void came_home(struct cg__post *post, bool dropped)
{
    struct cg__errand *errand = (struct cg__errand *)post;
    struct cg_op *op = errand->op;
    ssize_t result = errand->result;

    if (!dropped) {
        unlist(errand);
        cg__errand_unref(errand);
    }
    cg__errand_unref(errand);
    if (!dropped)
        cg_op_complete(op, result);
}

void cg__errand_return(struct cg__errand *errand, ssize_t result)
{
    struct cg_sched *home = errand->home;

    errand->result = result;
    if (!change(errand, BEGUN, RETURNED)) {
        cg__errand_unref(errand);
        return;
    }
    errand->post.run = came_home;
    cg__post(home, &errand->post);
    cg__post_leave(home);
}

/* The block has two references: one for home's list, one for the post. */
enum cg_verdict cg__errand_send(struct cg__errand *errand, struct cg_op *op,
                                struct cg_sched *home)
{
    struct cg__away_list *errands = cg__away_list(home, CG__PART_ERRANDS, &part);
    struct cg_sched *there = errand->there;
    bool refuses;

    if (errands == NULL) {
        free(errand);
        return cg__op_done(op, -ENOMEM);
    }
    errand->post.run = arrived;
    errand->home = home;
    errand->op = op;
    atomic_init(&errand->state, SENT);
    atomic_init(&errand->refs, 2);
    cg__away_add(errands, &errand->away, home);
    cg__post_enter(home);
    cg__post_enter(there); /* it may be freed as soon as it has begun the errand */
    cg__post(there, &errand->post);
    /* If the other scheduler began to refuse before it could see the post, we see here
     * that it refuses; if later, it drops the post itself (cg__errand_refuse). */
    refuses = atomic_load(&there->refuses);
    cg__post_leave(there);
    if (refuses && cg__errand_withdraw(errand))
        return cg__op_done(op, -ESRCH);
    return CG_PENDING;
}

bool cg__errand_withdraw(struct cg__errand *errand)
{
    if (!change(errand, SENT, LEFT))
        return false;
    give_up(errand);
    return true;
}

static bool is_errand(const struct cg__post *post)
{
    return post->run == arrived;
}

void cg__errand_refuse(struct cg_sched *sched)
{
    atomic_store(&sched->refuses, true);
    cg__post_drop_some(sched, is_errand);
}

static void part_drop(struct cg__part *errands, struct cg_sched *sched)
{
    struct cg__away_list *list = (struct cg__away_list *)errands;
    struct cg__away *away, *next;

    (void)sched;
    for (away = list->first; away; away = next) {
        struct cg__errand *errand = CG__AWAY_OF(struct cg__errand, away);

        next = away->next;
        if (change(errand, SENT, LEFT) || change(errand, BEGUN, LEFT))
            cg__post_leave(errand->home);
        cg__errand_unref(errand);
    }
    list->first = NULL;
}

/* Finds an errand that will not come back: another thread of the parent has it, or it was
 * not begun. */
static struct cg__errand *find_lost(const struct cg__away_list *list)
{
    struct cg__errand *errand = CG__AWAY_OF(struct cg__errand, list->first);

    while (errand && !change(errand, SENT, LEFT) && !change(errand, BEGUN, LEFT))
        errand = CG__AWAY_OF(struct cg__errand, errand->away.next);
    return errand;
}

/* Completes the ops whose errands will not come back. It searches from the start each
 * time, because completing an op may cancel others, which withdraws their errands. */
static void part_forked(struct cg__part *errands, struct cg_sched *sched)
{
    struct cg__errand *errand;

    (void)sched;
    while ((errand = find_lost((struct cg__away_list *)errands))) {
        struct cg_op *op = errand->op;

        give_up(errand);
        cg_op_complete(op, -ESRCH);
    }
}
