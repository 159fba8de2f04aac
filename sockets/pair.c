/* SPDX-License-Identifier: MIT */
/* Pairs in memory: a transport without descriptors. Each end has a queue of the bytes
 * that it will read. A request of one end may complete within the submit of the other
 * end; that only makes coroutines ready. */
#include "config.h"

#include "sockets/sock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUEUE_LIMIT = 64 * 1024 }; /* bytes in an end's queue at which writers wait */

struct end {
    struct pair *pair;
    struct end *peer;
    struct cg_reactor *reactor;
    struct cg__input queue;
    struct cg_io *reader, *writer, *watcher; /* pending requests, or NULL */
    bool open;
    bool ended; /* no more bytes come into the queue */
    bool deaf;  /* nobody reads from the queue any more */
};

struct pair {
    struct end end[2];
};

static bool can_read(const struct end *end)
{
    return end->queue.unread > 0 || end->ended || end->deaf;
}

static bool is_broken(const struct end *end)
{
    return end->peer->ended || end->peer->deaf || !end->peer->open;
}

static bool can_write(const struct end *end)
{
    return is_broken(end) || end->peer->queue.unread < QUEUE_LIMIT;
}

static enum cg_verdict receive(struct end *end, struct cg_io *io);
static enum cg_verdict transmit(struct end *end, struct cg_io *io);

static enum cg_verdict completed(struct cg_io *io, ssize_t result)
{
    io->result = result;
    return CG_DONE;
}

static enum cg_verdict keep(struct cg_io **place, struct cg_io *io)
{
    *place = io;
    io->state = CG_IO_PENDING;
    return CG_PENDING;
}

static void wake_reader(struct end *end)
{
    struct cg_io *io = end->reader;

    if (io == NULL || !can_read(end))
        return;
    end->reader = NULL;
    io->state = CG_IO_IDLE;
    if (receive(end, io) == CG_DONE)
        io->complete(io, io->result);
}

/* Completes the request that waits for the end of the peer's stream. */
static void wake_watcher(struct end *end)
{
    struct cg_io *io = end->watcher;

    if (io == NULL)
        return;
    end->watcher = NULL;
    io->state = CG_IO_IDLE;
    io->complete(io, CG_HUP);
}

static enum cg_verdict watch(struct end *end, struct cg_io *io)
{
    return end->ended ? completed(io, CG_HUP) : keep(&end->watcher, io);
}

static void wake_writer(struct end *end)
{
    struct cg_io *io = end->writer;

    if (io == NULL || !can_write(end))
        return;
    end->writer = NULL;
    io->state = CG_IO_IDLE;
    if (transmit(end, io) == CG_DONE)
        io->complete(io, io->result);
}

static enum cg_verdict look(struct end *end, struct cg_io *io)
{
    if (!can_read(end))
        return completed(io, 0);
    return completed(io, end->ended ? CG_IN | CG_HUP : CG_IN);
}

static enum cg_verdict receive(struct end *end, struct cg_io *io)
{
    struct cg_chunk *chunk;

    if (!can_read(end))
        return keep(&end->reader, io);
    if (io->code == CG_IO_POLL)
        return look(end, io);
    chunk = cg__input_shift(&end->queue);
    if (chunk == NULL)
        return completed(io, 0);
    io->chunk = chunk;
    io->result = chunk->end - chunk->start;
    wake_writer(end->peer);
    return CG_DONE;
}

/* Puts at most len bytes into the queue. Returns how many, or -ENOMEM if there was no
 * memory for any. */
static ssize_t put(struct end *to, const char *data, size_t len)
{
    size_t room = QUEUE_LIMIT - to->queue.unread, done;

    if (len > room)
        len = room;
    done = cg__input_push(to->reactor, &to->queue, data, len);
    return done > 0 || len == 0 ? (ssize_t)done : -ENOMEM;
}

static ssize_t put_parts(struct end *to, const struct iovec *iov, int iovcnt)
{
    ssize_t sum = 0;

    for (int i = 0; i < iovcnt; i++) {
        ssize_t done = put(to, iov[i].iov_base, iov[i].iov_len);

        if (done < 0)
            return sum > 0 ? sum : done;
        sum += done;
        if ((size_t)done < iov[i].iov_len)
            break;
    }
    return sum;
}

static ssize_t put_file(struct end *to, int file, int64_t offset, size_t count)
{
    char data[4096];
    ssize_t size;

    do
        size = pread(file, data, count < sizeof data ? count : sizeof data, offset);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return -errno;
    return put(to, data, (size_t)size);
}

static enum cg_verdict transmit(struct end *end, struct cg_io *io)
{
    struct end *to = end->peer;

    if (!can_write(end))
        return keep(&end->writer, io);
    if (io->code == CG_IO_POLL)
        return completed(io, is_broken(end) ? CG_OUT | CG_ERR : CG_OUT);
    if (is_broken(end))
        return completed(io, -EPIPE);
    if (io->code == CG_IO_SEND)
        io->result = put(to, io->buf, io->len);
    else if (io->code == CG_IO_SENDV)
        io->result = put_parts(to, io->iov, io->iovcnt);
    else
        io->result = put_file(to, io->file, io->offset, io->count);
    if (io->result > 0)
        wake_reader(to);
    return CG_DONE;
}

static enum cg_verdict offer(struct end *end, struct cg_io *io)
{
    struct end *to = end->peer;

    if (is_broken(end))
        return completed(io, -EPIPE);
    io->result = can_write(end) ? put(to, io->buf, io->len) : 0;
    if (io->result > 0)
        wake_reader(to);
    return CG_DONE;
}

static void stop_reading(struct end *end)
{
    end->deaf = true;
    cg__input_drop(end->reactor, &end->queue, end->queue.unread);
    wake_reader(end);
    wake_writer(end->peer);
}

static void stop_writing(struct end *end)
{
    end->peer->ended = true;
    wake_writer(end);
    wake_reader(end->peer);
    wake_watcher(end->peer);
}

static enum cg_verdict shut(struct end *end, struct cg_io *io)
{
    if (io->how < SHUT_RD || io->how > SHUT_RDWR)
        return completed(io, -EINVAL);
    if (io->how != SHUT_WR)
        stop_reading(end);
    if (io->how != SHUT_RD)
        stop_writing(end);
    return completed(io, 0);
}

static enum cg_verdict pair_submit(struct cg_sock *sock, struct cg_io *io)
{
    struct end *end = sock->state;

    switch ((enum cg_io_code)io->code) {
    case CG_IO_RECV:
        return receive(end, io);
    case CG_IO_SEND:
    case CG_IO_SENDV:
    case CG_IO_SENDFILE:
        return transmit(end, io);
    case CG_IO_POLL:
        if (!(io->events & (CG_IN | CG_OUT)))
            return watch(end, io);
        return io->events & CG_IN ? receive(end, io) : transmit(end, io);
    case CG_IO_LOOK:
        return look(end, io);
    case CG_IO_SHUTDOWN:
        return shut(end, io);
    case CG_IO_OFFER:
        return offer(end, io);
    default:
        return completed(io, -EOPNOTSUPP);
    }
}

static enum cg_verdict pair_cancel(struct cg_sock *sock, struct cg_io *io)
{
    struct end *end = sock->state;

    if (end->reader == io)
        end->reader = NULL;
    else if (end->writer == io)
        end->writer = NULL;
    else
        end->watcher = NULL;
    io->state = CG_IO_IDLE;
    return CG_DONE;
}

static void pair_close(struct cg_sock *sock)
{
    struct end *end = sock->state;

    end->open = false;
    stop_reading(end);
    stop_writing(end);
    if (!end->peer->open)
        free(end->pair);
}

static const struct cg_transport_type pair_transport = {
    .name = "pair",
    .submit = pair_submit,
    .cancel = pair_cancel,
    .close = pair_close,
};

int cg_sock_pair(struct cg_sched *sched, struct cg_sock **a, struct cg_sock **b)
{
    struct pair *pair = calloc(1, sizeof *pair);
    struct cg_sock *first, *second;

    if (pair == NULL)
        return -ENOMEM;
    for (int i = 0; i < 2; i++) {
        pair->end[i].pair = pair;
        pair->end[i].peer = &pair->end[!i];
        pair->end[i].reactor = cg_sched_reactor(sched);
        pair->end[i].open = true;
    }
    first = cg_sock_open(sched, &pair_transport, &pair->end[0], -1);
    if (first == NULL)
        goto free_pair;
    second = cg_sock_open(sched, &pair_transport, &pair->end[1], -1);
    if (second == NULL)
        goto close_first;
    *a = first;
    *b = second;
    return 0;

close_first:
    pair->end[1].open = false; /* so that closing the first end frees the pair */
    cg_sock_close(first);
    return -ENOMEM;

free_pair:
    free(pair);
    return -ENOMEM;
}
