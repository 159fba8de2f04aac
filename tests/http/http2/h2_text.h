/* SPDX-License-Identifier: MIT */
/* Tests of the HTTP/1 server that run over HTTP/2, too: the text of a request goes out as a
 * stream, and what comes back is laid out as the text of a response. */
#ifndef COGEN_TESTS_HTTP_HTTP2_H2_TEXT_H
#define COGEN_TESTS_HTTP_HTTP2_H2_TEXT_H

#include "tests/support/support.h"

/* The cases run over HTTP/2 now: start servers with CG_HTTP_H2C, and send requests by
 * h2_text_ask. */
extern bool h2_text_on;

/* A test program's main: runs the cases over both carriers, or over HTTP/1 alone if HTTP/2 is
 * not built in; and those of `once` (NULL: none), which are about HTTP/1's framing or about no
 * carrier. Returns the exit code. */
int both_main(const char *theme, const struct test_case *cases, size_t n,
              const struct test_case *once, size_t once_n);

/* Sends the request that `text` is in HTTP/1 to a server, and stores the response as a text.
 * Its field names are capitalised as usual, and it has "Connection: close" if the request has,
 * or is HTTP/1.0; its body is not chunked. A body that is shorter than its Content-Length stays
 * open. Fails the case if the response is not complete. Returns the size, without the NUL at
 * the end. */
size_t h2_text_ask(const char *addr, const char *text, char *got, size_t size);

/* Whether HTTP/2 is built in. */
bool h2_text_can(void);

#endif
