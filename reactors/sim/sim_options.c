/* SPDX-License-Identifier: MIT */
/* Options of the sockets of the simulated world. Those of the socket's protocols have the values
 * and limits of Linux, and are stored. Only these have an effect: SO_LINGER (0 s: close
 * resets), SO_REUSEPORT, SO_REUSEADDR of datagram sockets, SO_BROADCAST, IPV6_V6ONLY, and what
 * concerns the TTL, ECN and multicast of datagrams. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <string.h>

#include <cogen/sock.h>

#include "reactors/sim/sim.h"

enum {
    REUSE_PORT,
    V6ONLY
}; /* the first of the known options */

#define WINDOW (-1) /* stands for the world's window */
#define ON_OFF 0, 0 /* limits of an option for which every value but 0 means 1 */
#define ANY INT_MIN, INT_MAX

/* Setting an option whose least value is -1 to -1 restores its default. */
static const struct {
    int level, name, value, least, most;
} known[] = {
    {SOL_SOCKET, SO_REUSEPORT, 0, ON_OFF},
    {IPPROTO_IPV6, IPV6_V6ONLY, 0, ON_OFF},
    {SOL_SOCKET, SO_RCVBUF, WINDOW, ANY},
    {SOL_SOCKET, SO_SNDBUF, WINDOW, ANY},
    {SOL_SOCKET, SO_REUSEADDR, 0, ON_OFF},
    {SOL_SOCKET, SO_KEEPALIVE, 0, ON_OFF},
    {SOL_SOCKET, SO_BROADCAST, 0, ON_OFF},
    {SOL_SOCKET, SO_OOBINLINE, 0, ON_OFF},
    {SOL_SOCKET, SO_DONTROUTE, 0, ON_OFF},
    {SOL_SOCKET, SO_RCVLOWAT, 1, ANY},
    {SOL_SOCKET, SO_BINDTODEVICE, 0, ANY},
    {SOL_SOCKET, CG__SO_PRIORITY, 0, ANY},
    {SOL_SOCKET, CG__SO_MARK, 0, ANY},
    {IPPROTO_TCP, TCP_NODELAY, 0, ON_OFF},
    {IPPROTO_TCP, TCP_MAXSEG, 536, ANY},
    {IPPROTO_TCP, TCP_KEEPINTVL, 75, 1, 32767},
    {IPPROTO_TCP, TCP_KEEPCNT, 9, 1, 127},
    {IPPROTO_TCP, CG__TCP_KEEPIDLE, 7200, 1, 32767},
    {IPPROTO_TCP, CG__TCP_USER_TIMEOUT, 0, 0, INT_MAX},
    {IPPROTO_TCP, CG__TCP_FASTOPEN, 0, ANY},
    {IPPROTO_IP, IP_TOS, 0, ANY},
    {IPPROTO_IP, IP_TTL, 64, -1, 255},
    {IPPROTO_IP, IP_MULTICAST_TTL, 1, -1, 255},
    {IPPROTO_IP, IP_MULTICAST_LOOP, 1, ON_OFF},
    {IPPROTO_IP, IP_MULTICAST_IF, 0, ANY},
    {IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_WANT, 0, 5},
    {IPPROTO_IP, IP_PKTINFO, 0, ON_OFF},
    {IPPROTO_IP, IP_RECVTTL, 0, ON_OFF},
    {IPPROTO_IP, IP_RECVTOS, 0, ON_OFF},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, 64, -1, 255},
    {IPPROTO_IPV6, IPV6_TCLASS, 0, -1, 255},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1, -1, 255},
    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1, 0, 1},
    {IPPROTO_IPV6, IPV6_MULTICAST_IF, 0, ANY},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_WANT, 0, 5},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO, 0, ON_OFF},
    {IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 0, ON_OFF},
    {IPPROTO_IPV6, IPV6_RECVTCLASS, 0, ON_OFF},
};
_Static_assert(sizeof known / sizeof known[0] == CG_SIM_OPTIONS,
               "room for each option");

void cg__sim_options_init(struct cg_sim *sim, struct cg_sim_sock *sock)
{
    for (int i = 0; i < CG_SIM_OPTIONS; i++)
        sock->options[i] = known[i].value == WINDOW ? (int)sim->opt.window : known[i].value;
}

bool cg__sim_reuse_port(const struct cg_sim_sock *sock)
{
    return sock->options[REUSE_PORT] != 0;
}

bool cg__sim_v6only(const struct cg_sim_sock *sock)
{
    return sock->options[V6ONLY] != 0;
}

void cg__sim_note_v6only(struct cg_sim_sock *sock)
{
    if (cg__sim_addr_in(&sock->local, AF_INET).sa.sa_family == AF_INET6 &&
        !cg__sim_addr_is_any(&sock->local))
        sock->options[V6ONLY] = 1;
}

/* Returns its place in the table, or -1. */
static int find_option(int level, int name)
{
    for (int i = 0; i < CG_SIM_OPTIONS; i++)
        if (known[i].level == level && known[i].name == name)
            return i;
    return -1;
}

int cg__sim_option(const struct cg_sim_sock *sock, int level, int name)
{
    int place = find_option(level, name);

    return place < 0 ? 0 : sock->options[place];
}

static bool is_group_change(const struct cg_io *io)
{
    return (io->level == IPPROTO_IP || io->level == IPPROTO_IPV6) &&
           (io->name == MCAST_JOIN_GROUP || io->name == MCAST_LEAVE_GROUP ||
            io->name == MCAST_JOIN_SOURCE_GROUP || io->name == MCAST_LEAVE_SOURCE_GROUP);
}

/* Whether sockets of this kind have options of this level. */
static bool has_level(const struct cg_sim_sock *sock, int level)
{
    return level == SOL_SOCKET ||
           (sock->domain != AF_UNIX && (level != IPPROTO_IPV6 || sock->domain == AF_INET6) &&
            (level != IPPROTO_TCP || !sock->datagram));
}

static ssize_t store(struct cg_sim_sock *sock, int place, int value)
{
    int least = known[place].least, most = known[place].most;
    bool ttl = known[place].level == IPPROTO_IP && known[place].name == IP_TTL;

    if (least == most)
        value = value != 0;
    else if (value < least || value > most || (ttl && value == 0))
        return -EINVAL;
    else if (least == -1 && value == -1)
        value = known[place].value;
    sock->options[place] = value;
    return 0;
}

ssize_t cg__sim_set_option(struct cg_sim_sock *sock, const struct cg_io *io)
{
    int place = find_option(io->level, io->name), value;

    if (!has_level(sock, io->level))
        return sock->domain == AF_UNIX ? -EOPNOTSUPP : -ENOPROTOOPT;
    if (io->size < sizeof value)
        return -EINVAL;
    if (io->level == SOL_SOCKET && io->name == SO_LINGER) {
        if (io->size < sizeof sock->linger)
            return -EINVAL;
        memcpy(&sock->linger, io->value, sizeof sock->linger);
        return 0;
    }
    if (is_group_change(io))
        return cg__sim_change_group(sock, io);
    if (place < 0)
        return -ENOPROTOOPT;
    if (place == V6ONLY && cg__sim_port(&sock->local) > 0)
        return -EINVAL;
    memcpy(&value, io->value, sizeof value);
    return store(sock, place, value);
}

/* What a socket is, not what it was told. Returns false if there is no such option. */
static bool read_only(struct cg_sim_sock *sock, int name, int *value)
{
    switch (name) {
    case SO_TYPE:
        *value = sock->datagram ? SOCK_DGRAM : SOCK_STREAM;
        return true;
    case SO_DOMAIN:
        *value = sock->domain;
        return true;
    case SO_PROTOCOL:
        *value = sock->domain == AF_UNIX ? 0 : sock->datagram ? IPPROTO_UDP : IPPROTO_TCP;
        return true;
    case SO_ACCEPTCONN:
        *value = sock->state == CG_SIM_LISTENING;
        return true;
    case SO_ERROR: /* a connect itself returns its error */
        *value = sock->connector ? 0 : (int)-cg__sim_take_error(sock);
        return true;
    }
    return false;
}

ssize_t cg__sim_get_option(struct cg_sim_sock *sock, const struct cg_io *io)
{
    int place = find_option(io->level, io->name), value;

    if (!has_level(sock, io->level))
        return sock->domain == AF_INET6 ? -ENOPROTOOPT : -EOPNOTSUPP;
    if (io->level == SOL_SOCKET && io->name == SO_LINGER)
        return cg__sim_give(io, &sock->linger, sizeof sock->linger);
    if (place >= 0)
        value = sock->options[place];
    else if (io->level != SOL_SOCKET || !read_only(sock, io->name, &value))
        return -ENOPROTOOPT;
    return cg__sim_give(io, &value, sizeof value);
}
