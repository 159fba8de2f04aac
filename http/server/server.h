/* SPDX-License-Identifier: MIT */
/* The inside of the server: connections, requests, and what is kept for the next ones. */
#ifndef COGEN_HTTP_SERVER_SERVER_H
#define COGEN_HTTP_SERVER_SERVER_H

#include <cogen.h>
#include <cogen/http_server.h>

#include "http/http1/framing.h"
#include "http/coding/encoder.h"
#include "http/http1/parser.h"

enum {
    CG__HTTP_OUT_SIZE = 16 * 1024 - 64, /* output that is gathered; a head must fit */
    CG__HTTP_OUT_FIRST = 4 * 1024 - 64, /* most need no more */
    CG__HTTP_OK = 17,     /* "HTTP/1.1 200 OK\r\n" */
    CG__HTTP_DATE = 37,   /* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" */
    CG__HTTP_USUAL = 288, /* a usual head, up to the type */
    CG__HTTP_COPY = 4 * 1024,  /* a body up to this is copied behind its head */
    CG__HTTP_KEEP = 4 * 1024,  /* bytes of a list that a request keeps for the next */
    CG__HTTP_REPEATS = 256, /* connections whose last head is remembered */
    CG__HTTP_SPARE = 256, /* requests, and buffers, kept for later; io_uring needs many */
    CG__HTTP_SPARE_LARGE = 64, /* of the large buffers */
    CG__HTTP_TURN = 32 * 1024, /* bytes that are compressed before others may run */
    CG__HTTP_LOG_LIMIT = 1024 * 1024, /* bytes of the access log that wait for a thread */
    CG__HTTP_SLOTS = 64,  /* lists of routes whose patterns are paths */
};

/* What a text is, unless its handler says another type. */
#define CG__HTTP_TEXT "text/plain; charset=utf-8"

struct cg__http_route {
    char *pattern;      /* "/users/:id" */
    const char *method; /* in the same memory; NULL: any */
    int code;           /* of the method; -1: none that a request can have */
    size_t whole;       /* length of the path that is the pattern; 0: there is none */
    uint32_t next;      /* in the same list of these: an index, and one; 0: none */
    cg_http_handler *handler;
    void *arg;
};

/* Output that has not been written yet; a connection has one only while there is some. */
struct cg__http_out {
    struct cg__http_out *next; /* spare */
    size_t size, used;         /* of data */
    char data[];
};

/* Spare ones of a size; the last that was put is the first to be taken, since it is in the
 * processor's caches. */
struct cg__http_outs {
    struct cg__http_out *first;
    unsigned count;
};

/* One cg_http_serve. */
struct cg__http_serving {
    struct cg__http_serving *next;
    struct cg_scope scope;
    unsigned conns;
};

/* What a connection is about. In all but the first it waits for its client, and may be
 * closed when its place is needed. */
enum cg__http_phase {
    CG__HTTP_AT_WORK,
    CG__HTTP_IDLE,    /* between two requests */
    CG__HTTP_IN_HEAD, /* within a head, or a TLS handshake */
    CG__HTTP_LINGERS, /* behind the last answer */
};

/* Connections in a ring. */
struct cg__http_ring {
    struct cg__http_conn *hand; /* where the next look for one that waits begins; NULL: none */
    unsigned count, ending;     /* of them; of these those that have been told to end */
};

/* The rings that a connection is in: all of the server's, and those from its address. */
enum cg__http_kin { CG__HTTP_ALL, CG__HTTP_NEAR, CG__HTTP_RINGS };

struct cg__http_conn {
    struct {
        struct cg__http_conn *next, *prev;
    } in[CG__HTTP_RINGS]; /* NULL: not in this one */
    struct cg_http_server *server;
    struct cg__http_serving *serving;
    struct cg_sock *sock; /* NULL: handed over */
    struct cg__http_out *out;
    struct cg_coro *coro;
    struct cg_coro *writer; /* of answers that would have to wait for a handler; or NULL */
    struct cg__http_out *written; /* by it */
    struct cg__http_conn *next_late;
    unsigned requests;
    enum cg__http_phase phase;
    int64_t since; /* unless it is at work: the moment since which it waits for its client */
    struct cg__http_address *address; /* it comes from; NULL: these are not counted */
    bool ending; /* it has been told to end: its place is needed */
    bool late; /* in the server's list of these */
    bool more; /* there is unread input, as far as is known */
    bool broken; /* a write failed or was cancelled: some of the output is lost */
    unsigned char slot; /* in the server's `repeats`; below CG__HTTP_REPEATS */
    char *peer; /* for the log, once it is known */
};

/* The access log. See log_access.c. */
struct cg__http_batch;
struct cg__http_log {
    struct cg_http_headers lines; /* that have gathered */
    struct cg__http_batch *batch; /* that a thread is to write; NULL: none */
    struct cg_coro *flusher;      /* NULL: there are no lines */
    unsigned long lost;           /* lines for which there was no room */
    bool failed;                  /* it could not be written, which has been said */
};

struct cg_http_server {
    struct cg_http_server_options options; /* with their defaults */
    struct cg__http_limits limits;
    int64_t write_wait; /* of a write, until it is seen whether there is progress: acked.h */
    size_t small; /* a body that is copied behind its head, and never compressed */
    struct cg__http_route *routes; /* the most special first */
    size_t nroutes;
    uint32_t whole[CG__HTTP_SLOTS]; /* see cg__http_route.next */
    struct cg__http_serving *serving;
    struct cg__http_ring all; /* connections */
    void *addresses;          /* a tree: see places.c */
    unsigned short_places;    /* this many connections at most, .. */
    int64_t short_until;      /* .. until this moment */
    bool draining;
    struct cg__http_repeat repeats[CG__HTTP_REPEATS]; /* the next connection's is .. */
    unsigned char slot;                               /* .. this one */
    struct cg_http_request *requests; /* spare */
    unsigned nrequests;
    struct cg__http_outs outs, large_outs;
    char usual[CG__HTTP_USUAL]; /* "HTTP/1.1 200 OK\r\nServer: ...\r\nDate: ...\r\n
                                   Content-Type: " */
    size_t usual_size, date_at; /* 0: not made */
    int64_t date_until;         /* cg_sched_now */
    struct cg_sched *sched;
    struct cg__http_conn *lates; /* whose handlers may keep earlier answers waiting */
    struct cg_deferred late;     /* looks after them */
    struct cg__http_log access;
    int64_t accept_quiet; /* failures to accept are not logged until this moment */
};

struct cg_http_request {
    struct cg_http_request *next; /* spare */
    struct cg_http_server *server;
    struct cg__http_conn *conn;
    struct cg__http_parser parser;
    struct cg_http_headers line, in, trailers, params, query, out, out_trailers;
    /* Of the connection's input, kept from request to request; lent while there is unparsed
     * input, or some of the body, in it. */
    struct cg_view view;
    size_t parsed; /* of it */
    /* The body that comes. */
    const char *body;
    /* The answer. */
    enum cg__http_framing framing;
    uint64_t left; /* of the length that was promised */
    const char *path; /* in `line`, or first in `params` */
    /* From here on all is zero at first. */
    const char *rest; /* of the path, beneath a pattern; NULL: it was none with a slash */
    size_t body_left;
    uint64_t body_seen;
    int64_t waited;       /* for bytes of the body */
    size_t computed;      /* bytes that were compressed since others ran */
    char *whole;          /* what cg_http_read_body has read */
    int failure;          /* the status for what went wrong with the body */
    int status;           /* of the answer */
    uint64_t sent; /* bytes of its body, for the log */
    struct cg__http_encoder *encoder; /* of a body that is compressed as it comes */
    bool has_query; /* `query` has been made */
    bool body_done;
    bool expects;         /* 100 Continue */
    bool begun, ended, keep, cut; /* of the answer */
    bool switches;        /* it is a 101, by cg_http_upgrade */
};

/* ---- server.c ---- */

/* A request with everything reset, and back; NULL: no memory. */
struct cg_http_request *cg__http_server_request_get(struct cg__http_conn *conn);
void cg__http_server_request_put(struct cg_http_request *req);
void cg__http_server_request_reset(struct cg_http_request *req);

/* ---- places.c ---- */

/* Takes one of the places of a new connection's address; if none is free, that of the
 * connection from there which has waited longest for its client. 0; -EBUSY: all of them are
 * at work; -ENOMEM. */
int cg__http_places_take(struct cg__http_conn *conn);

/* Waits until there is a place for one more connection, and sees to it by closing the one
 * that has waited longest for its client. 0, or a negative code. Yields. */
ssize_t cg__http_places_wait(struct cg_http_server *server);

/* The new connection begins. */
void cg__http_places_enter(struct cg__http_conn *conn);

/* The connection ends, or does not begin: what it has taken is free. */
void cg__http_places_leave(struct cg__http_conn *conn);

/* The kernel had no descriptor for a connection: the one that has waited longest for its
 * client is closed, and an eighth of the places stay free for a while. */
void cg__http_places_short(struct cg_http_server *server);

/* How many connections there may be unless somebody says, and of so many from one
 * address. */
unsigned cg__http_places(void);
unsigned cg__http_places_share(unsigned connections);

/* ---- conn.c ---- */

/* The body of a connection's coroutine. */
ssize_t cg__http_connection_run(void *arg);

/* ---- route.c ---- */

/* The route for the request, its params set. NULL: *status is the answer, 404, 405 or, to
 * OPTIONS, 204, whose Allow is set; or 503, no memory. */
const struct cg__http_route *cg__http_route(struct cg_http_request *req, int *status);
void cg__http_route_free(struct cg_http_server *server);

/* ---- target.c ---- */

/* Makes req->path. 0, or the status that refuses the target. */
int cg__http_request_target_path(struct cg_http_request *req);

/* The undecoded path of a target that has one. */
const char *cg__http_request_target_raw_path(const struct cg_http_request *req);

/* Decodes "%41"; `plus`: a "+" is a blank; `slash`: a "%2F" is a "/" and a "%25" a "%".
 * Without it both stay, in upper case, so that the result is unambiguous. In place or into
 * a buffer as large. The length, or -1: not valid, or a NUL. */
ssize_t cg__http_request_target_decode(char *to, const char *from, size_t size,
                                       bool plus, bool slash);

/* ---- read.c ---- */

/* Parses what the view has. It is given back when it has been used up, so that nobody holds
 * a buffer who waits. */
enum cg__http_event cg__http_request_body_parse_view(struct cg_http_request *req);

/* Gives it back, if it is lent: what has been parsed is gone, the rest is unread. */
void cg__http_request_body_give_back(struct cg_http_request *req);

/* The same for a handler that may look at the socket itself. */
void cg__http_request_body_let_read(struct cg_http_request *req);

/* Whether nothing of the body is unread, or so little that it will be drained behind the
 * answer. False: the connection must be closed, and the answer has to say so. */
bool cg__http_request_body_will_drain(const struct cg_http_request *req);

/* Reads the rest of the body away, behind an answer that lets the connection go on. False:
 * the connection must be closed. */
bool cg__http_request_body_drain(struct cg_http_request *req);

/* ---- write.c ---- */

/* Writes what an encoder still has, and its end. 0 or a negative code. Yields. */
ssize_t cg__http_response_write_end(struct cg_http_request *req);

/* ---- out.c ---- */

/* Room for so many bytes of output behind what is there; NULL: there is not so much (or no
 * memory): flush. */
char *cg__http_output_more_room(struct cg__http_conn *conn, size_t size);
static inline char *cg__http_server_room(struct cg__http_conn *conn, size_t size)
{
    struct cg__http_out *out = conn->out;

    if (out != NULL && out->size - out->used >= size)
        return out->data + out->used;
    return cg__http_output_more_room(conn, size);
}

/* Frees the spare buffers. */
void cg__http_output_free(struct cg_http_server *server);

/* Writes the output, and what is given behind it. 0 or a negative code. Yields. */
ssize_t cg__http_output_flush(struct cg__http_conn *conn, const struct iovec *parts,
                              int count);

/* What a write has come to, handed on. After one that failed the connection is broken; and
 * a peer that takes nothing is to be reset by the close, for what the kernel still has for
 * it, megabytes maybe, would stay for a quarter of an hour. */
ssize_t cg__http_output_wrote(struct cg__http_conn *conn, ssize_t n);

/* Gives the buffers back, written or not. May wait. */
void cg__http_output_end(struct cg__http_conn *conn);

/* A handler is about to run: if it comes to wait, what has been answered before it is to be
 * written by somebody else. */
void cg__http_output_late(struct cg__http_conn *conn);

/* ---- answer.c ---- */

/* Puts the head of the answer into the output. `length`: of the body, -1: not known. 0;
 * -ENOBUFS: there is no room now; -EMSGSIZE: it is too long. */
int cg__http_response_begin(struct cg_http_request *req, int status, int64_t length,
                            const char *type);

/* Whether a body of that type (if no field says another) is worth compressing. */
bool cg__http_response_is_worth(const struct cg_http_request *req, int status,
                                const char *type);

/* Answers with a status and a line of text that names it. Yields if it must. */
ssize_t cg__http_response_plain(struct cg_http_request *req, int status);

/* Ends the answer, whatever the handler has left of it; n is what it returned. */
void cg__http_response_end_rest(struct cg_http_request *req, ssize_t n);
static inline void cg__http_server_end(struct cg_http_request *req, ssize_t n)
{
    if (n < 0 || !req->ended)
        cg__http_response_end_rest(req, n);
}

/* ---- accept.c ---- */

enum cg__http_coding { CG__HTTP_IDENTITY, CG__HTTP_GZIP, CG__HTTP_BR };

/* The coding that the request's Accept-Encoding prefers of identity and those that there
 * are. */
enum cg__http_coding cg__http_accept_encoding(const struct cg_http_request *req,
                                              bool gzip, bool br);

/* ---- compress.c ---- */

const char *cg__http_coding_name(enum cg__http_coding coding);
bool cg__http_compress_is_text(const char *type);

/* Whether it was built in. */
bool cg__http_compress_can(enum cg__http_coding coding);

/* Compresses, in memory from malloc, and lets others run meanwhile. The size; 0: it did not
 * get smaller, or there is no memory; or a negative code: cancelled. Yields. */
ssize_t cg__http_compress(enum cg__http_coding coding, const void *data, size_t size,
                          void **out);

/* ---- log.c ---- */

/* Brings the Date up to date. */
void cg__http_log_date(struct cg_http_server *server);

/* The peer's address without its port; it is kept, for when the socket is another's. */
const char *cg__http_log_peer(struct cg__http_conn *conn);

/* A line for those who look after the server. */
void cg__http_log(struct cg_http_server *server, const char *line);

/* Logs, once a second at most, that a connection could not be accepted. arg: the server. */
void cg__http_log_accept(void *arg, int code);

/* ---- log_access.c ---- */

/* A line for the access log; at the end of serving, what has gathered is written. */
void cg__http_access_log_add(struct cg_http_request *req);
void cg__http_access_log_end(struct cg_http_server *server);

/* A line of why a handler failed. */
void cg__http_access_log_failure(struct cg_http_request *req, ssize_t code);

#endif
