/* SPDX-License-Identifier: MIT */
/* What the server says about itself: the date, the access log, why a handler failed. */
#include "config.h"

#include "http/date.h"
#include "http/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Date ------------------------------------------------------------------------ */

/* "Server: ...\r\n", if there is one. */
static void print_name(const char *name, char *buf, size_t size)
{
    char own[64];

    if (name == NULL) {
        snprintf(own, sizeof own, "cogen/%s", cg_version());
        name = own;
    }
    *buf = '\0';
    if (*name != '\0' && cg__http_is_value(name, strlen(name)))
        snprintf(buf, size, "Server: %.180s\r\n", name);
}

static void make_usual(struct cg_http_server *server)
{
    char name[200], *usual = server->usual;
    int size;

    print_name(server->options.name, name, sizeof name);
    size = snprintf(usual, sizeof server->usual,
                    "HTTP/1.1 200 OK\r\n%sDate: %*s\r\nContent-Type: ", name,
                    CG__HTTP_DATE - 8, "");
    server->usual_size = (size_t)size;
    server->date_at = CG__HTTP_OK + strlen(name);
}

void cg__http_date(struct cg_http_server *server)
{
    int64_t now = cg_now(server->sched);
    struct timespec wall;
    char date[CG_HTTP_DATE_SIZE];

    if (now < server->date_until)
        return;
    if (server->usual_size == 0)
        make_usual(server);
    clock_gettime(CLOCK_REALTIME, &wall);
    cg_http_date_print(wall.tv_sec, date);
    memcpy(server->usual + server->date_at + 6, date, CG__HTTP_DATE - 8);
    server->date_until = now + CG_SECOND - wall.tv_nsec;
}

/* ---- The access log -------------------------------------------------------------- */

/* Writes a text that a client chose: quotes and what is not printable as "\x22". */
static void put_quoted(FILE *file, const char *text)
{
    putc('"', file);
    for (; text != NULL && *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
            fprintf(file, "\\x%02x", c);
        else
            putc(c, file);
    }
    putc('"', file);
}

/* The peer's address without its port. */
const char *cg__http_peer(struct cg__http_conn *conn)
{
    char addr[CG_ADDR_SIZE], *colon;

    if (conn->peer == NULL && conn->sock != NULL &&
        cg_peer_addr(conn->sock, addr, sizeof addr) == 0) {
        colon = strncmp(addr, "unix:", 5) == 0 ? NULL : strrchr(addr, ':');
        if (colon != NULL)
            *colon = '\0';
        conn->peer = strdup(addr);
    }
    return conn->peer != NULL && *conn->peer != '\0' ? conn->peer : "-";
}

/* Ends a piece of writing to the log, begun with cg_sigpipe_block. Where it has failed, since
 * nobody reads the log any more, or its disk is full, that is said once. */
static void end_writing(struct cg_http_server *server, int before)
{
    int error = errno;
    bool failed = ferror(server->options.access_log) != 0;
    char line[100];

    clearerr(server->options.access_log);
    cg_sigpipe_unblock(before, failed);
    if (failed && !server->log_failed) {
        snprintf(line, sizeof line, "the access log cannot be written: %s",
                 cg_strerror(-error));
        cg__http_log(server, line);
        server->log_failed = true;
    }
}

void cg__http_log_flush(struct cg_http_server *server)
{
    int before;

    if (server->options.access_log == NULL)
        return;
    before = cg_sigpipe_block();
    fflush(server->options.access_log);
    end_writing(server, before);
}

static ssize_t flusher(void *arg)
{
    struct cg_http_server *server = arg;

    cg_yield(cg_sleep(CG_SECOND));
    cg__http_log_flush(server);
    cg_unref(server->flusher);
    server->flusher = NULL;
    return 0;
}

/* Within a second. */
static void flush_soon(struct cg_http_server *server)
{
    if (server->flusher == NULL &&
        cg_start(cg_sched_self(), flusher, server, .name = "http log",
                 .coro = &server->flusher) < 0)
        server->flusher = NULL;
}

void cg__http_log_end(struct cg_http_server *server)
{
    struct cg_coro *flusher = server->flusher;

    if (flusher == NULL)
        return;
    cg_ref(flusher);
    cg_coro_cancel(flusher);
    cg_yield(cg_join(flusher, .shield = true));
    cg_unref(flusher);
}

void cg__http_log_access(struct cg_http_request *req)
{
    FILE *file = req->server->options.access_log;
    const struct cg__http_parser *parser = &req->parser;
    char date[CG__HTTP_LOG_DATE_SIZE];
    int before;

    if (!req->begun)
        return;
    before = cg_sigpipe_block();
    cg__http_date_for_log(time(NULL), date);
    fprintf(file, "%s - - [%s] ", cg__http_peer(req->conn), date);
    if (parser->method == NULL) {
        fputs("\"-\"", file);
    } else {
        char line[64];

        /* Its parts are a token and what may stand in a target: no quotes. */
        snprintf(line, sizeof line, " HTTP/1.%d", parser->minor);
        fprintf(file, "\"%s %s%s\"", parser->method, cg_http_target(req), line);
    }
    fprintf(file, " %d %llu ", req->status, (unsigned long long)req->sent);
    put_quoted(file, parser->method ? cg_http_headers_get(&req->in, "Referer") : NULL);
    putc(' ', file);
    put_quoted(file, parser->method ? cg_http_headers_get(&req->in, "User-Agent") : NULL);
    putc('\n', file);
    end_writing(req->server, before);
    flush_soon(req->server);
}

/* ---- Failures -------------------------------------------------------------------- */

static void print_line(const char *line)
{
    int before = cg_sigpipe_block();

    fprintf(stderr, "http server: %s\n", line);
    cg_sigpipe_unblock(before, ferror(stderr));
}

void cg__http_log(struct cg_http_server *server, const char *line)
{
    if (server->options.log != NULL)
        server->options.log(server->options.log_arg, line);
    else
        print_line(line);
}

void cg__http_log_accept(void *arg, int code)
{
    struct cg_http_server *server = arg;
    int64_t now = cg_now(server->sched);
    char line[160];

    if (now < server->accept_quiet)
        return;
    server->accept_quiet = now + CG_SECOND;
    snprintf(line, sizeof line, "a connection could not be accepted: %s",
             cg_strerror(code));
    cg__http_log(server, line);
}

void cg__http_log_failure(struct cg_http_request *req, ssize_t code)
{
    char line[256];

    snprintf(line, sizeof line, "%s %.150s: %s", cg_http_method(req), cg_http_target(req),
             code < 0 ? cg_strerror(code) : "the handler has not answered");
    cg__http_log(req->server, line);
}
