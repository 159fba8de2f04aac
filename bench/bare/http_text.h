/* SPDX-License-Identifier: MIT */
/* What the bare HTTP servers share: the text that they answer, the scan for blank lines, and
 * the listening socket. */
#ifndef COGEN_BENCH_HTTP_TEXT_H
#define COGEN_BENCH_HTTP_TEXT_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* As long as what http_hello answers. */
#define HTTP_ANSWER                                                                        \
    "HTTP/1.1 200 OK\r\nServer: cogen/0.1.0\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"    \
    "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\nHello, world!\n"

enum { HTTP_ANSWER_SIZE = sizeof HTTP_ANSWER - 1 };

/* Puts an answer into `out` for each blank line; `line`, the length of the line that is being
 * read, goes on from read to read. */
static inline size_t http_answer_all(const char *in, size_t size, size_t *line, char *out)
{
    const char *end = in + size, *newline;
    size_t n = 0;

    while ((newline = memchr(in, '\n', (size_t)(end - in))) != NULL) {
        if (*line + (size_t)(newline - in) == 1) {
            memcpy(out + n, HTTP_ANSWER, HTTP_ANSWER_SIZE);
            n += HTTP_ANSWER_SIZE;
        }
        *line = 0;
        in = newline + 1;
    }
    *line += (size_t)(end - in);
    return n;
}

static inline int http_listen(const char *port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                               .sin_port = htons((unsigned short)atoi(port))};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    /* What is accepted inherits TCP_NODELAY. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0 || listen(fd, 1024) < 0) {
        perror("listen");
        exit(1);
    }
    return fd;
}

#endif
