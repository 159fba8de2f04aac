/* SPDX-License-Identifier: MIT */
/* The resolver with a fixed table, for tests and simulated worlds. A delayed look-up is a
 * timeout of the op: when it fires, finish stores the result. */
#include "config.h"

#include "sockets/resolve/addr.h"
#include "sockets/resolve/resolve.h"

#include <cogen/reactor.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct host {
    struct host *next;
    int64_t delay, delay_ipv4, delay_ipv6;
    int error; /* 0: list is the result */
    struct cg_addr_list list;
    char name[];
};

struct fixed {
    struct cg_resolver base;
    struct host *hosts;
};

static struct host **find(struct fixed *fixed, const char *name)
{
    struct host **at = &fixed->hosts;

    while (*at != NULL && !cg__addr_same_host((*at)->name, name))
        at = &(*at)->next;
    return at;
}

static ssize_t look_up(struct fixed *fixed, struct cg_resolve_op *op)
{
    const struct host *host = *find(fixed, op->host);

    if (host == NULL)
        return CG_EHOST;
    if (host->error < 0)
        return host->error;
    *op->list = host->list;
    cg__resolve_set_port(op->list, op->port);
    return op->list->count;
}

static int64_t delay_of(const struct host *host, int family)
{
    int64_t longer =
        host->delay_ipv4 > host->delay_ipv6 ? host->delay_ipv4 : host->delay_ipv6;
    int64_t more = family == AF_INET    ? host->delay_ipv4
                   : family == AF_INET6 ? host->delay_ipv6
                                        : longer;

    return more < CG_NEVER - host->delay ? host->delay + more : CG_NEVER;
}

static bool fixed_apart(struct cg_resolver *resolver, const char *name)
{
    const struct host *host = *find((struct fixed *)resolver, name);

    return host != NULL && (host->delay_ipv4 != 0 || host->delay_ipv6 != 0);
}

static enum cg_verdict fixed_start(struct cg_resolver *resolver,
                                   struct cg_resolve_op *op)
{
    struct fixed *fixed = (struct fixed *)resolver;
    const struct host *host = *find(fixed, op->host);
    int64_t delay = host != NULL ? delay_of(host, op->family) : 0;

    if (delay == 0) {
        op->result = look_up(fixed, op);
        return CG_DONE;
    }
    op->due = CG_NEVER;
    if (delay != CG_NEVER) {
        struct cg_reactor *reactor = cg_sched_reactor(resolver->sched);

        op->due = reactor->type->now(reactor) + delay;
        cg_op_expire_at(&op->op, op->due);
    }
    return CG_PENDING;
}

static void fixed_cancel(struct cg_resolver *resolver, struct cg_resolve_op *op)
{
    (void)resolver;
    (void)op;
}

static ssize_t fixed_finish(struct cg_resolver *resolver, struct cg_resolve_op *op)
{
    if (op->result != -ETIMEDOUT || (int64_t)op->timer.expiry < op->due)
        return op->result; /* the op's own timeout fired first */
    return look_up((struct fixed *)resolver, op);
}

static void forget(struct host **at)
{
    struct host *host = *at;

    if (host == NULL)
        return;
    *at = host->next;
    free(host);
}

static void fixed_close(struct cg_resolver *resolver)
{
    struct fixed *fixed = (struct fixed *)resolver;

    while (fixed->hosts != NULL)
        forget(&fixed->hosts);
    free(fixed);
}

static const struct cg_resolver_type fixed_type = {
    .name = "fixed",
    .start = fixed_start,
    .cancel = fixed_cancel,
    .finish = fixed_finish,
    .close = fixed_close,
    .apart = fixed_apart,
};

int cg__resolve_fixed_open(const struct cg_resolver_options *options,
                           struct cg_resolver **resolver)
{
    struct fixed *fixed;

    if (options->servers != NULL || options->resolv_conf != NULL)
        return -EOPNOTSUPP;
    fixed = calloc(1, sizeof *fixed);
    if (fixed == NULL)
        return -ENOMEM;
    fixed->base.type = &fixed_type;
    *resolver = &fixed->base;
    return 0;
}

/* Parses addresses. Returns how many the text has, or CG_EADDR. */
static int read_addrs(const char *text, struct cg_addr_list *list)
{
    char word[CG__HOST_SIZE];
    struct cg__addr addr;
    size_t length;

    for (; *(text += strspn(text, " ")) != '\0'; text += length) {
        length = strcspn(text, " ");
        if (length >= sizeof word || list->count == CG_ADDRS_MOST)
            return CG_EADDR;
        memcpy(word, text, length);
        word[length] = '\0';
        if (cg__addr_host(word, &addr) != 1)
            return CG_EADDR;
        cg__resolve_add(list, &addr.base);
    }
    return list->count > 0 ? list->count : CG_EADDR;
}

int cg_resolver_set_host_with(struct cg_resolver *resolver, const char *name,
                              const char *addrs, const struct cg_host_options *options)
{
    static const struct cg_host_options none;
    struct cg_addr_list list = {.count = 0};
    struct cg__addr numeric;
    struct fixed *fixed;
    struct host *host;

    if (options == NULL)
        options = &none;
    if (resolver->type != &fixed_type || options->delay < 0 ||
        options->delay_ipv4 < 0 || options->delay_ipv6 < 0 || (addrs == NULL) != (options->error < 0))
        return -EINVAL;
    if (name == NULL || cg__addr_host(name, &numeric) != 0 ||
        (addrs != NULL && read_addrs(addrs, &list) < 0))
        return CG_EADDR;
    host = malloc(sizeof *host + strlen(name) + 1);
    if (host == NULL)
        return -ENOMEM;
    fixed = (struct fixed *)resolver;
    forget(find(fixed, name));
    *host = (struct host){.next = fixed->hosts,
                          .delay = options->delay,
                          .delay_ipv4 = options->delay_ipv4,
                          .delay_ipv6 = options->delay_ipv6,
                          .error = options->error,
                          .list = list};
    strcpy(host->name, name);
    fixed->hosts = host;
    return 0;
}
