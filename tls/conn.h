/* SPDX-License-Identifier: MIT */
/* A TLS connection: OpenSSL's object between the inner socket's input and the queue of
 * ciphertext to send. Two coroutines may use it, a reader and a writer. Each direction of
 * the inner socket is pumped by one of them for both. */
#ifndef COGEN_TLS_CONN_H
#define COGEN_TLS_CONN_H

#include "tls/queue.h"
#include "tls/tls.h"

#include <cogen.h>
#include <cogen/transport.h>

enum {
    CG__TLS_QUEUE_LIMIT = 64 * 1024, /* at this length of the queue nothing more is
                                      * encrypted */
    CG__TLS_RECORD = 16 * 1024,      /* the most bytes of one record */
    CG__TLS_RECORDS = 16,  /* the most records read in one call of OpenSSL */
    CG__TLS_CHARGE = 4096, /* bytes that each record beyond the first is charged as */
    CG__TLS_HEADER = 5,    /* bytes of a record's header */
};

enum cg__tls_way { CG__TLS_IN, CG__TLS_OUT };

/* Waits until the coroutine that pumps a direction has made progress, or stops. */
struct cg__tls_wait_op {
    CG_OP_HEAD;
    struct cg__tls_conn *conn;
    enum cg__tls_way way;
};

struct cg__tls_conn {
    SSL *ssl;
    struct cg_sock *inner;
    struct cg_tls *tls;
    struct cg__tls_keys *keys;
    struct cg__tls_alpn *offer; /* instead of the configuration's protocols; NULL: those */
    struct cg__tls_turns *turns;
    struct cg__tls_queue queue;
    uint64_t tickets; /* where a server's tickets end in it: up to here nothing is urgent */
    struct cg_view view; /* input shown to OpenSSL, valid within one of its calls */
    size_t used;         /* bytes of it that OpenSSL has read */
    unsigned records;    /* records begun within this call */
    unsigned char first[CG__TLS_HEADER]; /* the first bytes that the peer sent */
    uint8_t nfirst;      /* how many of them */
    bool pumped[2];      /* a coroutine pumps this direction */
    struct cg__tls_wait_op *waits[2]; /* the other coroutine, which waits for the pump */
    struct cg_scope *filler; /* of a coroutine that waits for input and could also send */
    int failure;    /* of TLS; final */
    int send_error; /* of the inner socket's writing side; final */
    bool parted; /* after a failure: the alert to the peer was attempted */
    bool ended;  /* the inner stream has ended */
    bool deaf;   /* shut down for reading */
    bool mute;   /* shut down for writing */
    bool cut;    /* the last write was truncated */
    bool reset;  /* SO_LINGER with 0 s: closing resets and is no orderly end */
    unsigned tickets_tried; /* tickets of the client that were tried */
    char *packed; /* the queue, on the way to another scheduler */
    size_t packed_len;
    char *host, *peer, *alpn; /* NULL: none */
    char **alt; /* the peer's alternative names; NULL: none, or nobody has asked */
    char why[CG_TLS_WHY_SIZE];
};

/* Defined in conn.c: */

/* Makes the connection that an op asks for, over op->inner, which it borrows, in op->conn.
 * Returns 0, -ENOMEM, or -EINVAL with an explanation in op->why. */
int cg__tls_conn_new(struct cg_tls_op *op, bool server);
void cg__tls_conn_free(struct cg__tls_conn *conn);

/* One call of OpenSSL, which never suspends; afterwards, what it wants to send is in the
 * queue. Returns OpenSSL's result if it is > 0; CG__TLS_MORE: it needs more input; CG_EOF:
 * orderly end; otherwise the error. */
enum { CG__TLS_MORE = -4000 };
typedef int cg__tls_call(SSL *ssl, void *data, size_t size);
ssize_t cg__tls_conn_call(struct cg__tls_conn *conn, cg__tls_call *call, void *data,
                          size_t size);

/* Repeats the call, with more input each time that it needs some. CG_ETLS_CUT: the input
 * has ended. */
ssize_t cg__tls_conn_do(struct cg__tls_conn *conn, cg__tls_call *call, void *data,
                        size_t size);

/* Like cg__tls_conn_do, for a call that only reads, and for a handshake. A reader mostly comes
 * before its record, and for OpenSSL to find that out takes a tenth of the instructions of a small
 * request. */
ssize_t cg__tls_conn_read(struct cg__tls_conn *conn, cg__tls_call *call, void *data,
                          size_t size);

/* Defined in bio.c: */

/* Attaches what OpenSSL reads from (the view) and writes to (the queue). Returns false if
 * there is no memory. */
bool cg__tls_bio_attach(struct cg__tls_conn *conn);

/* Defined in pump.c: */

/* Waits for input and meanwhile sends what is queued. Returns 0 if the view has input, the
 * inner stream has ended, or the other coroutine has made progress: then try again. 1: no
 * input has come yet. */
int cg__tls_pump_fill(struct cg__tls_conn *conn);

/* Sends until everything that is in the queue now has been sent. */
int cg__tls_pump_flush(struct cg__tls_conn *conn);

/* Waits until there is room in the inner socket or, with CG_IN, input, and returns the events.
 * Nobody else sends meanwhile. With CG_IN -EBUSY: another coroutine writes. */
ssize_t cg__tls_pump_poll(struct cg__tls_conn *conn, unsigned events);

/* Defined in goodbye.c: */

/* Encrypts the bytes and offers them to the inner socket without waiting. Returns how many
 * were taken, or an error. */
ssize_t cg__tls_goodbye_offer(struct cg__tls_conn *conn, const void *data, size_t size);

/* Sends what is queued, and then close_notify. */
ssize_t cg__tls_goodbye_shut(struct cg__tls_conn *conn);

/* Called before the connection is closed: tells the peer that the stream ends here, if
 * that is possible without waiting. */
void cg__tls_goodbye(struct cg__tls_conn *conn);

/* Defined in move.c: */

extern const struct cg_transport_move cg__tls_move;

/* Defined in transport.c: */

extern const struct cg_transport_type cg__tls_transport;

#endif
