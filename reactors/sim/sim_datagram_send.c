/* SPDX-License-Identifier: MIT */
/* Sends datagrams in the simulated world. A receiver is found when a datagram is sent. UDP may
 * lose, double and reorder datagrams, by chance. The sender of a UNIX datagram waits while the
 * receiver has too many. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/plural.h"
#include "reactors/sim/sim.h"

enum {
    UDP_LONGEST = 65507,  /* bytes over IPv4 */
    UDP6_LONGEST = 65527, /* bytes over IPv6 */
    UNIX_QUEUE = 10,      /* datagrams that a UNIX socket has unread before senders wait */
};

/* Where a datagram goes, and from where. */
struct route {
    struct cg_sim_addr from, to;
    const struct cg_datagram *datagram;
};

/* Whether a socket accepts a datagram from this address: a connected one only from its
 * peer. */
static bool hears(const struct cg_sim_sock *sock, const struct cg_sim_addr *from)
{
    struct cg_sim_addr seen = cg__sim_addr_in(from, sock->domain);

    return sock->remote.len == 0 || cg__sim_addr_same(&sock->remote, &seen);
}

/* Finds the most specific receiver. If several share an address, the sender's port selects
 * one of them, as the kernel does by a hash of both ends. */
static struct cg_sim_sock *find_receiver(struct cg_sim *sim, const struct route *route)
{
    struct cg_sim_addr to = cg__sim_addr_in(&route->to, AF_INET);
    struct cg_sim_sock *sock, *found = NULL;
    unsigned rank, best = 0, equals = 0;

    for (sock = cg__sim_bound(sim, &to); sock; sock = sock->next_bound) {
        if (!sock->datagram || !hears(sock, &route->from) ||
            (rank = 2 * (unsigned)cg__sim_fit(sock, &to)) == 0)
            continue;
        rank += sock->remote.len > 0;
        equals = rank == best ? equals + 1 : rank > best ? 1 : equals;
        if (rank > best || (rank == best && cg__sim_port(&route->from) % equals == 0))
            found = sock;
        if (rank > best)
            best = rank;
    }
    return found;
}

/* Finds the UNIX socket at a path or name. Returns NULL, and why, if there is none. */
static struct cg_sim_sock *find_unix(struct cg_sim *sim, const struct cg_sim_addr *to,
                                     ssize_t *error)
{
    struct cg_sim_sock *sock = cg__sim_bound(sim, to);

    while (sock && !(cg__sim_addr_same(&sock->local, to) && cg__sim_share_names(sock, true)))
        sock = sock->next_bound;
    if (!sock)
        *error = to->un.sun_path[0] ? -ENOENT : -ECONNREFUSED;
    else if (!sock->datagram)
        *error = -EPROTOTYPE;
    return sock && sock->datagram ? sock : NULL;
}

static int bind_any(struct cg_sim *sim, struct cg_sim_sock *sock)
{
    struct cg_sim_addr any = {.len = sock->domain == AF_INET ? sizeof any.in
                                                             : sizeof any.in6};

    any.sa.sa_family = (sa_family_t)sock->domain;
    return sock->bound || sock->domain == AF_UNIX ? 0 : cg__sim_name(sim, sock, &any);
}

/* Reads an address to send to. An IPv6 socket also takes one of IPv4. */
static int read_addr(const struct cg_sim_sock *sock, const struct sockaddr *addr, socklen_t len,
                     struct cg_sim_addr *to)
{
    int domain = sock->domain, error;

    if (domain == AF_INET6 && len >= sizeof addr->sa_family && addr->sa_family == AF_INET)
        domain = AF_INET;
    if ((error = cg__sim_addr_set(to, domain, addr, len)) < 0)
        return error;
    *to = cg__sim_addr_in(to, AF_INET);
    if (to->sa.sa_family == AF_INET && cg__sim_v6only(sock))
        return -ENETUNREACH;
    cg__sim_addr_settle(to);
    return domain != AF_UNIX && cg__sim_port(to) == 0 ? -EINVAL : 0;
}

ssize_t cg__sim_set_peer(struct cg_sim *sim, struct cg_sim_sock *sock, const struct cg_io *io)
{
    struct cg_sim_addr to;
    char text[CG_SIM_TEXT];
    ssize_t error = read_addr(sock, io->addr, io->addrlen, &to);

    if (error == 0 && sock->domain == AF_UNIX) {
        const struct cg_sim_sock *peer = find_unix(sim, &to, &error);

        if (peer && !hears(peer, &sock->local))
            error = -EPERM;
    }
    if (error == 0)
        error = bind_any(sim, sock);
    if (error < 0)
        return error;
    sock->remote = cg__sim_addr_in(&to, sock->domain);
    sock->reset = false;
    cg__sim_set_local(sock);
    cg__sim_note(sim, sock->fd, "has the peer %s", cg__sim_text(&to, text));
    return 0;
}

static ssize_t post(struct cg_sim *sim, const struct cg_sim_sock *sock, struct cg_sim_sock *to,
                    const struct route *route)
{
    size_t len = route->datagram->len;
    struct cg_sim_datagram *made = malloc(sizeof *made + len);
    bool v4 = route->to.sa.sa_family == AF_INET;
    int ttl = cg__sim_option(sock, v4 ? IPPROTO_IP : IPPROTO_IPV6,
                             cg__sim_addr_is_group(&route->to)
                                 ? v4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS
                             : v4 ? IP_TTL
                                  : IPV6_UNICAST_HOPS);

    if (!made)
        return -ENOBUFS;
    *made = (struct cg_sim_datagram){
        .msg = {.data = made->bytes, .size = len, .origin = (uint8_t)sock->host->number},
        .from = cg__sim_addr_in(&route->from, to->domain),
        .to = cg__sim_addr_in(&route->to, to->domain),
        .ttl = ttl,
        .ecn = 3 & cg__sim_option(sock, v4 ? IPPROTO_IP : IPPROTO_IPV6,
                                  v4 ? IP_TOS : IPV6_TCLASS),
    };
    if (len > 0)
        memcpy(made->bytes, route->datagram->buf, len);
    cg__sim_post_datagram(sim, to, &made->msg, CG_SIM_DATAGRAM, sim->now);
    return 0;
}

/* Called when no socket is bound to the address: a sender whose peer that is gets the error
 * after a round trip. */
static void refuse(struct cg_sim *sim, struct cg_sim_sock *sock, const struct route *route)
{
    struct cg_sim_addr to = cg__sim_addr_in(&route->to, sock->domain);
    bool peer = cg__sim_addr_same(&sock->remote, &to);
    struct cg_sim_msg *msg = peer ? calloc(1, sizeof *msg) : NULL;

    if (!msg)
        return;
    msg->data = (char *)(msg + 1); /* so that it is freed like a message with data */
    msg->origin = (uint8_t)sock->host->number;
    cg__sim_post_datagram(sim, sock, msg, CG_SIM_UNREACHABLE, sim->now + sim->opt.latency);
}

static ssize_t send_to_all(struct cg_sim *sim, const struct cg_sim_sock *sock,
                           const struct route *route)
{
    bool v4 = route->to.sa.sa_family == AF_INET, group = cg__sim_addr_is_group(&route->to);
    bool here = !group || cg__sim_option(sock, v4 ? IPPROTO_IP : IPPROTO_IPV6,
                                         v4 ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP);
    ssize_t error = 0;

    for (struct cg_sim_sock *to = cg__sim_bound(sim, &route->to); to && error == 0;
         to = to->next_bound)
        if (to->datagram && (here || to->host != sock->host) &&
            hears(to, &route->from) && cg__sim_fit(to, &route->to) &&
            (!group || cg__sim_is_member(to, &route->to, &route->from)))
            error = post(sim, sock, to, route);
    return error;
}

static ssize_t send_udp(struct cg_sim *sim, struct cg_sim_sock *sock, const struct route *route)
{
    size_t len = route->datagram->len;
    bool everybody = cg__sim_addr_is_group(&route->to) || cg__sim_addr_is_broadcast(&route->to);
    struct cg_sim_sock *to;
    char text[CG_SIM_TEXT];
    unsigned copies = 1;
    ssize_t error = 0;

    if (len > (route->to.sa.sa_family == AF_INET ? UDP_LONGEST : UDP6_LONGEST))
        return -EMSGSIZE;
    if (cg__sim_addr_is_broadcast(&route->to) && !cg__sim_option(sock, SOL_SOCKET, SO_BROADCAST))
        return -EACCES;
    if (cg__sim_chance(sim, sim->opt.lose_permille)) {
        cg__sim_note(sim, sock->fd, "loses %zu byte%s to %s", len, cg__plural(len),
                     cg__sim_text(&route->to, text));
        return 0;
    }
    copies += cg__sim_chance(sim, sim->opt.double_permille);
    cg__sim_note(sim, sock->fd, "sends %zu byte%s to %s%s", len, cg__plural(len),
                 cg__sim_text(&route->to, text), copies > 1 ? ", twice" : "");
    to = everybody ? NULL : find_receiver(sim, route);
    if (!everybody && !to)
        refuse(sim, sock, route);
    for (; (everybody || to) && copies > 0 && error == 0; copies--)
        error = to ? post(sim, sock, to, route) : send_to_all(sim, sock, route);
    return error;
}

static ssize_t send_unix(struct cg_sim *sim, struct cg_sim_sock *sock, const struct route *route)
{
    ssize_t error = 0;
    struct cg_sim_sock *to = find_unix(sim, &route->to, &error);

    if (route->datagram->len > sim->opt.window)
        return -EMSGSIZE;
    if (!to)
        return error;
    if (!hears(to, &route->from))
        return -EPERM;
    if (to->rd_shut)
        return -EPIPE;
    if (to->unread > UNIX_QUEUE) {
        sim->crowded = true;
        return -EAGAIN;
    }
    cg__sim_note(sim, sock->fd, "sends %zu byte%s", route->datagram->len,
                 cg__plural(route->datagram->len));
    if ((error = post(sim, sock, to, route)) == 0)
        to->unread++;
    return error;
}

/* Sends from the address of this host that the datagram goes to, unless the socket is bound
 * to another, or the program names one. */
static void set_source(const struct cg_sim_sock *sock, struct route *route)
{
    const struct cg_datagram_info *info = route->datagram->info;

    route->from = sock->local;
    if (sock->domain == AF_UNIX)
        return;
    route->from = cg__sim_addr_in(&route->from, AF_INET);
    if (info && info->local.len > 0)
        cg__sim_addr_set(&route->from, info->local.base.sa_family, &info->local.base,
                         info->local.len);
    else if (cg__sim_addr_is_any(&sock->local))
        route->from = route->to;
    route->from = cg__sim_addr_in(&route->from, AF_INET);
    if (cg__sim_addr_is_group(&route->from) || cg__sim_addr_is_broadcast(&route->from)) {
        route->from = (struct cg_sim_addr){.len = route->to.len,
                                           .sa.sa_family = route->to.sa.sa_family};
        cg__sim_addr_settle(&route->from);
    }
    cg__sim_port_set(&route->from, cg__sim_port(&sock->local));
}

/* The peer of a UNIX socket was closed. Linux says so once, and then there is no peer; one that
 * is bound to the same address later is another. */
static ssize_t lose_peer(struct cg_sim_sock *sock)
{
    sock->reset = false;
    sock->remote.len = 0;
    return -ECONNREFUSED;
}

static ssize_t send_one(struct cg_sim *sim, struct cg_sim_sock *sock,
                        const struct cg_datagram *datagram)
{
    const struct cg_addr *addr = datagram->addr;
    struct route route = {.datagram = datagram};
    bool to_peer = !addr || addr->len == 0;
    ssize_t error = bind_any(sim, sock);

    if (error < 0)
        return error;
    if (!to_peer)
        error = read_addr(sock, &addr->base, addr->len, &route.to);
    else if (sock->remote.len > 0)
        route.to = cg__sim_addr_in(&sock->remote, AF_INET);
    else
        error = sock->domain == AF_UNIX ? -ENOTCONN : -EDESTADDRREQ;
    if (error < 0)
        return error;
    if (sock->error)
        return cg__sim_take_error(sock);
    if (sock->wr_shut)
        return -EPIPE;
    if (to_peer && sock->reset)
        return lose_peer(sock);
    set_source(sock, &route);
    return sock->domain == AF_UNIX ? send_unix(sim, sock, &route)
                                   : send_udp(sim, sock, &route);
}

bool cg__sim_send_datagrams(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                            ssize_t *result)
{
    size_t most = cg__sim_most_datagrams(sim, io), done = 0;
    ssize_t error = sock->datagram ? 0 : -EOPNOTSUPP;

    while (error == 0 && done < most)
        if ((error = send_one(sim, sock, &io->datagrams[done])) == 0)
            done++;
    *result = done > 0 ? (ssize_t)done : error;
    return *result != -EAGAIN;
}
