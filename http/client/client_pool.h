/* SPDX-License-Identifier: MIT */
/* The connections of a client: limits for those in use, the requests that wait for one,
 * and the idle ones that are kept for later requests. */
#ifndef COGEN_HTTP_CLIENT_CLIENT_POOL_H
#define COGEN_HTTP_CLIENT_CLIENT_POOL_H

#include <cogen/op.h>
#include <cogen/sock.h>

enum {
    CG__POOL_BUCKETS = 64
};

/* Where connections lead: a host and port, a proxy, or a host through a proxy. It exists
 * while a connection to it is in use, waited for, or idle. */
struct cg__origin {
    struct cg__origin *next; /* in its bucket */
    unsigned active;         /* leases: connections in use */
    unsigned refs;           /* leases, waiters, idle connections */
    char key[];
};

struct cg__kept;
struct cg__enter_op;

struct cg__pool {
    struct cg__origin *origins[CG__POOL_BUCKETS];
    struct cg__kept *oldest, *newest;
    struct cg__enter_op *first, *last; /* waiting, in order */
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

/* cg__pool_enter(pool, key, &lease): waits, in order, for a lease: the right to have a
 * connection to what the key names. cg__http_client_pool_leave returns the lease. 0 or
 * -ENOMEM. Traceless. */
#define cg__pool_enter(p, k, l)                                                        \
    (&(struct cg__enter_op){.type = &cg__http_client_pool_enter_type,                  \
                            .pool = (p),                                               \
                            .key = (k),                                                \
                            .lease = (l)}                                              \
          .op)

void cg__http_client_pool_leave(struct cg__pool *pool, struct cg__origin *lease);

/* Takes the idle connection that was used last. NULL: there is none; then idle
 * connections to others are closed if needed, so that the caller may make a new one. */
struct cg_sock *cg__http_client_pool_take(struct cg__pool *pool,
                                          struct cg__origin *lease, int64_t now);

/* Keeps an idle connection; closes the oldest one if there are too many. */
void cg__http_client_pool_keep(struct cg__pool *pool, struct cg__origin *lease,
                               struct cg_sock *sock, int64_t now);

/* _tidy closes connections that have been idle for too long, _close all idle ones. */
void cg__http_client_pool_tidy(struct cg__pool *pool, int64_t now);
void cg__http_client_pool_close(struct cg__pool *pool);

#endif
