/* SPDX-License-Identifier: MIT */
/* A HTTP client under test, and the servers that it asks. */
#ifndef COGEN_TESTS_HTTP_HTTP_ASK_H
#define COGEN_TESTS_HTTP_HTTP_ASK_H

#include "tests/http/http_script.h"

/* What it asks, and where that leads; the last reply, or why there is none. */
extern struct script server, other;
extern struct cg_http_client *client;
extern struct cg_http_reply *reply;
extern char why[CG_HTTP_WHY_SIZE];

#define GET(path)                                                                      \
    cg_yield(cg_http_get(client, script_url(&server, path), &reply, .why = why))
#define FETCH(...)                                                                     \
    cg_yield(cg_http_fetch(client, (&(struct cg_http_fetch){__VA_ARGS__}), &reply,     \
                           .why = why))
#define FIELDS(...) ((const struct cg_http_field[]){__VA_ARGS__, {NULL, NULL}})

/* The answer of a server that sends elsewhere; its body is "move". */
#define MOVED(status, to)                                                              \
    "HTTP/1.1 " #status " Moved\r\nLocation: " to "\r\nContent-Length: 4\r\n\r\nmove"

/* The reply's body is that; it is freed. */
void has_body(const char *want);

/* The server has heard this piece of a request, or has not. */
void heard(const char *piece);
void not_heard(const char *piece);

/* How often a piece is in a text. */
unsigned count(const char *text, const char *piece);

/* A source of as many times "abc" as the int that `arg` points to; of two after a
 * rewind. */
ssize_t some_read(void *arg, void *buf, size_t len);
int some_rewind(void *arg);

/* Ends the client and the server, which must have said all that it has to say. */
void done(void);

#endif
