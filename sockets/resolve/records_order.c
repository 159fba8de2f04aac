/* SPDX-License-Identifier: MIT */
/* The order of the servers of a service (RFC 2782). In a simulated world chance is the
 * world's, so that a seed repeats it. */
#include "config.h"

#include "lib/base/hash.h"
#include "sockets/resolve/records.h"

#include <cogen/reactor.h>
#include <cogen/sim.h>

/* The bias of the remainder is negligible: shares add up to less than 2^29. */
static uint64_t chance(struct cg_sched *sched, uint64_t below)
{
    struct cg_reactor *reactor = cg_sched_reactor(sched);
    struct cg__hash_key key;

    if (reactor->simulated)
        return cg_sim_random(reactor, below);
    cg__hash_key_init(&key);
    return key.word[0] % below;
}

/* Finds the next server in list[0 .. n - 1]: one of the best priority, each with a chance
 * in proportion to its weight. A weight w counts as 256 * w + 1, so that a weight of 0 has
 * "a very small chance", as the RFC wants. */
static int choose(const struct cg_srv *list, int n, struct cg_sched *sched)
{
    uint16_t best = list[0].priority;
    uint64_t sum = 0, at;
    int i;

    for (i = 1; i < n; i++)
        if (list[i].priority < best)
            best = list[i].priority;
    for (i = 0; i < n; i++)
        if (list[i].priority == best)
            sum += 256u * list[i].weight + 1;
    at = chance(sched, sum);
    for (i = 0; i < n; i++) {
        uint64_t share = 256u * list[i].weight + 1;

        if (list[i].priority != best)
            continue;
        if (at < share)
            break;
        at -= share;
    }
    return i;
}

void cg__records_order(struct cg_srv_list *list, struct cg_sched *sched)
{
    for (int i = 0; i + 1 < list->count; i++) {
        int next = i + choose(list->srvs + i, list->count - i, sched);
        struct cg_srv srv = list->srvs[next];

        list->srvs[next] = list->srvs[i];
        list->srvs[i] = srv;
    }
}
