/* SPDX-License-Identifier: MIT */
/* A TLS connection as a transport. Ciphertext belongs to the connection: a cancelled write
 * has encrypted as many bytes as its count says, and the next write sends them first. */
#include "config.h"

#include "tls/conn.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { IN_PLACE = 4096 }; /* parts of a gather write from this size on are encrypted in
                           * place and not copied together */

static struct cg__tls_conn *of(const struct cg_sock *sock)
{
    return cg_sock_state(sock);
}

struct target {
    struct cg_reactor *reactor;
    struct cg_io *io;
};

/* Reads into the request's buffer, or into a chunk, which exists only while there is
 * something to put into it. Returns 1 if there is no memory for a chunk. */
static int read_record(SSL *ssl, void *data, size_t size)
{
    struct target *target = data;
    struct cg_io *io = target->io;
    struct cg_chunk *chunk;
    int n;

    if (size > 0)
        return SSL_read(ssl, io->buf, size < CG__TLS_RECORD ? (int)size : CG__TLS_RECORD);
    chunk = cg_chunk_get(target->reactor);
    if (chunk == NULL)
        return 1;
    n = SSL_read(ssl, chunk->data, (int)chunk->size);
    if (n > 0) {
        chunk->end = (uint32_t)n;
        io->chunk = chunk;
    } else {
        cg_chunk_put(target->reactor, chunk);
    }
    return n;
}

static ssize_t read_result(const struct cg__tls_conn *conn, const struct cg_io *io,
                           ssize_t result)
{
    if (result > 0 && io->len == 0 && io->chunk == NULL)
        return -ENOMEM;
    if (result == CG_EOF || (result == CG_ETLS_CUT && conn->deaf))
        return 0;
    return result;
}

/* Returns what is already decrypted: at most the rest of one record. */
static enum cg_verdict receive_now(struct cg__tls_conn *conn, struct cg_io *io)
{
    struct target target = {conn->queue.reactor, io};

    if (SSL_pending(conn->ssl) == 0 || conn->failure < 0)
        return CG_RUN;
    io->result = cg__tls_conn_call(conn, read_record, &target, io->len);
    io->result = read_result(conn, io, io->result);
    return io->result > 0 || io->result == -ENOMEM ? CG_DONE : CG_RUN;
}

static ssize_t receive(struct cg__tls_conn *conn, struct cg_io *io)
{
    struct target target = {conn->queue.reactor, io};

    if (conn->deaf)
        return 0;
    return read_result(conn, io, cg__tls_conn_read(conn, read_record, &target, io->len));
}

static int write_record(SSL *ssl, void *data, size_t size)
{
    return SSL_write(ssl, data, size < CG__TLS_RECORD ? (int)size : CG__TLS_RECORD);
}

static size_t gather(const struct cg_io *io, size_t done, struct cg_chunk *scratch,
                     char **data)
{
    size_t size = 0;

    for (int i = 0; i < io->iovcnt && size < scratch->size; i++) {
        size_t len = io->iov[i].iov_len, room = scratch->size - size;
        char *from = io->iov[i].iov_base;

        if (done >= len) {
            done -= len;
            continue;
        }
        from += done;
        len -= done;
        done = 0;
        if (len >= IN_PLACE) {
            if (size > 0)
                break;
            *data = from;
            return len;
        }
        len = len < room ? len : room;
        memcpy(scratch->data + size, from, len);
        size += len;
    }
    *data = scratch->data;
    return size;
}

static ssize_t read_file(const struct cg_io *io, size_t done, struct cg_chunk *scratch)
{
    size_t size = io->count - done < scratch->size ? io->count - done : scratch->size;
    ssize_t n;

    do
        n = pread(io->file, scratch->data, size, io->offset + (int64_t)done);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Finds the next piece to write, after `done` bytes. Returns its size, 0 at the end. */
static ssize_t next(const struct cg_io *io, size_t done, struct cg_chunk *scratch,
                    char **data)
{
    *data = scratch->data;
    if (io->code == CG_IO_SENDV)
        return (ssize_t)gather(io, done, scratch, data);
    if (io->code == CG_IO_SENDFILE)
        return read_file(io, done, scratch);
    *data = (char *)io->buf + done;
    return (ssize_t)(io->len - done);
}

static size_t total(const struct cg_io *io)
{
    size_t sum = 0;

    if (io->code == CG_IO_SENDFILE)
        return io->count;
    if (io->code == CG_IO_SEND)
        return io->len;
    for (int i = 0; i < io->iovcnt; i++)
        sum += io->iov[i].iov_len;
    return sum;
}

/* Encrypts until the queue is full. Returns how many bytes; *whole: there are no more. */
static ssize_t encrypt(struct cg__tls_conn *conn, const struct cg_io *io, bool *whole)
{
    struct cg_chunk *scratch = cg_chunk_get(conn->queue.reactor);
    size_t done = 0;
    ssize_t n = -ENOMEM;
    char *data;

    while (scratch != NULL && cg__tls_queue_size(&conn->queue) < CG__TLS_QUEUE_LIMIT) {
        n = next(io, done, scratch, &data);
        if (n > 0)
            n = cg__tls_conn_do(conn, write_record, data, (size_t)n);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    *whole = n == 0 || done == total(io);
    if (scratch != NULL)
        cg_chunk_put(conn->queue.reactor, scratch);
    return done > 0 ? (ssize_t)done : n;
}

static ssize_t transmit(struct cg__tls_conn *conn, const struct cg_io *io)
{
    bool whole = false;
    ssize_t done;
    int rc = 0;

    if (conn->mute)
        return -EPIPE;
    conn->cut = true;
    /* What is queued already, by an earlier write or the handshake, goes with these bytes. */
    if (cg__tls_queue_size(&conn->queue) >= CG__TLS_QUEUE_LIMIT)
        rc = cg__tls_pump_flush(conn);
    if (rc < 0)
        return rc;
    done = encrypt(conn, io, &whole);
    conn->cut = !whole;
    if (done <= 0)
        return done;
    cg__tls_pump_flush(conn); /* what stays in the queue, for lack of memory or after a
                               * cancellation, goes with the next write */
    return conn->send_error < 0 ? conn->send_error : done;
}

static ssize_t shut(struct cg__tls_conn *conn, int how)
{
    ssize_t result = 0;

    if (how < SHUT_RD || how > SHUT_RDWR)
        return -EINVAL;
    if (how != SHUT_RD)
        result = cg__tls_goodbye_shut(conn);
    if (how != SHUT_WR) {
        conn->deaf = true;
        cg_yield(cg_shutdown(conn->inner, SHUT_RD, .timeout = CG_NEVER)); /* wakes a
                                                                           * reader */
    }
    return result < 0 ? result : 0;
}

static int peek(SSL *ssl, void *data, size_t size)
{
    return SSL_peek(ssl, data, (int)size);
}

static bool is_there(ssize_t result)
{
    return result >= 0 || result == CG_EOF || result == CG_ETLS_CUT;
}

/* Readable means that a read would complete at once: with bytes, the end, or a failure. */
static ssize_t poll_in(struct cg__tls_conn *conn)
{
    char byte;
    ssize_t result = cg__tls_conn_read(conn, peek, &byte, 1);

    return is_there(result) || result == conn->failure ? CG_IN : result;
}

static ssize_t poll_out(struct cg__tls_conn *conn)
{
    int rc = cg__tls_pump_flush(conn);

    if (rc < 0)
        return rc == conn->send_error ? CG_OUT | CG_ERR : rc;
    return cg__tls_pump_poll(conn, CG_OUT);
}

static ssize_t poll_both(struct cg__tls_conn *conn)
{
    char byte;
    ssize_t result;

    for (;;) {
        result = cg__tls_conn_call(conn, peek, &byte, 1);
        if (result != CG__TLS_MORE || conn->ended)
            return CG_IN;
        result = cg__tls_pump_poll(conn, CG_IN | CG_OUT);
        if (result < 0 || !(result & CG_IN))
            return result;
        result = cg__tls_pump_fill(conn);
        if (result < 0)
            return result;
    }
}

static ssize_t poll(struct cg__tls_conn *conn, unsigned events)
{
    if (events == CG_IN)
        return poll_in(conn);
    return events == CG_OUT ? poll_out(conn) : poll_both(conn);
}

static enum cg_verdict submit_inner(struct cg__tls_conn *conn, struct cg_io *io)
{
    io->fd = cg_sock_fd(conn->inner);
    return cg_sock_transport(conn->inner)->submit(conn->inner, io);
}

static enum cg_verdict set_option(struct cg__tls_conn *conn, struct cg_io *io)
{
    const struct linger *linger = io->value;

    if (io->level == SOL_SOCKET && io->name == SO_LINGER && io->size >= sizeof *linger)
        conn->reset = linger->l_onoff != 0 && linger->l_linger == 0;
    return submit_inner(conn, io);
}

static enum cg_verdict tls_submit(struct cg_sock *sock, struct cg_io *io)
{
    struct cg__tls_conn *conn = of(sock);

    switch ((enum cg_io_code)io->code) {
    case CG_IO_RECV:
        return receive_now(conn, io);
    case CG_IO_POLL:
        if (!(io->events & CG_IN) || SSL_pending(conn->ssl) == 0)
            return CG_RUN;
        io->result = CG_IN;
        return CG_DONE;
    case CG_IO_SEND:
    case CG_IO_SENDV:
    case CG_IO_SENDFILE:
    case CG_IO_SHUTDOWN:
        return CG_RUN;
    case CG_IO_OFFER:
        io->result = cg__tls_goodbye_offer(conn, io->buf, io->len);
        return CG_DONE;
    case CG_IO_SETOPT:
        return set_option(conn, io);
    case CG_IO_GETOPT:
    case CG_IO_SOCKNAME:
    case CG_IO_PEERNAME:
    case CG_IO_LOOK:
        return submit_inner(conn, io);
    default:
        io->result = -EOPNOTSUPP;
        return CG_DONE;
    }
}

static ssize_t tls_run(struct cg_sock *sock, struct cg_io *io)
{
    struct cg__tls_conn *conn = of(sock);

    switch (io->code) {
    case CG_IO_RECV:
        return receive(conn, io);
    case CG_IO_POLL:
        return poll(conn, io->events);
    case CG_IO_SHUTDOWN:
        return shut(conn, io->how);
    default:
        return transmit(conn, io);
    }
}

static void tls_close(struct cg_sock *sock)
{
    struct cg__tls_conn *conn = of(sock);
    struct cg_sock *inner = conn->inner;

    cg__tls_goodbye(conn);
    cg__tls_conn_free(conn);
    cg_sock_close(inner);
}

static struct cg_sock *tls_below(const struct cg_sock *sock)
{
    return of(sock)->inner;
}

/* Nothing is decrypted that was not read, and nothing is to be sent or reported. */
static bool tls_idle(const struct cg_sock *sock)
{
    const struct cg__tls_conn *conn = of(sock);

    return SSL_pending(conn->ssl) == 0 && cg__tls_queue_size(&conn->queue) == 0 &&
           conn->failure == 0 && !conn->ended && !conn->deaf;
}

const struct cg_transport_type cg__tls_transport = {
    .name = "tls",
    .submit = tls_submit,
    .run = tls_run,
    .close = tls_close,
    .below = tls_below,
    .idle = tls_idle,
    .move = &cg__tls_move,
    .protocol = cg_tls_session_alpn,
};
