/* SPDX-License-Identifier: MIT */
/* Subjects that write bytes to a socket whose buffers are full. The rule for partial ops:
 * in the end the peer has read the bytes from before, and the first .moved bytes of the
 * op. */
#include "tests/pairs/pairs.h"

#include <sys/socket.h>
#include <unistd.h>

enum {
    LENGTH = 40 * 1000,
    SMALL = 4096
};

struct writer {
    struct world w;
    struct cg_sock *sock, *peer;
    struct cg_coro *drain;
    struct iovec iov[3];
    size_t filled, moved, drained;
    char bytes[LENGTH];
    int file;
};

static void shrink(struct cg_sock *sock, int name)
{
    int size = SMALL;

    OK(cg_sock_setopt(sock, SOL_SOCKET, name, &size, sizeof size));
}

/* Writes until no more fits. With a kernel it writes directly, since a reactor that never
 * completes at once cannot tell. */
static void fill(struct writer *wr)
{
    int fd = cg_sock_fd(wr->sock);
    ssize_t n;

    for (;;) {
        test_fill(wr->bytes, LENGTH, wr->filled);
        if (fd >= 0 && !test_on_sim()) {
            n = send(fd, wr->bytes, LENGTH, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n < 0 && errno == EAGAIN)
                return;
            wr->filled += (size_t)OK(n);
        } else {
            size_t moved = 0;

            n = cg_yield(cg_write(wr->sock, wr->bytes, LENGTH, .timeout = MS / 10,
                                  .moved = &moved));
            wr->filled += moved;
            if (n < 0)
                return;
        }
    }
}

static void writer_open(struct world *w)
{
    struct writer *wr = (struct writer *)w;

    HOLDS(test_connect(w->subject->link, &wr->sock, &wr->peer));
    if (w->subject->flags & SECURE)
        pairs_secure(&wr->sock, &wr->peer);
    if (cg_sock_fd(wr->sock) >= 0 && !test_on_sim()) {
        shrink(wr->sock, SO_SNDBUF);
        shrink(wr->peer, SO_RCVBUF);
    }
    wr->file = -1;
    fill(wr);
    test_fill(wr->bytes, LENGTH, wr->filled);
}

static ssize_t drains(void *arg)
{
    struct writer *wr = arg;
    char buf[8192];
    ssize_t n;

    while ((n = OK(cg_yield(cg_read(wr->peer, buf, sizeof buf)))) > 0) {
        test_verify(buf, (size_t)n, wr->drained);
        wr->drained += (size_t)n;
    }
    return 0;
}

static void writer_cause(struct world *w)
{
    struct writer *wr = (struct writer *)w;

    if (!wr->drain)
        wr->drain = test_start(drains, wr);
}

static struct cg_op *write_op(struct world *w)
{
    struct writer *wr = (struct writer *)w;

    wr->moved = 99;
    return KEEP(w, cg_write_op,
                cg_write(wr->sock, wr->bytes, LENGTH, .moved = &wr->moved));
}

static struct cg_op *writeall_op(struct world *w)
{
    struct writer *wr = (struct writer *)w;

    wr->moved = 99;
    return KEEP(w, cg_write_op,
                cg_writeall(wr->sock, wr->bytes, LENGTH, .moved = &wr->moved));
}

static struct cg_op *writev_op(struct world *w)
{
    struct writer *wr = (struct writer *)w;

    wr->moved = 99;
    wr->iov[0] = (struct iovec){wr->bytes, 100};
    wr->iov[1] = (struct iovec){wr->bytes + 100, LENGTH / 2};
    wr->iov[2] = (struct iovec){wr->bytes + 100 + LENGTH / 2, LENGTH / 2 - 100};
    return KEEP(w, cg_writev_op, cg_writev(wr->sock, wr->iov, 3, .moved = &wr->moved));
}

static void sendfile_open(struct world *w)
{
    struct writer *wr = (struct writer *)w;

    writer_open(w);
    wr->file = test_file(wr->filled + LENGTH);
}

static struct cg_op *sendfile_op(struct world *w)
{
    struct writer *wr = (struct writer *)w;

    wr->moved = 99;
    return KEEP(w, cg_sendfile_op,
                cg_sendfile(wr->sock, wr->file, (int64_t)wr->filled, LENGTH,
                            .moved = &wr->moved));
}

/* The descriptors go with the first byte; whoever only reads drops them. */
static void send_fds_open(struct world *w)
{
    writer_open(w);
    ((struct writer *)w)->file = test_file(1);
}

static struct cg_op *send_fds_op(struct world *w)
{
    struct writer *wr = (struct writer *)w;

    wr->moved = 99;
    return KEEP(w, cg_send_fds_op,
                cg_send_fds(wr->sock, wr->bytes, LENGTH, &wr->file, 1, .moved = &wr->moved));
}

static void writer_check(struct world *w, ssize_t answer)
{
    struct writer *wr = (struct writer *)w;
    size_t sent;

    HOLDS(wr->moved <= LENGTH);
    if (!pairs_lost(answer))
        IS(answer, (ssize_t)wr->moved);
    sent = wr->filled + wr->moved;
    writer_cause(w);
    test_fill(wr->bytes, 1000, sent);
    IS(cg_yield(cg_writeall(wr->sock, wr->bytes, 1000)), 1000);
    IS(cg_yield(cg_shutdown(wr->sock, SHUT_WR)), 0);
    IS(test_end(wr->drain), 0);
    HOLDS(wr->drained == sent + 1000);
}

/* Bytes that are gathered while the buffers below are full. */

enum { GATHERED = 1000 };

static void flush_open(struct world *w)
{
    struct writer *wr = (struct writer *)w;

    writer_open(w);
    OK(cg_sock_buffer(wr->sock, &wr->sock));
    IS(cg_yield(cg_write(wr->sock, wr->bytes, GATHERED)), GATHERED);
}

static struct cg_op *flush_op(struct world *w)
{
    return KEEP(w, cg_flush_op, cg_flush(((struct writer *)w)->sock));
}

static void flush_check(struct world *w, ssize_t answer)
{
    struct writer *wr = (struct writer *)w;

    if (!pairs_lost(answer))
        IS(answer, 0);
    wr->moved = GATHERED;
    writer_check(w, GATHERED);
}

static void writer_shut(struct world *w)
{
    struct writer *wr = (struct writer *)w;

    cg_sock_close(wr->sock);
    wr->sock = NULL;
}

static void writer_close(struct world *w)
{
    struct writer *wr = (struct writer *)w;

    if (wr->sock == NULL)
        IS(test_end(wr->drain), 0);
    cg_sock_close(wr->sock);
    cg_sock_close(wr->peer);
    if (wr->file >= 0)
        close(wr->file);
}

#define WRITER                                                                         \
    .size = sizeof(struct writer), .cause = writer_cause, .check = writer_check,       \
    .close = writer_close
#define FULL WRITER, .open = writer_open

static const struct subject subjects[] = {
    {"write", FULL, .link = OVER_UNIX, .op = write_op, .shut = writer_shut},
    {"write_pair", FULL, .link = OVER_PAIR, .op = write_op, .shut = writer_shut},
    {"writeall", FULL, .link = OVER_UNIX, .op = writeall_op, .shut = writer_shut},
    {"writeall_pair", FULL, .link = OVER_PAIR, .op = writeall_op, .shut = writer_shut},
    {"writeall_tls", FULL, .link = OVER_PAIR, .flags = SECURE | SELDOM,
     .op = writeall_op},
    {"writev", FULL, .link = OVER_UNIX, .op = writev_op, .shut = writer_shut},
    {"sendfile", WRITER, .link = OVER_UNIX, .open = sendfile_open, .op = sendfile_op,
     .shut = writer_shut},
    {"flush", .size = sizeof(struct writer), .cause = writer_cause,
     .close = writer_close, .link = OVER_UNIX, .open = flush_open, .op = flush_op,
     .check = flush_check, .shut = writer_shut},
    {"send_fds", WRITER, .link = OVER_UNIX, .open = send_fds_open,
     .op = send_fds_op, .shut = writer_shut},
};

const struct family pairs_writers = {subjects, COUNT(subjects)};
