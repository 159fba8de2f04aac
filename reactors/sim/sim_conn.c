/* SPDX-License-Identifier: MIT */
/* Connections of the simulated world: how they begin and end, and what a message does when
 * it arrives. An end learns everything about the other end from messages. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/plural.h"
#include "reactors/sim/sim.h"

static void enqueue(struct cg_sim_queue *queue, struct cg_sim_sock *sock)
{
    sock->next = NULL;
    if (queue->head)
        queue->tail->next = sock;
    else
        queue->head = sock;
    queue->tail = sock;
    queue->count++;
}

static struct cg_sim_sock *dequeue(struct cg_sim_queue *queue)
{
    struct cg_sim_sock *sock = queue->head;

    if (sock) {
        queue->head = sock->next;
        queue->count--;
    }
    return sock;
}

static void queue_remove(struct cg_sim_queue *queue, struct cg_sim_sock *sock)
{
    struct cg_sim_queue left = {.head = NULL};
    struct cg_sim_sock *other;

    while ((other = dequeue(queue)))
        if (other != sock)
            enqueue(&left, other);
    *queue = left;
}

/* Checks a connect, then gives the socket a name and sends the SYN. */
static int begin_connect(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io)
{
    struct cg_sim_addr to;
    char text[CG_SIM_TEXT];
    int error;

    if (sock->state != CG_SIM_FRESH)
        return sock->state == CG_SIM_CONNECTING ? -EALREADY : -EISCONN;
    if ((error = cg__sim_addr_set(&to, sock->domain, io->addr, io->addrlen)) < 0)
        return error;
    if (cg__sim_addr_is_group(&to) || cg__sim_addr_is_broadcast(&to))
        return -ENETUNREACH;
    cg__sim_addr_settle(&to);
    if (!sock->bound) {
        sock->local = to;
        if (sock->domain == AF_UNIX)
            sock->local = (struct cg_sim_addr){.len = sizeof to.sa.sa_family,
                                               .sa.sa_family = AF_UNIX};
        else if (cg__sim_port_pick(sim, sock, &sock->local) < 0)
            return -EADDRNOTAVAIL;
    }
    sock->remote = to;
    cg__sim_set_local(sock);
    sock->state = CG_SIM_CONNECTING;
    cg__sim_note(sim, sock->fd, "connects to %s", cg__sim_text(&to, text));
    cg__sim_post(sim, sock, &sock->syn, CG_SIM_SYN, sim->now);
    return 0;
}

bool cg__sim_connect(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                     ssize_t *result)
{
    if (sock->datagram) {
        *result = cg__sim_set_peer(sim, sock, io);
        return true;
    }
    if (sock->connector != io) {
        if ((*result = begin_connect(sim, sock, io)) < 0)
            return true;
        sock->connector = io;
        return false;
    }
    if (sock->state == CG_SIM_CONNECTING)
        return false;
    sock->connector = NULL;
    *result = -sock->error;
    sock->error = 0;
    return true;
}

static void refuse(struct cg_sim *sim, struct cg_sim_sock *client, int error,
                   int64_t since)
{
    client->listener = NULL;
    client->syn.size = (size_t)error;
    cg__sim_post(sim, client, &client->syn, CG_SIM_REFUSED, since);
}

/* Makes the listener's end of a connection. */
static void admit(struct cg_sim *sim, struct cg_sim_sock *listener,
                  struct cg_sim_sock *client, int64_t since)
{
    struct cg_sim_sock *sock = cg__sim_sock_new(listener->host, listener->domain);

    if (!sock) {
        refuse(sim, client, ENOMEM, since);
        return;
    }
    memcpy(sock->options, listener->options, sizeof sock->options);
    sock->linger = listener->linger;
    sock->state = CG_SIM_CONNECTED;
    sock->local = cg__sim_addr_in(&client->remote, sock->domain);
    sock->remote = cg__sim_addr_in(&client->local, sock->domain);
    sock->peer = client;
    client->peer = sock;
    sock->far = client->host->number;
    client->far = sock->host->number;
    client->listener = NULL;
    enqueue(&listener->backlog, sock);
    cg__sim_touch(listener);
    cg__sim_post(sim, client, &client->syn, CG_SIM_SYNACK, since);
}

/* Where a SYN goes is known only when it arrives: so the link counts here. */
static bool syn_is_held_up(struct cg_sim *sim, struct cg_sim_sock *client,
                           const struct cg_sim_host *host)
{
    unsigned from = client->host->number;

    if (client->domain == AF_UNIX)
        return false;
    if (!cg__sim_is_cut(host, from))
        return cg__sim_slow(sim, client, &client->syn, host->delays[from]);
    cg__sim_miss(sim, client, &client->syn);
    return true;
}

static void syn_arrives(struct cg_sim *sim, struct cg_sim_sock *client, int64_t at)
{
    int error = ECONNREFUSED;
    struct cg_sim_sock *listener = NULL;

    if (client->syn.slowed || !cg__sim_chance(sim, sim->opt.refuse_permille))
        listener = cg__sim_listener(sim, &client->remote, &error);
    if (!listener) {
        refuse(sim, client, error, at);
    } else if (syn_is_held_up(sim, client, listener->host)) {
        return;
    } else if (listener->backlog.count >= listener->limit) {
        cg__sim_note(sim, listener->fd, "has a full backlog");
        client->listener = listener;
        enqueue(&listener->waiting, client);
    } else {
        admit(sim, listener, client, at);
    }
}

static bool accept_one(struct cg_sim *sim, struct cg_sim_sock *listener,
                       struct cg_sim_host *host, ssize_t *result)
{
    struct cg_sim_sock *sock = listener->backlog.head;
    char text[CG_SIM_TEXT];

    if ((*result = cg__sim_handle_new(sim, sock, host)) < 0) {
        if (*result == -EMFILE)
            sim->starved = true;
        else if (sim->retry == 0) /* no event tells when there is memory again */
            sim->retry = sim->now + CG_SIM_ACCEPT_PAUSE;
        return false;
    }
    dequeue(&listener->backlog);
    cg__sim_note(sim, sock->fd, "is accepted by %d from %s", listener->fd,
                 cg__sim_text(&sock->remote, text));
    return true;
}

bool cg__sim_accept(struct cg_sim *sim, struct cg_sim_sock *sock, const struct cg_io *io,
                    ssize_t *result)
{
    struct cg_sim_host *host = cg__sim_handle(sim, io->fd)->host;
    bool accepted = false;

    if (sock->state != CG_SIM_LISTENING) {
        *result = sock->datagram ? -EOPNOTSUPP : -EINVAL;
        return true;
    }
    while (!accepted && sock->backlog.head) {
        if (cg__sim_chance(sim, sim->opt.abort_permille)) {
            struct cg_sim_sock *lost = dequeue(&sock->backlog);

            cg__sim_note(sim, sock->fd, "loses a connection");
            cg__sim_reset(sim, lost);
            cg__sim_close(sim, lost);
        } else if (!(accepted = accept_one(sim, sock, host, result))) {
            return false;
        }
        if (sock->waiting.head)
            admit(sim, sock, dequeue(&sock->waiting), sim->now);
    }
    return accepted;
}

/* Disconnects the socket from its peer. The peer learns of it from a message. */
static void part(struct cg_sim *sim, struct cg_sim_sock *sock, bool reset)
{
    struct cg_sim_sock *peer = sock->peer;

    if (!peer)
        return;
    sock->peer = peer->peer = NULL;
    if (reset)
        cg__sim_post(sim, peer, &peer->rst, CG_SIM_RST, sim->now);
    else if (!sock->wr_shut)
        cg__sim_post(sim, peer, &peer->end, CG_SIM_FIN, sim->now);
}

void cg__sim_reset(struct cg_sim *sim, struct cg_sim_sock *sock)
{
    cg__sim_note(sim, sock->fd, "is reset");
    part(sim, sock, true);
    cg__sim_drop(sim, sock);
    sock->reset = true;
    sock->error = ECONNRESET;
    cg__sim_touch(sock);
}

/* Whoever waits to be accepted is refused or reset. */
static void empty_backlog(struct cg_sim *sim, struct cg_sim_sock *sock)
{
    struct cg_sim_sock *other;

    while ((other = dequeue(&sock->waiting)))
        refuse(sim, other, ECONNREFUSED, sim->now);
    while ((other = dequeue(&sock->backlog))) {
        part(sim, other, true);
        cg__sim_close(sim, other);
    }
}

static ssize_t shut_listener(struct cg_sim *sim, struct cg_sim_sock *sock, int how)
{
    if (how == SHUT_WR)
        return 0;
    sock->state = CG_SIM_FRESH;
    empty_backlog(sim, sock);
    cg__sim_touch(sock);
    return 0;
}

ssize_t cg__sim_shutdown(struct cg_sim *sim, struct cg_sim_sock *sock, int how)
{
    ssize_t result = 0;

    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        return -EINVAL;
    if (sock->state == CG_SIM_LISTENING)
        return shut_listener(sim, sock, how);
    if (sock->domain != AF_UNIX && sock->state == CG_SIM_CONNECTING)
        return -ENOTCONN;
    if (sock->domain != AF_UNIX && !cg__sim_is_connected(sock))
        result = -ENOTCONN; /* Linux shuts it down all the same */
    if (how != SHUT_WR)
        sock->rd_shut = true;
    if (how != SHUT_RD && !sock->wr_shut) {
        if (sock->peer)
            cg__sim_post(sim, sock->peer, &sock->peer->end, CG_SIM_FIN, sim->now);
        sock->wr_shut = true;
    }
    cg__sim_touch(sock);
    if (sock->domain == AF_UNIX) { /* others may not be able to send to it any more */
        if (sock->peer)
            cg__sim_touch(sock->peer);
        cg__sim_uncrowd(sim);
    }
    return result;
}

static bool unread(const struct cg_sim_sock *sock)
{
    const struct cg_sim_msg *msg;

    for (msg = sock->incoming.head; msg; msg = msg->next)
        if (msg->kind == CG_SIM_DATA)
            return true;
    return sock->input.head != NULL;
}

void cg__sim_leave(struct cg_sim *sim, struct cg_sim_sock *sock, bool reset)
{
    empty_backlog(sim, sock);
    if (sock->listener)
        queue_remove(&sock->listener->waiting, sock);
    sock->listener = NULL;
    part(sim, sock, reset);
    cg__sim_drop(sim, sock);
    cg__sim_leave_all(sock);
    if (sock->bound && sock->datagram && sock->domain == AF_UNIX)
        cg__sim_bereave(sim, sock);
    if (sock->bound)
        cg__sim_unname(sim, sock);
    cg__sim_uncrowd(sim);
}

/* A UNIX socket never lingers. */
void cg__sim_close(struct cg_sim *sim, struct cg_sim_sock *sock)
{
    bool at_once = sock->domain != AF_UNIX && sock->linger.l_onoff && !sock->linger.l_linger;

    cg__sim_leave(sim, sock, at_once || unread(sock));
    cg__sim_sock_free(sim, sock);
}

void cg__sim_connect_failed(struct cg_sim_sock *sock, int error)
{
    sock->state = CG_SIM_FRESH;
    sock->error = sock->connector ? error : 0;
    sock->remote.len = 0;
    if (!sock->bound)
        sock->local.len = 0;
}

/* Whether the link between the hosts of sender and receiver is down, or slow; then the message
 * is not to be delivered now. UNIX sockets need no network. */
static bool is_held_up(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_msg *msg)
{
    unsigned from = sock->datagram ? msg->origin : sock->far;

    if (sock->domain == AF_UNIX || msg->kind == CG_SIM_SYN)
        return false;
    if (!cg__sim_is_cut(sock->host, from))
        return cg__sim_slow(sim, sock, msg, sock->host->delays[from]);
    cg__sim_miss(sim, sock, msg);
    return true;
}

/* As in Linux, bytes reset a TCP connection that was shut down in both directions: nobody
 * can read them. */
static void data_arrive(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_msg *msg)
{
    if (sock->domain != AF_UNIX && sock->rd_shut && sock->wr_shut) {
        free(msg);
        cg__sim_reset(sim, sock);
        return;
    }
    cg__sim_note(sim, sock->fd, "gets %zu byte%s", msg->size, cg__plural(msg->size));
    cg__sim_append(&sock->input, msg);
}

/* A TCP connection that has ended in both directions does not hear it any more. */
static void reset_arrives(struct cg_sim *sim, struct cg_sim_sock *sock)
{
    if (sock->domain != AF_UNIX && !cg__sim_is_connected(sock))
        return;
    cg__sim_note(sim, sock->fd, "gets a reset");
    sock->reset = true;
    sock->error = sock->fin && sock->domain != AF_UNIX ? EPIPE : ECONNRESET;
}

void cg__sim_arrive(struct cg_sim *sim, struct cg_sim_sock *sock,
                    struct cg_sim_msg *msg)
{
    if (is_held_up(sim, sock, msg))
        return;
    switch (msg->kind) {
    case CG_SIM_DATA:
        data_arrive(sim, sock, msg);
        break;
    case CG_SIM_ACK:
        sock->unacked -= msg->size;
        free(msg);
        break;
    case CG_SIM_FIN:
        cg__sim_note(sim, sock->fd, "gets the end");
        sock->fin = true;
        break;
    case CG_SIM_RST:
        reset_arrives(sim, sock);
        break;
    case CG_SIM_SYN:
        syn_arrives(sim, sock, msg->at);
        break;
    case CG_SIM_SYNACK:
        sock->state = CG_SIM_CONNECTED;
        break;
    case CG_SIM_DATAGRAM:
        cg__sim_datagram_arrives(sim, sock, msg);
        break;
    case CG_SIM_UNREACHABLE:
        cg__sim_unreachable(sim, sock, msg);
        break;
    case CG_SIM_REFUSED:
        cg__sim_connect_failed(sock, (int)msg->size);
        break;
    }
    cg__sim_touch(sock);
}
