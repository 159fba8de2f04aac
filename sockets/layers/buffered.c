/* SPDX-License-Identifier: MIT */
/* cg_sock_buffer and cg_flush: the bytes of small writes are gathered in a chunk, which the
 * socket has only while there are some. Since it is a socket over another one, whatever
 * writes to it keeps its place in the order, and other sockets pay nothing. */
#include "config.h"

#include "sockets/layers/layer.h"
#include "sockets/slots.h"

#include <cogen/buffered.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct buffered {
    struct cg__layer layer; /* must be first */
    struct cg_reactor *reactor;
    struct cg_chunk *chunk; /* what is gathered; NULL: nothing */
    size_t size;
};

static const struct cg_transport_type buffered_transport;

static struct buffered *of(const struct cg_sock *sock)
{
    return sock->state;
}

/* Bytes of the chunk were written. */
static void drop(struct buffered *buffered, size_t count)
{
    struct cg_chunk *chunk = buffered->chunk;

    chunk->start += (uint32_t)count;
    if (chunk->start < chunk->end)
        return;
    cg_chunk_put(buffered->reactor, chunk);
    buffered->chunk = NULL;
}

/* Makes room for so many bytes behind those that are gathered. Returns false if there is
 * not enough, or no memory. */
static bool has_room(struct buffered *buffered, size_t len)
{
    if (buffered->chunk != NULL)
        return len <= buffered->size - buffered->chunk->end;
    if (len >= buffered->size)
        return false;
    buffered->chunk = cg_chunk_get_large(buffered->reactor, buffered->size);
    return buffered->chunk != NULL;
}

static void gather(struct buffered *buffered, const void *from, size_t len)
{
    struct cg_chunk *chunk = buffered->chunk;

    memcpy(chunk->data + chunk->end, from, len);
    chunk->end += (uint32_t)len;
}

static size_t total(const struct cg_io *io)
{
    size_t sum = 0;

    if (io->code == CG_IO_SEND)
        return io->len;
    for (int i = 0; i < io->iovcnt; i++)
        sum += io->iov[i].iov_len;
    return sum;
}

/* Gathers the bytes of a SEND or SENDV, if they fit. Returns their number, or 0. */
static size_t gather_all(struct buffered *buffered, const struct cg_io *io)
{
    size_t sum = total(io);

    if (!has_room(buffered, sum))
        return 0;
    if (io->code == CG_IO_SEND)
        gather(buffered, io->buf, sum);
    for (int i = 0; io->code == CG_IO_SENDV && i < io->iovcnt; i++)
        gather(buffered, io->iov[i].iov_base, io->iov[i].iov_len);
    return sum;
}

/* Offers bytes, those that are gathered first. Returns how many of the new ones were
 * taken. */
static ssize_t offer(struct buffered *buffered, struct cg_io *io)
{
    struct cg_io own = {.code = CG_IO_OFFER};
    ssize_t n;

    if (buffered->chunk == NULL)
        return cg__sock_call(buffered->layer.inner, io);
    own.buf = buffered->chunk->data + buffered->chunk->start;
    own.len = buffered->chunk->end - buffered->chunk->start;
    n = cg__sock_call(buffered->layer.inner, &own);
    if (n <= 0)
        return n;
    drop(buffered, (size_t)n);
    return buffered->chunk == NULL && io->len > 0 ? offer(buffered, io) : 0;
}

static enum cg_verdict buffered_submit(struct cg_sock *sock, struct cg_io *io)
{
    switch (io->code) {
    case CG_IO_SEND:
    case CG_IO_SENDV:
        io->result = (ssize_t)gather_all(of(sock), io);
        return io->result > 0 ? CG_DONE : CG_RUN;
    case CG_IO_FLUSH:
        return CG_RUN;
    case CG_IO_OFFER:
        io->result = offer(of(sock), io);
        return CG_DONE;
    default:
        return cg__layer_submit(sock, io);
    }
}

/* Returns 0 when nothing is gathered any more. */
static ssize_t flush(struct buffered *buffered)
{
    while (buffered->chunk != NULL) {
        struct cg_io io = {.code = CG_IO_SEND};
        ssize_t n;

        io.buf = buffered->chunk->data + buffered->chunk->start;
        io.len = buffered->chunk->end - buffered->chunk->start;
        n = cg__layer_send(buffered->layer.inner, &io, SIZE_MAX);
        if (n < 0)
            return n;
        drop(buffered, (size_t)n);
    }
    return 0;
}

static ssize_t buffered_run(struct cg_sock *sock, struct cg_io *io)
{
    struct buffered *buffered = of(sock);
    bool sends = io->code == CG_IO_SEND || io->code == CG_IO_SENDV;
    bool shuts = io->code == CG_IO_SHUTDOWN && io->how != SHUT_RD;
    ssize_t n = 0;

    if (sends || shuts || io->code == CG_IO_SENDFILE || io->code == CG_IO_FLUSH)
        n = flush(buffered);
    if (n < 0 || io->code == CG_IO_FLUSH)
        return n;
    if (sends && (n = (ssize_t)gather_all(buffered, io)) > 0)
        return n;
    return cg__layer_run(sock, io);
}

static void buffered_close(struct cg_sock *sock)
{
    struct buffered *buffered = of(sock);
    struct cg_io none = {.code = CG_IO_OFFER};

    if (buffered->chunk != NULL)
        offer(buffered, &none);
    if (buffered->chunk != NULL)
        cg_chunk_put(buffered->reactor, buffered->chunk);
    cg__layer_close(sock);
    free(buffered);
}

static const struct cg_transport_type buffered_transport = {
    .name = "buffered",
    .submit = buffered_submit,
    .run = buffered_run,
    .close = buffered_close,
    .below = cg__layer_below,
};

int cg_sock_buffer_with(struct cg_sock *sock, const struct cg_buffer_options *options,
                        struct cg_sock **buffered)
{
    static const struct cg_buffer_options none;
    struct buffered *made;
    int rc;

    if (options == NULL)
        options = &none;
    if (options->size > CG_BUFFER_MOST)
        return -EINVAL;
    made = malloc(sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    *made = (struct buffered){
        .reactor = sock->reactor,
        .size = options->size > 0 ? options->size : CG_CHUNK_SIZE,
    };
    rc = cg__layer_put(&buffered_transport, &made->layer, sock, buffered);
    if (rc < 0)
        free(made);
    return rc;
}

static struct cg_flush_op *of_flush(struct cg_op *op)
{
    return (struct cg_flush_op *)op;
}

static bool flush_take(struct cg_sock *sock, struct cg_op *op)
{
    (void)sock;
    op->result = 0;
    return of_flush(op)->done;
}

static int flush_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    (void)sock;
    (void)op;
    io->code = CG_IO_FLUSH;
    return 0;
}

static int flush_got(struct cg_sock *sock, struct cg_op *op, ssize_t result)
{
    (void)sock;
    of_flush(op)->done = true;
    return result < 0 ? (int)result : 0;
}

static const struct cg__work flush_work = {
    .direction = CG__TX,
    .take = flush_take,
    .ask = flush_ask,
    .got = flush_got,
    .partial = true,
};

static enum cg_verdict flush_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_sock *sock = of_flush(op)->sock;

    of_flush(op)->done = sock == NULL || sock->transport != &buffered_transport ||
                         (!sock->closing && of(sock)->chunk == NULL);
    return cg__slots_process(op, sched);
}

const struct cg_op_type cg_flush_type = {
    .name = "flush",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = flush_process,
    .run = cg__slots_run,
    .cancel = cg__slots_cancel,
    .print = cg__slots_print,
    .detail = &flush_work,
};
