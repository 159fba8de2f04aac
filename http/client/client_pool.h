/* SPDX-License-Identifier: MIT */
/* The connections of a client: how many may be in use, who waits for one, and those that
 * are kept for the next request. */
#ifndef COGEN_HTTP_CLIENT_CLIENT_POOL_H
#define COGEN_HTTP_CLIENT_CLIENT_POOL_H

#include <cogen/op.h>
#include <cogen/sock.h>

enum {
    CG__POOL_BUCKETS = 64
};

/* Where connections lead: a host and port, or a proxy, or the one through the other. It is
 * there while somebody uses it, waits for it or a connection to it is kept. */
struct cg__origin {
    struct cg__origin *next; /* in its bucket */
    unsigned active;         /* leases */
    unsigned refs;           /* leases, waiters, kept connections */
    char key[];
};

struct cg__kept;
struct cg__enter_op;

struct cg__pool {
    struct cg__origin *origins[CG__POOL_BUCKETS];
    struct cg__kept *oldest, *newest;
    struct cg__enter_op *first, *last; /* who waits */
    unsigned active;                   /* leases in all */
    unsigned kept;
    /* Limits; set by the owner. */
    unsigned per_origin, connections, keep;
    int64_t keep_timeout;
};

struct cg__enter_op {
    CG_OP_HEAD;
    struct cg__pool *pool;
    const char *key;
    struct cg__origin **lease;
    struct cg__origin *origin;
    struct cg__enter_op *next, *prev;
};

extern const struct cg_op_type cg__http_client_pool_enter_type;

/* cg__pool_enter(pool, key, &lease): waits, in order, for the right to have a connection to
 * what the key names, which cg__http_client_pool_leave gives back. 0 or -ENOMEM.
 * Traceless. */
#define cg__pool_enter(p, k, l)                                                        \
    (&(struct cg__enter_op){.type = &cg__http_client_pool_enter_type,                  \
                            .pool = (p),                                               \
                            .key = (k),                                                \
                            .lease = (l)}                                              \
          .op)

void cg__http_client_pool_leave(struct cg__pool *pool, struct cg__origin *lease);

/* Takes the connection that was kept last out of the pool; NULL: a new one is to be made,
 * for which there is room then. */
struct cg_sock *cg__http_client_pool_take(struct cg__pool *pool,
                                          struct cg__origin *lease, int64_t now);

/* Keeps a connection, or closes it if enough are kept. */
void cg__http_client_pool_keep(struct cg__pool *pool, struct cg__origin *lease,
                               struct cg_sock *sock, int64_t now);

/* Closes kept connections that have been kept for too long; all of them. */
void cg__http_client_pool_tidy(struct cg__pool *pool, int64_t now);
void cg__http_client_pool_close(struct cg__pool *pool);

#endif
