/* SPDX-License-Identifier: MIT */
/* As much HTTP/1.1 as the two small HTTP examples need, without any I/O: the heads of
 * messages, line by line, and URLs. What it does not know it refuses, with the status
 * that a server answers to it. */
#ifndef EXAMPLES_HTTP_SMALL_H
#define EXAMPLES_HTTP_SMALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_LINE_SIZE = 4096, /* longest line, with its CR LF and a NUL */
    HTTP_FIELDS_MAX = 100, /* header fields in a head */
    HTTP_HEAD_SIZE = 32 * 1024,
};

enum http_step {
    HTTP_MORE = 0,
    HTTP_END = 1,
}; /* of a head, if it is not refused */

/* The head of a request or of a response; starts as {0}. */
struct http_head {
    char method[16];               /* request */
    char target[HTTP_LINE_SIZE];   /* request: "/path?query" */
    int status;                    /* response */
    int minor;                     /* of the version: HTTP/1.minor */
    char location[HTTP_LINE_SIZE]; /* response: where it has moved to, or "" */
    bool has_length, has_host;
    int64_t length;         /* Content-Length, if has_length */
    bool close, keep_alive; /* what Connection says */
    int fields;
    size_t size;
};

struct http_url {
    char addr[300];              /* for cg_connect: "host:port", "[::1]:port" */
    char host[300];              /* for the field Host: without the port 80 */
    char target[HTTP_LINE_SIZE]; /* "/path?query" */
};

/* Takes the first line of a request or of a response, and then each header field's, all
 * with their CR LF. Answer HTTP_MORE, or HTTP_END after the head's last, empty line; or
 * the status that refuses it: 400, 431 (too many fields), 501 (a transfer encoding),
 * 505. */
int http_request_line(struct http_head *head, const char *line, size_t length);
int http_status_line(struct http_head *head, const char *line, size_t length);
int http_field(struct http_head *head, const char *line, size_t length);

/* Whether the connection lives on after this message. */
bool http_keeps_alive(const struct http_head *head);

/* The path of a request's target, decoded, without the query. False: it is none. */
bool http_path(const char *target, char *path, size_t size);

/* Takes a URL to pieces. NULL, or what is wrong with it. */
const char *http_url(struct http_url *url, const char *text);

/* "Not Found" for 404. */
const char *http_reason(int status);

#endif
