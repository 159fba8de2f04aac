/* SPDX-License-Identifier: MIT */
/* The structs of the server: the server itself, its connections, and their requests. */
#ifndef COGEN_HTTP_SERVER_SERVER_H
#define COGEN_HTTP_SERVER_SERVER_H

#include <cogen.h>
#include <cogen/http_server.h>

#include "http/http1/framing.h"
#include "http/http1/parser.h"
#include "http/http2/blocks.h"
#include "http/server/carrier.h"
#include "http/server/guest.h"

enum {
    CG__HTTP_OUT_SIZE = 16 * 1024 - 128, /* an output buffer; a head must fit into it */
    CG__HTTP_OK = 17,     /* "HTTP/1.1 200 OK\r\n" */
    CG__HTTP_DATE = 37,   /* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" */
    CG__HTTP_USUAL = 288, /* the start of most heads: see `usual` below */
    CG__HTTP_COPY = 4 * 1024,  /* a body up to this is copied after its head */
    CG__HTTP_KEEP = 4 * 1024,  /* memory that a list keeps for the next request */
    CG__HTTP_REPEATS = 256, /* connections whose last head is remembered: repeat.h */
    CG__HTTP_SPARE = 256,    /* spare requests; io_uring needs many */
    CG__HTTP_LOG_LIMIT = 1024 * 1024, /* bytes of the access log that may wait */
    CG__HTTP_SLOTS = 64,  /* buckets of the hash table of routes without parameters */
};

struct cg__http_route {
    char *pattern;      /* "/users/:id" */
    const char *method; /* in the same memory; NULL: any method */
    int code;           /* llhttp's code of the method; -1: any method */
    size_t whole;       /* length of the path that equals the pattern; 0: none */
    uint32_t next;      /* next in its bucket: index + 1; 0: none */
    cg_http_handler *handler;
    void *arg;
};

/* The routes of one host. */
struct cg__http_routes {
    char *host; /* in lower case; "*.example.org"; NULL: all hosts without their own */
    struct cg__http_route *list; /* the most specific first */
    size_t count;
    uint32_t whole[CG__HTTP_SLOTS]; /* the hash table: cg__http_route.next */
};

/* A buffer with output that has not been written yet. A connection has one only while there
 * is some. It lies in a chunk of the reactor's pool, which returns its memory to the system
 * when the server is idle. */
struct cg__http_out {
    size_t size, used; /* of data */
    char data[];
};

/* One running cg_http_serve. */
struct cg__http_serving {
    struct cg__http_serving *next;
    struct cg_http_server *server;
    struct cg_sock *listener; /* NULL: it has ended accepting */
    struct cg_spread *spread; /* NULL: all connections stay in this worker */
    struct cg_scope scope;
    ssize_t (*wrap)(struct cg_sock **conn, void *arg); /* puts TLS over a connection; or NULL */
    void *wrap_arg;
    int64_t grace; /* for requests in progress at its end; 0: none */
    unsigned conns;
    uint8_t protocols; /* enum cg_http_protocol */
    bool accepts; /* it accepts connections, or drains its listener: a shutdown waits for it */
    bool over;    /* it was cancelled, or its listener has failed */
};

/* What a connection is doing. In all phases but the first it waits for its client, and
 * may be closed to make room for another connection. */
enum cg__http_phase {
    CG__HTTP_AT_WORK,
    CG__HTTP_IDLE,    /* between two requests */
    CG__HTTP_IN_HEAD, /* within a head, or a TLS handshake */
    CG__HTTP_LINGERS, /* after the last response */
};

/* How a connection goes on after what has been served. */
enum cg__http_outcome {
    CG__HTTP_CLOSE_NOW, /* no response is to be read any more */
    CG__HTTP_LINGER,    /* after the peer has read the last response */
    CG__HTTP_GO_ON,     /* it may send another request */
    CG__HTTP_DORMANT,   /* it may, and waits for it without a coroutine */
    CG__HTTP_STAYS,     /* its handler has given it to a guest */
};

/* A ring of connections. */
struct cg__http_ring {
    struct cg__http_conn *hand; /* where the next search begins; NULL: the ring is empty */
    unsigned count;             /* of connections */
    unsigned ending;            /* of them, those that have been cancelled to make room */
};

/* The rings that a connection is in: all connections of the server, and those from the same
 * address. */
enum cg__http_kin { CG__HTTP_ALL, CG__HTTP_NEAR, CG__HTTP_RINGS };

struct cg__http_conn {
    struct {
        struct cg__http_conn *next, *prev;
    } in[CG__HTTP_RINGS]; /* NULL: not in this ring */
    struct cg__http_serving *serving;
    struct cg_coro *coro; /* NULL: it waits without one */
    struct cg__http_address *address; /* of its client; NULL: not counted by address */
    char *peer; /* its client's address for the log; NULL: not yet known */
    void *session; /* over HTTP/2: a struct cg__http_h2; or NULL */
    /* What each request needs lies together, in two cache lines, from here to `writer`. */
    struct cg_http_server *server;
    struct cg_sock *sock; /* NULL: its ownership has passed to a handler */
    union {
        int64_t since; /* when it began to wait for its client; not valid AT_WORK */
        struct cg__http_guest *guest; /* after CG__HTTP_STAYS */
    };
    unsigned requests;
    uint8_t phase;      /* enum cg__http_phase */
    uint8_t slot;       /* index in the server's `repeats` */
    bool more;          /* the last view had bytes after the parsed ones */
    bool ending : 1;    /* it has been cancelled to make room */
    bool cancelled : 1;
    bool late : 1;      /* in the server's list `lates` */
    bool direct : 1;    /* a coroutine other than `writer` writes */
    bool told : 1;      /* a proxy has told `peer` */
    bool broken : 1;    /* a write failed or was cancelled: some of the output is lost */
    union {
        struct { /* zero when its coroutine begins */
            struct cg__http_out *out;
            struct cg_coro *writer; /* writes output while a handler waits: output.c; or NULL */
            struct cg__http_out *written; /* the buffer that the writer writes */
            struct cg__http_conn *next_late;
            struct cg_scope wait; /* for a request, which a shutdown ends */
        };
        struct cg_wait_input_op dormant; /* the same wait without a coroutine */
    };
};

/* The state of the access log: access_log.c. */
struct cg__http_batch;
struct cg__http_log {
    struct cg_http_headers lines; /* gathered lines */
    struct cg__http_batch *batch; /* lines for a thread to write; NULL: none */
    struct cg_coro *flusher;      /* NULL: there are no lines */
    unsigned long lost;           /* dropped lines */
    bool failed;                  /* a failure to write it has been reported */
};

struct cg_http_server {
    struct cg_http_server_options options; /* with the defaults filled in */
    struct cg__http_limits limits;
    int64_t write_wait; /* timeout of one write, after which progress is checked: acked.h */
    size_t small; /* a body up to this is copied after its head and never compressed */
    struct cg__http_routes routes;
    struct cg__http_routes **hosts; /* routes of single hosts, sorted by the host */
    size_t nhosts;
    struct cg_http_layer *layers; /* around all routes, the first one outermost; or NULL */
    size_t nlayers;
    struct cg__http_serving *serving;
    struct cg__http_ring all; /* all connections */
    void *addresses;          /* a tree of struct cg__http_address: places.c */
    unsigned short_places;    /* the limit of connections .. */
    int64_t short_until;      /* .. until this moment */
    struct cg__http_guest *guests; /* connections and streams that were given away */
    struct cg_starter *guest_starter; /* of those that stay; or NULL */
    bool draining;
    bool cut;          /* its shutdown has timed out: connections are cancelled */
    int64_t drain_idle; /* while draining: how long a connection waits for a request */
    struct cg__http_repeat repeats[CG__HTTP_REPEATS]; /* the next connection gets .. */
    unsigned char slot;                               /* .. this one */
    struct cg_http_request *requests;                 /* spare ones over HTTP/1 */
    unsigned nrequests;
    struct cg_http_request *streams; /* spare ones over HTTP/2 */
    unsigned nstreams;
    struct cg__http2_spare blocks;   /* of the sessions of HTTP/2 */
    struct cg__http_h2_head *head;   /* the last one: fields.h */
    char usual[CG__HTTP_USUAL]; /* "HTTP/1.1 200 OK\r\nServer: ...\r\nDate: ...\r\n
                                   Content-Type: " */
    size_t usual_len, date_at; /* 0: `usual` has not been made yet */
    int64_t date;               /* Date, in seconds since 1970 .. */
    int64_t date_until;         /* .. which is valid until this moment (cg_sched_now) */
    uint64_t changes;           /* requests whose handlers may have changed a file */
    struct cg_sched *sched;
    struct cg_reactor *reactor; /* the scheduler's */
    struct cg_starter *starter; /* for dormant connections; while it serves */
    struct cg__http_conn *lates; /* with output that a waiting handler may delay */
    struct cg_deferred late;     /* checks them, a turn later */
    struct cg__http_log access;
    int64_t accept_quiet; /* failures to accept are not logged until this moment */
};

/* Which fields the handler has set that the library would set otherwise, or must not see. */
enum cg__http_sets {
    CG__HTTP_SETS_DATE = 1,
    CG__HTTP_SETS_SERVER = 2,
    CG__HTTP_SETS_CONNECTION = 4,
    CG__HTTP_SETS_TYPE = 8,
    CG__HTTP_SETS_LENGTH = 16,
    CG__HTTP_SETS_CODING = 32, /* Transfer-Encoding */
};

/* A request and its response: the message, whatever carries it. */
struct cg_http_request {
    struct cg_http_request *next; /* in the list of spare ones */
    struct cg_http_server *server;
    struct cg__http_conn *conn;
    const struct cg__http_carrier *carrier;
    struct cg_http_headers line, in, trailers, params, query, out, out_trailers;
    /* The unread piece of the request's body. */
    const char *body;
    /* The response. */
    enum cg__http_framing framing;
    uint64_t left; /* of Content-Length: bytes that are still to be written */
    const char *path; /* in `line`, or first in `params` */
    size_t path_len;
    /* What the head says; set by the carrier. */
    const char *method;      /* static; NULL: the head is invalid */
    uint64_t length;         /* of the body, if `unsized` is false */
    uint32_t text, text_len; /* place of the target in `line` */
    uint8_t code;            /* llhttp's code of the method */
    uint8_t minor;           /* of the version 1.x; 1 of later versions */
    bool has_body, unsized;
    bool upgrade; /* it asks for another protocol, or is CONNECT */
    /* Everything from here on is zero when a request begins. */
    const char *scheme; /* over HTTP/2: "http", "https" or NULL */
    const char *rest; /* of the path, after a pattern that ends with a slash; or NULL */
    struct cg__http_guest *guest; /* stays after the handler; or NULL */
    size_t body_left;
    uint64_t body_seen;
    int64_t began;        /* when its handler was called; 0: nobody needs to know */
    int64_t waited;       /* time spent in waiting for the body */
    size_t computed;      /* bytes compressed since the last yield to others */
    char *whole;          /* the body from cg_http_read_body */
    int failure;          /* the status for an error of the body; 0: none */
    int status;           /* of the response */
    uint64_t sent; /* bytes of its body, for the log */
    struct cg__http_encoder *encoder; /* of a body that is compressed piece by piece */
    bool has_query; /* `query` has been made */
    bool body_done;
    bool expects;         /* the client waits for 100 Continue */
    bool begun, ended; /* the head, the whole response has been given to the carrier */
    bool keep;            /* the connection stays open after the response */
    bool cut;             /* the response is incomplete, which the client must learn */
    bool switches;        /* cg_http_upgrade makes the response: 101 is allowed */
    uint8_t sets;         /* enum cg__http_sets, once the head is made */
};

#endif
