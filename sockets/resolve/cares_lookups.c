/* SPDX-License-Identifier: MIT */
/* The look-ups of the c-ares resolver: see cares_lookups.h. */
#include "config.h"

#include "sockets/resolve/cares_answer.h"
#include "sockets/resolve/cares_lookups.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

enum { CLASS_IN = 1 };

/* A query. c-ares cannot cancel a single one, so a lookup may outlive its op. */
struct cg__cares_lookup {
    struct cg__cares_lookup *next; /* in the list of lookups not yet submitted */
    struct cg__cares_lookups *all;
    struct cg_resolve_op *op; /* NULL: the op was cancelled */
    enum cg_resolve_kind kind;
    int family;
    struct cg_addr addr; /* the one whose names are wanted */
    char host[CG_HOST_SIZE];
};

/* A lookup's op no longer waits. */
static void unwant(struct cg__cares_lookups *all)
{
    all->wanted--;
    cg_sched_unhold(all->sched);
}

static void enqueue(struct cg__cares_lookups *all, struct cg__cares_lookup *lookup)
{
    lookup->next = NULL;
    *all->unasked_tail = lookup;
    all->unasked_tail = &lookup->next;
}

static int64_t now_of(const struct cg__cares_lookups *all)
{
    return cg_sched_now(all->sched);
}

/* What the cache distinguishes beside the host. */
static int key_of(enum cg_resolve_kind kind, int family)
{
    return (int)kind << 16 | family;
}

static void remember(struct cg__cares_lookups *all, const struct cg__cares_lookup *lookup,
                     const struct cg__cares_answer *answer)
{
    int64_t now = now_of(all);

    if (!all->channel.options.no_cache)
        cg__resolve_cache_put(&all->cache, lookup->host, key_of(lookup->kind, lookup->family),
                              answer->result, &answer->records,
                              cg__records_len(lookup->kind, &answer->records), now,
                              now + answer->lifetime);
}

/* Completes the op of a lookup. */
static void finish(struct cg__cares_lookup *lookup, const struct cg__cares_answer *answer)
{
    struct cg__cares_lookups *all = lookup->all;
    struct cg_resolve_op *op = lookup->op;

    remember(all, lookup, answer);
    if (answer->result > 0)
        cg__records_store(op, &answer->records);
    unwant(all);
    cg_op_complete(&op->op, answer->result);
}

/* Whether an op waits for the lookup that c-ares has completed. If the channel is being
 * replaced, asks again. */
static bool is_wanted(struct cg__cares_lookup *lookup)
{
    struct cg__cares_lookups *all = lookup->all;

    all->asked--;
    if (lookup->op != NULL && !all->renewing && !all->closing)
        return true;
    if (lookup->op != NULL && all->renewing)
        enqueue(all, lookup);
    else
        free(lookup);
    return false;
}

static void resolved(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct cg__cares_answer answer;

    (void)timeouts;
    if (is_wanted(arg)) {
        cg__cares_answer_addrs(&answer, status, info);
        finish(arg, &answer);
        free(arg);
    }
    if (info != NULL)
        ares_freeaddrinfo(info);
}

static void received(void *arg, int status, int timeouts, unsigned char *message, int len)
{
    struct cg__cares_lookup *lookup = arg;
    struct cg__cares_answer answer;

    (void)timeouts;
    if (!is_wanted(lookup))
        return;
    cg__cares_answer_message(&answer, lookup->kind, status, message, len);
    finish(lookup, &answer);
    free(lookup);
}

/* The next query makes a new channel. */
static void leave_channel(struct cg__cares_lookups *all)
{
    all->renewing = true;
    cg__cares_channel_close(&all->channel);
    all->renewing = false;
}

static struct cg__cares_lookup *take_unasked(struct cg__cares_lookups *all)
{
    struct cg__cares_lookup *lookup = all->unasked;

    all->unasked = lookup->next;
    if (all->unasked == NULL)
        all->unasked_tail = &all->unasked;
    return lookup;
}

static void refuse(struct cg__cares_lookups *all, struct cg__cares_lookup *lookup, int error)
{
    if (lookup->op != NULL) {
        unwant(all);
        cg_op_complete(&lookup->op->op, error);
    }
    free(lookup);
}

/* Returns the family to ask for. A name of the hosts file is looked up whole: if the file
 * has no address of the wanted family, c-ares would ask name servers for one. */
static int family_to_ask(struct cg__cares_lookups *all, const struct cg__cares_lookup *lookup)
{
    struct hostent *known = NULL;

    if (lookup->family == AF_UNSPEC ||
        ares_gethostbyname_file(all->channel.ares, lookup->host, AF_UNSPEC, &known) !=
            ARES_SUCCESS)
        return lookup->family;
    ares_free_hostent(known);
    return AF_UNSPEC;
}

static void ask_addrs(struct cg__cares_lookups *all, struct cg__cares_lookup *lookup)
{
    struct ares_addrinfo_hints hints = {.ai_socktype = SOCK_STREAM,
                                        .ai_family = family_to_ask(all, lookup)};

    all->asked++;
    ares_getaddrinfo(all->channel.ares, lookup->host, NULL, &hints, resolved, lookup);
}

/* Looks an address up in the hosts file. Returns whether it is there. */
static bool find_in_hosts(struct cg__cares_lookup *lookup)
{
    struct cg__cares_answer answer;

    if (lookup->kind != CG_RESOLVE_PTR)
        return false;
    cg__cares_answer_hosts(&answer, &lookup->addr);
    if (answer.result < 0)
        return false;
    finish(lookup, &answer);
    free(lookup);
    return true;
}

static void ask_records(struct cg__cares_lookups *all, struct cg__cares_lookup *lookup)
{
    if (find_in_hosts(lookup))
        return;
    all->asked++;
    ares_search(all->channel.ares, lookup->host, CLASS_IN, cg__cares_type(lookup->kind),
                received, lookup);
}

void cg__cares_lookups_ask(struct cg__cares_lookups *all)
{
    int error = 0;

    if (cg__cares_channel_is_old(&all->channel))
        leave_channel(all);
    if (all->unasked != NULL)
        error = cg__cares_channel_open(&all->channel, all->sched);
    while (all->unasked != NULL) {
        struct cg__cares_lookup *lookup = take_unasked(all);

        if (error < 0 || lookup->op == NULL)
            refuse(all, lookup, error);
        else if (lookup->kind == CG_RESOLVE_ADDR)
            ask_addrs(all, lookup);
        else
            ask_records(all, lookup);
    }
}

bool cg__cares_lookups_recall(struct cg__cares_lookups *all, struct cg_resolve_op *op,
                              const char *name)
{
    int64_t now = now_of(all);

    if (cg__resolv_conf_has_changed(&all->conf, all->channel.resolv_conf, now)) {
        cg__resolve_cache_clear(&all->cache);
        all->channel.outdated = all->channel.is_open;
    }
    op->result = cg__resolve_cache_find(&all->cache, name, key_of(op->kind, op->family), now,
                                        op->found);
    if (op->result > 0 && op->kind == CG_RESOLVE_ADDR)
        cg__resolve_set_port(op->list, op->port);
    return op->result != 0;
}

int cg__cares_lookups_add(struct cg__cares_lookups *all, struct cg_resolve_op *op,
                          const char *name)
{
    struct cg__cares_lookup *lookup = calloc(1, sizeof *lookup);

    if (lookup == NULL)
        return -ENOMEM;
    lookup->all = all;
    lookup->op = op;
    lookup->kind = op->kind;
    lookup->family = op->family;
    strcpy(lookup->host, name);
    if (op->kind == CG_RESOLVE_PTR)
        cg__records_addr(op->host, &lookup->addr);
    op->lookup = lookup;
    enqueue(all, lookup);
    all->wanted++;
    cg_sched_hold(all->sched);
    return 0;
}

void cg__cares_lookups_cancel(struct cg__cares_lookups *all, struct cg_resolve_op *op)
{
    ((struct cg__cares_lookup *)op->lookup)->op = NULL;
    unwant(all);
}

int cg__cares_lookups_init(struct cg__cares_lookups *all,
                           const struct cg_resolver_options *options)
{
    all->unasked_tail = &all->unasked;
    cg__resolve_cache_init(&all->cache);
    return cg__cares_channel_init(&all->channel, options);
}

void cg__cares_lookups_free(struct cg__cares_lookups *all)
{
    all->closing = true;
    while (all->unasked != NULL)
        free(take_unasked(all));
    cg__cares_channel_free(&all->channel);
    cg__resolve_cache_clear(&all->cache);
}
