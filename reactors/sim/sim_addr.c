/* SPDX-License-Identifier: MIT */
/* Addresses of the simulated world: which socket is bound to which address, and who
 * listens there. All sockets bound to one port, whatever their address, are in one bucket,
 * so that a socket bound to every address and one bound to a specific address find each
 * other. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reactors/sim/sim.h"

static const char mapped[12] = {[10] = (char)0xff, [11] = (char)0xff};

enum {
    PATH = offsetof(struct sockaddr_un, sun_path)
};

/* Returns 0, or what Linux returns for an address that is too short or of another domain. */
static int check_addr(int domain, const struct sockaddr *addr, socklen_t len)
{
    socklen_t least = domain == AF_INET    ? sizeof(struct sockaddr_in)
                      : domain == AF_INET6 ? sizeof(struct sockaddr_in6)
                                           : PATH + 1;

    if (!addr || len < least)
        return -EINVAL;
    if (addr->sa_family == domain)
        return 0;
    return domain == AF_UNIX ? -EINVAL : -EAFNOSUPPORT;
}

/* Copies only what matters, so that equal addresses are equal byte by byte. */
int cg__sim_addr_set(struct cg_sim_addr *to, int domain, const struct sockaddr *addr,
                     socklen_t len)
{
    int error = check_addr(domain, addr, len);

    if (error < 0)
        return error;
    memset(to, 0, sizeof *to);
    if (domain == AF_INET) {
        const struct sockaddr_in *in = (const void *)addr;

        to->in.sin_addr = in->sin_addr;
        to->in.sin_port = in->sin_port;
        to->len = sizeof *in;
    } else if (domain == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)addr;

        to->in6.sin6_addr = in6->sin6_addr;
        to->in6.sin6_port = in6->sin6_port;
        to->in6.sin6_scope_id = in6->sin6_scope_id;
        to->len = sizeof *in6;
    } else {
        const struct sockaddr_un *un = (const void *)addr;

        if (len > sizeof *un)
            return -EINVAL;
        memcpy(to->un.sun_path, un->sun_path, len - PATH);
        to->len = len;
        if (un->sun_path[0]) {
            size_t n = strnlen(un->sun_path, len - PATH);

            memset(to->un.sun_path + n, 0, sizeof to->un.sun_path - n);
            to->len = (socklen_t)(PATH + n + (n < sizeof un->sun_path));
        }
    }
    to->sa.sa_family = (sa_family_t)domain;
    return 0;
}

struct cg_sim_addr cg__sim_addr_in(const struct cg_sim_addr *addr, int domain)
{
    struct cg_sim_addr in = {.len = 0};

    if (addr->sa.sa_family == domain || addr->sa.sa_family == AF_UNIX)
        return *addr;
    if (domain == AF_INET6) {
        in.len = sizeof in.in6;
        in.in6.sin6_family = AF_INET6;
        in.in6.sin6_port = addr->in.sin_port;
        memcpy(&in.in6.sin6_addr, mapped, sizeof mapped);
        memcpy(in.in6.sin6_addr.s6_addr + sizeof mapped, &addr->in.sin_addr, 4);
    } else if (memcmp(&addr->in6.sin6_addr, mapped, sizeof mapped) == 0) {
        in.len = sizeof in.in;
        in.in.sin_family = AF_INET;
        in.in.sin_port = addr->in6.sin6_port;
        memcpy(&in.in.sin_addr, addr->in6.sin6_addr.s6_addr + sizeof mapped, 4);
    } else {
        return *addr;
    }
    return in;
}

bool cg__sim_addr_is_any(const struct cg_sim_addr *addr)
{
    return addr->sa.sa_family == AF_INET
               ? addr->in.sin_addr.s_addr == htonl(INADDR_ANY)
               : addr->sa.sa_family == AF_INET6 &&
                     IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr);
}

void cg__sim_addr_settle(struct cg_sim_addr *addr)
{
    if (!cg__sim_addr_is_any(addr))
        return;
    if (addr->sa.sa_family == AF_INET)
        addr->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        addr->in6.sin6_addr = in6addr_loopback;
}

unsigned cg__sim_port(const struct cg_sim_addr *addr)
{
    switch (addr->sa.sa_family) {
    case AF_INET:
        return ntohs(addr->in.sin_port);
    case AF_INET6:
        return ntohs(addr->in6.sin6_port);
    }
    return 0;
}

void cg__sim_port_set(struct cg_sim_addr *addr, unsigned port)
{
    if (addr->sa.sa_family == AF_INET)
        addr->in.sin_port = htons((uint16_t)port);
    else if (addr->sa.sa_family == AF_INET6)
        addr->in6.sin6_port = htons((uint16_t)port);
}

const char *cg__sim_text(const struct cg_sim_addr *addr, char buf[CG_SIM_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "?";
    int n = (int)addr->len - PATH;

    switch (addr->sa.sa_family) {
    case AF_INET:
        inet_ntop(AF_INET, &addr->in.sin_addr, host, sizeof host);
        snprintf(buf, CG_SIM_TEXT, "%s:%u", host, cg__sim_port(addr));
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &addr->in6.sin6_addr, host, sizeof host);
        snprintf(buf, CG_SIM_TEXT, "[%s]:%u", host, cg__sim_port(addr));
        break;
    default:
        if (n > 0 && !addr->un.sun_path[0])
            snprintf(buf, CG_SIM_TEXT, "unix:@%.*s", n - 1, addr->un.sun_path + 1);
        else
            snprintf(buf, CG_SIM_TEXT, "unix:%.*s", n > 0 ? n : 0, addr->un.sun_path);
    }
    return buf;
}

bool cg__sim_addr_is_group(const struct cg_sim_addr *addr)
{
    return addr->sa.sa_family == AF_INET
               ? IN_MULTICAST(ntohl(addr->in.sin_addr.s_addr))
               : addr->sa.sa_family == AF_INET6 &&
                     IN6_IS_ADDR_MULTICAST(&addr->in6.sin6_addr);
}

bool cg__sim_addr_is_broadcast(const struct cg_sim_addr *addr)
{
    return addr->sa.sa_family == AF_INET &&
           addr->in.sin_addr.s_addr == htonl(INADDR_BROADCAST);
}

/* The socket keeps its port, and with it its bucket. */
void cg__sim_set_local(struct cg_sim_sock *sock)
{
    unsigned port = cg__sim_port(&sock->local);

    if (sock->domain == AF_UNIX || !cg__sim_addr_is_any(&sock->local) ||
        cg__sim_addr_is_group(&sock->remote))
        return;
    sock->local = sock->remote;
    cg__sim_port_set(&sock->local, port);
}

bool cg__sim_addr_same(const struct cg_sim_addr *a, const struct cg_sim_addr *b)
{
    return a->len == b->len && memcmp(&a->sa, &b->sa, a->len) == 0;
}

/* How well a socket's name matches an address that somebody connects to; 0: not at all. */
static int fit(const struct cg_sim_addr *name, bool v6only,
               const struct cg_sim_addr *addr)
{
    struct cg_sim_addr plain = cg__sim_addr_in(name, AF_INET);

    if (cg__sim_addr_same(name, addr) || cg__sim_addr_same(&plain, addr))
        return 3;
    if (cg__sim_port(name) != cg__sim_port(addr) || !cg__sim_addr_is_any(name))
        return 0;
    if (name->sa.sa_family == addr->sa.sa_family)
        return 2;
    return addr->sa.sa_family == AF_INET && !v6only;
}

bool cg__sim_share_names(const struct cg_sim_sock *held, bool datagram)
{
    return held->datagram == datagram ||
           (held->domain == AF_UNIX && held->local.un.sun_path[0]);
}

static bool conflict(const struct cg_sim_sock *held, const struct cg_sim_sock *sock,
                     const struct cg_sim_addr *addr)
{
    if (cg__sim_reuse_port(held) && cg__sim_reuse_port(sock))
        return false;
    if (!cg__sim_share_names(held, sock->datagram))
        return false;
    if (held->datagram && cg__sim_option(held, SOL_SOCKET, SO_REUSEADDR) &&
        cg__sim_option(sock, SOL_SOCKET, SO_REUSEADDR))
        return false;
    return fit(&held->local, cg__sim_v6only(held), addr) ||
           fit(addr, cg__sim_v6only(sock), &held->local);
}

static struct cg_sim_sock **bucket(struct cg_sim *sim, const struct cg_sim_addr *addr)
{
    unsigned hash = cg__sim_port(addr);
    socklen_t i;

    if (addr->sa.sa_family == AF_UNIX)
        for (hash = 5381, i = 0; i < addr->len - PATH; i++)
            hash = hash * 33 + (unsigned char)addr->un.sun_path[i];
    return &sim->names[hash % CG_SIM_BUCKETS];
}

struct cg_sim_sock *cg__sim_bound(struct cg_sim *sim, const struct cg_sim_addr *addr)
{
    return *bucket(sim, addr);
}

int cg__sim_fit(const struct cg_sim_sock *sock, const struct cg_sim_addr *addr)
{
    return fit(&sock->local, cg__sim_v6only(sock), addr);
}

static bool taken(struct cg_sim *sim, const struct cg_sim_sock *sock,
                  const struct cg_sim_addr *addr)
{
    struct cg_sim_sock *held;

    for (held = *bucket(sim, addr); held; held = held->next_bound)
        if (conflict(held, sock, addr))
            return true;
    return false;
}

int cg__sim_port_pick(struct cg_sim *sim, const struct cg_sim_sock *sock,
                      struct cg_sim_addr *addr)
{
    unsigned ports = CG_SIM_PORT_LAST - CG_SIM_PORT_FIRST + 1, i;

    for (i = 0; i < ports; i++) {
        cg__sim_port_set(addr, CG_SIM_PORT_FIRST + sim->next_port);
        sim->next_port = (sim->next_port + 1) % ports;
        if (!taken(sim, sock, addr))
            return 0;
    }
    return -EADDRINUSE;
}

static void append(struct cg_sim_sock **link, struct cg_sim_sock *sock)
{
    while (*link)
        link = &(*link)->next_bound;
    *link = sock;
    sock->next_bound = NULL;
}

int cg__sim_name(struct cg_sim *sim, struct cg_sim_sock *sock,
                 const struct cg_sim_addr *addr)
{
    struct cg_sim_addr name = *addr;

    if (name.sa.sa_family != AF_UNIX && cg__sim_port(&name) == 0) {
        int error = cg__sim_port_pick(sim, sock, &name);

        if (error < 0)
            return error;
    } else if (taken(sim, sock, &name)) {
        return -EADDRINUSE;
    }
    sock->local = name;
    sock->bound = true;
    append(bucket(sim, &name), sock);
    return 0;
}

void cg__sim_unname(struct cg_sim *sim, struct cg_sim_sock *sock)
{
    struct cg_sim_sock **link = bucket(sim, &sock->local);

    while (*link != sock)
        link = &(*link)->next_bound;
    *link = sock->next_bound;
    sock->bound = false;
}

struct cg_sim_sock *cg__sim_listener(struct cg_sim *sim, const struct cg_sim_addr *addr,
                                     int *error)
{
    struct cg_sim_addr plain = cg__sim_addr_in(addr, AF_INET);
    struct cg_sim_sock **link = bucket(sim, &plain), *sock, **best = NULL;
    int best_fit = 0;

    *error =
        addr->sa.sa_family == AF_UNIX && addr->un.sun_path[0] ? ENOENT : ECONNREFUSED;
    for (; (sock = *link); link = &sock->next_bound) {
        int now = fit(&sock->local, cg__sim_v6only(sock), &plain);

        if (now > 0 && cg__sim_share_names(sock, false))
            *error = sock->datagram ? EPROTOTYPE : ECONNREFUSED;
        if (now > best_fit && sock->state == CG_SIM_LISTENING) {
            best_fit = now;
            best = link;
        }
    }
    if (!best)
        return NULL;
    sock = *best;
    *best = sock->next_bound; /* to the end: next time another listener gets its turn */
    append(best, sock);
    return sock;
}
