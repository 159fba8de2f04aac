/* SPDX-License-Identifier: MIT */
/* cg_ws_read. The reader also answers pings and the peer's Close, and watches over the
 * connection: pings, the idle limit, the shutdown of the server. */
#include "config.h"

#include "http/ws/ws_message.h"
#include "http/ws/ws_output.h"
#include "http/ws/ws_read.h"
#include "lib/base/moment.h"
#include "lib/base/plural.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int64_t now(void)
{
    return cg_sched_now(cg_sched_self());
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The WebSocket has ended; all further reads complete with this result. */
static ssize_t end(struct cg_ws *ws, ssize_t result)
{
    if (ws->code == 0)
        ws->code = CG_WS_ABNORMAL;
    ws->ended = true;
    ws->result = result;
    return 0;
}

/* Whether a code means that this operation was ended, and not the connection. */
static bool is_own(ssize_t n)
{
    return n == -ECANCELED || n == -EBADF || n == -EBUSY;
}

/* The peer has violated the protocol. It is told by a Close, which a close with unread
 * bytes would destroy: so we wait until it closes. */
static ssize_t fail(struct cg_ws *ws, unsigned code, ssize_t result, const char *why)
{
    ws->reason = why;
    ws->code = CG_WS_ABNORMAL;
    ws->result = result;
    ws->lingers = true;
    if (!ws->sent_close && cg__http_ws_output_close(ws, code, why) < 0)
        ws->close_until = now();
    return 0;
}

/* Sends what waits, unless a writer is at work, which will do it; but pongs wait only up to
 * a limit. Only a stalled peer is an error here: what it has sent may still be read. */
static ssize_t send_output(struct cg_ws *ws)
{
    ssize_t n;

    if (ws->out.len == 0 || ws->broken < 0 ||
        (ws->lock.owner != NULL && ws->out.len < CG__WS_PONGS))
        return 0;
    n = cg__http_ws_output_send(ws);
    if (n == -ETIMEDOUT)
        return end(ws, n);
    return is_own(n) ? n : 0;
}

/* One wait for input. Sets *n to its result; returns whether it was only ended so that the
 * reader looks at what has changed. */
static bool borrow(struct cg_ws *ws, int64_t deadline, ssize_t *n)
{
    struct cg_scope scope;

    cg_scope_open(&scope, CG_NEVER, false);
    ws->wait = &scope;
    *n = cg_yield(cg_borrow(ws->sock, &ws->view, .timeout = CG_NEVER, .deadline = deadline));
    ws->wait = NULL;
    ws->at = 0;
    ws->waited = now();
    if (*n > 0)
        ws->heard = ws->waited;
    return cg_scope_close(&scope) < 0 && *n < 0;
}

/* Nothing has come until `until`: it is time for a ping, or for the end. */
static ssize_t overdue(struct cg_ws *ws, int64_t until, int64_t dead)
{
    int64_t moment = now();

    if (moment < until) /* it was the kernel that gave up */
        return end(ws, -ETIMEDOUT);
    if (ws->sent_close)
        return end(ws, ws->told ? 0 : -ETIMEDOUT);
    if (moment >= dead)
        return end(ws, -ETIMEDOUT);
    ws->pinged = moment;
    return cg__http_ws_output_put(ws, CG__WS_FIN | CG__WS_OP_PING, NULL, 0);
}

/* Silence counts only while somebody waits: a handler that was busy for minutes has not
 * heard the peer, who may be well. */
static void count_silence(struct cg_ws *ws)
{
    int64_t moment = now(), away = moment - ws->waited;

    if (ws->heard == 0)
        ws->heard = ws->pinged = moment;
    else
        ws->heard += away, ws->pinged += away;
    ws->waited = moment;
}

int64_t cg__http_ws_read_due(const struct cg_ws *ws)
{
    int64_t dead = cg__moment_after(ws->heard, ws->options.idle_timeout);
    int64_t ping = cg__moment_after(ws->heard > ws->pinged ? ws->heard : ws->pinged,
                                    ws->options.ping_interval);

    return earlier(dead, ws->sent_close ? ws->close_until : ping);
}

/* Whether the wait may go on without a coroutine: nothing but the socket must be known. */
static bool may_doze(const struct cg_ws *ws)
{
    return ws->doze != 0 && !ws->sent_close && ws->out.len == 0 && ws->buf == NULL &&
           cg__http_ws_frame_is_between(&ws->parser);
}

static ssize_t wait_input(struct cg_ws *ws)
{
    int64_t until, deadline;
    ssize_t n;

    count_silence(ws);
    deadline = until = cg__http_ws_read_due(ws);
    if (may_doze(ws))
        deadline = earlier(until, ws->doze);
    if (borrow(ws, deadline, &n) || n > 0)
        return 0;
    if (n == 0)
        return end(ws, CG_EOF);
    if (n == -ETIMEDOUT && deadline < until && now() < until) /* others may have written since */
        return may_doze(ws) ? CG__WS_DOZE : 0;
    if (n == -ETIMEDOUT)
        return overdue(ws, until, cg__moment_after(ws->heard, ws->options.idle_timeout));
    return is_own(n) ? n : end(ws, n);
}

/* The view is used up. An idle WebSocket holds no buffer. */
static ssize_t more(struct cg_ws *ws)
{
    ssize_t n;

    cg_view_release(&ws->view, ws->view.chunk != NULL ? ws->view.len : 0);
    n = send_output(ws);
    if (n < 0 || ws->ended)
        return n;
    cg__http_ws_message_forget(ws, true);
    return wait_input(ws);
}

static ssize_t take_close(struct cg_ws *ws)
{
    const struct cg__ws_parser *parser = &ws->parser;
    const uint8_t *payload = (const uint8_t *)parser->control;
    unsigned code = 0;

    if (parser->control_len == 1)
        return fail(ws, CG_WS_PROTOCOL, CG_EWS, "a Close with half a code");
    if (parser->control_len > 0)
        code = (unsigned)payload[0] << 8 | payload[1];
    if (parser->control_len > 0 && !cg__http_ws_frame_is_code(code))
        return fail(ws, CG_WS_PROTOCOL, CG_EWS, "a Close with an invalid code");
    if (parser->control_len > 2) {
        size_t len = parser->control_len - 2u;

        if (!cg__http_ws_utf8_is_valid(parser->control + 2, len))
            return fail(ws, CG_WS_INVALID, CG_EWS, "a Close with invalid UTF-8");
        ws->reason_came = strndup(parser->control + 2, len);
        ws->reason = ws->reason_came != NULL ? ws->reason_came : "";
    }
    ws->code = code != 0 ? (int)code : CG_WS_NO_CODE;
    cg__http_ws_output_close(ws, code, "");
    return end(ws, 0);
}

static ssize_t take_control(struct cg_ws *ws)
{
    struct cg__ws_parser *parser = &ws->parser;
    int rc;

    if (parser->opcode == CG__WS_OP_CLOSE)
        return take_close(ws);
    if (parser->opcode != CG__WS_OP_PING || ws->sent_close)
        return 0;
    rc = cg__http_ws_output_put(ws, CG__WS_FIN | CG__WS_OP_PONG, parser->control,
                                parser->control_len);
    return rc == 0 && ws->out.len >= CG__WS_PONGS ? send_output(ws) : rc;
}

static ssize_t make_room(struct cg_ws *ws)
{
    ws->parser.control = malloc(CG__WS_CONTROL);
    if (ws->parser.control == NULL)
        return fail(ws, CG_WS_INTERNAL, -ENOMEM, "no memory for a control frame");
    return 0;
}

static ssize_t take_piece(struct cg_ws *ws, bool pieces)
{
    int rc = ws->told ? 0 : cg__http_ws_message_take(ws, pieces);

    if (rc == -EMSGSIZE)
        return fail(ws, CG_WS_TOO_LONG, rc, "a message exceeds the limit");
    if (rc == -EILSEQ)
        return fail(ws, CG_WS_INVALID, CG_EWS, ws->parser.why);
    if (rc == -ENOMEM)
        return fail(ws, CG_WS_INTERNAL, rc, "no memory for a message");
    return 0;
}

static enum cg__ws_event parse(struct cg_ws *ws)
{
    enum cg__ws_event event;
    size_t used;

    if (!cg_ws_has_input(ws))
        return CG__WS_MORE;
    /* The bytes are lent to nobody else, and unmasked in their place. */
    event = cg__http_ws_frame_parse(&ws->parser, (char *)(uintptr_t)ws->view.data + ws->at,
                                    ws->view.len - ws->at, &used);
    ws->at += used;
    return event;
}

/* One event. */
static ssize_t advance(struct cg_ws *ws, bool pieces)
{
    if (ws->pending && !ws->told)
        return take_piece(ws, pieces);
    switch (parse(ws)) {
    case CG__WS_PIECE:
        return take_piece(ws, pieces);
    case CG__WS_CONTROLS:
        return take_control(ws);
    case CG__WS_BAD:
        return fail(ws, CG_WS_PROTOCOL, CG_EWS, ws->parser.why);
    case CG__WS_LONG:
        return fail(ws, CG_WS_TOO_LONG, -EMSGSIZE, "a message exceeds the limit");
    case CG__WS_ROOM:
        return make_room(ws);
    default:
        return more(ws);
    }
}

/* After a failure: sends the Close, and discards what comes until the peer closes. */
static ssize_t linger(struct cg_ws *ws)
{
    size_t most = CG__WS_LINGER;
    ssize_t n = send_output(ws), result = ws->result;

    if (n == 0 && !ws->ended)
        n = cg_yield(cg_shutdown(ws->sock, SHUT_WR));
    if (n == -EBUSY) /* a writer is stuck: the peer will not see our Close, and may yet leave */
        n = 0;
    while (n >= 0 && most > 0) {
        size_t len = ws->view.chunk != NULL ? ws->view.len : 0;

        cg_view_release(&ws->view, len);
        most -= len < most ? len : most;
        if (borrow(ws, ws->close_until, &n))
            n = 1;
        if (n == 0)
            break;
    }
    return is_own(n) ? n : end(ws, result);
}

ssize_t cg__http_ws_read_next(struct cg_ws *ws, bool pieces)
{
    ssize_t n = 0;

    if (ws->ready == 0)
        cg__http_ws_message_forget(ws, false);
    while (n >= 0 && ws->ready == 0 && !ws->ended) {
        if (ws->told && !ws->sent_close)
            cg__http_ws_output_close(ws, CG_WS_GOING_AWAY, "");
        n = ws->lingers ? linger(ws) : advance(ws, pieces);
    }
    if (n >= 0 && ws->ended)
        n = send_output(ws); /* our answer to the peer's Close */
    return n < 0 ? n : ws->ready != 0 ? ws->ready : ws->result;
}

static struct cg_ws_read_op *of(struct cg_op *op)
{
    return (struct cg_ws_read_op *)op;
}

static enum cg_verdict read_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    op->result = -EBADF;
    return of(op)->ws == NULL ? CG_DONE : cg_object_enter(&of(op)->ws->object, op);
}

static enum cg_verdict read_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg__http_ws_leave(of(op)->ws, op, 0);
    return CG_DONE;
}

static ssize_t read_run(struct cg_op *op)
{
    struct cg_ws *ws = of(op)->ws;
    ssize_t n = -EBUSY;

    if (ws->object.closed)
        n = -EBADF;
    else if (!ws->reading) {
        ws->reading = true;
        n = cg__http_ws_read_next(ws, of(op)->pieces);
        ws->reading = false;
    }
    return cg__http_ws_leave(ws, op, n);
}

/* A message that came in the turn in which the op was cancelled is the next one's. */
static ssize_t read_finish(struct cg_op *op)
{
    if (op->result > 0) {
        *of(op)->message = of(op)->ws->message;
        of(op)->ws->ready = 0;
    }
    return op->result;
}

static int read_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_ws *ws = ((const struct cg_ws_read_op *)op)->ws;

    return snprintf(buf, size, "%s, %zu byte%s of a message",
                    ws->options.client ? "client" : "server", ws->buf_len,
                    cg__plural(ws->buf_len));
}

const struct cg_op_type cg_ws_read_type = {
    .name = "ws_read",
    .process = read_process,
    .run = read_run,
    .cancel = read_cancel,
    .finish = read_finish,
    .print = read_print,
};
