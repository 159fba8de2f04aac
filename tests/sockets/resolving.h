/* SPDX-License-Identifier: MIT */
/* What the tests of cg_resolve share. */
#ifndef COGEN_TESTS_SOCKETS_RESOLVING_H
#define COGEN_TESTS_SOCKETS_RESOLVING_H

#include <cogen/resolve.h>

/* Opens a resolver and sets it as the scheduler's. */
struct cg_resolver *resolving_use(struct cg_sched *sched, const char *name,
                                  const struct cg_resolver_options *options);

void resolving_check(const struct cg_addr *addr, const char *want);

/* resolving_untouched returns a list with known contents; resolving_check_untouched checks
 * that no look-up has written to it. */
struct cg_addr_list resolving_untouched(void);
void resolving_check_untouched(const struct cg_addr_list *list);

/* Whether the list contains the address. */
bool resolving_has(const struct cg_addr_list *list, const char *want);

/* Runs a look-up in a coroutine of its own. */
struct resolving {
    const char *host;
    int64_t timeout;
    bool shield;
    struct cg_addr_list list;
};

ssize_t resolving_look_up(void *resolving);

#endif
