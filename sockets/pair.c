/* SPDX-License-Identifier: MIT */
/* Pairs in memory: a transport without descriptors. What one end writes is the input of the
 * other one. */
#include "config.h"

#include "sockets/memory.h"

#include <cogen/sched.h>
#include <errno.h>
#include <stdlib.h>

enum { INPUT_LIMIT = 64 * 1024 }; /* bytes of unread input at which the peer's writers wait */

struct end {
    struct cg__memory memory; /* must be the first member */
    struct pair *pair;
    struct end *peer;
    bool open;
};

struct pair {
    struct end end[2];
};

static struct cg__memory *peer_of(const struct cg__memory *end)
{
    return &((const struct end *)end)->peer->memory;
}

static size_t pair_room(const struct cg__memory *end)
{
    size_t unread = peer_of(end)->input.unread;

    return unread < INPUT_LIMIT ? INPUT_LIMIT - unread : 0;
}

static ssize_t pair_put(struct cg__memory *end, const void *data, size_t len, bool now)
{
    struct cg__memory *to = peer_of(end);
    size_t done = cg__input_push(to->reactor, &to->input, data, len);

    (void)now;
    return done > 0 ? (ssize_t)done : -ENOMEM;
}

static void pair_wrote(struct cg__memory *end)
{
    cg__memory_came(peer_of(end));
}

static void pair_read(struct cg__memory *end, size_t len)
{
    struct cg__memory *from = peer_of(end);

    (void)len;
    from->lost = end->deaf;
    cg__memory_roomy(from);
}

static ssize_t pair_finish(struct cg__memory *end)
{
    cg__memory_ended(peer_of(end));
    return 0;
}

static void pair_close(struct cg_sock *sock)
{
    struct end *end = cg_sock_state(sock);

    end->open = false;
    cg__memory_close(&end->memory);
    if (!end->peer->open)
        free(end->pair);
}

static const struct cg__memory_type pair_type = {
    .room = pair_room,
    .put = pair_put,
    .wrote = pair_wrote,
    .read = pair_read,
    .finish = pair_finish,
};

static const struct cg_transport_type pair_transport = {
    .name = "pair",
    .submit = cg__memory_submit,
    .cancel = cg__memory_cancel,
    .close = pair_close,
};

int cg_sock_pair(struct cg_sched *sched, struct cg_sock **a, struct cg_sock **b)
{
    struct pair *pair = calloc(1, sizeof *pair);
    struct cg_sock *first, *second;

    if (pair == NULL)
        return -ENOMEM;
    for (int i = 0; i < 2; i++) {
        pair->end[i].memory.type = &pair_type;
        pair->end[i].memory.reactor = cg_sched_reactor(sched);
        pair->end[i].pair = pair;
        pair->end[i].peer = &pair->end[!i];
        pair->end[i].open = true;
    }
    first = cg_sock_open(sched, &pair_transport, &pair->end[0], -1);
    if (first == NULL)
        goto free_pair;
    second = cg_sock_open(sched, &pair_transport, &pair->end[1], -1);
    if (second == NULL)
        goto close_first;
    *a = first;
    *b = second;
    return 0;

close_first:
    pair->end[1].open = false; /* so that closing the first end frees the pair */
    cg_sock_close(first);
    return -ENOMEM;

free_pair:
    free(pair);
    return -ENOMEM;
}
