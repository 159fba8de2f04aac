/* SPDX-License-Identifier: MIT */
/* Headers of the PROXY protocol, valid and invalid. */
#ifndef COGEN_TESTS_SUPPORT_PROXY_HEADERS_H
#define COGEN_TESTS_SUPPORT_PROXY_HEADERS_H

#include <stddef.h>

struct header {
    const char *bytes;
    size_t len;
    const char *client; /* "": none; NULL: the header is invalid */
};

#define LINE(text, client) {text, sizeof text - 1, client}
#define BYTES(text, client) {SIGNATURE text, sizeof SIGNATURE text - 1, client}
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define N10 "0123456789"
#define N100 N10 N10 N10 N10 N10 N10 N10 N10 N10 N10
#define N108 N100 "01234567"

/* What is no list of trusted proxies. */
static const char *const no_lists[] = {"127.0.0.0/33", "unix, localhost", "::1, ::/129",
                                       "10.0.0.0/", "10.0.0.0/8 /", "[::1]", "127.0.0.1:80"};

static const struct header headers[] = {
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", "192.0.2.1:56324"),
    LINE("PROXY TCP4 255.255.255.255 0.0.0.0 0 65535\r\n", "255.255.255.255:0"),
    LINE("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "[2001:db8::1]:1"),
    LINE("PROXY TCP6 2001:0DB8:0::0001 ::1 1 2\r\n", "[2001:db8::1]:1"),
    LINE("PROXY TCP6 0:0:0:0:0:ffff:102:304 ::1 1 2\r\n", "1.2.3.4:1"),
    LINE("PROXY TCP6 ::FFFF:1.2.3.4 ::1 1 2\r\n", "1.2.3.4:1"),
    LINE("PROXY TCP6 ::ffff:0:1.2.3.4 ::1 1 2\r\n", "[::ffff:0:102:304]:1"),
    LINE("PROXY UNKNOWN\r\n", ""),
    LINE("PROXY UNKNOWN ffff:f...f:ffff 65535 anything\r\n", ""),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n", NULL),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", NULL),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", NULL),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", NULL),
    LINE("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", NULL),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n", NULL),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", NULL),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n", NULL),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.256 1 2\r\n", NULL),
    LINE("PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n", NULL),
    LINE("PROXY TCP4 2001:db8::1 ::1 1 2\r\n", NULL),
    LINE("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", NULL),
    LINE("PROXY TCP6 [::1] ::1 1 2\r\n", NULL),
    LINE("PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n", NULL),
    LINE("PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n", NULL),
    LINE("PROXY \r\n", NULL),
    LINE("PROXY\r\n", NULL),
    LINE("PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n", NULL),
    LINE("PROXY UNKNOWN " N108 "\r\n", NULL),
    LINE("proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n", NULL),
    LINE("GET / HTTP/1.1\r\nHost: x\r\n\r\n", NULL),
    BYTES("\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\1\2\3\4", "192.0.2.1:258"),
    BYTES("\x21\x11\0\x0f\xc0\0\2\1\xc0\0\2\2\1\2\3\4\4\0\0", "192.0.2.1:258"),
    BYTES("\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
          "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\1\2\3\4",
          "[2001:db8::1]:258"),
    BYTES("\x20\0\0\0", ""),
    BYTES("\x20\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\1\2\3\4", ""),
    BYTES("\x21\0\0\3abc", ""),
    BYTES("\x21\x31\0\xd8" N108 N108, "unix:"),
    BYTES("\x21\x31\0\xd7" N108 N108, NULL),
    BYTES("\x21\x11\0\x0b\xc0\0\2\1\xc0\0\2\2\1\2\3", NULL),
    BYTES("\x21\x21\0\x23" N10 N10 N10 "01234", NULL),
    BYTES("\x21\x12\0\x0c\xc0\0\2\1\xc0\0\2\2\1\2\3\4", NULL),
    BYTES("\x21\x41\0\0", NULL),
    BYTES("\x22\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\1\2\3\4", NULL),
    BYTES("\x11\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\1\2\3\4", NULL),
    BYTES("\x21\x11\x10\x01\xc0\0\2\1\xc0\0\2\2\1\2\3\4", NULL),
    LINE("\r\n\r\n\0\r\nQUIT\r", NULL),
};

#endif
