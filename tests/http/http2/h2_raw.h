/* SPDX-License-Identifier: MIT */
/* A client of HTTP/2 for tests that is written by hand: it sends any frames, valid or not, and
 * notes what comes. */
#ifndef COGEN_TESTS_HTTP_HTTP2_H2_RAW_H
#define COGEN_TESTS_HTTP_HTTP2_H2_RAW_H

#include <stdint.h>

#include "tests/support/support.h"

enum {
    RAW_STREAMS = 256,
    RAW_FRAME = 17 * 1024, /* the largest payload that is sent */
    RAW_NONE = -1,         /* no such frame has come */
};

enum raw_type { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY,
                WINDOW_UPDATE, CONTINUATION, PRIORITY_UPDATE = 16 };
enum raw_flag { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, PRIORITIZED = 32 };

/* Large: not for a coroutine's stack. */
struct raw {
    struct cg_sock *sock;
    bool ended;     /* the server has closed the connection */
    int64_t goaway; /* the error of the last GOAWAY, or RAW_NONE */
    unsigned acked; /* SETTINGS and PING that were answered */
    uint64_t opened; /* bytes by which the window of all streams was opened */
    unsigned char in[64 * 1024];
    size_t len; /* of it */
    struct {
        int64_t reset; /* the error of RST_STREAM, or RAW_NONE */
        bool head, end;
        unsigned char first; /* byte of the head: 0x88: 200 */
        size_t len;          /* bytes of the body */
    } at[RAW_STREAMS]; /* by the stream's number, if it is below that */
    unsigned char order[256]; /* the streams that DATA came for, one after another */
    size_t count;             /* of them, also of more */
};

/* Connects. raw_open also sends the preface, and SETTINGS with these entries of 6 bytes. */
void raw_connect(struct raw *raw, const char *addr);
void raw_open(struct raw *raw, const char *addr, const void *settings, size_t len);
void raw_close(struct raw *raw);

/* Send any bytes; a frame; a GET of a path that the test has (up to 126 bytes), with more fields,
 * in HPACK. */
void raw_bytes(struct raw *raw, const void *data, size_t len);
void raw_send(struct raw *raw, unsigned type, unsigned flags, uint32_t id, const void *payload,
              size_t len);
void raw_get(struct raw *raw, unsigned flags, uint32_t id, const char *path, const void *fields,
             size_t len);

/* Receives what comes next. False: the connection has ended. */
bool raw_once(struct raw *raw);

/* Receives until all that has been sent has been processed, or the connection has ended. */
void raw_sync(struct raw *raw);

/* Receives until the connection ends. Returns the error of its last GOAWAY. */
int64_t raw_to_end(struct raw *raw);

#endif
