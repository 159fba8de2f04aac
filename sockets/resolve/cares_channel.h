/* SPDX-License-Identifier: MIT */
/* A channel of c-ares: made with the resolver's options when it is first needed, and made
 * anew in a child made by fork() and when resolv.conf has changed. */
#ifndef COGEN_SOCKETS_RESOLVE_CARES_CHANNEL_H
#define COGEN_SOCKETS_RESOLVE_CARES_CHANNEL_H

#include "sockets/resolve/cares_sockets.h"

#include <cogen/resolve.h>

struct cg__cares_channel {
    ares_channel ares;
    bool is_open;
    bool outdated;  /* it knows an old resolv.conf */
    unsigned forks; /* the count (fork.h) of the process that opened it */
    struct cg__cares_sockets sockets;
    struct cg_resolver_options options;
    char *servers, *resolv_conf;
};

/* Copies the options into a channel that is all zero. Returns 0 or -ENOMEM; free it in any
 * case. */
int cg__cares_channel_init(struct cg__cares_channel *channel,
                           const struct cg_resolver_options *options);
void cg__cares_channel_free(struct cg__cares_channel *channel);

/* Opens the channel for a scheduler, if it is not open. Returns 0 or an error. */
int cg__cares_channel_open(struct cg__cares_channel *channel, struct cg_sched *sched);

/* Whether the channel must be closed before the next query: it is the parent's, whose
 * sockets this child shares, so that the parent would lose the responses that the child
 * reads; or it is outdated. */
bool cg__cares_channel_is_parents(const struct cg__cares_channel *channel);
bool cg__cares_channel_is_old(const struct cg__cares_channel *channel);

/* Closes an open channel. c-ares calls back for each query. */
void cg__cares_channel_close(struct cg__cares_channel *channel);

/* How long c-ares wants to wait at most, ns. */
int64_t cg__cares_channel_patience(struct cg__cares_channel *channel);

#endif
