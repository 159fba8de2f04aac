/* SPDX-License-Identifier: MIT */
/* An HTTP client under test, and the servers that it sends requests to. */
#ifndef COGEN_TESTS_HTTP_HTTP_ASK_H
#define COGEN_TESTS_HTTP_HTTP_ASK_H

#include "tests/http/http_script.h"

/* Two servers, the client, its last reply, and the message of its last error. */
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

/* A redirect response with the body "move". */
#define MOVED(status, to)                                                              \
    "HTTP/1.1 " #status " Moved\r\nLocation: " to "\r\nContent-Length: 4\r\n\r\nmove"

/* Checks the body of the reply, and frees the reply. */
void has_body(const char *want);

/* Check that the server has received this piece of a request, or that it has not. */
void heard(const char *piece);
void not_heard(const char *piece);

/* How often piece occurs in text. */
unsigned count(const char *text, const char *piece);

/* A source that returns "abc" as many times as the int that `arg` points to says; twice
 * after a rewind. */
ssize_t some_read(void *arg, void *buf, size_t len);
int some_rewind(void *arg);

/* Frees the client and stops the server, which must have sent all its responses. */
void done(void);

#endif
