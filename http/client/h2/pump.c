/* SPDX-License-Identifier: MIT */
/* Moves the bytes of a connection, in the coroutines that wait for its streams. */
#include "config.h"

#include "http/client/h2/session.h"
#include "http/client/wait.h"
#include "http/client/why.h"
#include "http/message/room.h"

#include <cogen/any.h>
#include <cogen/transport.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE (5 * CG_SECOND)

enum {
    OUT_SIZE = 64 * 1024, /* bytes that are gathered for one write */
    SMALL = 16 * 1024,    /* up to this we try without waiting first */
};

/* Whether a wait until the deadline has ended without a failure of the connection. */
static bool is_temporary(const struct cg__h2 *h2, ssize_t code, int64_t deadline)
{
    return code == -ECANCELED || cg__http_client_wait_is_over(h2->client, code, deadline);
}

/* Whether the server has violated HTTP/2 by a frame for another stream that we have opened. Then
 * this one has only lost its connection. */
static bool is_of_another(const struct cg__h2_stream *stream)
{
    const struct cg__h2 *h2 = stream->h2;

    return h2->came != 0 && h2->came != stream->id && h2->came % 2 == 1 &&
           (uint32_t)h2->came < nghttp2_session_get_next_stream_id(h2->session);
}

/* The connection has failed, and with it all that is not complete. What a coroutine is writing may
 * have left. */
static void fail(struct cg__h2 *h2, ssize_t code, const char *why)
{
    uint64_t gone = h2->out_gone + (h2->writing ? h2->out_to - h2->out_from : 0);

    h2->spent = true;
    if (h2->error == 0)
        h2->error = code;
    for (struct cg__h2_stream *stream = h2->streams; stream; stream = stream->next) {
        ssize_t own = code == CG_EHTTP && is_of_another(stream) ? -ECONNRESET : code;

        if (stream->closed)
            continue; /* by the server, or by an earlier failure, of reading or of writing */
        if (!stream->ended && stream->error == 0)
            stream->error = cg__http_client_because(stream->why, own, "%s", why);
        stream->lost = stream->closed = true;
        stream->innocent = code == CG_EHTTP && (h2->came == 0 || own != code);
        stream->unsent = stream->place == 0 || stream->place >= gone;
        cg__http_client_h2_stream_wake(stream);
    }
    if (h2->line != NULL)
        cg__http_client_pool_line_wake_all(h2->line, 0, NULL);
}

/* Fails the connection, since the server violates HTTP/2. If `why` is NULL, the message says what
 * our GOAWAY says. */
static void fail_invalid(struct cg__h2 *h2, const char *why)
{
    char text[CG_HTTP_WHY_SIZE];

    cg__http_client_h2_pump_offer(h2); /* says why */
    if (why == NULL)
        why = h2->why;
    cg__http_client_because(text, 0, "the response is not valid HTTP/2%s%s", *why ? ": " : "",
                            why);
    fail(h2, CG_EHTTP, text);
}

static void fail_by(struct cg__h2 *h2, ssize_t code)
{
    char why[CG_HTTP_WHY_SIZE];

    cg__http_client_because(why, 0, "the connection failed: %s", cg_strerror(code));
    fail(h2, code,
         code == CG_EOF ? "the connection ended before the end of the response" : why);
}

bool cg__http_client_h2_pump_is_behind(const struct cg__h2 *h2)
{
    return h2->error == 0 &&
           (h2->out_to > h2->out_from || nghttp2_session_want_write(h2->session));
}

static int append(struct cg__h2 *h2, const uint8_t *data, size_t len)
{
    int rc = cg__http_room(&h2->out, &h2->out_size, 4096, h2->out_to + len);

    if (rc < 0)
        return rc;
    memcpy(h2->out + h2->out_to, data, len);
    h2->out_to += len;
    return 0;
}

/* Gathers what the session wants to send. If that fails, the connection does: the session takes a
 * frame for sent that is missing. */
static void gather(struct cg__h2 *h2)
{
    const uint8_t *data;
    ssize_t n = 1;

    if (h2->out_from == h2->out_to)
        h2->out_from = h2->out_to = 0;
    while (n > 0 && h2->out_to < OUT_SIZE) {
        n = nghttp2_session_mem_send(h2->session, &data);
        if (n > 0 && append(h2, data, (size_t)n) < 0)
            n = NGHTTP2_ERR_NOMEM;
    }
    if (n < 0)
        fail_by(h2, n == NGHTTP2_ERR_NOMEM ? -ENOMEM : CG_EHTTP);
}

/* So many of the gathered bytes have left. */
static void went(struct cg__h2 *h2, size_t len)
{
    h2->out_from += len;
    h2->out_gone += len;
}

static void take(struct cg__h2 *h2, struct cg_view *view)
{
    const char *why = cg__http_client_h2_session_take(h2, view->data, view->len);

    h2->heard++;
    cg_view_release(view, view->len);
    if (why != NULL)
        fail_invalid(h2, why);
}

/* Waits for bytes; -EINTR: others have done what the reader waits for. */
static ssize_t borrow(struct cg__h2 *h2, struct cg_view *view, struct cg__h2_reader *reader,
                      int64_t deadline)
{
    ssize_t n;

    cg_scope_open(&reader->scope, CG_NEVER, false);
    h2->reader = reader;
    n = cg_yield(cg_borrow(h2->sock, view, .timeout = CG_NEVER, .deadline = deadline));
    h2->reader = NULL;
    return cg_scope_close(&reader->scope) < 0 && n == -ECANCELED ? -EINTR : n;
}

/* Reads once. 0, or the negative code of waiting. reader NULL: what is there already. */
static ssize_t read_once(struct cg__h2 *h2, struct cg__h2_reader *reader, int64_t deadline)
{
    struct cg_view view;
    ssize_t n;

    if (!nghttp2_session_want_read(h2->session)) {
        fail_invalid(h2, NULL);
        return 0;
    }
    h2->reading = true;
    n = reader != NULL ? borrow(h2, &view, reader, deadline)
                       : cg_yield(cg_borrow(h2->sock, &view, .timeout = CG_NOWAIT));
    h2->reading = false;
    if (n == -EINTR)
        return 0;
    if (n < 0 && is_temporary(h2, n, deadline))
        return n;
    if (n > 0)
        take(h2, &view);
    else
        fail_by(h2, n == 0 ? CG_EOF : n);
    return 0;
}

/* Writes, and polls for input: a peer that waits until we read would not read either.
 * Returns the result of writing, or why it could not poll; 1: there is input. */
static ssize_t write_and_listen(struct cg__h2 *h2, struct cg_op *write, int64_t deadline)
{
    struct cg_op *poll = cg_poll_sock(h2->sock, CG_IN, .timeout = CG_NEVER);
    ssize_t n;

    h2->reading = true;
    n = cg_yield(cg_any((write, poll), .deadline = deadline));
    h2->reading = false;
    if (n < 0)
        return n;
    return n == 0 ? cg_op_result(write) : cg_op_result(poll) < 0 ? cg_op_result(poll) : 1;
}

/* Sends what has been gathered. 0, or the negative code of waiting. */
static ssize_t write_out(struct cg__h2 *h2, int64_t deadline)
{
    size_t moved = 0;
    struct cg_op *write = cg_write(h2->sock, h2->out + h2->out_from,
                                   h2->out_to - h2->out_from, .moved = &moved,
                                   .timeout = CG_NEVER, .deadline = deadline);
    bool listens = !h2->reading;
    ssize_t n;

    h2->writing = true;
    n = listens ? write_and_listen(h2, write, deadline) : cg_yield(write);
    h2->writing = false;
    went(h2, moved);
    if (n < 0 && is_temporary(h2, n, deadline))
        return n;
    if (n < 0)
        fail_by(h2, n);
    else if (listens && moved == 0)
        read_once(h2, NULL, deadline);
    return 0;
}

/* Lets the other ready coroutines submit their requests first, so that one write sends all of them:
 * coroutines whose responses have come together are ready together. */
static ssize_t let_others_submit(struct cg__h2 *h2)
{
    ssize_t n;

    h2->writing = true;
    n = cg_yield(cg_pass());
    h2->writing = false;
    if (n < 0)
        cg__http_client_h2_pump_offer(h2); /* others may have left their frames to this write */
    return n;
}

/* Few bytes, such as a request without a body, are usually sent at once. A stream whose response
 * has begun has windows to open, for which a read that does not wait must not time out. */
static ssize_t write_once(struct cg__h2_stream *stream, int64_t deadline)
{
    struct cg__h2 *h2 = stream->h2;
    ssize_t n = h2->count > 1 && !stream->finals ? let_others_submit(h2) : 0;

    if (n < 0)
        return n;
    gather(h2);
    if (h2->out_to - h2->out_from <= SMALL)
        cg__http_client_h2_pump_offer(h2);
    return h2->error < 0 || h2->out_from == h2->out_to ? 0 : write_out(h2, deadline);
}

/* Waits for the work that others do. If the time for that is over, as it is at once with
 * CG_NOWAIT, a reader that has got something meanwhile runs first. */
static ssize_t wait_in_line(struct cg__h2_stream *stream, int64_t deadline)
{
    struct cg__line_op *waiter =
        cg__line_wait(&stream->h2->wait, .timeout = CG_NEVER, .deadline = deadline);
    struct cg__line_op **place = &stream->waiters[stream->waiters[0] != NULL];
    ssize_t n;

    *place = waiter;
    n = cg_yield(&waiter->op);
    if (*place == waiter)
        *place = NULL;
    if (n < 0)
        cg_yield(cg_pass(.shield = true));
    return n;
}

/* Leaves the work to another one, who may have been waiting for its own sake only. What is unsent
 * may be the request of the reader: with nobody else in line, it has to write. */
static void hand_over(struct cg__h2 *h2)
{
    bool unsent = !h2->writing && cg__http_client_h2_pump_is_behind(h2);

    if (h2->wait.first != NULL && (!h2->reading || unsent))
        cg__http_client_pool_line_wake(h2->wait.first, 0, NULL);
    else if (h2->reader != NULL && unsent)
        cg_scope_cancel(&h2->reader->scope);
}

/* Somebody has given up waiting. If nothing at all has come for a while, the connection may
 * be dead, and later requests must not wait on it, too. */
static void doubt(struct cg__h2 *h2, uint64_t heard, int64_t since)
{
    if (h2->heard == heard && cg_sched_now(h2->client->sched) - since >= PATIENCE)
        h2->spent = true;
}

ssize_t cg__http_client_h2_pump(struct cg__h2_stream *stream,
                                bool (*ready)(const struct cg__h2_stream *),
                                int64_t deadline)
{
    struct cg__h2 *h2 = stream->h2;
    int64_t since = cg_sched_now(h2->client->sched);
    struct cg__h2_reader reader = {.stream = stream, .ready = ready};
    uint64_t heard = h2->heard;
    ssize_t n = 0;

    while (n == 0 && !ready(stream)) {
        if (!h2->writing && cg__http_client_h2_pump_is_behind(h2))
            n = write_once(stream, deadline);
        else if (!h2->reading)
            n = read_once(h2, &reader, deadline);
        else
            n = wait_in_line(stream, deadline);
    }
    if (n < 0 && ready(stream))
        n = 0;
    if (n < 0 && !stream->connects) /* a tunnel may be silent for long */
        doubt(h2, heard, since);
    hand_over(h2);
    return n;
}

void cg__http_client_h2_pump_offer(struct cg__h2 *h2)
{
    struct cg_io io = {.code = CG_IO_OFFER};

    if (h2->writing || h2->error < 0)
        return;
    gather(h2);
    if (h2->error < 0 || h2->out_from == h2->out_to)
        return;
    io.fd = cg_sock_fd(h2->sock);
    io.buf = h2->out + h2->out_from;
    io.len = h2->out_to - h2->out_from;
    cg_sock_transport(h2->sock)->submit(h2->sock, &io);
    if (io.result > 0)
        went(h2, (size_t)io.result);
}

void cg__http_client_h2_pump_drain(struct cg__h2 *h2)
{
    ssize_t n = 0;

    while (n == 0 && h2->error == 0)
        n = read_once(h2, NULL, 0);
    if (n == -ECANCELED)
        fail_by(h2, n);
    cg__http_client_h2_pump_offer(h2);
}
