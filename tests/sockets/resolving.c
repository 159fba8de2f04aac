/* SPDX-License-Identifier: MIT */
/* What the tests of cg_resolve share: see resolving.h. */
#include "config.h"

#include "tests/sockets/resolving.h"
#include "tests/support/support.h"

#include <string.h>

struct cg_resolver *resolving_use(struct cg_sched *sched, const char *name,
                                  const struct cg_resolver_options *options)
{
    struct cg_resolver *resolver;

    OK(cg_resolver_open(name, options, &resolver));
    OK(cg_sched_set_resolver(sched, resolver));
    return resolver;
}

void resolving_check(const struct cg_addr *addr, const char *want)
{
    char text[CG_ADDR_SIZE];

    OK(cg_addr_print(addr, text, sizeof text));
    ck_assert_str_eq(text, want);
}

struct cg_addr_list resolving_untouched(void)
{
    struct cg_addr_list list;

    memset(&list, 0xa5, sizeof list);
    return list;
}

void resolving_check_untouched(const struct cg_addr_list *list)
{
    struct cg_addr_list before = resolving_untouched();

    ck_assert(memcmp(list, &before, sizeof before) == 0);
}

bool resolving_has(const struct cg_addr_list *list, const char *want)
{
    char text[CG_ADDR_SIZE];

    for (int i = 0; i < list->count; i++) {
        OK(cg_addr_print(&list->addrs[i], text, sizeof text));
        if (strcmp(text, want) == 0)
            return true;
    }
    return false;
}

ssize_t resolving_look_up(void *arg)
{
    struct resolving *lookup = arg;

    return cg_yield(cg_resolve(lookup->host, "80", &lookup->list,
                               .timeout = lookup->timeout, .shield = lookup->shield));
}
