/* SPDX-License-Identifier: MIT */
/* The inside of the server: connections, requests, and what is kept for the next ones. */
#ifndef COGEN_HTTP_SERVER_SERVER_H
#define COGEN_HTTP_SERVER_SERVER_H

#include <cogen.h>
#include <cogen/http_server.h>

#include "http/http1/framing.h"
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
    CG__HTTP_SPARE_LARGE = 64,        /* of the large buffers */
    CG__HTTP_LOG_LIMIT = 1024 * 1024, /* bytes of the access log that wait for a thread */
    CG__HTTP_SLOTS = 64,  /* lists of routes whose patterns are paths */
};

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

#endif
