/* SPDX-License-Identifier: MIT */
/* cg_connect to a host's name: looks it up, then races its addresses as RFC 8305 ("Happy
 * Eyeballs") says: the families take turns, an attempt that has not connected after a while
 * gets company, one that has failed a successor at once, and the first to connect wins. What the
 * RFC adds for those who ask for IPv4 and IPv6 apart (to begin with the first answer) is left
 * out: a resolver gives all addresses at once, in their order. */
#include "config.h"

#include "sockets/attempt.h"

#include <cogen/resolve.h>

#include <errno.h>
#include <stdio.h>

/* Of a race; on the stack of the coroutine that runs it. */
struct race {
    struct cg__attempt *attempts[CG_ADDRS_MOST];
    int begun;
    int pending;
    struct cg__attempt *winner;
    ssize_t error; /* of the last that has failed */
    struct cg_op *waiter;
};

/* Waits until any of the pending attempts has its result. */
struct race_op {
    CG_OP_HEAD;
    struct race *race;
};

static enum cg_verdict race_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    ((struct race_op *)op)->race->waiter = op;
    return CG_PENDING;
}

static enum cg_verdict race_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    ((struct race_op *)op)->race->waiter = NULL;
    return CG_DONE;
}

static int race_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct race *race = ((const struct race_op *)op)->race;

    return snprintf(buf, size, "%d of %d", race->pending, race->begun);
}

static const struct cg_op_type race_type = {
    .name = "connects",
    .process = race_process,
    .cancel = race_cancel,
    .print = race_print,
};

static void note(struct race *race, struct cg__attempt *attempt)
{
    if (attempt->result < 0)
        race->error = attempt->result;
    else if (race->winner == NULL)
        race->winner = attempt;
}

static void settled(struct cg__attempt *attempt)
{
    struct race *race = attempt->owner;
    struct cg_op *waiter = race->waiter;

    race->pending--;
    note(race, attempt);
    race->waiter = NULL;
    if (waiter != NULL)
        cg_complete(waiter, 0);
}

static enum cg_verdict begin(struct race *race, const struct cg_addr *addr)
{
    struct cg__attempt *attempt =
        cg__attempt_new(cg_sched_self(), &addr->base, addr->size);

    if (attempt == NULL) {
        race->error = -ENOMEM;
        return CG_DONE;
    }
    attempt->settled = settled;
    attempt->owner = race;
    race->attempts[race->begun++] = attempt;
    if (cg__attempt_begin(attempt) == CG_PENDING) {
        race->pending++;
        return CG_PENDING;
    }
    note(race, attempt);
    return CG_DONE;
}

/* Takes out of a list the address to be tried next: the first of the wanted family, else
 * the first. */
static struct cg_addr take_next(struct cg_addr_list *list, sa_family_t wanted)
{
    struct cg_addr addr;
    int i = 0;

    while (i < list->count && list->addrs[i].base.sa_family != wanted)
        i++;
    if (i == list->count)
        i = 0;
    addr = list->addrs[i];
    for (list->count--; i < list->count; i++)
        list->addrs[i] = list->addrs[i + 1];
    return addr;
}

/* 0 once there is a winner, or no attempt is left; -ECANCELED. */
static ssize_t run(struct race *race, struct cg_addr_list *list)
{
    sa_family_t wanted = list->addrs[0].base.sa_family;

    while (race->winner == NULL && (list->count > 0 || race->pending > 0)) {
        struct race_op wait = {.type = &race_type, .race = race, .timeout = CG_NEVER};
        ssize_t rc;

        if (list->count > 0) {
            struct cg_addr addr = take_next(list, wanted);

            wanted = addr.base.sa_family == AF_INET ? AF_INET6 : AF_INET;
            if (begin(race, &addr) == CG_DONE)
                continue;
        }
        if (list->count > 0)
            wait.timeout = CG_CONNECT_DELAY;
        rc = cg_yield(&wait.op);
        if (rc < 0 && rc != -ETIMEDOUT)
            return rc;
    }
    return 0;
}

ssize_t cg__connect_name(struct cg_connect_op *op)
{
    char host[CG__HOST_SIZE], port[6];
    struct cg_addr_list list;
    struct race race = {.error = CG_EADDR};
    ssize_t rc;

    if (!cg__addr_split(op->addr, host, port)) /* it was a name a moment ago */
        return CG_EADDR;
    rc = cg_yield(cg_resolve(host, port, &list));
    if (rc < 0)
        return rc;
    rc = run(&race, &list);
    for (int i = 0; i < race.begun; i++)
        if (race.attempts[i] != race.winner)
            cg__attempt_end(race.attempts[i]);
    if (race.winner != NULL)
        return cg__attempt_sock(race.winner, &op->sock);
    return rc < 0 ? rc : race.error;
}
