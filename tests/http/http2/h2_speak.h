/* SPDX-License-Identifier: MIT */
/* A client of HTTP/2 for tests, by nghttp2, which can also send what no client should. */
#ifndef COGEN_TESTS_HTTP_HTTP2_H2_SPEAK_H
#define COGEN_TESTS_HTTP_HTTP2_H2_SPEAK_H

#include <nghttp2/nghttp2.h>

#include "tests/support/support.h"

enum { SPEAK_STREAMS = 64 };

/* What has come on a stream. */
struct heard {
    int status;
    char fields[8 * 1024]; /* "name: value\n" for each field, also of interim heads */
    char body[256 * 1024];
    size_t len; /* all bytes of the body; the buffer has the first of them */
    bool closed;
    uint32_t error; /* why it was closed */
};

struct speaker {
    struct cg_sock *sock;
    nghttp2_session *session;
    struct heard *heard[SPEAK_STREAMS]; /* by (id - 1) / 2 */
    const char *body; /* of the next request */
    size_t left;
    uint32_t goaway;  /* error of the last GOAWAY */
    unsigned goaways; /* how many have come */
    bool ended;       /* the server has closed the connection */
    bool verifies;    /* check that bodies are what test_fill makes */
};

/* Connects; `window`: of each stream, 0: the default. speak_close frees everything. */
void speak_open(struct speaker *speaker, const char *addr, uint32_t window);
void speak_close(struct speaker *speaker);

/* Sends a request. `fields`: "name: value" texts up to NULL, or NULL. `body`: NULL: none. With
 * `open`, the body does not end. Returns the stream's id. */
int32_t speak_ask(struct speaker *speaker, const char *method, const char *path,
                  const char *const *fields, const char *body, size_t len, bool open);

/* The same with all fields given. */
int32_t speak_send(struct speaker *speaker, const nghttp2_nv *fields, size_t count,
                   const char *body, size_t len, bool open);

/* Sends what is to be sent, then receives until the stream is closed, or the connection. */
struct heard *speak_hear(struct speaker *speaker, int32_t id);

/* The same once: sends, and receives what comes first. False: the connection has ended. */
bool speak_once(struct speaker *speaker);

/* Sends a raw frame. */
void speak_raw(struct speaker *speaker, uint8_t type, uint8_t flags, uint32_t id,
               const void *payload, size_t len);

/* Receives until the server closes the connection. Returns the error of its GOAWAY. */
uint32_t speak_to_end(struct speaker *speaker);

#endif
