/* SPDX-License-Identifier: MIT */
/* Datagrams that arrive in the simulated world, and how they are received. A UDP socket drops
 * what exceeds its window. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/plural.h"
#include "reactors/sim/sim.h"

enum { LOOPBACK = 1 }; /* the index of the only interface */

size_t cg__sim_most_datagrams(struct cg_sim *sim, const struct cg_io *io)
{
    return io->most > 1 && cg__sim_chance(sim, sim->opt.short_permille)
               ? 1 + cg__sim_below(sim, io->most)
               : io->most;
}

void cg__sim_datagram_arrives(struct cg_sim *sim, struct cg_sim_sock *sock,
                              struct cg_sim_msg *msg)
{
    if (sock->domain != AF_UNIX && sock->unread >= sim->opt.window) {
        cg__sim_note(sim, sock->fd, "drops %zu byte%s: its window is full", msg->size,
                     cg__plural(msg->size));
        free(msg);
        return;
    }
    if (sock->domain != AF_UNIX)
        sock->unread += msg->size + 1; /* empty ones take room, too */
    cg__sim_note(sim, sock->fd, "gets a datagram of %zu byte%s", msg->size,
                 cg__plural(msg->size));
    cg__sim_append(&sock->input, msg);
}

void cg__sim_unreachable(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_msg *msg)
{
    free(msg);
    if (sock->remote.len == 0)
        return;
    cg__sim_note(sim, sock->fd, "learns that nobody is there");
    sock->error = ECONNREFUSED;
}

/* Copies an address without its port. */
static void note_local(struct cg_addr *local, const struct cg_sim_addr *to)
{
    struct cg_sim_addr host = *to;

    cg__sim_port_set(&host, 0);
    memcpy(&local->un, &host.un, sizeof host.un);
    local->len = host.len;
}

static void note_info(const struct cg_sim_sock *sock, const struct cg_sim_datagram *from,
                      struct cg_datagram_info *info)
{
    *info = (struct cg_datagram_info){.ttl = -1, .ecn = -1};
    if (!cg__sim_option(sock, IPPROTO_IP, IP_RECVTTL))
        return;
    note_local(&info->local, &from->to);
    info->interface = LOOPBACK;
    info->ttl = from->ttl;
    info->ecn = from->ecn;
}

static void take(const struct cg_sim_sock *sock, const struct cg_sim_datagram *from,
                 struct cg_datagram *to)
{
    to->whole = from->msg.size;
    to->len = to->whole < to->size ? to->whole : to->size;
    if (to->len > 0)
        memcpy(to->buf, from->bytes, to->len);
    if (to->addr) {
        memcpy(&to->addr->un, &from->from.un, sizeof to->addr->un);
        to->addr->len =
            from->from.len > sizeof from->from.sa.sa_family ? from->from.len : 0;
    }
    if (to->info)
        note_info(sock, from, to->info);
}

void cg__sim_uncrowd(struct cg_sim *sim)
{
    if (!sim->crowded)
        return;
    sim->crowded = false;
    for (size_t i = 0; i < sim->handle_count; i++)
        if (sim->handles[i] && sim->handles[i]->sock->datagram)
            cg__sim_touch_handle(sim->handles[i]);
}

void cg__sim_bereave(struct cg_sim *sim, const struct cg_sim_sock *gone)
{
    for (size_t i = 0; i < sim->handle_count; i++) {
        struct cg_sim_sock *sock = sim->handles[i] ? sim->handles[i]->sock : NULL;

        if (sock && sock->datagram && sock->domain == AF_UNIX &&
            cg__sim_addr_same(&sock->remote, &gone->local))
            sock->reset = true;
    }
}

bool cg__sim_recv_datagrams(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                            ssize_t *result)
{
    size_t most = cg__sim_most_datagrams(sim, io), done = 0;

    if (!sock->datagram) {
        *result = -EOPNOTSUPP;
        return true;
    }
    if (sock->error || !sock->input.head) { /* an error comes before what has arrived */
        *result = cg__sim_take_error(sock);
        return *result < 0;
    }
    for (; done < most && sock->input.head; done++) {
        struct cg_sim_msg *msg = cg__sim_pop(&sock->input);

        sock->unread -= sock->domain == AF_UNIX ? 1 : msg->size + 1;
        take(sock, (struct cg_sim_datagram *)msg, &io->datagrams[done]);
        free(msg);
    }
    if (sock->domain == AF_UNIX)
        cg__sim_uncrowd(sim);
    *result = (ssize_t)done;
    return true;
}
