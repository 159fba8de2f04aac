/* SPDX-License-Identifier: MIT */
/* The system calls of datagrams. */
#ifndef COGEN_REACTORS_DATAGRAMS_H
#define COGEN_REACTORS_DATAGRAMS_H

#include <cogen/datagram.h>
#include <cogen/reactor.h>

/* Make one attempt, without waiting, at a request CG_IO_RECV_DATAGRAMS or
 * CG_IO_SEND_DATAGRAMS. Return how many datagrams were moved, at least 1; -EAGAIN;
 * -errno. */
ssize_t cg__datagrams_receive(struct cg_io *io);
ssize_t cg__datagrams_send(struct cg_io *io);

/* One of several messages, laid out as in recvmmsg's struct mmsghdr. */
struct cg__message {
    struct msghdr head;
    unsigned len; /* received: the datagram's length */
};

/* Receive or send at most n messages, n > 0. Return how many, at least 1; -EAGAIN; -errno.
 * datagrams_many.c does so with one system call. Without such a call datagrams_one.c moves
 * one message only: a loop that meets an error after its first message would have to drop
 * that error. */
ssize_t cg__datagrams_receive_many(int fd, struct cg__message *messages, unsigned n, int flags);
ssize_t cg__datagrams_send_many(int fd, struct cg__message *messages, unsigned n, int flags);

/* Appends a control message. The buffer of the message must have room for it. */
void cg__datagrams_control(struct msghdr *message, int level, int type, const void *data,
                           size_t size);

/* Receive or send one message. */
ssize_t cg__datagrams_receive_one(int fd, struct cg__message *message, int flags);
ssize_t cg__datagrams_send_one(int fd, const struct cg__message *message, int flags);

#endif
