/* SPDX-License-Identifier: MIT */
/* HTTP/2 as the carrier of requests: a connection with several streams.
 *
 * A connection has no coroutine of its own. The coroutines that wait for something on its
 * streams do its work in turn: one reads what comes for all of them, and one writes what is
 * to be sent. Who has got what it waits for leaves that to another one. So an idle
 * connection holds nothing but memory, and a cancelled request leaves the others alone. */
#ifndef COGEN_HTTP_CLIENT_H2_H
#define COGEN_HTTP_CLIENT_H2_H

#include "http/client/client.h"
#include "http/client/pool/line.h"

enum {
    CG__H2_TABLE = 4096,             /* of HPACK, each way */
};

/* A head that has come, or is coming, and has not been read yet. */
struct cg__h2_head {
    struct cg__h2_head *next;
    struct cg_http_headers fields; /* begin with an empty text */
    unsigned status;
    int64_t length; /* Content-Length; -1: none */
    bool complete;
};

struct cg__h2_stream {
    struct cg__h2 *h2;
    struct cg__h2_stream *next, *prev; /* on the connection */
    struct cg__line_op *waiters[2]; /* its coroutines that wait in the line; or NULL: one
                                     * reads and one writes */
    int32_t id;                 /* 0: the request has not been submitted */
    uint64_t place;             /* of its head among the bytes of the connection; 0: none yet */
    bool head_only;             /* the request is HEAD */
    bool connects;              /* it asks for an upgrade (RFC 8441) */
    bool readable;              /* its tunnel holds bytes, or nobody reads from it any more */
    struct cg_http_headers upgrade; /* .. and the fields that 101 would have in HTTP/1.1 */

    /* The response. */
    struct cg_http_headers spare; /* the reply's memory, for the first head */
    struct cg__h2_head *first, *last;
    struct cg_http_headers trailers;
    uint32_t bytes, count; /* of fields that have come and were not read */
    char *data; /* of the body, that was not read: from `from` to `to`; a block of the session's */
    size_t from, to, size;
    bool finals; /* the final head has come, or is coming */
    bool ended;  /* the response is complete */

    /* The body of the request: what is to be sent next. */
    const char *piece;
    size_t piece_len, noted;
    bool last_piece;
    bool sent; /* all of it */
    bool over; /* a coroutine of its own was to send it, and has ended */
    const struct cg_http_headers *more; /* trailers; or NULL */

    /* The end. */
    bool closed;    /* nothing more will come */
    bool reset;     /* the server has reset it */
    bool lost;      /* because the connection has failed */
    bool innocent;  /* .. by a violation of HTTP/2 that was none of this stream */
    bool unsent;    /* .. before a byte of the request had left */
    bool refused;   /* the server has not processed the request */
    bool wants_1_1; /* the server asks for HTTP/1.1 */
    ssize_t error;  /* the response is not complete because of this */
    char why[CG_HTTP_WHY_SIZE];
};

/* Whether a stream was ended by the server, not by the failure of its connection; whether its
 * request was not sent then; whether others were the cause; whether the server has not processed
 * its request; and whether it wants that by HTTP/1.1. NULL is no stream. */
static inline bool cg__http_client_h2_was_reset(const struct cg__h2_stream *stream)
{
    return stream != NULL && !stream->lost;
}

static inline bool cg__http_client_h2_is_unsent(const struct cg__h2_stream *stream)
{
    return stream != NULL && stream->unsent;
}

static inline bool cg__http_client_h2_is_innocent(const struct cg__h2_stream *stream)
{
    return stream != NULL && stream->innocent;
}

static inline bool cg__http_client_h2_was_refused(const struct cg__h2_stream *stream)
{
    return stream != NULL && stream->refused;
}

static inline bool cg__http_client_h2_wants_1_1(const struct cg__h2_stream *stream)
{
    return stream != NULL && stream->wants_1_1;
}

/* Defined in h2.c, or h2_none.c: */

/* Whether this library can do HTTP/2. */
extern const bool cg__http_client_h2_known;

extern const struct cg__carrier cg__http_client_h2;

/* Makes a connection of a socket, which it then owns. NULL: no memory. */
struct cg__h2 *cg__http_client_h2_new(struct cg_http_client *client, struct cg_sock *sock);

/* Closes a connection without streams. */
void cg__http_client_h2_free(struct cg__h2 *h2);

/* Frees what is kept for further connections. */
void cg__http_client_h2_free_spare(struct cg_http_client *client);

/* The lease of a connection; and the line of those who wait for room on it. */
void cg__http_client_h2_set(struct cg__h2 *h2, struct cg__origin *lease,
                            struct cg__line *line);
struct cg__origin *cg__http_client_h2_lease(const struct cg__h2 *h2);

/* Marks a connection whose lease was retired, see cg__http_client_pool_retire. */
void cg__http_client_h2_retire(struct cg__h2 *h2);

/* Whether it was marked so. */
bool cg__http_client_h2_is_retired(const struct cg__h2 *h2);

/* Whether a connection takes no more requests; whether it takes one now; whether it has
 * streams. */
bool cg__http_client_h2_is_spent(const struct cg__h2 *h2);
bool cg__http_client_h2_has_room(const struct cg__h2 *h2);
bool cg__http_client_h2_is_idle(const struct cg__h2 *h2);

/* Whether the server takes requests for an upgrade. */
bool cg__http_client_h2_connects(const struct cg__h2 *h2);

/* Reads what has come on an idle connection. Returns whether it can be used. Yields. */
bool cg__http_client_h2_revive(struct cg__h2 *h2);

/* Begins a stream. NULL: no memory. */
struct cg__h2_stream *cg__http_client_h2_join(struct cg__h2 *h2);

/* Ends a stream, complete or not, without waiting. Returns its connection. */
struct cg__h2 *cg__http_client_h2_part(struct cg__h2_stream *stream);

#endif
