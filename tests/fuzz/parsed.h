/* SPDX-License-Identifier: MIT */
/* The HTTP/1 parser on bytes of any kind: what it says must not depend on how they are cut. */
#ifndef COGEN_TESTS_FUZZ_PARSED_H
#define COGEN_TESTS_FUZZ_PARSED_H

#include "http/http1/parser.h"
#include "tests/fuzz/fuzz.h"

/* Parses the bytes as messages one after the other, whole and in pieces, with the usual limits
 * and with small ones. `skip`: the responses are to HEAD. They are also parsed with what the
 * parser remembers of the message before (cg__http_repeat), which must change nothing. */
void fuzz_parse(enum cg__http_kind kind, bool skip, const uint8_t *data, size_t size);

#endif
