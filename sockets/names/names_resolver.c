/* SPDX-License-Identifier: MIT */
/* The resolver of simulated worlds that have a name server. It asks as c-ares does, which has a
 * clock and sockets of its own and so cannot: by datagrams, each family separately, again after
 * a while, and remembers answers for as long as they may be. Each look-up has a coroutine. */
#include "config.h"

#include "lib/core/op.h"
#include "sockets/names/names_message.h"
#include "sockets/names/names_resolver.h"
#include "sockets/resolve/records.h"
#include "sockets/resolve/resolve.h"
#include "sockets/resolve/resolve_cache.h"

#include <cogen/any.h>
#include <cogen/coro.h>
#include <cogen/datagram.h>
#include <cogen/sched.h>
#include <cogen/sim.h>
#include <cogen/sync.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE (5 * CG_SECOND) /* with the first query; twice as long with each later one */

enum { TRIES = 4 };

struct names {
    struct cg_resolver base;
    struct cg_resolver_options options;
    struct cg__resolve_cache cache;
    char *server;
};

/* What is asked about one family. */
struct question {
    struct cg__names_question question;
    struct cg__names_answer answer;
    int family;
    int result; /* addresses, or an error; 0: there is no answer yet */
};

struct lookup {
    struct names *names;
    struct cg_resolve_op *op; /* NULL: it was cancelled */
    struct cg_event left;     /* set when it was */
    struct question questions[2];
    size_t count;
};

static int64_t now_of(const struct names *names)
{
    return cg_sched_now(names->base.sched);
}

static void remember(struct names *names, const struct question *question)
{
    int64_t life = question->result > 0 ? question->answer.ttl * CG_SECOND : CG_RESOLVER_NEGATIVE;

    if (names->options.no_cache || (question->result < 0 && question->result != CG_EHOST))
        return;
    if (life > CG_RESOLVER_LONGEST)
        life = CG_RESOLVER_LONGEST;
    cg__resolve_cache_put(&names->cache, question->question.host, question->family,
                          question->result, &question->answer.addrs,
                          cg__records_len(CG_RESOLVE_ADDR, &question->answer.addrs),
                          now_of(names), now_of(names) + life);
}

static bool is_answered(const struct lookup *lookup)
{
    for (size_t i = 0; i < lookup->count; i++)
        if (lookup->questions[i].result == 0)
            return false;
    return true;
}

static void settle(struct names *names, struct question *question)
{
    const struct cg__names_answer *answer = &question->answer;

    if (answer->code == CG__NAMES_FINE && answer->addrs.count > 0)
        question->result = answer->addrs.count;
    else if (answer->code == CG__NAMES_FINE || answer->code == CG__NAMES_UNKNOWN)
        question->result = CG_EHOST;
    else
        question->result = CG_ELOOKUP;
    remember(names, question);
}

/* The operations of a look-up are shielded: what a shielded operation waits for must go on even
 * if all coroutines, this one included, were cancelled. */
static void ask(struct lookup *lookup, struct cg_sock *sock)
{
    unsigned char message[CG__NAMES_SIZE];

    for (size_t i = 0; i < lookup->count; i++) {
        struct question *question = &lookup->questions[i];

        if (question->result == 0)
            cg_yield(cg_send_to(sock, message,
                                cg__names_message_ask(message, &question->question), NULL,
                                .shield = true));
    }
}

/* Waits for a message until a moment. Returns its length, or below 0: this attempt is over. */
static ssize_t hear(struct lookup *lookup, struct cg_sock *sock, unsigned char *message,
                    int64_t until)
{
    struct cg_op *receive = cg_receive_from(sock, message, CG__NAMES_SIZE, NULL);
    ssize_t n = cg_yield(cg_any((receive, cg_wait_event(&lookup->left)), .deadline = until,
                                .shield = true));

    if (n < 0)
        return n;
    return n == 0 ? cg_op_result(receive) : -ECANCELED;
}

static void note(struct lookup *lookup, const unsigned char *message, size_t len)
{
    for (size_t i = 0; i < lookup->count; i++) {
        struct question *question = &lookup->questions[i];

        if (question->result == 0 &&
            cg__names_message_read_answer(message, len, &question->question, &question->answer))
            settle(lookup->names, question);
    }
}

static void try(struct lookup *lookup, struct cg_sock *sock, int64_t patience)
{
    int64_t until = now_of(lookup->names) + patience;
    unsigned char message[CG__NAMES_SIZE];
    ssize_t n = 0;

    ask(lookup, sock);
    while (n >= 0 && !is_answered(lookup))
        if ((n = hear(lookup, sock, message, until)) >= 0)
            note(lookup, message, (size_t)n);
}

/* Joins the answers, IPv6 first. Returns the number of addresses, or an error: that there is no
 * such host only if both answers say so. */
static int join(const struct lookup *lookup, struct cg_addr_list *list)
{
    int error = CG_EHOST;

    list->count = 0;
    for (size_t i = 0; i < lookup->count; i++) {
        const struct question *question = &lookup->questions[i];

        for (int k = 0; k < question->result; k++)
            cg__resolve_add(list, &question->answer.addrs.addrs[k].base);
        if (question->result <= 0 && question->result != CG_EHOST)
            error = CG_ELOOKUP;
    }
    return list->count > 0 ? list->count : error;
}

static ssize_t run(void *arg)
{
    struct lookup *lookup = arg;
    struct names *names = lookup->names;
    int tries = names->options.tries > 0 ? names->options.tries : TRIES;
    int64_t patience = names->options.timeout > 0 ? names->options.timeout : PATIENCE;
    struct cg_addr_list list;
    struct cg_sock *sock;
    int result;

    if (cg_datagram_open(names->base.sched, NULL, &sock, .peer = names->server) == 0) {
        for (int i = 0; i < tries && lookup->op && !is_answered(lookup); i++)
            try(lookup, sock, patience << i);
        cg_sock_close(sock);
    }
    if (lookup->op) {
        result = join(lookup, &list);
        if (result > 0)
            cg__records_store(lookup->op, &list);
        cg_op_complete(&lookup->op->op, result);
    }
    free(lookup);
    return 0;
}

/* Adds a question, which may have its answer already. */
static void add(struct lookup *lookup, int family)
{
    struct question *question = &lookup->questions[lookup->count++];
    struct names *names = lookup->names;

    question->family = family;
    question->question.id = (uint16_t)cg_sim_random(cg_sched_reactor(names->base.sched), 65536);
    question->question.type = family == AF_INET ? CG__NAMES_A : CG__NAMES_AAAA;
    strcpy(question->question.host, lookup->op->host);
    question->result = cg__resolve_cache_find(&names->cache, lookup->op->host, family,
                                              now_of(names), &question->answer.addrs);
}

static enum cg_verdict names_start(struct cg_resolver *resolver, struct cg_resolve_op *op)
{
    struct names *names = (struct names *)resolver;
    unsigned char message[CG__NAMES_SIZE];
    struct lookup *lookup;

    if (!cg_sched_reactor(resolver->sched)->simulated)
        return cg__op_done(&op->op, -EOPNOTSUPP);
    if ((lookup = calloc(1, sizeof *lookup)) == NULL)
        return cg__op_done(&op->op, -ENOMEM);
    lookup->names = names;
    lookup->op = op;
    for (int family = AF_INET6; family != 0; family = family == AF_INET6 ? AF_INET : 0)
        if (op->family == AF_UNSPEC || op->family == family)
            add(lookup, family);
    if (cg__names_message_ask(message, &lookup->questions[0].question) == 0)
        op->result = CG_EHOST; /* a label is empty or too long: such a host cannot exist */
    else if (is_answered(lookup) && (op->result = join(lookup, op->list)) > 0)
        cg__resolve_set_port(op->list, op->port);
    else if (!is_answered(lookup))
        op->result = cg_sched_start(resolver->sched, run, lookup, .name = "look-up");
    if (op->result != 0) {
        free(lookup);
        return CG_DONE;
    }
    op->lookup = lookup;
    return CG_PENDING;
}

static void names_cancel(struct cg_resolver *resolver, struct cg_resolve_op *op)
{
    struct lookup *lookup = op->lookup;

    (void)resolver;
    lookup->op = NULL;
    cg_event_set(&lookup->left);
}

static bool names_apart(struct cg_resolver *resolver, const char *host)
{
    (void)resolver;
    (void)host;
    return true;
}

static void names_close(struct cg_resolver *resolver)
{
    struct names *names = (struct names *)resolver;

    cg__resolve_cache_clear(&names->cache);
    free(names->server);
    free(names);
}

static const struct cg_resolver_type names_type = {
    .name = "world",
    .start = names_start,
    .cancel = names_cancel,
    .close = names_close,
    .apart = names_apart,
};

int cg__names_resolver_open(const struct cg_resolver_options *options,
                            struct cg_resolver **resolver)
{
    struct names *names;

    if (options->resolv_conf != NULL)
        return -EOPNOTSUPP;
    if (options->timeout < 0 || options->timeout > CG_HOUR || options->tries < 0 ||
        options->tries > 16)
        return -EINVAL;
    if ((names = calloc(1, sizeof *names)) == NULL)
        return -ENOMEM;
    names->base.type = &names_type;
    names->options = *options;
    names->server = strdup(options->servers ? options->servers : CG_SIM_NAME_SERVER);
    if (names->server == NULL) {
        free(names);
        return -ENOMEM;
    }
    cg__resolve_cache_init(&names->cache);
    *resolver = &names->base;
    return 0;
}
