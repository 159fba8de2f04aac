/* SPDX-License-Identifier: MIT */
/* A connection over HTTP/2, and its streams. nghttp2 keeps the state of the protocol. Nothing
 * may yield, or take what is to be written, inside its callbacks. */
#ifndef COGEN_HTTP_SERVER_H2_H
#define COGEN_HTTP_SERVER_H2_H

#include <nghttp2/nghttp2.h>

#include "http/http2/setup.h"
#include "http/server/server.h"

enum {
    CG__HTTP_H2_RESET = 10, /* what the reset of a stream costs, whoever sends it: budget.h */
    CG__HTTP_H2_OVER = 8,   /* streams that are remembered after their end: frames.h */
    CG__HTTP_H2_SLICE = 12, /* frames that nghttp2 gets at once: serve.c */
};

/* A connection; lives as long as its socket speaks HTTP/2. */
struct cg__http_h2 {
    struct cg__http_conn *conn;
    nghttp2_session *session;
    struct cg__http2_memory memory; /* of the session */
    struct cg__http_h2_stream *streams; /* all, a list */
    struct cg__http_h2_stream *ready,
        **ready_end; /* whose handlers are to be started */
    unsigned live;   /* streams with a handler or a tunnel, also after their reset */
    unsigned late;   /* those of them whose client has the whole response */
    unsigned unsent; /* streams without one, whose response has not been sent */
    struct cg_coro *writer; /* NULL: nothing is being written */
    struct cg_event
        changed;        /* set when a handler or the writer has ended, for the end */
    int64_t idle_since; /* since then there has been no handler */
    int64_t look_at;    /* then something may have become due */
    int64_t moved_at;   /* when the client took bytes of any response last */
    int64_t budget_full; /* of its token bucket: budget.h */
    struct {
        size_t rest;            /* bytes of the preface or of a frame that are to come */
        unsigned char head[13]; /* else those of a frame's head that have come */
        unsigned head_len;
        unsigned ended; /* frames that have come as a whole, in this slice */
        int32_t over[CG__HTTP_H2_OVER]; /* streams that both ends have ended, the last ones */
        unsigned overs;
        int32_t last;                /* the highest stream; 0: none */
        int32_t got;                 /* .. of which nghttp2 has got the head */
        int32_t left_out, left_last; /* the numbers that it left out, last; 0: none */
    } frames; /* see frames.h */
    const uint8_t *frame; /* the next one to be written, if it did not fit into the output .. */
    size_t frame_len;     /* .. else 0 */
    struct cg__http_h2_stream *giving; /* whose body was asked for last, while it is open */
    struct cg__http_h2_stream *heads; /* whose head is coming; NULL: of none that is served */
    size_t head_len; /* bytes that have come since a head began */
    bool in_head;    /* a head has begun and is not complete */
    bool busy;   /* the reader is at work, and starts the writer when it has done all */
    bool more;   /* it has input that nghttp2 has not got yet */
    bool waits;  /* the reader waits for bytes, inside conn->wait */
    bool failed; /* the session cannot go on */
    bool overdrawn; /* its budget: nothing that comes is looked at any more */
    bool leaves; /* the last GOAWAY has been submitted, and no request is served any more */
};

struct cg__http_h2_tunnel;

struct cg__http_h2_stream {
    struct cg_http_request message; /* must be the first member */
    struct cg__http_h2 *h2;
    struct cg__http_h2_stream *next, **at; /* in h2->streams */
    struct cg__http_h2_stream *next_ready;
    int32_t id;
    struct cg_scope scope; /* around the handler; a reset ends it */
    struct cg_http_headers cookies; /* the values of Cookie, joined */
    /* The body of the request: `in` gets what comes, the handler reads `piece`. */
    struct cg__http_h2_bytes {
        char *data;
        size_t size, len;
    } in, piece;
    /* The response: bytes that were copied, bytes of the handler, or a file. */
    struct cg__http_h2_bytes out;
    char status[4], length[24]; /* of its head, which nghttp2 does not copy */
    /* Everything from here on is zero when a stream begins. */
    size_t out_done;
    const char *data;
    size_t len;
    int file;
    int64_t offset;
    uint64_t file_left;
    struct cg_event came, taken; /* bytes of the request; all bytes of a write */
    struct cg_event left;        /* set when the stream is lost */
    struct cg__http_h2_tunnel *tunnel; /* its socket, which a handler owns; or NULL */
    size_t fields, fields_len;   /* number and size of the fields that have come */
    int refused; /* the status of the response to an invalid head; 0: none */
    int error;        /* why the file could not be read */
    int64_t moved_at; /* since then the client has taken none of the bytes that wait for it */
    bool connects;    /* the request has a :protocol (RFC 8441) */
    bool given;       /* a handler has got its socket */
    bool in_trailers; /* fields that come are trailers */
    bool in_end;      /* the request is complete */
    bool last;        /* what the response has now is the rest of it */
    bool deferred;    /* nghttp2 waits for more of the response */
    bool open;        /* nghttp2 knows it */
    bool queued;      /* is in h2->ready */
    bool runs;        /* has a handler */
    bool late;        /* its client has the whole response, but its handler has not returned */
    bool served;      /* has had one, and counts as unsent */
    bool scoped;      /* `scope` is open */
    bool sent;        /* its response is complete on the wire */
    bool reset;       /* our RST_STREAM has been submitted */
    bool lost;        /* reset, or the connection is broken */
};

static inline struct cg__http_h2_stream *
cg__http_h2_of(const struct cg_http_request *req)
{
    return (struct cg__http_h2_stream *)req;
}

/* Resets a stream, once: while a client does not take what is before the RST_STREAM, there may be
 * further reasons. Returns 0 or the code of nghttp2. */
static inline int cg__http_h2_reset(struct cg__http_h2_stream *stream, uint32_t error)
{
    int rc = stream->reset ? 0
                           : nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE,
                                                       stream->id, error);

    stream->reset = rc == 0;
    return rc;
}

/* Sends the last GOAWAY: requests that come from now on are not served. */
static inline void cg__http_h2_leave(struct cg__http_h2 *h2)
{
    if (h2->leaves)
        return;
    h2->leaves = true;
    h2->failed |= nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE,
                                        nghttp2_session_get_last_proc_stream_id(h2->session),
                                        NGHTTP2_NO_ERROR, NULL, 0) != 0;
}

/* Ends the connection by a GOAWAY with this error, or NGHTTP2_NO_ERROR. No head is awaited any
 * more. */
static inline void cg__http_h2_terminate(struct cg__http_h2 *h2, uint32_t error)
{
    h2->leaves = true;
    h2->in_head = false;
    h2->failed |= nghttp2_session_terminate_session(h2->session, error) != 0;
}

/* Ends the reader's wait for bytes, so that it looks at its connection again. */
static inline void cg__http_h2_nudge(struct cg__http_h2 *h2)
{
    if (h2->waits)
        cg_scope_cancel(&h2->conn->wait);
}

#endif
