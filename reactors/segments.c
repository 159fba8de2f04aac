/* SPDX-License-Identifier: MIT */
/* Datagrams of one length to one address as segments of one message. */
#include "config.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "reactors/datagrams.h"
#include "reactors/segments.h"

/* The kernel refuses to fragment segments, and a longer datagram does not fit into one packet of
 * Ethernet. */
enum { LONGEST = 1472 };

static bool same_addr(const struct cg_addr *a, const struct cg_addr *b)
{
    return a == b || (a && b && a->len == b->len && memcmp(a, b, a->len) == 0);
}

static bool same_source(const struct cg_datagram_info *a, const struct cg_datagram_info *b)
{
    return a == b ||
           (a && b && a->interface == b->interface && same_addr(&a->local, &b->local));
}

unsigned cg__segments_run(const struct cg_datagram *list, unsigned n)
{
    unsigned run = 1;

    if (list->len > LONGEST)
        return 1;
    /* The last segment may be shorter, but is not empty. */
    while (run < n && list[run - 1].len == list->len && list[run].len <= list->len &&
           list[run].len > 0 && same_addr(list->addr, list[run].addr) &&
           same_source(list->info, list[run].info))
        run++;
    return run;
}

bool cg__segments_known(int fd)
{
    int value;
    socklen_t len = sizeof value;

    return getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &value, &len) == 0;
}

void cg__segments_mark(struct msghdr *message, size_t len)
{
    uint16_t segment = (uint16_t)len;

    cg__datagrams_control(message, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
}

/* EINVAL and EMSGSIZE: a segment is longer than the path's MTU. EIO: the device or the tunnel
 * cannot send segments. */
bool cg__segments_refused(ssize_t result)
{
    return result == -EINVAL || result == -EMSGSIZE || result == -EIO;
}
