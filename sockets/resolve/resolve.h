/* SPDX-License-Identifier: MIT */
/* What the files of cg_resolve share: how to open each resolver, and lists of addresses. */
#ifndef COGEN_SOCKETS_RESOLVE_RESOLVE_H
#define COGEN_SOCKETS_RESOLVE_RESOLVE_H

#include <cogen/resolve.h>

/* Each opens a resolver. Returns 0, -ENOMEM, or -EOPNOTSUPP if options were given that
 * this resolver does not have. */
int cg__resolve_cares_open(const struct cg_resolver_options *options,
                           struct cg_resolver **resolver); /* HAVE_CARES */
int cg__resolve_thread_open(const struct cg_resolver_options *options,
                            struct cg_resolver **resolver);
int cg__resolve_fixed_open(const struct cg_resolver_options *options,
                           struct cg_resolver **resolver);

/* Appends an IPv4 or IPv6 address; ignores other families, and addresses for which there
 * is no room. */
void cg__resolve_add(struct cg_addr_list *list, const struct sockaddr *addr);

/* Sets the port, in network byte order, of all addresses. */
void cg__resolve_set_port(struct cg_addr_list *list, in_port_t port);

/* Keeps only addresses of the family (AF_UNSPEC: all). Returns how many are left, or
 * CG_EHOST if none is. */
int cg__resolve_filter(struct cg_addr_list *list, int family);

/* Whether the scheduler's resolver looks up the two families of this host separately. */
bool cg__resolve_apart(struct cg_sched *sched, const char *host);

#endif
