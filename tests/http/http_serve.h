/* SPDX-License-Identifier: MIT */
/* An HTTP server under test, with the handlers of http_handlers.c. Each case starts and
 * stops it, and sends it plain bytes. */
#ifndef COGEN_TESTS_HTTP_HTTP_SERVE_H
#define COGEN_TESTS_HTTP_HTTP_SERVE_H

#include <cogen/http_server.h>

#include "tests/http/http2/h2_text.h"
#include "tests/support/support.h"

/* The server, its listener, the coroutine that serves, its address, and the last line of
 * its log. */
extern struct cg_http_server *server;
extern struct cg_sock *listener;
extern struct cg_coro *serving;
extern char addr[CG_ADDR_SIZE];
extern char logged[512];
void log_line(void *arg, const char *line);

/* How many requests have reached a handler that counts them. until_handled waits for count
 * of them. */
extern unsigned handled;
void until_handled(unsigned count);

/* Mounts all handlers, and declares those that cases mount again: hello responds "hello\n",
 * tell responds with what was requested, and held waits until the test signals it. */
void handlers_mount(struct cg_http_server *server);
cg_http_handler hello, tell, held;

/* serve_begin starts the server; options may be NULL. serve_begin_with mounts other handlers.
 * serve_end stops it gracefully. */
void serve_begin(const struct cg_http_server_options *options);
void serve_begin_on(struct cg_sock *listener, const struct cg_http_server_options *options);
void serve_begin_with(void (*mount)(struct cg_http_server *server),
                      const struct cg_http_server_options *options);
void serve_end(void);

/* Connects to the server; sends text there. */
struct cg_sock *serve_client(void);
void send_text(struct cg_sock *sock, const char *text);

/* The bytes that were received last, without the fields Server and Date, and the number of
 * Date fields. */
extern char got[64 * 1024];
extern unsigned dates;

/* Reads to the end of the stream, or until `stop` has come. */
const char *receive(struct cg_sock *sock, const char *stop);

/* ask sends text and returns all that the server sends until it closes the connection; with
 * h2_text_on, the response as h2_text.h says. status_of returns only the status. */
const char *ask(const char *text);
int status_of(const char *text);

#define H "Host: x\r\n"
#define CLOSE "Connection: close\r\n"
#define V " HTTP/1.1\r\n" H
#define PLAIN_TYPE "Content-Type: text/plain; charset=utf-8\r\n"
#define OKAY "HTTP/1.1 200 OK\r\n"
#define HELLO_REST PLAIN_TYPE "Content-Length: 6\r\n"
#define HELLO OKAY HELLO_REST
#define TYPED "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"

/* The body of the response. */
#define BODY(request) (ask(request), strstr(got, "\r\n\r\n") + 4)

#endif
