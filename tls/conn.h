/* SPDX-License-Identifier: MIT */
/* A TLS connection: OpenSSL's object between the inner socket's input and the queue of what
 * is to be sent. Two coroutines may use it, one that reads and one that writes; each
 * direction of the inner socket is pumped by one of them for both. */
#ifndef COGEN_TLS_CONN_H
#define COGEN_TLS_CONN_H

#include "tls/queue.h"
#include "tls/tls.h"

#include <cogen.h>
#include <cogen/transport.h>

enum {
    CG__TLS_QUEUE_LIMIT = 64 * 1024, /* with so much to send nothing more is encrypted */
    CG__TLS_RECORD = 16 * 1024,      /* the most that one record holds */
    CG__TLS_RECORDS = 16,  /* so many at most are read in one call of OpenSSL */
    CG__TLS_CHARGE = 4096, /* what each of them counts for beyond the first, in bytes */
    CG__TLS_HEADER = 5,    /* of a record */
};

enum cg__tls_way { CG__TLS_IN, CG__TLS_OUT };

/* Waits until whoever pumps a direction has done something, or stops. */
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
    struct cg__tls_queue queue;
    struct cg_view view; /* input that is shown to OpenSSL; within one call of it */
    size_t used;         /* so much of it has been taken */
    unsigned records;    /* that were begun to be read within this call */
    unsigned char first[CG__TLS_HEADER]; /* bytes that the peer has sent */
    uint8_t nfirst;      /* so many of them */
    bool pumped[2];      /* somebody pumps this direction */
    struct cg__tls_wait_op *waits[2]; /* the other one, waiting for that */
    struct cg_scope *filler; /* of one who waits for input, and could send as well */
    int failure;    /* of TLS, for good */
    int send_error; /* of the inner socket's writing side, for good */
    bool parted; /* after a failure it was tried to tell the peer */
    bool ended;  /* the inner stream has */
    bool deaf;   /* shut down for reading */
    bool mute;   /* shut down for writing */
    bool cut;    /* the last write did not move all of its bytes */
    bool reset;  /* SO_LINGER with 0 s: closing it is no orderly end */
    unsigned tickets_tried; /* of those that the client has shown */
    char *host, *peer, *alpn; /* NULL: none */
    char **alt; /* the peer's alternative names; NULL: none, or nobody has asked */
    char why[CG_TLS_WHY_SIZE];
};

/* ---- conn.c ---- */

/* A connection over a socket, which it borrows; host as cg_tls_connect has it, NULL with
 * `server`. 0; -ENOMEM; -EINVAL, in words in why (may be NULL). */
int cg__tls_conn_new(struct cg_sock *inner, struct cg_tls *tls, bool server,
                     const char *host, struct cg__tls_conn **conn, char *why);
void cg__tls_conn_free(struct cg__tls_conn *conn);

/* One call of OpenSSL, which never suspends; what it wants to send is in the queue then.
 * > 0: what it answered; CG__TLS_MORE: it wants more input; other negative codes: its
 * failure, and CG_EOF for the orderly end. */
enum { CG__TLS_MORE = -4000 };
typedef int cg__tls_call(SSL *ssl, void *data, size_t size);
ssize_t cg__tls_conn_call(struct cg__tls_conn *conn, cg__tls_call *call, void *data,
                          size_t size);

/* The same, again and again, with more input each time it wants some. CG_ETLS_CUT: there is
 * no more. */
ssize_t cg__tls_conn_do(struct cg__tls_conn *conn, cg__tls_call *call, void *data,
                        size_t size);

/* ---- bio.c ---- */

/* What OpenSSL reads from and writes to: the view, and the queue. False: no memory. */
bool cg__tls_bio_attach(struct cg__tls_conn *conn);

/* ---- pump.c ---- */

/* Waits for input, sending meanwhile what is to be sent. 0: there is some in the view, or
 * the inner stream has ended, or the other one has got some: try again. */
int cg__tls_pump_fill(struct cg__tls_conn *conn);

/* Sends, until all that is in the queue now has gone. */
int cg__tls_pump_flush(struct cg__tls_conn *conn);

/* ---- goodbye.c ---- */

/* Encrypts these bytes and offers them to the inner socket; nothing waits. How many were
 * taken, or a negative code. */
ssize_t cg__tls_goodbye_offer(struct cg__tls_conn *conn, const void *data, size_t size);

/* Has everything sent that says that nothing follows, once the queue has gone. */
ssize_t cg__tls_goodbye_shut(struct cg__tls_conn *conn);

/* Before the connection is closed: tells the peer that the stream ends here, as far as that
 * can be done at once. */
void cg__tls_goodbye(struct cg__tls_conn *conn);

/* ---- transport.c ---- */

extern const struct cg_transport_type cg__tls_transport;

#endif
