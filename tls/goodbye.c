/* SPDX-License-Identifier: MIT */
/* The end of what we send. TLS declares it by an alert, close_notify: without the alert
 * the peer cannot tell the end of the stream from a truncated connection. */
#include "config.h"

#include "tls/conn.h"

#include <sys/socket.h>

static int close_notify(SSL *ssl, void *data, size_t size)
{
    (void)data;
    (void)size;
    if (SSL_in_init(ssl)) { /* within a handshake message that has arrived in part */
        int rc = SSL_do_handshake(ssl);

        if (rc <= 0)
            return rc;
    }
    return SSL_shutdown(ssl) >= 0 ? 1 : -1;
}

ssize_t cg__tls_goodbye_shut(struct cg__tls_conn *conn)
{
    ssize_t result = 0;

    if (!conn->mute)
        result = cg__tls_conn_do(conn, close_notify, NULL, 0);
    conn->mute |= result >= 0;
    return result < 0 ? result : cg__tls_pump_flush(conn);
}

/* Sends as much of the queue as the inner socket takes at once. closing: it is closed next. */
static void push(struct cg__tls_conn *conn, bool closing)
{
    struct iovec part;

    while (cg__tls_queue_show(&conn->queue, &part, 1) > 0) {
        struct cg_io io = {.code = CG_IO_OFFER, .fd = cg_sock_fd(conn->inner)};

        io.buf = part.iov_base;
        io.len = part.iov_len;
        io.closing = closing;
        cg_sock_transport(conn->inner)->submit(conn->inner, &io);
        if (io.result > 0)
            cg__tls_queue_drop(&conn->queue, (size_t)io.result);
        if (io.result < (ssize_t)part.iov_len)
            return;
    }
}

static int write_some(SSL *ssl, void *data, size_t size)
{
    return SSL_write(ssl, data, size < CG__TLS_RECORD ? (int)size : CG__TLS_RECORD);
}

ssize_t cg__tls_goodbye_offer(struct cg__tls_conn *conn, const void *data, size_t size)
{
    ssize_t result = 0;

    if (conn->send_error < 0)
        return conn->send_error;
    if (cg__tls_queue_size(&conn->queue) < CG__TLS_QUEUE_LIMIT && !conn->mute)
        result = cg__tls_conn_call(conn, write_some, (void *)data, size);
    /* A coroutine that waits for input may be sending the queue, or has to send the rest. */
    if (!conn->pumped[CG__TLS_OUT])
        push(conn, false);
    if (!conn->pumped[CG__TLS_OUT] && cg__tls_queue_size(&conn->queue) > 0 &&
        conn->filler != NULL)
        cg_scope_cancel(conn->filler);
    return result == CG__TLS_MORE ? 0 : result;
}

/* No close_notify if the last write was truncated, because the stream does not end where
 * its writer meant it to; nor if the connection is to be reset. */
void cg__tls_goodbye(struct cg__tls_conn *conn)
{
    if (conn->failure < 0 || conn->send_error < 0 || conn->cut || conn->reset)
        return;
    if (!conn->mute)
        cg__tls_conn_call(conn, close_notify, NULL, 0);
    /* A kernel that closes a socket with unread input drops what it has kept back. After the
     * peer's close_notify there is no such input. */
    push(conn, (SSL_get_shutdown(conn->ssl) & SSL_RECEIVED_SHUTDOWN) != 0);
}
