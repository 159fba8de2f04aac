/* SPDX-License-Identifier: MIT */
/* The network of the simulated world: messages in flight. A stream's messages
 * arrive in the order in which they were sent. The heap, ordered by arrival, holds
 * sockets, each by its first message. It has room for every socket, so no message can be
 * lost for lack of memory. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "reactors/sim/sim.h"

static bool earlier(const struct cg_sim_sock *a, const struct cg_sim_sock *b)
{
    const struct cg_sim_msg *x = a->incoming.head, *y = b->incoming.head;

    return x->at != y->at ? x->at < y->at : x->seq < y->seq;
}

static void put(struct cg_sim *sim, size_t place, struct cg_sim_sock *sock)
{
    sim->heap[place] = sock;
    sock->place = place;
}

/* Moves a socket from a hole in the heap to its place. */
static void sift(struct cg_sim *sim, size_t hole, struct cg_sim_sock *sock)
{
    size_t child;

    for (; hole > 1 && earlier(sock, sim->heap[hole / 2]); hole /= 2)
        put(sim, hole, sim->heap[hole / 2]);
    for (; (child = 2 * hole) <= sim->heap_count; hole = child) {
        if (child < sim->heap_count && earlier(sim->heap[child + 1], sim->heap[child]))
            child++;
        if (!earlier(sim->heap[child], sock))
            break;
        put(sim, hole, sim->heap[child]);
    }
    put(sim, hole, sock);
}

static void heap_remove(struct cg_sim *sim, struct cg_sim_sock *sock)
{
    size_t hole = sock->place;
    struct cg_sim_sock *last = sim->heap[sim->heap_count--];

    sock->place = 0;
    if (last != sock)
        sift(sim, hole, last);
}

void cg__sim_post(struct cg_sim *sim, struct cg_sim_sock *to, struct cg_sim_msg *msg,
                  enum cg_sim_kind kind, int64_t since)
{
    int64_t at = since + sim->opt.latency;

    if (sim->opt.jitter > 0)
        at += (int64_t)cg__sim_below(sim, (uint64_t)sim->opt.jitter + 1);
    if (at < to->last_at)
        at = to->last_at;
    to->last_at = at;
    msg->kind = kind;
    msg->at = at;
    msg->seq = ++sim->seq;
    msg->posted = true;
    msg->tries = 0;
    cg__sim_append(&to->incoming, msg);
    if (to->place == 0)
        sift(sim, ++sim->heap_count, to);
}

void cg__sim_repost(struct cg_sim *sim, struct cg_sim_sock *to, struct cg_sim_msg *msg,
                    int64_t at)
{
    struct cg_sim_msg **link = &to->incoming.head;

    while (to->datagram && *link && (*link)->at <= at)
        link = &(*link)->next;
    msg->at = at;
    msg->seq = ++sim->seq;
    msg->next = *link;
    *link = msg;
    if (!msg->next)
        to->incoming.tail = msg;
    if (to->last_at < at)
        to->last_at = at;
    sift(sim, to->place > 0 ? to->place : ++sim->heap_count, to);
}

/* Finds the place of a datagram among the messages in flight to a socket: by its arrival,
 * or, by chance, before any of them. */
static struct cg_sim_msg **find_place(struct cg_sim *sim, struct cg_sim_sock *to,
                                      struct cg_sim_msg *msg)
{
    struct cg_sim_msg **link = &to->incoming.head;
    uint64_t count = 0, overtaken;

    for (struct cg_sim_msg *other = *link; other; other = other->next)
        count++;
    if (count == 0 || !cg__sim_chance(sim, sim->opt.reorder_permille)) {
        while (*link && (*link)->at <= msg->at)
            link = &(*link)->next;
        return link;
    }
    for (overtaken = cg__sim_below(sim, count); overtaken > 0; overtaken--)
        link = &(*link)->next;
    msg->at = (*link)->at;
    msg->seq = (*link)->seq;
    return link;
}

void cg__sim_post_datagram(struct cg_sim *sim, struct cg_sim_sock *to, struct cg_sim_msg *msg,
                           enum cg_sim_kind kind, int64_t since)
{
    struct cg_sim_msg **link;

    if (to->domain == AF_UNIX) {
        cg__sim_post(sim, to, msg, kind, since);
        return;
    }
    msg->kind = kind;
    msg->at = since + sim->opt.latency;
    if (sim->opt.jitter > 0)
        msg->at += (int64_t)cg__sim_below(sim, (uint64_t)sim->opt.jitter + 1);
    msg->seq = ++sim->seq;
    link = find_place(sim, to, msg);
    msg->next = *link;
    *link = msg;
    if (!msg->next)
        to->incoming.tail = msg;
    sift(sim, to->place > 0 ? to->place : ++sim->heap_count, to);
}

struct cg_sim_sock *cg__sim_sock_new(struct cg_sim_host *host, int domain)
{
    struct cg_sim *sim = host->sim;
    struct cg_sim_sock *sock;

    if (sim->socks + 2 > sim->heap_room) { /* place 0 is not used */
        size_t room = sim->heap_room ? 2 * sim->heap_room : 64;
        struct cg_sim_sock **heap =
            realloc(sim->heap, room * sizeof(struct cg_sim_sock *));

        if (!heap)
            return NULL;
        sim->heap = heap;
        sim->heap_room = room;
    }
    if (!(sock = calloc(1, sizeof *sock)))
        return NULL;
    if (!(sock->spare = malloc(sizeof *sock->spare))) {
        free(sock);
        return NULL;
    }
    sock->host = host;
    sock->far = host->number;
    sock->fd = -1;
    sock->domain = domain;
    cg__sim_options_init(sim, sock);
    sim->socks++;
    return sock;
}

static void drop(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_msgs *list)
{
    struct cg_sim_msg *msg;

    while ((msg = cg__sim_pop(list))) {
        cg__sim_take_passed(sim, sock, msg, NULL);
        if (msg->data)
            free(msg);
    }
}

void cg__sim_drop(struct cg_sim *sim, struct cg_sim_sock *sock)
{
    if (sock->place > 0)
        heap_remove(sim, sock);
    drop(sim, sock, &sock->incoming);
    drop(sim, sock, &sock->input);
}

void cg__sim_sock_free(struct cg_sim *sim, struct cg_sim_sock *sock)
{
    cg__sim_drop(sim, sock);
    free(sock->spare);
    free(sock);
    sim->socks--;
}

int64_t cg__sim_next(const struct cg_sim *sim)
{
    int64_t next = sim->heap_count > 0 ? sim->heap[1]->incoming.head->at : CG_NEVER;

    return sim->retry > 0 && sim->retry < next ? sim->retry : next;
}

/* Delivers every message that is due. Calls no callbacks. */
void cg__sim_deliver(struct cg_sim *sim)
{
    while (sim->heap_count > 0 && sim->heap[1]->incoming.head->at <= sim->now) {
        struct cg_sim_sock *sock = sim->heap[1];
        struct cg_sim_msg *msg = cg__sim_pop(&sock->incoming);

        if (sock->incoming.head)
            sift(sim, 1, sock);
        else
            heap_remove(sim, sock);
        cg__sim_arrive(sim, sock, msg);
    }
    if (sim->retry > 0 && sim->retry <= sim->now) {
        sim->retry = 0;
        cg__sim_feed(sim);
    }
}
