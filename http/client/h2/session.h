/* SPDX-License-Identifier: MIT */
/* A connection of HTTP/2, as its files see it. */
#ifndef COGEN_HTTP_CLIENT_H2_SESSION_H
#define COGEN_HTTP_CLIENT_H2_SESSION_H

#include "http/client/h2/h2.h"
#include "http/http2/setup.h"

#include <cogen/coro.h>

#include <nghttp2/nghttp2.h>

/* A coroutine that reads for all streams, until its own is ready. */
struct cg__h2_reader {
    struct cg_scope scope;
    const struct cg__h2_stream *stream;
    bool (*ready)(const struct cg__h2_stream *);
};

struct cg__h2 {
    struct cg_http_client *client;
    struct cg_sock *sock;
    nghttp2_session *session;
    struct cg__http2_memory memory; /* of the session */
    struct cg__origin *lease;
    struct cg__line *line;  /* of requests that wait for room; or NULL */
    struct cg__line wait;   /* of streams whose work others do */
    struct cg__h2_stream *streams;
    struct cg__h2_stream *heads; /* whose head is coming, or came last; or NULL */
    int32_t in_head; /* the stream whose head goes on in a frame that has not begun; 0: none */
    int32_t came;    /* the stream of the frame that has come last; 0: none */
    unsigned count; /* of streams */
    bool reading, writing; /* a coroutine does that now */
    struct cg__h2_reader *reader; /* who waits for bytes; or NULL */
    bool settled;   /* the server's settings are known */
    bool spent;     /* takes no more requests */
    bool retired;   /* .. and its lease has given its place to another one */
    ssize_t error;  /* the connection has failed */
    char why[64];   /* what our GOAWAY has told the server; "": nothing */
    uint64_t heard; /* how often something has come */
    int64_t useless; /* bytes that have come since some brought a head or a body, or a piece
                      * of ours was sent; less what may still come for streams that were
                      * reset */
    char *out;      /* bytes to send: from `out_from` to `out_to` */
    size_t out_from, out_to, out_size;
    uint64_t out_gone; /* bytes that have left before these */
};

/* Defined in session.c: */

/* Makes the session, and queues its settings. 0 or -ENOMEM. */
int cg__http_client_h2_session_begin(struct cg__h2 *h2);

/* Gives bytes that have come to the session. Returns NULL, or why the connection cannot go
 * on. */
const char *cg__http_client_h2_session_take(struct cg__h2 *h2, const char *data, size_t len);

/* Notes that the connection is good for something. */
static inline void cg__http_client_h2_thrive(struct cg__h2 *h2)
{
    if (h2->useless > 0)
        h2->useless = 0;
}

/* Defined in stream.c: */

/* The stream with a number; NULL: nobody wants it any more. The body and the end of a response
 * mostly follow its head: that stream need not be looked up. */
struct cg__h2_stream *cg__http_client_h2_stream_find(const struct cg__h2 *h2, int32_t id);

/* What nghttp2 knows as the stream of a tunnel that was closed while another coroutine wrote to the
 * connection. Such a stream only sends its end, and then a reset (give in send.c). */
extern struct cg__h2_stream cg__http_client_h2_ending;

/* Wakes the coroutines of a stream; also the one that reads, if it need not any more. */
void cg__http_client_h2_stream_wake(struct cg__h2_stream *stream);

/* Notes why the response will not be complete. The first reason stays. */
void cg__http_client_h2_stream_blame(struct cg__h2_stream *stream, ssize_t code, const char *why);

/* Ends a stream because of an error that was found here. */
void cg__http_client_h2_stream_drop(struct cg__h2_stream *stream, ssize_t code, const char *why);

/* Tells the server that nobody wants the rest of a response. */
void cg__http_client_h2_stream_reset(struct cg__h2_stream *stream);

/* Defined in heads.c: what the session calls for heads and trailers, and when one is complete. */

int cg__http_client_h2_heads_begin(nghttp2_session *session, const nghttp2_frame *frame,
                                   void *data);
int cg__http_client_h2_heads_field(nghttp2_session *session, const nghttp2_frame *frame,
                                   const uint8_t *name, size_t name_len, const uint8_t *value,
                                   size_t value_len, uint8_t flags, void *data);
int cg__http_client_h2_heads_invalid(nghttp2_session *session, const nghttp2_frame *frame,
                                     const uint8_t *name, size_t name_len,
                                     const uint8_t *value, size_t value_len, uint8_t flags,
                                     void *data);
void cg__http_client_h2_heads_end(struct cg__h2_stream *stream);

/* Defined in pump.c: */

/* Waits until ready(stream), and meanwhile does the work of the connection unless others
 * do. 0, -ETIMEDOUT, -ECANCELED, or another negative code of waiting itself. If the
 * connection fails the stream is closed. */
ssize_t cg__http_client_h2_pump(struct cg__h2_stream *stream,
                                bool (*ready)(const struct cg__h2_stream *),
                                int64_t deadline);

/* Sends what can be sent without waiting. */
void cg__http_client_h2_pump_offer(struct cg__h2 *h2);

/* Reads what is there already, without waiting for more. */
void cg__http_client_h2_pump_drain(struct cg__h2 *h2);

/* Whether there is something to send. */
bool cg__http_client_h2_pump_is_behind(const struct cg__h2 *h2);

/* Defined in send.c and receive.c: the carrier. */

struct cg__sending;
ssize_t cg__http_client_h2_send(struct cg__link *link, struct cg__asking *ask);
ssize_t cg__http_client_h2_send_body(struct cg__sending *sending);
ssize_t cg__http_client_h2_send_listen(struct cg__sending *sending);
ssize_t cg__http_client_h2_receive_head(struct cg_http_reply *reply, const char *method,
                                        int64_t timeout, char *why);
ssize_t cg__http_client_h2_receive_body(struct cg_http_reply *reply, void *buf, size_t len);

/* Whether a head, or the end of the stream, can be read; reads the head into the reply. 0, or why
 * the stream was closed before the head was complete, with a message. */
bool cg__http_client_h2_receive_is_there(const struct cg__h2_stream *stream);
ssize_t cg__http_client_h2_receive_pop(struct cg_http_reply *reply, char *why);

/* Why a stream was closed before its response was complete: the code, with a message. */
ssize_t cg__http_client_h2_receive_error(const struct cg__h2_stream *stream, char *why);

/* Defined in fields.c: */

/* Submits the request. Returns the number of the stream, or a negative code; -EAGAIN: the
 * connection has no more numbers. */
ssize_t cg__http_client_h2_fields_submit(struct cg__h2_stream *stream,
                                         const struct cg__asking *ask,
                                         const nghttp2_data_provider *body);

/* Submits the trailers. Returns how many, or a negative code. */
ssize_t cg__http_client_h2_fields_trailers(struct cg__h2_stream *stream,
                                           const struct cg_http_headers *trailers);

#endif
