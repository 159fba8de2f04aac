/* SPDX-License-Identifier: MIT */
/* The look-ups of the c-ares resolver: which operations wait, what c-ares has been asked for
 * them, and what the cache has. */
#ifndef COGEN_SOCKETS_RESOLVE_CARES_LOOKUPS_H
#define COGEN_SOCKETS_RESOLVE_CARES_LOOKUPS_H

#include "sockets/resolve/cares_channel.h"
#include "sockets/resolve/records.h"
#include "sockets/resolve/resolv_conf.h"
#include "sockets/resolve/resolve.h"
#include "sockets/resolve/resolve_cache.h"

struct cg__cares_lookup;

struct cg__cares_lookups {
    struct cg_sched *sched;
    struct cg__cares_channel channel;
    bool closing;  /* the resolver is being closed: complete no op */
    bool renewing; /* the channel is being replaced: ask its queries again */
    struct cg__cares_lookup *unasked, **unasked_tail;
    size_t wanted; /* lookups whose op waits; each holds the run open */
    size_t asked;  /* lookups that c-ares has */
    struct cg__resolv_conf conf;
    struct cg__resolve_cache cache;
};

/* Prepares a struct that is all zero. Returns 0 or -ENOMEM; free it in any case. */
int cg__cares_lookups_init(struct cg__cares_lookups *all,
                           const struct cg_resolver_options *options);
void cg__cares_lookups_free(struct cg__cares_lookups *all);

/* Completes an op that asks for a name with a cached result. False: there is none. */
bool cg__cares_lookups_recall(struct cg__cares_lookups *all, struct cg_resolve_op *op,
                              const char *name);

/* Adds a look-up of a name for an op. Returns 0 or -ENOMEM. */
int cg__cares_lookups_add(struct cg__cares_lookups *all, struct cg_resolve_op *op,
                          const char *name);
void cg__cares_lookups_cancel(struct cg__cares_lookups *all, struct cg_resolve_op *op);

/* Asks c-ares for all that were added. Called on a stack that is large enough for it. */
void cg__cares_lookups_ask(struct cg__cares_lookups *all);

#endif
