/* SPDX-License-Identifier: MIT */
/* What the HTTP parser makes of some bytes, as text, however they are cut. For tests. */
#ifndef COGEN_TESTS_HTTP_TOLD_H
#define COGEN_TESTS_HTTP_TOLD_H

#include "http/http1/parser.h"
#include "tests/support/support.h"

/* The parser's limits here: a target of 40 bytes, 120 bytes of fields, 5 fields. */

#define H "Host: x\r\n"
#define GET "GET / HTTP/1.1\r\n" H

#define N100                                                                               \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234" \
    "567890123456789"

struct message {
    const char *bytes;
    const char *want; /* what tell() writes for it */
};

/* The result of a message as text: "GET /path 1.1 keep|A=b|body|C=d|rest"; "400" if it is
 * refused; "more" or "end" if it is not complete at the end of the bytes or of the
 * stream. */
struct told {
    char text[4096];
    size_t size;
};

/* Parses bytes in pieces that end at the positions in cuts, the last of which is `size`.
 * Each piece is a copy, so that ASan finds every read beyond it. */
void tell(struct told *told, enum cg__http_kind kind, bool skip, const char *bytes,
          const size_t *cuts, size_t size);

/* Parses the message whole, cut once at every position, cut twice at some, and byte by
 * byte: the result is always the same. */
void check_kind(enum cg__http_kind kind, bool skip, const struct message *message);
void check(enum cg__http_kind kind, const struct message *messages, size_t n);

#endif
