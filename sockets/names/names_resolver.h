/* SPDX-License-Identifier: MIT */
/* The resolver "world": see names_resolver.c. */
#ifndef COGEN_SOCKETS_NAMES_NAMES_RESOLVER_H
#define COGEN_SOCKETS_NAMES_NAMES_RESOLVER_H

#include <cogen/resolve.h>

int cg__names_resolver_open(const struct cg_resolver_options *options,
                            struct cg_resolver **resolver);

#endif
