/* SPDX-License-Identifier: MIT */
/* A small HTTP/1.1 server: GET and HEAD, keep-alive, a page of its own or the files of
 * a directory; a coroutine for each connection, with a limit on everything a client can
 * take its time over.
 *
 *     ./http_server --listen 127.0.0.1:8080                one page, at /
 *     ./http_server --listen 127.0.0.1:8080 --root site    the files in site/
 *     curl -i http://127.0.0.1:8080/                       in another terminal
 */
#include <cogen.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "http_small.h"
#include "site.h"

static const char page[] =
    "<!doctype html>\n<html lang=\"en\">\n<title>cogen</title>\n<h1>It works</h1>\n"
    "<p>This page was served by a coroutine.\n</html>\n";

static const char html[] = "text/html; charset=utf-8";

static struct site site;
static bool has_site;
static int64_t patience; /* with a client that is silent, slow to ask or slow to read */

struct request {
    struct cg_sock *conn;
    bool keep; /* the connection, for the next request */
    struct http_head head;
};

/* ---- Answers ----------------------------------------------------------------------
 */

/* Writes the head of the answer into buf; more are further fields, each with CR LF. */
static int answer_head(const struct request *req, int status, const char *type,
                       int64_t length, const char *more, char *buf, size_t size)
{
    time_t now = time(NULL);
    char date[64];
    struct tm tm;

    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    return snprintf(
        buf, size,
        "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: cogen/%s\r\nContent-Type: %s\r\n"
        "Content-Length: %lld\r\nConnection: %s\r\n%s\r\n",
        status, http_reason(status), date, cg_version(), type, (long long)length,
        req->keep ? "keep-alive" : "close", more);
}

static bool wants_body(const struct request *req)
{
    return strcmp(req->head.method, "HEAD") != 0;
}

static ssize_t answer_page(struct request *req, int status, const char *more,
                           const char *body, size_t length)
{
    char head[512 + HTTP_LINE_SIZE];
    struct iovec parts[2] = {
        {head, answer_head(req, status, html, length, more, head, sizeof head)},
        {(void *)body, length},
    };

    return cg_yield(cg_writev(req->conn, parts, wants_body(req) ? 2 : 1,
                              .timeout = patience, .weak_timeout = true));
}

static ssize_t answer_error(struct request *req, int status, const char *more)
{
    char body[256];
    int length = snprintf(body, sizeof body,
                          "<!doctype html>\n<title>%d %s</title>\n<h1>%d %s</h1>\n",
                          status, http_reason(status), status, http_reason(status));

    return answer_page(req, status, more, body, length);
}

/* The request was for a directory, without the slash that its relative links need. */
static ssize_t answer_slash(struct request *req)
{
    char more[HTTP_LINE_SIZE + 32];
    const char *path = req->head.target + strspn(req->head.target, "/");
    int length = (int)strcspn(path, "?");

    snprintf(more, sizeof more, "Location: /%.*s/%s\r\n", length, path, path + length);
    return answer_error(req, 301, more);
}

static ssize_t answer_file(struct request *req, const struct site_file *file)
{
    char head[512];
    int length = answer_head(req, 200, file->type, file->size, "", head, sizeof head);
    ssize_t n = cg_yield(cg_writeall(req->conn, head, length, .timeout = patience,
                                     .weak_timeout = true));

    if (n < 0 || !wants_body(req))
        return n;
    n = cg_yield(cg_sendfile(req->conn, file->fd, 0, file->size, .timeout = patience,
                             .weak_timeout = true));
    /* Where the file has been cut short meanwhile only an early end says so. */
    return n >= 0 && n < file->size ? CG_EOF : n;
}

static ssize_t answer(struct request *req)
{
    char path[HTTP_LINE_SIZE];
    struct site_file file;
    int status;
    ssize_t n;

    if (strcmp(req->head.method, "GET") != 0 && wants_body(req))
        return answer_error(req, 405, "Allow: GET, HEAD\r\n");
    if (!http_path(req->head.target, path, sizeof path))
        return answer_error(req, 400, "");
    if (!has_site && strcmp(path, "/") == 0)
        return answer_page(req, 200, "", page, sizeof page - 1);
    status = has_site ? site_find(&site, path, &file) : 404;
    if (status == 301)
        return answer_slash(req);
    if (status)
        return answer_error(req, status, "");
    n = answer_file(req, &file);
    close(file.fd);
    return n;
}

/* ---- Requests ---------------------------------------------------------------------
 */

/* Reads the head of a request: 0, the status that refuses it, or a negative code. */
static ssize_t read_head(void *arg)
{
    struct request *req = arg;
    char line[HTTP_LINE_SIZE];
    int blank = 0, step;
    ssize_t n;

    do
        n = cg_yield(cg_readline(req->conn, line, sizeof line));
    while (n == 2 && line[0] == '\r' && ++blank < 5); /* some clients send a few */
    if (n <= 0)
        return n == -EMSGSIZE ? 414 : n < 0 ? n : CG_EOF;
    step = http_request_line(&req->head, line, n);
    while (step == HTTP_MORE) {
        n = cg_yield(cg_readline(req->conn, line, sizeof line));
        if (n <= 0)
            return n == -EMSGSIZE ? 431 : n < 0 ? n : CG_EOF;
        step = http_field(&req->head, line, n);
    }
    return step == HTTP_END ? 0 : step;
}

/* Takes away what the client still sends: a close with unread bytes would be a reset,
 * and that can overtake the answer. */
static ssize_t drain(void *arg)
{
    struct cg_sock *conn = arg;
    struct cg_view view;
    ssize_t n;

    while ((n = cg_yield(cg_borrow(conn, &view))) > 0)
        cg_giveback(&view, view.size);
    return n;
}

/* One request: positive if another may follow. */
static ssize_t serve_request(struct cg_sock *conn)
{
    struct request req = {.conn = conn};
    ssize_t n = cg_yield(cg_call(read_head, &req, .timeout = patience));

    if (n == -ETIMEDOUT)
        n = 408;
    if (n == 0) {
        /* A body is nothing that GET needs: it is not read, and ends the connection. */
        req.keep = http_keeps_alive(&req.head) && req.head.length == 0;
        n = answer(&req);
    } else if (n > 0) {
        n = answer_error(&req, (int)n, "");
    }
    if (n >= 0 && !req.keep) {
        cg_yield(cg_shutdown(conn, SHUT_WR));
        cg_yield(cg_call(drain, conn, .timeout = CG_SECOND));
        n = 0;
    }
    return n;
}

static ssize_t talk(void *arg)
{
    struct cg_sock *conn = arg;
    struct cg_view view;
    ssize_t n;

    /* The head and the file are two writes: the second must not wait for the first's
     * acknowledgement. (A UNIX socket does not know the option, nor the problem.) */
    cg_setopt(conn, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    /* Between requests the connection only waits for a first byte, and takes no room.
     */
    while ((n = cg_yield(cg_borrow(conn, &view, .timeout = patience))) > 0) {
        cg_giveback(&view, 0);
        if ((n = serve_request(conn)) <= 0)
            break;
    }
    cg_close(conn);
    return n;
}

static ssize_t serve(void *arg)
{
    struct cg_sock *listener = arg, *conn;
    ssize_t n;

    while ((n = cg_yield(cg_accept(listener, &conn))) >= 0)
        if ((n = cg_yield(cg_add(talk, conn, .name = "talk"))) < 0) {
            example_warn("a connection is dropped", n);
            cg_close(conn);
        }
    example_warn("accept", n);
    cg_close(listener);
    return n;
}

int main(int argc, char **argv)
{
    const char *root = NULL, *seconds = "15";
    const struct example_option options[] = {
        {"root", "DIR", "serve the files in DIR", &root, 0},
        {"timeout", "SECONDS", "a silent or slow client is given this long (15)",
         &seconds, 0},
        {0},
    };
    struct example ex = {
        .name = "http_server",
        .about = "Serves a page, or the files of a directory, over HTTP",
        .listen = "127.0.0.1:8080",
        .network = true,
        .options = options,
    };
    int code, status;

    example_open(&ex, argc, argv);
    patience = example_seconds(&ex, seconds);
    if (root && (code = site_open(&site, root)) < 0) {
        example_fail(root, code);
        return example_run(&ex);
    }
    has_site = root != NULL;
    example_serve(&ex, serve);
    status = example_run(&ex);
    if (has_site)
        site_close(&site);
    return status;
}
