/* SPDX-License-Identifier: MIT */
/* The connections of a client: limits for those in use, the requests that wait for one,
 * and the idle ones that are kept for later requests. */
#ifndef COGEN_HTTP_CLIENT_POOL_POOL_H
#define COGEN_HTTP_CLIENT_POOL_POOL_H

#include "http/client/pool/line.h"
#include "http/http1/repeat.h"

#include <cogen/op.h>
#include <cogen/sock.h>

enum {
    CG__POOL_BUCKETS = 64
};

/* Where connections lead: a host and port, a proxy, or a host through a proxy. It exists
 * while a connection to it is in use, waited for, or idle, or a site has it (site.c). */
struct cg__origin {
    struct cg__origin *next; /* in its bucket */
    unsigned active;         /* leases: connections in use */
    unsigned leaving;        /* .. that take no more requests (cg__http_client_pool_retire) */
    unsigned refs;           /* leases, waiters, idle connections, routes, sites */
    struct cg__http_repeat repeat; /* the head of its last response over HTTP/1.1 */
    /* Where HTTP/2 is possible (link.c): */
    struct cg__h2 *h2;    /* the connection that requests share; NULL: there is none */
    bool settling;        /* somebody finds out which protocol the server speaks */
    bool plain;           /* it has chosen HTTP/1.1 */
    struct cg__line line; /* of those who wait for that, or for room on the connection */
    char key[];
};

/* An open connection: of HTTP/1.1, or of HTTP/2. */
struct cg__conn {
    struct cg_sock *sock;
    struct cg__h2 *h2;
};

struct cg__h2;
struct cg__kept;
struct cg__enter_op;

struct cg__pool {
    struct cg__origin *origins[CG__POOL_BUCKETS];
    struct cg__kept *oldest, *newest;
    struct cg__kept *spare; /* unused ones, linked by `older`: as many as were kept at a time */
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
    struct cg__origin *origin;
    struct cg__origin **lease;
    struct cg__enter_op *next, *prev;
};

extern const struct cg_op_type cg__http_client_pool_enter_type;

/* cg__pool_enter(pool, origin, &lease): waits, in order, for a lease: the right to have a
 * connection to the origin, which lives until the operation has begun.
 * cg__http_client_pool_leave returns the lease. 0. Traceless. */
#define cg__pool_enter(p, o, l)                                                        \
    (&(struct cg__enter_op){.type = &cg__http_client_pool_enter_type,                  \
                            .pool = (p),                                               \
                            .origin = (o),                                             \
                            .lease = (l)}                                              \
          .op)

void cg__http_client_pool_leave(struct cg__pool *pool, struct cg__origin *lease);

/* The connection of a lease takes no more requests, and only completes those that it has. It does
 * not count for the limit of its origin any more, so that another one can take its place, but for
 * that of all connections. Who returns such a lease takes it out of .leaving first. */
void cg__http_client_pool_retire(struct cg__pool *pool, struct cg__origin *lease);

/* Finds or makes what a key names, and counts one more that refers to it. NULL: no memory. */
struct cg__origin *cg__http_client_pool_use(struct cg__pool *pool, const char *key);
void cg__http_client_pool_unuse(struct cg__pool *pool, struct cg__origin *origin);

/* Takes the idle connection that was used last. False: there is none; then idle
 * connections to others are closed if needed, so that the caller may make a new one. */
bool cg__http_client_pool_take(struct cg__pool *pool, struct cg__origin *lease, int64_t now,
                               struct cg__conn *conn);

/* The idle connection of HTTP/2 that would be taken; or NULL. */
struct cg__h2 *cg__http_client_pool_kept(const struct cg__pool *pool,
                                         const struct cg__origin *origin);

/* Keeps an idle connection; closes the oldest one if there are too many. */
void cg__http_client_pool_keep(struct cg__pool *pool, struct cg__origin *lease,
                               struct cg__conn conn, int64_t now);

/* The connections to what a key names, in use or idle. */
size_t cg__http_client_pool_count(struct cg__pool *pool, const char *key);

/* Closes those of them that are idle; returns how many. */
size_t cg__http_client_pool_clear(struct cg__pool *pool, const char *key);

/* _tidy closes connections that have been idle for too long, _close all idle ones. */
void cg__http_client_pool_tidy(struct cg__pool *pool, int64_t now);
void cg__http_client_pool_close(struct cg__pool *pool);

#endif
