/* SPDX-License-Identifier: MIT */
/* The resolver with a fixed table, for tests and simulated worlds. A delayed look-up is a
 * timeout of the op: when it fires, finish stores the result. */
#include "config.h"

#include "lib/base/ascii.h"
#include "sockets/resolve/records.h"
#include "sockets/resolve/resolve.h"

#include <cogen/reactor.h>
#include <cogen/sim.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GIVE_UP (30 * CG_SECOND) /* if no answer comes */

struct host {
    struct host *next;
    int64_t delay, delay_ipv4, delay_ipv6;
    int error; /* 0: found is the result */
    enum cg_resolve_kind kind;
    union cg__records found;
    char name[];
};

struct fixed {
    struct cg_resolver base;
    struct host *hosts;
};

static struct host **find(struct fixed *fixed, enum cg_resolve_kind kind, const char *name)
{
    struct host **at = &fixed->hosts;

    while (*at != NULL && ((*at)->kind != kind || !cg__addr_same_host((*at)->name, name)))
        at = &(*at)->next;
    return at;
}

static const struct host *find_asked(struct fixed *fixed, const struct cg_resolve_op *op)
{
    char name[CG_HOST_SIZE];

    cg__records_question(op, name);
    return *find(fixed, op->kind, name);
}

static ssize_t look_up(struct fixed *fixed, struct cg_resolve_op *op)
{
    const struct host *host = find_asked(fixed, op);

    if (host == NULL)
        return CG_EHOST;
    if (host->error < 0)
        return host->error;
    return cg__records_store(op, &host->found);
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
    const struct host *host = *find((struct fixed *)resolver, CG_RESOLVE_ADDR, name);

    return host != NULL && (host->delay_ipv4 != 0 || host->delay_ipv6 != 0);
}

/* Parses addresses. Returns how many the text has, or CG_EADDR. */
static int read_addrs(const char *text, struct cg_addr_list *list)
{
    char word[CG_HOST_SIZE];
    struct cg_addr addr;
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

/* Chooses what is wrong with an answer, if the world lacks good ones. Returns whether op has
 * its result; *late is what a late answer takes on top. */
static bool go_wrong(struct cg_reactor *reactor, struct cg_resolve_op *op, int64_t *late)
{
    union cg__records wrong = {.count = 0};

    if (!cg__reactor_lacks(reactor, CG_LACKS_NAMES))
        return false;
    switch (cg_sim_random(reactor, 5)) {
    case 0:
        op->result = CG_ELOOKUP;
        return true;
    case 1:
        op->result = CG_EHOST;
        return true;
    case 2:
        op->result = CG_EHOST;
        if (op->kind == CG_RESOLVE_ADDR && read_addrs("192.0.2.1", &wrong.addrs) > 0)
            op->result = cg__records_store(op, &wrong);
        return true;
    case 3:
        *late = 1 + (int64_t)cg_sim_random(reactor, GIVE_UP - 1);
        return false;
    default:
        *late = GIVE_UP;
        return false;
    }
}

static enum cg_verdict fixed_start(struct cg_resolver *resolver,
                                   struct cg_resolve_op *op)
{
    struct fixed *fixed = (struct fixed *)resolver;
    const struct host *host = find_asked(fixed, op);
    int64_t delay = host != NULL ? delay_of(host, op->family) : 0, late = 0;

    if (go_wrong(cg_sched_reactor(resolver->sched), op, &late))
        return CG_DONE;
    delay = delay < CG_NEVER - late ? delay + late : CG_NEVER;
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
    if (late == GIVE_UP) /* a negative moment: then no answer comes, see fixed_finish */
        op->due = -op->due;
    return CG_PENDING;
}

static void fixed_cancel(struct cg_resolver *resolver, struct cg_resolve_op *op)
{
    (void)resolver;
    (void)op;
}

static ssize_t fixed_finish(struct cg_resolver *resolver, struct cg_resolve_op *op)
{
    bool answered = op->due >= 0;

    if (op->result != -ETIMEDOUT ||
        (int64_t)op->timer.expiry < (answered ? op->due : -op->due))
        return op->result; /* the op's own timeout fired first */
    return !answered ? CG_ELOOKUP : look_up((struct fixed *)resolver, op);
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
    .kinds = 1 << CG_RESOLVE_SRV | 1 << CG_RESOLVE_TXT | 1 << CG_RESOLVE_PTR,
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

/* Reads a number and the space behind it. */
static bool read_number(const char **at, uint16_t *number)
{
    uint64_t value;

    if (!cg__ascii_number(at, &value) || value > UINT16_MAX || **at != ' ')
        return false;
    *at += strspn(*at, " ");
    *number = (uint16_t)value;
    return true;
}

static void add_srv(struct cg_srv_list *list, const char *text)
{
    struct cg_srv srv;

    if (!read_number(&text, &srv.priority) || !read_number(&text, &srv.weight) ||
        !read_number(&text, &srv.port) || strlen(text) >= sizeof srv.host)
        return;
    strcpy(srv.host, text);
    cg__records_add_srv(list, &srv);
}

/* Adds the record that a line is. Returns 0 or an error. */
static int add_line(union cg__records *found, enum cg_resolve_kind kind, const char *line,
                    size_t len)
{
    char copy[CG_HOST_SIZE + sizeof "65535 65535 65535 "];
    int before = found->count;

    if (kind == CG_RESOLVE_TXT)
        return cg__records_add_txt(&found->txts, line, len, false);
    if (before == (kind == CG_RESOLVE_SRV ? CG_SRVS_MOST : CG_NAMES_MOST))
        return -EMSGSIZE;
    if (len >= sizeof copy)
        return -EINVAL;
    memcpy(copy, line, len);
    copy[len] = '\0';
    if (kind == CG_RESOLVE_SRV)
        add_srv(&found->srvs, copy);
    else
        cg__records_add_name(&found->names, copy);
    return found->count > before ? 0 : -EINVAL;
}

/* Returns 0 or an error. */
static int read_lines(const char *text, enum cg_resolve_kind kind, union cg__records *found)
{
    size_t len = strcspn(text, "\n");
    int rc = add_line(found, kind, text, len);

    while (rc == 0 && text[len] == '\n') {
        text += len + 1;
        len = strcspn(text, "\n");
        rc = add_line(found, kind, text, len);
    }
    return rc;
}

/* Returns 0, or -EINVAL if a host cannot have the options. */
static int check(const struct cg_resolver *resolver, const char *text,
                 const struct cg_host_options *options)
{
    if (resolver->type != &fixed_type || options->delay < 0 || options->delay_ipv4 < 0 ||
        options->delay_ipv6 < 0 || (text == NULL) != (options->error < 0))
        return -EINVAL;
    return 0;
}

/* Sets what is known of a name. */
static int set(struct cg_resolver *resolver, enum cg_resolve_kind kind, const char *name,
               const union cg__records *found, const struct cg_host_options *options)
{
    struct fixed *fixed = (struct fixed *)resolver;
    struct host *host = malloc(sizeof *host + strlen(name) + 1);

    if (host == NULL)
        return -ENOMEM;
    forget(find(fixed, kind, name));
    *host = (struct host){.next = fixed->hosts,
                          .delay = options->delay,
                          .delay_ipv4 = options->delay_ipv4,
                          .delay_ipv6 = options->delay_ipv6,
                          .error = options->error,
                          .kind = kind};
    memcpy(&host->found, found, cg__records_len(kind, found));
    strcpy(host->name, name);
    fixed->hosts = host;
    return 0;
}

static const struct cg_host_options no_options;

int cg_resolver_set_host_with(struct cg_resolver *resolver, const char *name,
                              const char *addrs, const struct cg_host_options *options)
{
    union cg__records found = {.count = 0};
    struct cg_addr numeric;

    if (options == NULL)
        options = &no_options;
    if (check(resolver, addrs, options) < 0)
        return -EINVAL;
    if (name == NULL || cg__addr_host(name, &numeric) != 0 ||
        (addrs != NULL && read_addrs(addrs, &found.addrs) < 0))
        return CG_EADDR;
    return set(resolver, CG_RESOLVE_ADDR, name, &found, options);
}

int cg_resolver_set_records_with(struct cg_resolver *resolver, enum cg_resolve_kind kind,
                                 const char *name, const char *text,
                                 const struct cg_host_options *options)
{
    union cg__records found = {.count = 0};
    struct cg_resolve_op op = {.host = name, .kind = kind};
    char question[CG_HOST_SIZE];
    int rc;

    if (options == NULL)
        options = &no_options;
    if (check(resolver, text, options) < 0 || kind < CG_RESOLVE_SRV || kind > CG_RESOLVE_PTR)
        return -EINVAL;
    if (name == NULL || cg__records_check(&op) < 0)
        return CG_EADDR;
    if (text != NULL && (rc = read_lines(text, kind, &found)) < 0)
        return rc;
    cg__records_question(&op, question);
    return set(resolver, kind, question, &found, options);
}
