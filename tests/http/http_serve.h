/* SPDX-License-Identifier: MIT */
/* A HTTP server under test, spoken to in plain bytes: it is begun and ended in each case,
 * with the handlers of http_handlers.c. */
#ifndef COGEN_TESTS_HTTP_HTTP_SERVE_H
#define COGEN_TESTS_HTTP_HTTP_SERVE_H

#include <cogen/http_server.h>

#include "tests/support/support.h"

/* The server, its listener, who serves, and the last line of its log. */
extern struct cg_http_server *server;
extern struct cg_sock *listener;
extern struct cg_coro *serving;
extern char addr[CG_ADDR_SIZE];
extern char logged[512];
void log_line(void *arg, const char *line);

/* How many requests handlers have begun with, of those that count them; until so many. */
extern unsigned handled;
void until_handled(unsigned count);

/* Mounts all handlers; those that cases mount once more: one says "hello\n", one tells what
 * it was asked for, one waits until the test lets it go on. */
void handlers_mount(struct cg_http_server *server);
cg_http_handler hello, tell, held;

/* Begins to serve, with the options if there are any; ends it, gracefully. */
void serve_begin(const struct cg_http_server_options *options);
void serve_begin_on(struct cg_sock *listener, const struct cg_http_server_options *options);
void serve_end(void);

/* A connection to it, and what is said there. */
struct cg_sock *serve_client(void);
void send_text(struct cg_sock *sock, const char *text);

/* What was received last, without Server and Date; how many fields called Date it had. */
extern char got[64 * 1024];
extern unsigned dates;

/* Reads to the end of the stream, or until `stop` has come. */
const char *receive(struct cg_sock *sock, const char *stop);

/* All that is answered to a text by a server that then closes; its status alone. */
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

/* The body of what is answered. */
#define BODY(request) (ask(request), strstr(got, "\r\n\r\n") + 4)

#endif
