/* SPDX-License-Identifier: MIT */
/* System calls for datagrams, with their control messages: the address and interface of
 * this host, TTL and ECN. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "reactors/calls.h"
#include "reactors/datagrams.h"

enum {
    AT_ONCE = 16,  /* datagrams a call; they take 3.3 KiB of a coroutine's stack */
    CONTROL = 128, /* bytes: PKTINFO, TTL and TOS, of IPv4 in IPv6 too */
};

union control {
    size_t align; /* aligns the buffer for a struct cmsghdr */
    char bytes[CONTROL];
};

struct batch {
    unsigned count;
    struct cg__message messages[AT_ONCE];
    struct iovec parts[AT_ONCE];
    union control controls[AT_ONCE];
};

static void note_local(struct cg_datagram_info *info, sa_family_t family, const void *addr)
{
    info->local = (struct cg_addr){.base.sa_family = family};
    if (family == AF_INET)
        memcpy(&info->local.in.sin_addr, addr, sizeof info->local.in.sin_addr);
    else
        memcpy(&info->local.in6.sin6_addr, addr, sizeof info->local.in6.sin6_addr);
    info->local.len =
        family == AF_INET ? sizeof info->local.in : sizeof info->local.in6;
}

static bool is_multicast(const struct cg_addr *addr)
{
    return addr->base.sa_family == AF_INET
               ? IN_MULTICAST(ntohl(addr->in.sin_addr.s_addr))
               : IN6_IS_ADDR_MULTICAST(&addr->in6.sin6_addr);
}

static int int_of(const struct cmsghdr *head)
{
    int value = *CMSG_DATA(head);

    if (head->cmsg_len >= CMSG_LEN(sizeof value))
        memcpy(&value, CMSG_DATA(head), sizeof value);
    return value;
}

/* The destination in an IPv4 datagram's header may be a broadcast address. The one from
 * which to reply is the address of this host by which the kernel accepted the datagram. */
static void note_ipv4(struct cg_datagram_info *info, const struct cmsghdr *head)
{
    switch (head->cmsg_type) {
#ifdef IP_PKTINFO
    case IP_PKTINFO: {
        struct in_pktinfo found;

        memcpy(&found, CMSG_DATA(head), sizeof found);
        note_local(info, AF_INET,
                   IN_MULTICAST(ntohl(found.ipi_addr.s_addr)) ? &found.ipi_addr
                                                              : &found.ipi_spec_dst);
        info->interface = (unsigned)found.ipi_ifindex;
        break;
    }
#endif
    case IP_TTL:
        info->ttl = int_of(head);
        break;
    case IP_TOS:
        info->ecn = int_of(head) & 3;
        break;
    }
}

static void note_ipv6(struct cg_datagram_info *info, const struct cmsghdr *head)
{
    switch (head->cmsg_type) {
    case IPV6_PKTINFO: {
        struct in6_pktinfo found;

        memcpy(&found, CMSG_DATA(head), sizeof found);
        note_local(info, AF_INET6, &found.ipi6_addr);
        info->interface = found.ipi6_ifindex;
        if (IN6_IS_ADDR_LINKLOCAL(&found.ipi6_addr))
            info->local.in6.sin6_scope_id = info->interface;
        break;
    }
    case IPV6_HOPLIMIT:
        info->ttl = int_of(head);
        break;
    case IPV6_TCLASS:
        info->ecn = int_of(head) & 3;
        break;
    }
}

static void note_info(struct cg_datagram_info *info, const struct msghdr *message)
{
    *info = (struct cg_datagram_info){.ttl = -1, .ecn = -1};
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head;
         head = CMSG_NXTHDR((struct msghdr *)message, head)) {
        if (head->cmsg_level == IPPROTO_IP)
            note_ipv4(info, head);
        else if (head->cmsg_level == IPPROTO_IPV6)
            note_ipv6(info, head);
    }
}

static void add_control(struct msghdr *message, union control *control, int level, int type,
                        const void *data, size_t size)
{
    struct cmsghdr *head;

    memset(control, 0, sizeof *control);
    message->msg_control = control->bytes;
    message->msg_controllen = CMSG_SPACE(size);
    head = CMSG_FIRSTHDR(message);
    head->cmsg_level = level;
    head->cmsg_type = type;
    head->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(head), data, size);
}

/* Adds the control message that selects the source address and interface of a datagram. If
 * the address is a multicast group, the kernel selects the source address. */
static void add_source(struct msghdr *message, union control *control,
                       const struct cg_datagram *datagram)
{
    const struct cg_addr *local = &datagram->info->local;
    const struct cg_addr *of = local->len > 0 ? local : datagram->addr;
    bool named = local->len > 0 && !is_multicast(local);

    if (!of || of->len == 0 || (!named && datagram->info->interface == 0))
        return;
#ifdef IP_PKTINFO
    if (of->base.sa_family == AF_INET) {
        struct in_pktinfo from = {.ipi_ifindex = (int)datagram->info->interface};

        if (named)
            from.ipi_spec_dst = local->in.sin_addr;
        add_control(message, control, IPPROTO_IP, IP_PKTINFO, &from, sizeof from);
    }
#endif
    if (of->base.sa_family == AF_INET6) {
        struct in6_pktinfo from = {.ipi6_ifindex = datagram->info->interface};

        if (named)
            from.ipi6_addr = local->in6.sin6_addr;
        add_control(message, control, IPPROTO_IPV6, IPV6_PKTINFO, &from, sizeof from);
    }
}

ssize_t cg__datagrams_receive_one(int fd, struct cg__message *message, int flags)
{
    ssize_t n;

    CG__CALLS_RETRY(n, recvmsg(fd, &message->head, flags));
    message->len = n > 0 ? (unsigned)n : 0;
    return n < 0 ? cg__calls_result(n) : 1;
}

ssize_t cg__datagrams_send_one(int fd, const struct cg__message *message, int flags)
{
    ssize_t n;

    CG__CALLS_RETRY(n, sendmsg(fd, &message->head, flags));
    return n < 0 ? cg__calls_result(n) : 1;
}

static void prepare(struct batch *batch, const struct cg_io *io)
{
    batch->count = io->most < AT_ONCE ? (unsigned)io->most : (unsigned)AT_ONCE;
    for (unsigned i = 0; i < batch->count; i++) {
        struct cg_datagram *datagram = &io->datagrams[i];
        struct msghdr *message = &batch->messages[i].head;

        batch->parts[i].iov_base = datagram->buf;
        batch->parts[i].iov_len =
            io->code == CG_IO_RECV_DATAGRAMS ? datagram->size : datagram->len;
        *message = (struct msghdr){.msg_iov = &batch->parts[i], .msg_iovlen = 1};
    }
}

static void take(struct cg_datagram *datagram, const struct cg__message *received)
{
    const struct msghdr *message = &received->head;

    datagram->whole = received->len; /* because of MSG_TRUNC, where the system knows it */
    if ((message->msg_flags & MSG_TRUNC) && datagram->whole <= datagram->size)
        datagram->whole = datagram->size + 1;
    datagram->len = datagram->whole < datagram->size ? datagram->whole : datagram->size;
    if (datagram->addr)
        datagram->addr->len = message->msg_namelen > sizeof(sa_family_t)
                                   ? message->msg_namelen
                                   : 0; /* a UNIX socket without a name */
    if (datagram->info)
        note_info(datagram->info, message);
}

ssize_t cg__datagrams_receive(const struct cg_io *io)
{
    struct batch batch;
    ssize_t n;

    prepare(&batch, io);
    for (unsigned i = 0; i < batch.count; i++) {
        struct msghdr *message = &batch.messages[i].head;

        if (io->datagrams[i].addr) {
            message->msg_name = &io->datagrams[i].addr->base;
            message->msg_namelen = sizeof io->datagrams[i].addr->un; /* the largest kind */
        }
        if (io->datagrams[i].info) {
            message->msg_control = batch.controls[i].bytes;
            message->msg_controllen = sizeof batch.controls[i];
        }
    }
    n = cg__datagrams_receive_many(io->fd, batch.messages, batch.count,
                                   MSG_DONTWAIT | MSG_TRUNC);
    for (ssize_t i = 0; i < n; i++)
        take(&io->datagrams[i], &batch.messages[i]);
    return n;
}

ssize_t cg__datagrams_send(const struct cg_io *io)
{
    struct batch batch;

    prepare(&batch, io);
    for (unsigned i = 0; i < batch.count; i++) {
        struct cg_datagram *datagram = &io->datagrams[i];
        struct msghdr *message = &batch.messages[i].head;

        if (datagram->addr && datagram->addr->len > 0) {
            message->msg_name = &datagram->addr->base;
            message->msg_namelen = datagram->addr->len;
        }
        if (datagram->info)
            add_source(message, &batch.controls[i], datagram);
    }
    return cg__datagrams_send_many(io->fd, batch.messages, batch.count,
                                   MSG_DONTWAIT | CG__NOSIGNAL);
}
