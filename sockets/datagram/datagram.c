/* SPDX-License-Identifier: MIT */
/* cg_datagram_open_with: a plain socket that is known to carry datagrams. */
#include "config.h"

#include "sockets/datagram/datagram.h"
#include "sockets/listen/unix_path.h"
#include "sockets/options.h"
#include "sockets/plain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRS = 16 }; /* addresses of a local host name that are tried */

/* The addresses of a socket and of its peer. */
struct ends {
    const struct cg_addr *local, *peer; /* NULL: none */
    struct cg__path *path;               /* of a local UNIX path; or NULL */
};

static int set_multicast(struct cg_reactor *reactor, int fd, bool v6,
                         const struct cg_datagram_options *options)
{
    struct ip_mreqn v4_interface = {.imr_ifindex = 0};
    unsigned index;
    int rc = cg__options_interface(options->multicast_interface, &index);

    v4_interface.imr_ifindex = (int)index;
    if (rc < 0 || index == 0)
        return rc;
    if (v6)
        return cg__options_set_value(reactor, fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index,
                                     sizeof index);
    return cg__options_set_value(reactor, fd, IPPROTO_IP, IP_MULTICAST_IF, &v4_interface,
                                 sizeof v4_interface);
}

static int set_ip(struct cg_reactor *reactor, int fd, bool v6,
                  const struct cg_datagram_options *options)
{
    const struct cg__option list[] = {
        {options->reuse_addr, SOL_SOCKET, SO_REUSEADDR, 1},
        {options->reuse_port, SOL_SOCKET, CG__SO_REUSEPORT, 1},
        {options->broadcast, SOL_SOCKET, SO_BROADCAST, 1},
        {v6, IPPROTO_IPV6, IPV6_V6ONLY, options->v6only},
        {!v6 && options->ttl != 0, IPPROTO_IP, IP_TTL, options->ttl},
        {v6 && options->ttl != 0, IPPROTO_IPV6, IPV6_UNICAST_HOPS, options->ttl},
        {!v6 && options->tos != 0, IPPROTO_IP, IP_TOS, options->tos},
        {v6 && options->tos != 0, IPPROTO_IPV6, IPV6_TCLASS, options->tos},
        {!v6 && options->multicast_ttl != 0, IPPROTO_IP, IP_MULTICAST_TTL,
         options->multicast_ttl},
        {v6 && options->multicast_ttl != 0, IPPROTO_IPV6, IPV6_MULTICAST_HOPS,
         options->multicast_ttl},
        {!v6 && options->multicast_quiet, IPPROTO_IP, IP_MULTICAST_LOOP, 0},
        {v6 && options->multicast_quiet, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0},
        {!v6 && options->dont_fragment, IPPROTO_IP, CG__IP_MTU_DISCOVER,
         CG__IP_PMTUDISC_DO},
        {v6 && options->dont_fragment, IPPROTO_IPV6, CG__IPV6_MTU_DISCOVER,
         CG__IP_PMTUDISC_DO},
        {!v6 && options->info, IPPROTO_IP, CG__IP_PKTINFO, 1},
        {v6 && options->info, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1},
        {v6 && options->info, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1},
        {v6 && options->info, IPPROTO_IPV6, IPV6_RECVTCLASS, 1},
    };
    int rc = cg__options_set(reactor, fd, list, sizeof list / sizeof list[0]);

    /* An IPv6 socket needs these two as well, for the IPv4 datagrams that it receives. */
    if (rc == 0 && options->info) {
        cg__plain_set(reactor, fd, IPPROTO_IP, IP_RECVTTL, 1);
        cg__plain_set(reactor, fd, IPPROTO_IP, IP_RECVTOS, 1);
    }
    if (rc == 0)
        rc = set_multicast(reactor, fd, v6, options);
    return rc;
}

static int set_options(struct cg_reactor *reactor, int fd, sa_family_t family,
                       const struct cg_datagram_options *options)
{
    const struct cg__option buffers[] = {
        {options->receive_buffer != 0, SOL_SOCKET, SO_RCVBUF, options->receive_buffer},
        {options->send_buffer != 0, SOL_SOCKET, SO_SNDBUF, options->send_buffer},
    };
    int rc = cg__options_set(reactor, fd, buffers, sizeof buffers / sizeof buffers[0]);

    if (rc < 0 || family == AF_UNIX)
        return rc;
    rc = cg__options_set_device(reactor, fd, options->device);
    return rc < 0 ? rc : set_ip(reactor, fd, family == AF_INET6, options);
}

/* Checks values that the kernel would not refuse: it takes some for "the default", and
 * uses only the low bits of others. */
static bool is_out_of_range(const struct cg_datagram_options *options)
{
    return options->ttl < 0 || options->ttl > 255 || options->tos < 0 ||
           options->tos > 255 || options->multicast_ttl < 0 ||
           options->multicast_ttl > 255 || options->receive_buffer < 0 ||
           options->send_buffer < 0;
}

static int name_end(struct cg_reactor *reactor, int fd, uint8_t code,
                    const struct cg_addr *addr)
{
    struct cg_io io = {.code = code, .fd = fd};

    if (addr == NULL)
        return 0;
    io.addr = &addr->base;
    io.addrlen = addr->len;
    return (int)cg__plain_call(reactor, &io);
}

/* Returns a descriptor with its options, bound and connected, or -errno. */
static int open_fd(struct cg_reactor *reactor, const struct ends *ends,
                   const struct cg_datagram_options *options)
{
    const struct cg_addr *addr = ends->local != NULL ? ends->local : ends->peer;
    struct cg_io io = {.code = CG_IO_SOCKET, .fd = -1};
    int fd, rc;

    io.domain = addr->base.sa_family;
    io.type = SOCK_DGRAM;
    fd = (int)cg__plain_call(reactor, &io);
    if (fd < 0)
        return fd;
    rc = set_options(reactor, fd, addr->base.sa_family, options);
    if (rc == 0)
        rc = name_end(reactor, fd, CG_IO_BIND, ends->local);
    if (rc == 0)
        cg__unix_path_made(ends->path);
    if (rc == 0)
        rc = name_end(reactor, fd, CG_IO_SET_PEER, ends->peer);
    if (rc == 0)
        return fd;
    cg__plain_close_fd(reactor, fd);
    return rc;
}

static int open_sock(struct cg_sched *sched, const struct ends *ends,
                     const struct cg_datagram_options *options, struct cg_sock **sock)
{
    struct cg_reactor *reactor = cg_sched_reactor(sched);
    const struct cg_addr *addr = ends->local != NULL ? ends->local : ends->peer;
    int fd = open_fd(reactor, ends, options);
    struct cg_sock *made;

    if (fd < 0)
        return fd;
    made = cg_sock_open(sched, &cg__plain_transport, ends->path, fd);
    if (made == NULL) {
        cg__plain_close_fd(reactor, fd);
        return -ENOMEM;
    }
    made->datagrams = addr->base.sa_family;
    *sock = made;
    return 0;
}

static int open_unix(struct cg_sched *sched, struct ends *ends,
                     const struct cg_datagram_options *options, struct cg_sock **sock)
{
    int rc = cg__unix_path_new(ends->local, &ends->path);

    if (rc < 0)
        return rc;
    if (options->take_over)
        rc = cg__unix_path_clear(ends->path, ends->local, SOCK_DGRAM);
    if (rc == 0)
        rc = open_sock(sched, ends, options, sock);
    cg__unix_path_unlock(ends->path);
    if (rc < 0)
        cg__unix_path_remove(ends->path);
    return rc;
}

int cg__datagram_addr(const char *text, sa_family_t family, struct cg_addr *addr)
{
    char name[CG_HOST_SIZE], port[6];
    struct cg_addr list[2];
    int count;

    if (cg__addr_split(text, name, port) && !cg__addr_same_host(name, "localhost"))
        return CG_EADDR; /* a host name would need a look-up */
    count = cg__addr_parse(text, false, list, 2);
    if (count < 0)
        return count;
    *addr = list[count > 1 && list[1].base.sa_family == family];
    return 0;
}

void cg__datagram_charge(struct cg_sock *sock, const struct cg_datagram *list, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += list[i].len;
    cg_sched_charge(sock->sched, bytes);
}

int cg_datagram_open_with(struct cg_sched *sched, const char *local,
                          const struct cg_datagram_options *options, struct cg_sock **sock)
{
    static const struct cg_datagram_options defaults;
    struct cg_addr list[ADDRS], peer;
    struct ends ends = {.local = NULL};
    int count = 2, rc = CG_EADDR; /* without a local address: for both of localhost */

    if (options == NULL)
        options = &defaults;
    if (is_out_of_range(options) || (local == NULL && options->peer == NULL))
        return -EINVAL;
    if (local != NULL && (count = cg__addr_parse(local, true, list, ADDRS)) < 0)
        return count;
    for (int i = 0; i < count && (i == 0 || cg__addr_is_absent(rc)); i++) {
        ends.local = local != NULL ? &list[i] : NULL;
        if (options->peer != NULL) {
            rc = cg__datagram_addr(options->peer,
                                   local != NULL ? list[i].base.sa_family
                                   : i == 0      ? AF_INET6
                                                 : AF_INET,
                                   &peer);
            if (rc < 0)
                return rc;
            ends.peer = &peer;
        }
        if (local != NULL && cg__addr_has_path(&list[i]))
            return open_unix(sched, &ends, options, sock);
        rc = open_sock(sched, &ends, options, sock);
    }
    return rc;
}
