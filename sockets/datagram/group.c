/* SPDX-License-Identifier: MIT */
/* cg_datagram_join_with and cg_datagram_leave_with: multicast groups, by the options of
 * RFC 3678 that are the same for IPv4 and IPv6. */
#include "config.h"

#include "sockets/datagram/datagram.h"
#include "sockets/options.h"
#include "sockets/sock.h"

#include <errno.h>
#include <string.h>

/* Reads a numeric address. Returns 0 or CG_EADDR. */
static int read_host(const char *text, struct cg_addr *addr)
{
    return text != NULL && cg__addr_host(text, addr) == 1 ? 0 : CG_EADDR;
}

static int change(struct cg_sock *sock, const struct cg_addr *group,
                  const struct cg_addr *source, unsigned interface, bool join)
{
    int level = group->base.sa_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
    struct group_source_req one = {.gsr_interface = interface};
    struct group_req all = {.gr_interface = interface};

    if (source == NULL) {
        memcpy(&all.gr_group, &group->base, group->len);
        return cg__options_set_value(sock->reactor, cg__sock_fd(sock), level,
                                     join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &all,
                                     sizeof all);
    }
    memcpy(&one.gsr_group, &group->base, group->len);
    memcpy(&one.gsr_source, &source->base, source->len);
    return cg__options_set_value(sock->reactor, cg__sock_fd(sock), level,
                                 join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP,
                                 &one, sizeof one);
}

static int read_and_change(struct cg_sock *sock, const char *text,
                           const struct cg_multicast_options *options, bool join)
{
    static const struct cg_multicast_options defaults;
    struct cg_addr group, source;
    unsigned interface;
    int rc;

    if (options == NULL)
        options = &defaults;
    if (sock == NULL || sock->closing)
        return -EBADF;
    if (sock->datagrams == 0)
        return -EOPNOTSUPP;
    if ((rc = read_host(text, &group)) < 0)
        return rc;
    if (options->source != NULL) {
        if ((rc = read_host(options->source, &source)) < 0)
            return rc;
        if (source.base.sa_family != group.base.sa_family)
            return CG_EADDR;
    }
    if ((rc = cg__options_interface(options->interface, &interface)) < 0)
        return rc;
    if (group.base.sa_family == AF_INET6 && interface == 0)
        interface = group.in6.sin6_scope_id;
    return change(sock, &group, options->source != NULL ? &source : NULL, interface, join);
}

int cg_datagram_join_with(struct cg_sock *sock, const char *group,
                          const struct cg_multicast_options *options)
{
    return read_and_change(sock, group, options, true);
}

int cg_datagram_leave_with(struct cg_sock *sock, const char *group,
                           const struct cg_multicast_options *options)
{
    return read_and_change(sock, group, options, false);
}
