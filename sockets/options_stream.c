/* SPDX-License-Identifier: MIT */
/* Sets the options of streams: of listeners, and of sockets that connect. */
#include "config.h"

#include "sockets/options.h"
#include "sockets/plain.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <string.h>

/* A length in the system's unit, rounded up. */
static int in_units(int64_t length, int64_t unit)
{
    int64_t n = length / unit + (length % unit > 0);

    return n < INT_MAX ? (int)n : INT_MAX;
}

static bool is_for_tcp(const struct cg__stream_options *o)
{
    return o->device != NULL || o->keepalive != 0 || o->keepalive_interval != 0 ||
           o->keepalive_count != 0 || o->user_timeout != 0 || o->priority != 0 || o->tos != 0 ||
           o->mark != 0 || o->transparent || o->fast_open || o->nagle;
}

static int set_buffers(struct cg_reactor *reactor, int fd, const struct cg__stream_options *o)
{
    const struct cg__option list[] = {
        {o->send_buffer != 0, SOL_SOCKET, SO_SNDBUF, o->send_buffer},
        {o->receive_buffer != 0, SOL_SOCKET, SO_RCVBUF, o->receive_buffer},
    };

    if (o->send_buffer < 0 || o->receive_buffer < 0)
        return -EINVAL;
    return cg__options_set(reactor, fd, list, sizeof list / sizeof list[0]);
}

/* Negative values would mean something else to the kernel, or nothing. */
static bool is_valid(const struct cg__stream_options *o)
{
    return o->keepalive >= 0 && o->keepalive_interval >= 0 && o->keepalive_count >= 0 &&
           o->user_timeout >= 0 && o->priority >= 0 && o->tos >= 0 && o->tos <= 255;
}

int cg__options_set_stream(struct cg_reactor *reactor, int fd, int family,
                           const struct cg__stream_options *o, int backlog)
{
    bool v6 = family == AF_INET6;
    bool probes = o->keepalive != 0 || o->keepalive_interval != 0 || o->keepalive_count != 0;
    const struct cg__option list[] = {
        {o->transparent, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
         v6 ? CG__IPV6_TRANSPARENT : CG__IP_TRANSPARENT, 1},
        {o->mark != 0, SOL_SOCKET, CG__SO_MARK, (int)o->mark},
        {o->tos != 0, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? CG__IPV6_TCLASS : IP_TOS, o->tos},
        {o->priority != 0, SOL_SOCKET, CG__SO_PRIORITY, o->priority}, /* IP_TOS sets it, too */
        {probes, SOL_SOCKET, SO_KEEPALIVE, 1},
        {o->keepalive != 0, IPPROTO_TCP, CG__TCP_KEEPIDLE, in_units(o->keepalive, CG_SECOND)},
        {o->keepalive_interval != 0, IPPROTO_TCP, CG__TCP_KEEPINTVL,
         in_units(o->keepalive_interval, CG_SECOND)},
        {o->keepalive_count != 0, IPPROTO_TCP, CG__TCP_KEEPCNT, o->keepalive_count},
        {o->user_timeout != 0, IPPROTO_TCP, CG__TCP_USER_TIMEOUT,
         in_units(o->user_timeout, CG_MILLISECOND)},
        {o->nagle, IPPROTO_TCP, TCP_NODELAY, 0},
        {o->fast_open, IPPROTO_TCP, backlog > 0 ? CG__TCP_FASTOPEN : CG__TCP_FASTOPEN_CONNECT,
         backlog > 0 ? backlog : 1},
    };
    int rc = set_buffers(reactor, fd, o);

    if (rc < 0 || family == AF_UNIX)
        return rc < 0 ? rc : is_for_tcp(o) ? -EINVAL : 0;
    if (!is_valid(o))
        return -EINVAL;
    rc = cg__options_set_device(reactor, fd, o->device);
    return rc < 0 ? rc : cg__options_set(reactor, fd, list, sizeof list / sizeof list[0]);
}

/* Whether the text is not an address but a host name, whose look-up would block. */
static bool is_name(const char *text)
{
    size_t len = strcspn(text, ":");
    char host[CG_HOST_SIZE];
    struct cg_addr addr;

    if (text[0] == '[' || strncmp(text, "unix:", 5) == 0)
        return false;
    if (len >= sizeof host)
        return true;
    memcpy(host, text, len);
    host[len] = '\0';
    return cg__addr_host(host, &addr) != 1;
}

/* If the port is left to the kernel, it is chosen by connect: then sockets with different
 * peers may share it. */
static int bind_to(struct cg_reactor *reactor, int fd, int family, const char *text)
{
    struct cg_io io = {.code = CG_IO_BIND, .fd = fd};
    struct cg_addr addr;
    int rc = is_name(text) ? CG_EADDR : cg__addr_parse(text, true, &addr, 1);

    if (rc < 0)
        return rc;
    if (addr.base.sa_family != family)
        return -EAFNOSUPPORT;
    if (cg__addr_has_path(&addr))
        return -EINVAL; /* nobody would remove the file */
    if (family != AF_UNIX && *cg__addr_port_of(&addr) == 0 && CG__IP_BIND_ADDRESS_NO_PORT >= 0)
        cg__plain_set(reactor, fd, IPPROTO_IP, CG__IP_BIND_ADDRESS_NO_PORT, 1);
    io.addr = &addr.base;
    io.addrlen = addr.len;
    return (int)cg__plain_call(reactor, &io);
}

int cg__options_set_connect(struct cg_reactor *reactor, int fd, int family,
                            const struct cg_connect_options *options)
{
    int rc;

    if (options == NULL)
        return 0;
    rc = cg__options_set_stream(reactor, fd, family,
                                (const struct cg__stream_options *)options, 0);
    if (rc == 0 && options->reuse_addr && family != AF_UNIX)
        rc = cg__plain_set(reactor, fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (rc == 0 && options->local != NULL)
        rc = bind_to(reactor, fd, family, options->local);
    return rc;
}
