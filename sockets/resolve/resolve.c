/* SPDX-License-Identifier: MIT */
/* cg_resolve: completes at once what needs no look-up, and leaves the rest to the
 * scheduler's resolver. Also the table of resolvers. */
#include "config.h"

#include "lib/base/ascii.h"
#include "sockets/names/names_resolver.h"
#include "sockets/resolve/addr.h"
#include "sockets/resolve/records.h"
#include "sockets/resolve/resolve.h"

#include <cogen/reactor.h>

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct cg_resolve_op) <= 128, "core ops fit in 128 bytes");

static struct cg_resolve_op *of(struct cg_op *op)
{
    return (struct cg_resolve_op *)op;
}

static const struct {
    const char *name;
    int (*open)(const struct cg_resolver_options *options,
                struct cg_resolver **resolver);
} table[] = {
#ifdef HAVE_CARES
    {"c-ares", cg__resolve_cares_open},
#else
    {"c-ares", NULL},
#endif
    {"thread", cg__resolve_thread_open},
    {"fixed", cg__resolve_fixed_open},
    {"world", cg__names_resolver_open},
};

int cg_resolver_open(const char *name, const struct cg_resolver_options *options,
                     struct cg_resolver **resolver)
{
    static const struct cg_resolver_options none;

    if (options == NULL)
        options = &none;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (name == NULL ? table[i].open == NULL : strcmp(table[i].name, name) != 0)
            continue;
        return table[i].open != NULL ? table[i].open(options, resolver) : -EOPNOTSUPP;
    }
    return -EINVAL;
}

void cg_resolver_close(struct cg_resolver *resolver)
{
    if (resolver != NULL)
        resolver->type->close(resolver);
}

static const char key; /* of the resolver that the scheduler keeps */

static struct cg_resolver *of_kept(struct cg_kept *kept)
{
    return (struct cg_resolver *)((char *)kept - offsetof(struct cg_resolver, kept));
}

static void sched_freed(struct cg_kept *kept)
{
    cg_resolver_close(of_kept(kept));
}

static void sched_forked(struct cg_kept *kept)
{
    struct cg_resolver *resolver = of_kept(kept);

    if (resolver->type->forked != NULL)
        resolver->type->forked(resolver);
}

int cg_sched_set_resolver(struct cg_sched *sched, struct cg_resolver *resolver)
{
    if (resolver->sched != NULL || cg_sched_kept(sched, &key) != NULL)
        return -EBUSY;
    resolver->sched = sched;
    resolver->kept =
        (struct cg_kept){.key = &key, .free = sched_freed, .forked = sched_forked};
    cg_sched_keep(sched, &resolver->kept);
    return 0;
}

/* A simulated world asks its own name server or, without one, gets the fixed resolver, never
 * the real one. */
static int open_default(struct cg_sched *sched, struct cg_resolver **resolver)
{
    const struct cg_reactor *reactor = cg_sched_reactor(sched);
    const struct cg_resolver_options options = {.servers = reactor->name_server};
    const char *name = !reactor->simulated ? NULL : options.servers ? "world" : "fixed";
    int rc = cg_resolver_open(name, &options, resolver);

    return rc < 0 ? rc : cg_sched_set_resolver(sched, *resolver);
}

static int resolver_of(struct cg_sched *sched, struct cg_resolver **resolver)
{
    struct cg_kept *kept = cg_sched_kept(sched, &key);

    if (kept == NULL)
        return open_default(sched, resolver);
    *resolver = of_kept(kept);
    return 0;
}

bool cg__resolve_apart(struct cg_sched *sched, const char *host)
{
    struct cg_resolver *resolver;

    return !cg__addr_same_host(host, "localhost") &&
           resolver_of(sched, &resolver) == 0 && resolver->type->apart != NULL &&
           resolver->type->apart(resolver, host);
}

int cg_addr_print(const struct cg_addr *addr, char *buf, size_t size)
{
    return cg__addr_print(&addr->base, addr->len, buf, size);
}

void cg__resolve_add(struct cg_addr_list *list, const struct sockaddr *addr)
{
    struct cg_addr *to = &list->addrs[list->count];

    if (list->count == CG_ADDRS_MOST)
        return;
    if (addr->sa_family == AF_INET)
        to->len = sizeof to->in;
    else if (addr->sa_family == AF_INET6)
        to->len = sizeof to->in6;
    else
        return;
    memcpy(&to->base, addr, to->len);
    list->count++;
}

void cg__resolve_set_port(struct cg_addr_list *list, in_port_t port)
{
    for (int i = 0; i < list->count; i++) {
        struct cg_addr *addr = &list->addrs[i];

        if (addr->base.sa_family == AF_INET)
            addr->in.sin_port = port;
        else
            addr->in6.sin6_port = port;
    }
}

int cg__resolve_filter(struct cg_addr_list *list, int family)
{
    int kept = 0;

    for (int i = 0; i < list->count; i++)
        if (family == AF_UNSPEC || list->addrs[i].base.sa_family == family)
            list->addrs[kept++] = list->addrs[i];
    list->count = kept;
    return kept > 0 ? kept : CG_EHOST;
}

/* Looks a port's name up in /etc/services; a number needs no look-up. */
static int find_port(const char *service, in_port_t *port)
{
    const struct addrinfo hints = {
        .ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found;
    long number = service == NULL ? 0 : cg__addr_port(service);

    if (number >= 0) {
        *port = htons((uint16_t)number);
        return 0;
    }
    if (service[strspn(service, "0123456789")] == '\0') /* getaddrinfo truncates numbers
                                                         * that are too large */
        return CG_EADDR;
    switch (getaddrinfo(NULL, service, &hints, &found)) {
    case 0:
        *port = ((const struct sockaddr_in *)found->ai_addr)->sin_port;
        freeaddrinfo(found);
        return 0;
    case EAI_MEMORY:
        return -ENOMEM;
    default:
        return CG_EADDR;
    }
}

/* RFC 6761: localhost is always this host, whatever a resolver says. */
static int set_localhost(struct cg_addr_list *list)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};

    list->count = 0;
    cg__resolve_add(list, (const struct sockaddr *)&in6);
    cg__resolve_add(list, (const struct sockaddr *)&in);
    return list->count;
}

/* Stores the address that a text is, or those of localhost. Returns how many, an error, or
 * 0: the host must be looked up. */
static int find_addrs(struct cg_resolve_op *resolve)
{
    struct cg_addr addr;
    int rc = find_port(resolve->service, &resolve->port);

    if (rc < 0)
        return rc;
    rc = cg__addr_host(resolve->host, &addr);
    if (rc == 1) {
        resolve->list->count = 0;
        cg__resolve_add(resolve->list, &addr.base);
    } else if (rc == 0 && cg__addr_same_host(resolve->host, "localhost")) {
        rc = set_localhost(resolve->list);
    }
    if (rc > 0)
        cg__resolve_set_port(resolve->list, resolve->port);
    return rc;
}

/* Returns 1 or more addresses or an error if no look-up is needed, 0 if one is. */
static int resolve_at_once(struct cg_resolve_op *resolve)
{
    bool addrs = resolve->kind == CG_RESOLVE_ADDR;

    if (resolve->host == NULL || resolve->found == NULL)
        return -EINVAL;
    if (resolve->family != AF_UNSPEC &&
        !(addrs && (resolve->family == AF_INET || resolve->family == AF_INET6)))
        return -EINVAL;
    return addrs ? find_addrs(resolve) : cg__records_check(resolve);
}

static bool can_find(const struct cg_resolver *resolver, enum cg_resolve_kind kind)
{
    return kind == CG_RESOLVE_ADDR || (resolver->type->kinds & 1u << kind);
}

static enum cg_verdict resolve_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_resolver *resolver;
    enum cg_verdict verdict;

    of(op)->resolver = NULL;
    op->result = resolve_at_once(of(op));
    if (op->result != 0)
        return CG_DONE;
    op->result = resolver_of(sched, &resolver);
    if (op->result == 0 && !can_find(resolver, of(op)->kind))
        op->result = -EOPNOTSUPP;
    if (op->result < 0)
        return CG_DONE;
    verdict = resolver->type->start(resolver, of(op));
    if (verdict == CG_PENDING)
        of(op)->resolver = resolver;
    return verdict;
}

static enum cg_verdict resolve_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_resolver *resolver = of(op)->resolver;

    (void)sched;
    resolver->type->cancel(resolver, of(op));
    return CG_DONE;
}

/* A resolver may return addresses of families that were not asked for. */
static ssize_t resolve_finish(struct cg_op *op)
{
    struct cg_resolver *resolver = of(op)->resolver;
    ssize_t n = op->result;

    of(op)->resolver = NULL;
    if (resolver != NULL && resolver->type->finish != NULL)
        n = resolver->type->finish(resolver, of(op));
    if (n > 0 && of(op)->kind == CG_RESOLVE_ADDR)
        return cg__resolve_filter(of(op)->list, of(op)->family);
    if (n > 0 && of(op)->kind == CG_RESOLVE_SRV)
        cg__records_order(of(op)->srvs, cg_sched_self());
    return n;
}

static int resolve_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_resolve_op *resolve = (const struct cg_resolve_op *)op;

    static const char *const kinds[] = {"", "SRV ", "TXT ", "PTR "};

    return snprintf(buf, size, "%s%s", kinds[resolve->kind],
                    resolve->host != NULL ? resolve->host : "nobody");
}

const struct cg_op_type cg_resolve_type = {
    .name = "resolve",
    .process = resolve_process,
    .cancel = resolve_cancel,
    .finish = resolve_finish,
    .print = resolve_print,
};
