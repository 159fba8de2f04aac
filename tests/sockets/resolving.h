/* SPDX-License-Identifier: MIT */
/* What the tests of cg_resolve share. */
#ifndef COGEN_TESTS_SOCKETS_RESOLVING_H
#define COGEN_TESTS_SOCKETS_RESOLVING_H

#include <cogen/resolve.h>

/* Opens a resolver and gives it to the scheduler. */
struct cg_resolver *resolving_use(struct cg_sched *sched, const char *name,
                                  const struct cg_resolver_options *options);

void resolving_check(const struct cg_addr *addr, const char *want);

/* A list as it was before: nothing has written to it. */
struct cg_addr_list resolving_untouched(void);
void resolving_check_untouched(const struct cg_addr_list *list);

/* Whether a list has an address, wherever. */
bool resolving_has(const struct cg_addr_list *list, const char *want);

/* A look-up in a coroutine of its own. */
struct resolving {
    const char *host;
    int64_t timeout;
    bool shield;
    struct cg_addr_list list;
};

ssize_t resolving_look_up(void *resolving);

#endif
