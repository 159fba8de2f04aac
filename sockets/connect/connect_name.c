/* SPDX-License-Identifier: MIT */
/* cg_connect to a host name: looks it up, then races its addresses according to RFC 8305
 * ("Happy Eyeballs"). The families take turns. If an attempt is not connected after a
 * while, the next one starts beside it; if an attempt fails, the next one starts at once.
 * The first to connect wins. If the resolver looks IPv4 and IPv6 up separately, both
 * look-ups run beside the race, which begins with the first addresses. */
#include "config.h"

#include "sockets/connect/attempt.h"
#include "sockets/resolve/resolve.h"

#include <cogen/any.h>
#include <cogen/coro.h>

#include <errno.h>
#include <stdio.h>

enum { TRIES_MOST = 2 * CG_ADDRS_MOST }; /* for both families */

/* A race, on the stack of the coroutine that runs it. */
struct race {
    struct cg_addr untried[TRIES_MOST];
    int count;
    sa_family_t wanted; /* the family to be tried next */
    int64_t next;       /* the moment from which the next attempt may start */
    struct cg__attempt *attempts[TRIES_MOST];
    int begun;
    int pending;
    int looking; /* look-ups in flight */
    struct cg__attempt *winner;
    ssize_t error;        /* of the last attempt that failed */
    ssize_t lookup_error; /* of a look-up: the more informative of two */
    struct cg_op *waiter;
    const struct cg_connect_options *options;
};

/* Waits until an attempt has its result or a look-up is complete. */
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

static void wake(struct race *race)
{
    struct cg_op *waiter = race->waiter;

    race->waiter = NULL;
    if (waiter != NULL)
        cg_op_complete(waiter, 0);
}

static void note_failure(struct race *race, ssize_t error)
{
    race->error = error;
    race->next = 0;
}

static void note(struct race *race, struct cg__attempt *attempt)
{
    if (attempt->result < 0)
        note_failure(race, attempt->result);
    else if (race->winner == NULL)
        race->winner = attempt;
}

static void settled(struct cg__attempt *attempt)
{
    struct race *race = attempt->owner;

    race->pending--;
    note(race, attempt);
    wake(race);
}

static void begin(struct race *race, const struct cg_addr *addr)
{
    struct cg__attempt *attempt =
        cg__attempt_new(cg_sched_self(), &addr->base, addr->len);

    if (attempt == NULL) {
        note_failure(race, -ENOMEM);
        return;
    }
    attempt->settled = settled;
    attempt->owner = race;
    attempt->options = race->options;
    race->attempts[race->begun++] = attempt;
    if (cg__attempt_begin(attempt) == CG_PENDING)
        race->pending++;
    else
        note(race, attempt);
}

/* Removes the address to try next: the first of the wanted family, or else the first. */
static struct cg_addr take_next(struct race *race)
{
    struct cg_addr addr;
    int i = 0;

    while (i < race->count && race->untried[i].base.sa_family != race->wanted)
        i++;
    if (i == race->count)
        i = 0;
    addr = race->untried[i];
    for (race->count--; i < race->count; i++)
        race->untried[i] = race->untried[i + 1];
    race->wanted = addr.base.sa_family == AF_INET ? AF_INET6 : AF_INET;
    return addr;
}

/* Returns 0 when an attempt has connected, or when there is nothing to try or wait for;
 * -ECANCELED. */
static ssize_t run(struct race *race)
{
    while (race->winner == NULL &&
           (race->count > 0 || race->pending > 0 || race->looking > 0)) {
        struct race_op wait = {.type = &race_type, .race = race, .timeout = CG_NEVER};
        int64_t now = cg_sched_now(cg_sched_self());
        ssize_t rc;

        if (race->count > 0 && race->next <= now) {
            struct cg_addr addr = take_next(race);

            race->next = now + CG_CONNECT_DELAY;
            begin(race, &addr);
            continue;
        }
        if (race->count > 0)
            wait.timeout = race->next - now;
        rc = cg_yield(&wait.op);
        if (rc == -ETIMEDOUT)
            race->next = 0;
        else if (rc < 0)
            return rc;
    }
    return 0;
}

static void add_addrs(struct race *race, const struct cg_addr_list *list)
{
    for (int i = 0; i < list->count; i++)
        race->untried[race->count++] = list->addrs[i];
}

/* A look-up of one family, in a coroutine of its own. */
struct lookup {
    struct race *race;
    const char *host, *port;
    sa_family_t family;
};

/* Keeps the more informative error: "unknown host" says less than a failed look-up. */
static void note_lookup(struct race *race, ssize_t result, sa_family_t family)
{
    race->looking--;
    if (result < 0 && (race->lookup_error == 0 || race->lookup_error == CG_EHOST))
        race->lookup_error = result;
    if (race->begun > 0)
        return;
    race->next = 0;
    if (result > 0 && family == AF_INET && race->looking > 0)
        race->next = cg_sched_now(cg_sched_self()) + CG_RESOLUTION_DELAY;
}

/* Does not end by itself after its look-up: the race ends it. */
static ssize_t look_up(void *arg)
{
    struct lookup *lookup = arg;
    struct cg_addr_list list;
    ssize_t n = cg_yield(
        cg_resolve(lookup->host, lookup->port, &list, .family = lookup->family));

    if (n == -ECANCELED)
        return n;
    if (n > 0)
        add_addrs(lookup->race, &list);
    note_lookup(lookup->race, n, lookup->family);
    wake(lookup->race);
    return cg_yield(cg_suspend());
}

static ssize_t run_it(void *race)
{
    return run(race);
}

/* AAAA goes first, as RFC 8305 recommends. */
static ssize_t run_apart(struct race *race, const char *host, const char *port)
{
    struct lookup ipv6 = {race, host, port, AF_INET6}, ipv4 = {race, host, port, AF_INET};
    struct cg_op *branches[] = {cg_call(look_up, &ipv6), cg_call(look_up, &ipv4),
                                cg_call(run_it, race)};
    ssize_t first;

    race->wanted = AF_INET6;
    race->looking = 2;
    first = cg_yield(cg_any((branches[0], branches[1], branches[2])));
    return first < 0 ? first : cg_op_result(branches[first]);
}

static ssize_t run_together(struct race *race, const char *host, const char *port)
{
    struct cg_addr_list list;
    ssize_t rc = cg_yield(cg_resolve(host, port, &list));

    if (rc < 0)
        return rc;
    add_addrs(race, &list);
    race->wanted = list.addrs[0].base.sa_family;
    return run(race);
}

ssize_t cg__connect_name(struct cg_connect_op *op)
{
    char host[CG_HOST_SIZE], port[6];
    struct race race = {.options = op->options};
    ssize_t rc;

    if (!cg__addr_split(op->addr, host, port)) /* the text was checked by process */
        return CG_EADDR;
    if (cg__resolve_apart(cg_sched_self(), host))
        rc = run_apart(&race, host, port);
    else
        rc = run_together(&race, host, port);
    for (int i = 0; i < race.begun; i++)
        if (race.attempts[i] != race.winner)
            cg__attempt_end(race.attempts[i]);
    if (race.winner != NULL)
        return cg__attempt_sock(race.winner, &op->sock);
    if (rc < 0)
        return rc;
    return race.error < 0 ? race.error : race.lookup_error;
}
