/* SPDX-License-Identifier: MIT */
/* Datagrams of one length to one address, which go to the kernel as the segments of one
 * message (UDP_SEGMENT, "GSO"): its network stack handles them together, and splits them late.
 * segments_none.c is for systems without this: there each datagram is a message. */
#ifndef COGEN_REACTORS_SEGMENTS_H
#define COGEN_REACTORS_SEGMENTS_H

#include <sys/socket.h>

#include <cogen/datagram.h>

/* Returns how many datagrams, from the first of n (n > 0), can be the segments of one message.
 * 1: the first one is sent alone. */
unsigned cg__segments_run(const struct cg_datagram *list, unsigned n);

/* Whether this socket can send segments. A kernel without UDP_SEGMENT ignores the mark, and
 * would join the datagrams to a single long one. */
bool cg__segments_known(int fd);

/* Tells the kernel how long the segments of the message are. */
void cg__segments_mark(struct msghdr *message, size_t len);

/* Whether a send may have failed only because of segments, so that it is worth sending the
 * datagrams one by one. Other errors may be those of an earlier datagram: the kernel reports
 * such an error once, so the caller must get it. */
bool cg__segments_refused(ssize_t result);

#endif
