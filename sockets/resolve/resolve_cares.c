/* SPDX-License-Identifier: MIT */
/* The resolver that asks name servers through c-ares. One coroutine makes all calls to
 * c-ares. It exists only while ops wait: it submits their queries, waits for the sockets
 * of c-ares (cares_sockets.c) and for its timeouts, and ends with the last waiting op. So
 * an idle resolver neither holds the run open nor counts as a deadlock. */
#include "config.h"

#include "lib/base/fork.h"
#include "sockets/resolve/addr.h"
#include "sockets/resolve/cares_sockets.h"
#include "sockets/resolve/resolv_conf.h"
#include "sockets/resolve/resolve.h"
#include "sockets/resolve/resolve_cache.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum { PUMP_STACK = 128 << 10 }; /* bytes; c-ares has large buffers on the stack */

/* A query. c-ares cannot cancel a single one, so a lookup may outlive its op. */
struct lookup {
    struct lookup *next; /* in the list of lookups not yet submitted */
    struct cares *cares;
    struct cg_resolve_op *op; /* NULL: the op was cancelled */
    int family;
    char host[CG__HOST_SIZE];
};

struct cares {
    struct cg_resolver base;
    ares_channel channel;
    bool has_channel;
    bool pumping;
    bool closing;   /* the resolver is being closed: complete no op */
    bool renewing;  /* the channel is being replaced: ask its queries again */
    bool outdated;  /* the channel knows an old resolv.conf */
    unsigned forks; /* the count (fork.h) of the process that made the channel */
    struct lookup *unasked, **unasked_tail;
    size_t wanted;      /* lookups whose op waits; each holds the run open */
    size_t asked;       /* lookups that c-ares has */
    struct cg_op *kick; /* the op on which the pump waits, to wake it */
    struct cg__cares_sockets sockets;
    struct cg_resolver_options options;
    char *servers, *resolv_conf;
    struct cg__resolv_conf conf;
    struct cg__resolve_cache cache;
};

/* The kick is an op that ends the wait of the pump. */

struct kick_op {
    CG_OP_HEAD;
    struct cares *cares;
};

static enum cg_verdict kick_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cares *cares = ((struct kick_op *)op)->cares;

    (void)sched;
    op->result = 0;
    if (cg__cares_sockets_is_ready(&cares->sockets))
        return CG_DONE;
    cares->kick = op;
    return CG_PENDING;
}

static enum cg_verdict kick_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    ((struct kick_op *)op)->cares->kick = NULL;
    return CG_DONE;
}

static const struct cg_op_type kick_type = {
    .name = "lookups",
    .flags = CG_OP_LOCAL,
    .process = kick_process,
    .cancel = kick_cancel,
};

static void kick(struct cares *cares)
{
    struct cg_op *op = cares->kick;

    cares->kick = NULL;
    if (op != NULL)
        cg_op_complete(op, 0);
}

/* A lookup's op no longer waits. */
static void unwant(struct cares *cares)
{
    cares->wanted--;
    cg_sched_unhold(cares->base.sched);
}

static int code_of(int status)
{
    switch (status) {
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_ENONAME:
    case ARES_EBADNAME: /* for instance a label that is too long; such a host cannot
                         * exist */
        return CG_EHOST;
    case ARES_ENOMEM:
        return -ENOMEM;
    default:
        return CG_ELOOKUP;
    }
}

static void enqueue(struct cares *cares, struct lookup *lookup)
{
    lookup->next = NULL;
    *cares->unasked_tail = lookup;
    cares->unasked_tail = &lookup->next;
}

static int64_t now_of(const struct cares *cares)
{
    return cg_sched_now(cares->base.sched);
}

/* How long the result may be cached, ns. Entries of the hosts file have a time to live of
 * 0. */
static int64_t lifetime(int result, const struct ares_addrinfo *info)
{
    int64_t least = CG_RESOLVER_LONGEST;

    if (result == CG_EHOST)
        return CG_RESOLVER_NEGATIVE;
    if (result < 0)
        return 0;
    for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next)
        if (node->ai_ttl * CG_SECOND < least)
            least = node->ai_ttl * CG_SECOND;
    return least;
}

static void remember(struct cares *cares, const struct lookup *lookup, int result,
                     const struct cg_addr_list *list, const struct ares_addrinfo *info)
{
    int64_t now = now_of(cares);

    if (!cares->options.no_cache)
        cg__resolve_cache_put(&cares->cache, lookup->host, lookup->family, result, list, now,
                              now + lifetime(result, info));
}

static void resolved(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct lookup *lookup = arg;
    struct cares *cares = lookup->cares;
    struct cg_resolve_op *op = lookup->op;

    (void)timeouts;
    cares->asked--;
    if (op != NULL && cares->renewing) {
        enqueue(cares, lookup);
        return;
    }
    if (op != NULL && !cares->closing) {
        struct cg_addr_list list = {.count = 0};
        int result = code_of(status);

        if (status == ARES_SUCCESS) {
            for (struct ares_addrinfo_node *node = info->nodes; node;
                 node = node->ai_next)
                cg__resolve_add(&list, node->ai_addr);
            result = list.count > 0 ? list.count : CG_EHOST;
        }
        remember(cares, lookup, result, &list, info);
        if (result > 0) {
            cg__resolve_set_port(&list, op->port);
            *op->list = list;
        }
        unwant(cares);
        cg_op_complete(&op->op, result);
    }
    if (info != NULL)
        ares_freeaddrinfo(info);
    free(lookup);
}

static void woken(struct cg__cares_sockets *sockets)
{
    kick((struct cares *)((char *)sockets - offsetof(struct cares, sockets)));
}

/* Sets the servers that the options name. If that fails, destroys the channel, because it
 * would ask the system's servers. */
static int set_servers(struct cares *cares)
{
    int status = ARES_SUCCESS;

    if (cares->servers != NULL)
        status = ares_set_servers_ports_csv(cares->channel, cares->servers);
    if (status == ARES_SUCCESS)
        return 0;
    ares_destroy(cares->channel);
    return code_of(status);
}

static int open_channel(struct cares *cares)
{
    struct ares_options options = {
        .timeout =
            (int)((cares->options.timeout + CG_MILLISECOND - 1) / CG_MILLISECOND),
        .tries = cares->options.tries,
        .resolvconf_path = cares->resolv_conf,
    };
    int mask = ARES_OPT_SOCK_STATE_CB | (options.timeout > 0 ? ARES_OPT_TIMEOUTMS : 0) |
               (options.tries > 0 ? ARES_OPT_TRIES : 0) |
               (cares->resolv_conf != NULL ? ARES_OPT_RESOLVCONF : 0);
    int status;

    cares->sockets.sched = cares->base.sched;
    cares->sockets.woken = woken;
    cg__cares_sockets_prepare(&cares->sockets, &options);
    status = ares_init_options(&cares->channel, &options, mask);
    if (status != ARES_SUCCESS)
        return status == ARES_ENOMEM ? -ENOMEM : CG_ELOOKUP;
    cg__cares_sockets_attach(&cares->sockets, cares->channel);
    status = set_servers(cares);
    cares->has_channel = status == 0;
    cares->forks = cg__fork_count();
    return status;
}

static bool is_parents(const struct cares *cares)
{
    return cares->has_channel && cares->forks != cg__fork_count();
}

/* The next query makes a new channel. In a child made by fork() the channel's sockets are
 * shared with the parent, which would lose the responses that the child reads. */
static void leave_channel(struct cares *cares)
{
    cares->renewing = true;
    ares_destroy(cares->channel); /* calls resolved() for each question */
    cares->renewing = false;
    cares->has_channel = false;
    cares->outdated = false;
    cares->sockets.broken = false;
}

static struct lookup *take_unasked(struct cares *cares)
{
    struct lookup *lookup = cares->unasked;

    cares->unasked = lookup->next;
    if (cares->unasked == NULL)
        cares->unasked_tail = &cares->unasked;
    return lookup;
}

static void refuse(struct cares *cares, struct lookup *lookup, int error)
{
    if (lookup->op != NULL) {
        unwant(cares);
        cg_op_complete(&lookup->op->op, error);
    }
    free(lookup);
}

/* Returns the family to ask for. A name of the hosts file is looked up whole: if the file
 * has no address of the wanted family, c-ares would ask name servers for one. */
static int family_to_ask(struct cares *cares, const struct lookup *lookup)
{
    struct hostent *known = NULL;

    if (lookup->family == AF_UNSPEC ||
        ares_gethostbyname_file(cares->channel, lookup->host, AF_UNSPEC, &known) !=
            ARES_SUCCESS)
        return lookup->family;
    ares_free_hostent(known);
    return AF_UNSPEC;
}

static void ask(struct cares *cares)
{
    struct ares_addrinfo_hints hints = {.ai_socktype = SOCK_STREAM};
    int error = 0;

    if (is_parents(cares) || cares->outdated)
        leave_channel(cares);
    if (cares->unasked != NULL && !cares->has_channel)
        error = open_channel(cares);
    while (cares->unasked != NULL) {
        struct lookup *lookup = take_unasked(cares);

        if (error < 0 || lookup->op == NULL) {
            refuse(cares, lookup, error);
            continue;
        }
        cares->asked++;
        hints.ai_family = family_to_ask(cares, lookup);
        ares_getaddrinfo(cares->channel, lookup->host, NULL, &hints, resolved, lookup);
    }
}

/* How long c-ares wants to wait at most. It counts whole milliseconds and rounds the last
 * one down to 0. */
static int64_t patience(struct cares *cares)
{
    struct timeval space, *left = ares_timeout(cares->channel, NULL, &space);
    int64_t ns;

    if (left == NULL)
        return CG_NEVER;
    ns = left->tv_sec * CG_SECOND + left->tv_usec * CG_MICROSECOND;
    return ns > 0 ? ns : CG_MILLISECOND;
}

/* Waits until c-ares has work to do, and lets it do that. Shielded: the look-up of a
 * shielded op must go on even if all coroutines, this one included, were cancelled. */
static void attend(struct cares *cares)
{
    struct kick_op wait = {
        .type = &kick_type, .cares = cares, .timeout = patience(cares), .shield = true};

    cg_yield(&wait.op);
    if (is_parents(cares))
        return;
    if (cares->sockets.broken)
        ares_cancel(cares->channel);
    cares->sockets.broken = false;
    cg__cares_sockets_process(&cares->sockets);
}

static ssize_t pump(void *arg)
{
    struct cares *cares = arg;

    for (ask(cares); cares->wanted > 0; ask(cares))
        attend(cares);
    if (cares->asked > 0)
        ares_cancel(cares->channel);
    cares->pumping = false;
    return 0;
}

/* Completes an op with a cached result. False: there is none. */
static bool recall(struct cares *cares, struct cg_resolve_op *op)
{
    int64_t now = now_of(cares);
    int result;

    if (cg__resolv_conf_has_changed(&cares->conf, cares->resolv_conf, now)) {
        cg__resolve_cache_clear(&cares->cache);
        cares->outdated = cares->has_channel;
    }
    result = cg__resolve_cache_find(&cares->cache, op->host, op->family, now, op->list);
    if (result > 0)
        cg__resolve_set_port(op->list, op->port);
    op->result = result;
    return result != 0;
}

static enum cg_verdict cares_start(struct cg_resolver *resolver,
                                   struct cg_resolve_op *op)
{
    struct cares *cares = (struct cares *)resolver;
    struct lookup *lookup;

    if (recall(cares, op))
        return CG_DONE;
    lookup = malloc(sizeof *lookup);
    op->result = -ENOMEM;
    if (lookup == NULL)
        return CG_DONE;
    if (!cares->pumping) {
        op->result = cg_sched_start(resolver->sched, pump, cares, .name = "c-ares",
                                    .stack_size = PUMP_STACK);
        if (op->result < 0) {
            free(lookup);
            return CG_DONE;
        }
        cares->pumping = true;
    }
    lookup->cares = cares;
    lookup->op = op;
    lookup->family = op->family;
    strcpy(lookup->host, op->host); /* fits: a well-formed name is shorter */
    op->lookup = lookup;
    enqueue(cares, lookup);
    cares->wanted++;
    cg_sched_hold(resolver->sched);
    kick(cares);
    return CG_PENDING;
}

static void cares_cancel(struct cg_resolver *resolver, struct cg_resolve_op *op)
{
    struct cares *cares = (struct cares *)resolver;

    ((struct lookup *)op->lookup)->op = NULL;
    unwant(cares);
    if (cares->wanted == 0)
        kick(cares);
}

/* Families are always looked up separately, so that one lost response does not delay the
 * other. */
static bool cares_apart(struct cg_resolver *resolver, const char *host)
{
    (void)resolver;
    (void)host;
    return true;
}

/* The pump replaces the channel itself when it notices the fork. */
static void cares_forked(struct cg_resolver *resolver)
{
    kick((struct cares *)resolver);
}

static void cares_close(struct cg_resolver *resolver)
{
    struct cares *cares = (struct cares *)resolver;

    cares->closing = true;
    while (cares->unasked != NULL)
        free(take_unasked(cares));
    if (cares->has_channel)
        ares_destroy(cares->channel);
    cg__resolve_cache_clear(&cares->cache);
    free(cares->servers);
    free(cares->resolv_conf);
    free(cares);
}

static const struct cg_resolver_type cares_type = {
    .name = "c-ares",
    .start = cares_start,
    .cancel = cares_cancel,
    .close = cares_close,
    .apart = cares_apart,
    .forked = cares_forked,
};

int cg__resolve_cares_open(const struct cg_resolver_options *options,
                           struct cg_resolver **resolver)
{
    struct cares *cares;

    if (options->timeout < 0 || options->tries < 0)
        return -EINVAL;
    cares = calloc(1, sizeof *cares);
    if (cares == NULL)
        return -ENOMEM;
    cares->base.type = &cares_type;
    cares->unasked_tail = &cares->unasked;
    cares->options = *options;
    cg__resolve_cache_init(&cares->cache);
    if (options->servers != NULL)
        cares->servers = strdup(options->servers);
    if (options->resolv_conf != NULL)
        cares->resolv_conf = strdup(options->resolv_conf);
    if ((options->servers != NULL && cares->servers == NULL) ||
        (options->resolv_conf != NULL && cares->resolv_conf == NULL)) {
        cares_close(&cares->base);
        return -ENOMEM;
    }
    *resolver = &cares->base;
    return 0;
}
