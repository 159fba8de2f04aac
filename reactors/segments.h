/* SPDX-License-Identifier: MIT */
/* Datagrams of one length to one address, which go to the kernel as the segments of one
 * message (UDP_SEGMENT, "GSO"): it walks through its layers once. segments_none.c is for
 * systems without this: there each datagram is a message. */
#ifndef COGEN_REACTORS_SEGMENTS_H
#define COGEN_REACTORS_SEGMENTS_H

#include <sys/socket.h>

#include <cogen/datagram.h>

/* Returns how many of n datagrams (n > 0), from the first on, can be segments of one
 * message: 1 if only it can. */
unsigned cg__segments_run(const struct cg_datagram *list, unsigned n);

/* Whether this socket sends segments. A kernel that does not know them would send the
 * message as one long datagram. */
bool cg__segments_known(int fd);

/* Tells the kernel how long the segments of the message are. */
void cg__segments_mark(struct msghdr *message, size_t len);

/* Whether the result of a send may be an error of segments alone, so that single datagrams
 * could be sent. Errors of an earlier datagram, which the kernel reports once, are none. */
bool cg__segments_refused(ssize_t result);

#endif
