/* SPDX-License-Identifier: MIT */
/* System calls for datagrams, with their control messages: the address and interface of
 * this host, TTL and ECN. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "reactors/calls.h"
#include "reactors/datagrams.h"
#include "reactors/segments.h"

enum {
    AT_ONCE = 16,  /* datagrams a call; they take 3.3 KiB of a coroutine's stack */
    CONTROL = 128, /* bytes: PKTINFO, TTL and TOS, of IPv4 in IPv6 too */
};

/* What io->known says: the kernel is asked once for each socket and direction. */
enum { UNKNOWN, YES, NO };

union control {
    size_t align; /* aligns the buffer for a struct cmsghdr */
    char bytes[CONTROL];
};

struct batch {
    unsigned count; /* of messages */
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

void cg__datagrams_control(struct msghdr *message, int level, int type, const void *data,
                           size_t size)
{
    struct cmsghdr *head =
        (struct cmsghdr *)((char *)message->msg_control + message->msg_controllen);

    memset(head, 0, CMSG_SPACE(size));
    message->msg_controllen += CMSG_SPACE(size);
    head->cmsg_level = level;
    head->cmsg_type = type;
    head->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(head), data, size);
}

/* Adds the control message that selects the source address and interface of a datagram. If
 * the address is a multicast group, the kernel selects the source address. */
static void add_source(struct msghdr *message, const struct cg_datagram *datagram)
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
        cg__datagrams_control(message, IPPROTO_IP, IP_PKTINFO, &from, sizeof from);
    }
#endif
    if (of->base.sa_family == AF_INET6) {
        struct in6_pktinfo from = {.ipi6_ifindex = datagram->info->interface};

        if (named)
            from.ipi6_addr = local->in6.sin6_addr;
        cg__datagrams_control(message, IPPROTO_IPV6, IPV6_PKTINFO, &from, sizeof from);
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

static unsigned at_once(const struct cg_io *io)
{
    return io->most < AT_ONCE ? (unsigned)io->most : (unsigned)AT_ONCE;
}

/* The size of a sender's address. Linux counts a NUL after the path of a UNIX socket that fills
 * sun_path, but accepts such an address only without it. */
static socklen_t addr_len(socklen_t len)
{
    if (len <= sizeof(sa_family_t))
        return 0; /* a UNIX socket without a name */
    return len < sizeof(struct sockaddr_un) ? len : sizeof(struct sockaddr_un);
}

static void take(struct cg_datagram *datagram, const struct cg__message *received)
{
    const struct msghdr *message = &received->head;

    datagram->whole = received->len; /* because of MSG_TRUNC, where the system knows it */
    if ((message->msg_flags & MSG_TRUNC) && datagram->whole <= datagram->size)
        datagram->whole = datagram->size + 1;
    datagram->len = datagram->whole < datagram->size ? datagram->whole : datagram->size;
    if (datagram->addr)
        datagram->addr->len = addr_len(message->msg_namelen);
    if (datagram->info)
        note_info(datagram->info, message);
}

/* A UNIX socket has no information. With a buffer for it the kernel would open here the
 * descriptors that a sender passes; without one it drops them. */
static bool has_info(struct cg_io *io)
{
    struct sockaddr name = {.sa_family = AF_UNSPEC};
    socklen_t len = sizeof name;

    if (io->known == UNKNOWN) {
        getsockname(io->fd, &name, &len);
        io->known = name.sa_family == AF_INET || name.sa_family == AF_INET6 ? YES : NO;
    }
    return io->known == YES;
}

ssize_t cg__datagrams_receive(struct cg_io *io)
{
    struct batch batch;
    ssize_t n;

    batch.count = at_once(io);
    for (unsigned i = 0; i < batch.count; i++) {
        const struct cg_datagram *datagram = &io->datagrams[i];
        struct msghdr *message = &batch.messages[i].head;

        batch.parts[i] = (struct iovec){datagram->buf, datagram->size};
        *message = (struct msghdr){.msg_iov = &batch.parts[i], .msg_iovlen = 1};
        if (datagram->addr) {
            message->msg_name = &datagram->addr->base;
            message->msg_namelen = sizeof datagram->addr->un; /* the largest kind */
        }
        if (datagram->info && has_info(io)) {
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

/* Adds a message of `run` datagrams, whose parts follow those of the messages before it. */
static void add_message(struct batch *batch, const struct cg_datagram *list, unsigned run,
                        struct iovec *parts)
{
    struct msghdr *message = &batch->messages[batch->count].head;

    *message = (struct msghdr){.msg_iov = parts, .msg_iovlen = run};
    message->msg_control = batch->controls[batch->count++].bytes;
    for (unsigned i = 0; i < run; i++)
        parts[i] = (struct iovec){list[i].buf, list[i].len};
    if (list->addr && list->addr->len > 0) {
        message->msg_name = &list->addr->base;
        message->msg_namelen = list->addr->len;
    }
    if (list->info)
        add_source(message, list);
    if (run > 1)
        cg__segments_mark(message, list->len);
}

/* Makes one attempt, in messages of several datagrams where `segments` allows it. Sets
 * *first to the number of datagrams in the first message. */
static ssize_t send_batch(const struct cg_io *io, bool segments, unsigned *first)
{
    struct batch batch;
    unsigned n = at_once(io);
    ssize_t sent, moved = 0;

    batch.count = 0;
    for (unsigned i = 0, run; i < n; i += run) {
        run = segments ? cg__segments_run(&io->datagrams[i], n - i) : 1;
        add_message(&batch, &io->datagrams[i], run, &batch.parts[i]);
    }
    *first = (unsigned)batch.messages[0].head.msg_iovlen;
    sent = cg__datagrams_send_many(io->fd, batch.messages, batch.count,
                                   MSG_DONTWAIT | CG__NOSIGNAL);
    for (ssize_t i = 0; i < sent; i++)
        moved += (ssize_t)batch.messages[i].head.msg_iovlen;
    return sent < 0 ? sent : moved;
}

/* Whether some of the datagrams could go as one message. */
static bool has_run(const struct cg_io *io)
{
    for (unsigned i = 0; i + 1 < at_once(io); i++) {
        if (cg__segments_run(&io->datagrams[i], 2) > 1)
            return true;
    }
    return false;
}

static bool takes_segments(struct cg_io *io)
{
    if (io->known == UNKNOWN)
        io->known = cg__segments_known(io->fd) ? YES : NO;
    return io->known == YES;
}

ssize_t cg__datagrams_send(struct cg_io *io)
{
    unsigned first;
    ssize_t n = send_batch(io, has_run(io) && takes_segments(io), &first);

    if (first > 1 && cg__segments_refused(n))
        n = send_batch(io, false, &first);
    return n;
}
