/* SPDX-License-Identifier: MIT */
/* Layers of an HTTP server about the addresses of its clients: which address a client has
 * behind a proxy, and how many requests an address may make. See cg_http_layer(3) for layers,
 * and cg_http_limit_layer(3).
 *
 *     static struct cg_http_forwarded forwarded = {.trusted = "10.0.0.0/8"};
 *     struct cg_http_limiter *limiter = cg_http_limiter_new(.rate = 10, .burst = 50);
 *
 *     cg_http_server_add_layer(server, cg_http_forwarded_layer, &forwarded);
 *     cg_http_server_add_layer(server, cg_http_limit_layer, limiter); */
#ifndef COGEN_HTTP_CLIENTS_H
#define COGEN_HTTP_CLIENTS_H

#include <cogen/construct.h>
#include <cogen/http_server.h>

/* How proxies in front of the server tell it the client's address. Borrowed. */
struct cg_http_forwarded {
    /* Whom to believe: addresses and networks, "127.0.0.1, ::1, 10.0.0.0/8". "unix": whoever
     * connects to a UNIX socket. Whatever others send is ignored. If an item is none of these,
     * the layer fails with -EINVAL. */
    const char *trusted;
    /* Read the field Forwarded (RFC 7239) and not X-Forwarded-For. The proxy must set or
     * append to this field, and the server reads no other: a client can send the other one. */
    bool standard;
};

/* Requests of each address, in a table of bounded size. Belongs to one scheduler. */
struct cg_http_limiter;

struct cg_http_limiter_options {
    unsigned rate;      /* requests a second of one address, on average; 0: 10 */
    unsigned burst;     /* requests that an address may make at once; 0: 10 times the rate */
    unsigned addresses; /* how many are remembered; a new one replaces the one, of a few, that
                         * has been idle longest; 0: CG_HTTP_LIMITER_ADDRESSES */
    void *reserved;
};

enum { CG_HTTP_LIMITER_ADDRESSES = 16 * 1024 }; /* of 24 bytes each */

#ifndef __cplusplus

/* cg_http_limiter_new(.rate = 10, ...): cg_http_limiter_new_with with its options as
 * keywords. */
#define cg_http_limiter_new(...)                                                           \
    cg_http_limiter_new_with(CG__OPTIONS(struct cg_http_limiter_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

/* A layer whose arg is a struct cg_http_forwarded. It sets the parameter "client-address" of the
 * request to the address of the client, without a port: that of the connection, or if this
 * one is trusted, the last address in the field that is not trusted; or "unix". The access
 * log has it. */
CG_API ssize_t cg_http_forwarded_layer(struct cg_http_request *req,
                                       const struct cg_http_layer *next, void *forwarded);

/* Makes a limiter, to be freed with cg_http_limiter_free (NULL is ignored). Returns NULL if
 * there is no memory. */
CG_API struct cg_http_limiter *
cg_http_limiter_new_with(const struct cg_http_limiter_options *options);
CG_API void cg_http_limiter_free(struct cg_http_limiter *limiter);

/* A layer whose arg is a limiter. A request of an address (of IPv6: of a /64 prefix) that
 * exceeds the rate and the burst gets 429 with Retry-After. The address is the parameter
 * "client-address", or else that of the connection. Requests without an IP address pass. */
CG_API ssize_t cg_http_limit_layer(struct cg_http_request *req,
                                   const struct cg_http_layer *next, void *limiter);

CG_EXTERN_C_END
#endif
