/* SPDX-License-Identifier: MIT */
/* See memory.h. A request of one socket may complete within a request of another one; that
 * only makes coroutines ready. */
#include "config.h"

#include "sockets/memory.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static bool can_read(const struct cg__memory *end)
{
    return end->input.unread > 0 || end->ended || end->deaf;
}

static bool is_broken(const struct cg__memory *end)
{
    return end->mute || end->lost;
}

/* How many bytes can be written. */
static size_t room_of(const struct cg__memory *end)
{
    return is_broken(end) ? 0 : end->type->room(end);
}

static enum cg_verdict completed(struct cg_io *io, ssize_t result)
{
    io->result = result;
    return CG_DONE;
}

/* The request must wait: here, or in the coroutine that has made it. */
static enum cg_verdict keep(const struct cg__memory *end, struct cg_io **place,
                            struct cg_io *io)
{
    if (end->type->wait != NULL)
        return CG_RUN;
    *place = io;
    io->state = CG_IO_PENDING;
    return CG_PENDING;
}

static ssize_t readiness(const struct cg__memory *end, unsigned events)
{
    unsigned found = 0;

    if ((events & CG_IN) && can_read(end))
        found |= end->ended ? CG_IN | CG_HUP : CG_IN;
    if ((events & CG_OUT) && is_broken(end))
        found |= CG_OUT | CG_ERR;
    else if ((events & CG_OUT) && room_of(end) > 0)
        found |= CG_OUT;
    return (ssize_t)found;
}

static enum cg_verdict watch(struct cg__memory *end, struct cg_io *io)
{
    if (end->type->wait != NULL)
        return completed(io, -EOPNOTSUPP);
    return end->ended ? completed(io, CG_HUP) : keep(end, &end->watcher, io);
}

static enum cg_verdict poll_for(struct cg__memory *end, struct cg_io *io)
{
    ssize_t found = readiness(end, io->events);

    if (!(io->events & (CG_IN | CG_OUT)))
        return watch(end, io);
    if (found > 0)
        return completed(io, found);
    return keep(end, io->events & CG_IN ? &end->reader : &end->writer, io);
}

static enum cg_verdict receive(struct cg__memory *end, struct cg_io *io)
{
    if (!can_read(end))
        return keep(end, &end->reader, io);
    io->chunk = cg__input_shift(&end->input);
    if (io->chunk == NULL)
        return completed(io, end->deaf ? 0 : end->error);
    io->result = io->chunk->end - io->chunk->start;
    end->type->read(end, (size_t)io->result);
    return CG_DONE;
}

static ssize_t put_parts(struct cg__memory *end, const struct iovec *iov, int iovcnt,
                         size_t room)
{
    ssize_t sum = 0;

    for (int i = 0; i < iovcnt; i++) {
        size_t left = room - (size_t)sum;
        size_t len = iov[i].iov_len < left ? iov[i].iov_len : left;
        ssize_t n = len > 0 ? end->type->put(end, iov[i].iov_base, len, false) : 0;

        if (n < 0)
            return sum > 0 ? sum : n;
        sum += n;
        if ((size_t)n < iov[i].iov_len)
            break;
    }
    return sum;
}

static ssize_t put_file(struct cg__memory *end, const struct cg_io *io, size_t room)
{
    char data[4096];
    size_t size = room < sizeof data ? room : sizeof data;
    ssize_t n;

    size = size < io->count ? size : io->count;
    do
        n = pread(io->file, data, size, (off_t)io->offset);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 ? -errno : 0;
    return end->type->put(end, data, (size_t)n, false);
}

static ssize_t put_all(struct cg__memory *end, const struct cg_io *io, size_t room)
{
    switch (io->code) {
    case CG_IO_SENDV:
        return put_parts(end, io->iov, io->iovcnt, room);
    case CG_IO_SENDFILE:
        return put_file(end, io, room);
    default:
        room = io->len < room ? io->len : room;
        return room > 0 ? end->type->put(end, io->buf, room, io->code == CG_IO_OFFER) : 0;
    }
}

static enum cg_verdict transmit(struct cg__memory *end, struct cg_io *io)
{
    size_t room = room_of(end);

    if (is_broken(end))
        return completed(io, -EPIPE);
    if (room == 0)
        return io->code == CG_IO_OFFER ? completed(io, 0) : keep(end, &end->writer, io);
    io->result = put_all(end, io, room);
    if (io->result > 0 && end->type->wrote != NULL)
        end->type->wrote(end);
    return CG_DONE;
}

static void stop_reading(struct cg__memory *end)
{
    size_t len = end->input.unread;

    end->deaf = true;
    cg__input_drop(end->reactor, &end->input, len);
    end->type->read(end, len);
    cg__memory_came(end);
}

static ssize_t stop_writing(struct cg__memory *end)
{
    bool muted = end->mute;

    end->mute = true;
    cg__memory_roomy(end);
    return muted ? 0 : end->type->finish(end);
}

static enum cg_verdict shut(struct cg__memory *end, struct cg_io *io)
{
    ssize_t n = 0;

    if (io->how < SHUT_RD || io->how > SHUT_RDWR)
        return completed(io, -EINVAL);
    if (io->how != SHUT_WR)
        stop_reading(end);
    if (io->how != SHUT_RD)
        n = stop_writing(end);
    return completed(io, n);
}

static enum cg_verdict serve(struct cg__memory *end, struct cg_io *io)
{
    switch ((enum cg_io_code)io->code) {
    case CG_IO_RECV:
        return receive(end, io);
    case CG_IO_SEND:
    case CG_IO_SENDV:
    case CG_IO_SENDFILE:
    case CG_IO_OFFER:
        return transmit(end, io);
    case CG_IO_POLL:
        return poll_for(end, io);
    case CG_IO_LOOK:
        return completed(io, readiness(end, io->events));
    case CG_IO_SHUTDOWN:
        return shut(end, io);
    default:
        return end->type->other != NULL ? end->type->other(end, io)
                                        : completed(io, -EOPNOTSUPP);
    }
}

/* What sends bytes, or the end of them, may wait in the middle. */
static bool needs_coroutine(const struct cg_io *io)
{
    return io->code == CG_IO_SEND || io->code == CG_IO_SENDV || io->code == CG_IO_SENDFILE ||
           io->code == CG_IO_SHUTDOWN;
}

enum cg_verdict cg__memory_submit(struct cg_sock *sock, struct cg_io *io)
{
    struct cg__memory *end = cg_sock_state(sock);

    return end->type->wait != NULL && needs_coroutine(io) ? CG_RUN : serve(end, io);
}

ssize_t cg__memory_run(struct cg_sock *sock, struct cg_io *io)
{
    struct cg__memory *end = cg_sock_state(sock);
    ssize_t n = 0;

    while (n == 0 && serve(end, io) != CG_DONE)
        n = end->type->wait(end);
    return n < 0 ? n : io->result;
}

enum cg_verdict cg__memory_cancel(struct cg_sock *sock, struct cg_io *io)
{
    struct cg__memory *end = cg_sock_state(sock);

    if (end->reader == io)
        end->reader = NULL;
    else if (end->writer == io)
        end->writer = NULL;
    else
        end->watcher = NULL;
    io->state = CG_IO_IDLE;
    return CG_DONE;
}

void cg__memory_close(struct cg__memory *end)
{
    stop_reading(end);
    stop_writing(end);
}

void cg__memory_wake(struct cg__memory *end, struct cg_io **place)
{
    struct cg_io *io = *place;

    *place = NULL;
    io->state = CG_IO_IDLE;
    if (serve(end, io) == CG_DONE)
        io->complete(io, io->result);
}

void cg__memory_ended(struct cg__memory *end)
{
    end->ended = true;
    cg__memory_came(end);
    if (end->watcher != NULL)
        cg__memory_wake(end, &end->watcher);
}
