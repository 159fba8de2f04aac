/* SPDX-License-Identifier: MIT */
/* What the files of cg_resolve share: the resolvers that there are, and answers. */
#ifndef COGEN_SOCKETS_RESOLVE_RESOLVE_H
#define COGEN_SOCKETS_RESOLVE_RESOLVE_H

#include <cogen/resolve.h>

/* Each opens a resolver: 0, -ENOMEM or -EOPNOTSUPP (the options are not for it). */
int cg__resolve_cares_open(const struct cg_resolver_options *options,
                           struct cg_resolver **resolver); /* HAVE_CARES */
int cg__resolve_thread_open(const struct cg_resolver_options *options,
                            struct cg_resolver **resolver);
int cg__resolve_fixed_open(const struct cg_resolver_options *options,
                           struct cg_resolver **resolver);

/* Appends an address to a list if it is of IPv4 or IPv6, and there is room. */
void cg__resolve_add(struct cg_addr_list *list, const struct sockaddr *addr);

/* Sets the port, in the network's order, of all of them. */
void cg__resolve_set_port(struct cg_addr_list *list, in_port_t port);

/* Leaves those of a family (AF_UNSPEC: all): how many, or CG_EHOST if there is none. */
int cg__resolve_filter(struct cg_addr_list *list, int family);

/* Whether the scheduler's resolver answers the two families of this host apart. */
bool cg__resolve_apart(struct cg_sched *sched, const char *host);

#endif
