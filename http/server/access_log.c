/* SPDX-License-Identifier: MIT */
/* The access log. Lines are gathered in memory, and once a second a thread writes them:
 * the file may be a pipe with a slow reader, which must not delay requests. The threads
 * of the pool block all signals, so that a pipe without a reader raises no SIGPIPE. */
#include "config.h"

#include "http/message/date.h"
#include "http/server/access_json.h"
#include "http/server/access_log.h"
#include "http/server/log.h"
#include "http/server/peer.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Appends a text that the client chose. Unprintable bytes and those in `also` become
 * "\x22", so that the text cannot end its field or its line. */
static int put_escaped(struct cg_http_headers *text, const char *from, const char *also)
{
    for (;; from++) {
        size_t size = cg__ascii_plain(from, also);
        char hex[5];

        if (cg__http_message_text(text, from, size) < 0)
            return -1;
        from += size;
        if (*from == '\0')
            return 0;
        snprintf(hex, sizeof hex, "\\x%02x", (unsigned char)*from);
        if (cg__http_message_text(text, hex, 4) < 0)
            return -1;
    }
}

static int put(struct cg_http_headers *text, const char *piece)
{
    return cg__http_message_text(text, piece, strlen(piece));
}

static int put_quoted(struct cg_http_headers *text, const char *value)
{
    return put(text, "\"") < 0 || put_escaped(text, value ? value : "", "\"\\") < 0
               ? -1
               : put(text, "\"");
}

/* "GET /path HTTP/1.1"; "-" for an invalid request. */
static int put_request(struct cg_http_headers *text, const struct cg_http_request *req)
{
    char end[16];

    if (req->method == NULL)
        return put(text, "\"-\"");
    snprintf(end, sizeof end, " %s\"", cg_http_request_protocol(req));
    if (put(text, "\"") < 0 || put(text, req->method) < 0 || put(text, " ") < 0 ||
        put_escaped(text, cg_http_request_target(req), "\"\\") < 0)
        return -1;
    return put(text, end);
}

/* The client's address: what a layer has found out, or the other end of the connection. A
 * request that was refused has no parameters. */
static const char *client_of(const struct cg_http_request *req)
{
    const char *client;
    int rc = req->method != NULL ? cg_http_request_client(req, &client)
                                 : cg__http_peer_find(req->conn, &client);

    return rc == 0 ? client : "-";
}

static int put_combined(struct cg_http_headers *text, const struct cg_http_request *req)
{
    const struct cg_http_headers *in = req->method ? &req->in : NULL;
    char date[CG__HTTP_LOG_DATE_SIZE], middle[64];

    cg__http_date_for_log(cg_clock_now(req->server->sched, CG_CLOCK_WALL) / CG_SECOND, date);
    if (put_escaped(text, client_of(req), " \"\\") < 0)
        return -1;
    snprintf(middle, sizeof middle, " - - [%s] ", date);
    if (put(text, middle) < 0 || put_request(text, req) < 0)
        return -1;
    snprintf(middle, sizeof middle, " %d %llu ", req->status, (unsigned long long)req->sent);
    if (put(text, middle) < 0 ||
        put_quoted(text, in ? cg_http_headers_get(in, "Referer") : NULL) < 0 ||
        put(text, " ") < 0 ||
        put_quoted(text, in ? cg_http_headers_get(in, "User-Agent") : NULL) < 0)
        return -1;
    return put(text, "\n");
}

static int put_line(struct cg_http_headers *text, const struct cg_http_request *req)
{
    if (req->server->options.access_format == CG_HTTP_LOG_JSON)
        return cg__http_access_json_put(text, req, client_of(req));
    return put_combined(text, req);
}

/* Lines that a thread writes. If the wait for the thread is abandoned, it owns them. */
struct cg__http_batch {
    FILE *file;
    struct cg_http_headers text;
};

static void free_batch(void *arg)
{
    struct cg__http_batch *batch = arg;

    cg__http_message_clear(&batch->text);
    free(batch);
}

static ssize_t write_batch(void *arg)
{
    struct cg__http_batch *batch = arg;

    ssize_t code = 0;

    flockfile(batch->file);
    if (fwrite(batch->text.data, 1, batch->text.used, batch->file) < batch->text.used ||
        fflush(batch->file) != 0)
        code = -errno;
    clearerr(batch->file);
    funlockfile(batch->file);
    return code;
}

/* Reports once that the log cannot be written: its pipe has no reader, or its disk is
 * full. */
static void tell_failure(struct cg_http_server *server, ssize_t code)
{
    char line[100];

    if (server->access.failed)
        return;
    server->access.failed = true;
    snprintf(line, sizeof line, "the access log cannot be written: %s", cg_strerror(code));
    cg__http_log(server, line);
}

/* Writes the gathered lines; if no thread has begun to, they stay for the next time.
 * Negative: they have not been written. */
static ssize_t write_lines(struct cg_http_server *server, int64_t timeout, bool shield)
{
    struct cg__http_log *log = &server->access;
    FILE *file = server->options.access_log;
    enum cg_fate fate;
    ssize_t n;

    if (log->batch == NULL) {
        log->batch = malloc(sizeof *log->batch);
        if (log->batch == NULL)
            return -ENOMEM;
        *log->batch = (struct cg__http_batch){file, log->lines};
        log->lines = (struct cg_http_headers){.data = NULL};
    }
    n = cg_yield(cg_offload(write_batch, log->batch, .abandon = free_batch, .fate = &fate,
                            .timeout = timeout, .shield = shield));
    if (fate != CG_FATE_RAN) {
        if (fate == CG_FATE_LEFT)
            log->batch = NULL;
        return n;
    }
    if (n < 0 && n != -ECANCELED && n != -ETIMEDOUT)
        tell_failure(server, n);
    free_batch(log->batch);
    log->batch = NULL;
    return 0;
}

static bool has_lines(const struct cg__http_log *log)
{
    return log->batch != NULL || log->lines.used > 0;
}

static ssize_t flusher(void *arg)
{
    struct cg_http_server *server = arg;
    struct cg__http_log *log = &server->access;
    char line[80];

    while (has_lines(log) && cg_yield(cg_sleep(CG_SECOND)) >= 0)
        write_lines(server, CG_NEVER, false);
    if (log->lost > 0) {
        snprintf(line, sizeof line, "the access log is slow: %lu line%s lost", log->lost,
                 log->lost == 1 ? " is" : "s are");
        log->lost = 0;
        cg__http_log(server, line);
    }
    cg_coro_unref(log->flusher);
    log->flusher = NULL;
    return 0;
}

void cg__http_access_log_add(struct cg_http_request *req)
{
    struct cg_http_server *server = req->server;
    struct cg__http_log *log = &server->access;
    uint32_t used = log->lines.used;

    if (!req->begun)
        return;
    if (used > CG__HTTP_LOG_LIMIT || put_line(&log->lines, req) < 0) {
        log->lines.used = used;
        log->lost++;
    }
    if (log->flusher == NULL && has_lines(log) &&
        cg_sched_start(cg_sched_self(), flusher, server, .name = "http log",
                       .coro = &log->flusher) < 0)
        log->flusher = NULL;
}

void cg__http_access_log_end(struct cg_http_server *server)
{
    struct cg__http_log *log = &server->access;
    struct cg_coro *coro = log->flusher;

    if (coro != NULL) {
        cg_coro_ref(coro);
        cg_coro_cancel(coro); /* a thread that is writing goes on, and owns its lines */
        cg_yield(cg_join(coro, .shield = true));
        cg_coro_unref(coro);
    }
    while (has_lines(log) && write_lines(server, CG_SECOND, true) >= 0)
        ;
    if (log->batch != NULL)
        free_batch(log->batch);
    log->batch = NULL;
    cg__http_message_clear(&log->lines);
}

void cg__http_access_log_failure(struct cg_http_request *req, ssize_t code)
{
    struct cg_http_headers text = {.data = NULL};
    const char *why = code < 0 ? cg_strerror(code) : "the handler has not responded";

    if (put(&text, cg_http_request_method(req)) < 0 || put(&text, " ") < 0 ||
        put_escaped(&text, cg_http_request_target(req), "\\") < 0 ||
        put(&text, ": ") < 0 || cg__http_message_text(&text, why, strlen(why) + 1) < 0)
        cg__http_log(req->server, why);
    else
        cg__http_log(req->server, text.data);
    cg__http_message_clear(&text);
}
