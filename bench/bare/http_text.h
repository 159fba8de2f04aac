/* SPDX-License-Identifier: MIT */
/* Shared by the bare HTTP servers: the text of the response, and the search for blank
 * lines. */
#ifndef COGEN_BENCH_HTTP_TEXT_H
#define COGEN_BENCH_HTTP_TEXT_H

#include <string.h>

/* The response, of the same length as that of http_hello. */
#define HTTP_ANSWER                                                                        \
    "HTTP/1.1 200 OK\r\nServer: cogen/0.1.0\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"    \
    "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\nHello, world!\n"

enum {
    HTTP_BUFFER = 16 * 1024,
    HTTP_ANSWER_SIZE = sizeof HTTP_ANSWER - 1,
};

/* The most responses to one read, in which every second byte could end a blank line. Fewer
 * responses are a part of this array. */
static char http_answers[HTTP_BUFFER / 2 * HTTP_ANSWER_SIZE];

static inline void http_make_answers(void)
{
    for (size_t i = 0; i < sizeof http_answers; i += HTTP_ANSWER_SIZE)
        memcpy(http_answers + i, HTTP_ANSWER, HTTP_ANSWER_SIZE);
}

/* How many blank lines there are; `line`, the length of the line that is being read, goes
 * on from read to read. */
static inline size_t http_requests(const char *in, size_t size, size_t *line)
{
    const char *end = in + size, *newline;
    size_t n = 0;

    while ((newline = memchr(in, '\n', (size_t)(end - in))) != NULL) {
        n += *line + (size_t)(newline - in) == 1;
        *line = 0;
        in = newline + 1;
    }
    *line += (size_t)(end - in);
    return n;
}

#endif
