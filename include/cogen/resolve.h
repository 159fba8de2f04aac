/* SPDX-License-Identifier: MIT */
/* Host names: looked up as an operation, by a resolver that can be chosen for each
 * scheduler. cg_connect looks names up by itself. See cg_resolve(3). */
#ifndef COGEN_RESOLVE_H
#define COGEN_RESOLVE_H

#include <cogen/op.h>
#include <cogen/system.h>

struct cg_resolver;

/* How long cg_connect to a name waits for one address before it tries the next one too. */
#define CG_CONNECT_DELAY (250 * CG_MILLISECOND)

/* How long cg_connect to a name that has its IPv4 addresses waits for those of IPv6, before
 * it connects to what it has. */
#define CG_RESOLUTION_DELAY (50 * CG_MILLISECOND)

enum {
    CG_ADDRS_MOST = 16, /* addresses of a host that a look-up answers */
};

/* One address of a host, with the port; that of IPv6 may have a scope. */
struct cg_addr {
    union {
        struct sockaddr base;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    };
    socklen_t size;
};

/* What a look-up answers, the best first. Nothing of it needs to be freed. */
struct cg_addr_list {
    int count;
    struct cg_addr addrs[CG_ADDRS_MOST];
};

struct cg_resolver_options {
    /* Who is asked instead of the system's name servers: "10.0.0.53,[::1]:5353". */
    const char *servers;
    const char *resolv_conf; /* a file instead of /etc/resolv.conf */
    int64_t timeout; /* of the first question to a server, ns; 0: the system's, 5 s */
    int tries;       /* of each server; 0: the system's, 4 */
    void *reserved;
};

struct cg_host_options {
    int64_t delay; /* of the answer, ns; CG_NEVER: there is none */
    /* How much later each family is answered, ns. If either is not 0 the families are
     * answered apart, as by name servers; a look-up of both takes the longer. */
    int64_t delay_ipv4, delay_ipv6;
    int error; /* the answer, instead of addresses: CG_EHOST, CG_ELOOKUP ... */
    void *reserved;
};

#ifndef __cplusplus

struct cg_resolve_op {
    CG_OP_HEAD;
    const char *host;
    const char *service;
    struct cg_addr_list *list;
    struct cg_resolver *resolver; /* the one that was asked; NULL: none was */
    union {                       /* the resolver's */
        void *lookup;
        int64_t due;
    };
    in_port_t port;     /* in the network's order */
    sa_family_t family; /* AF_UNSPEC, AF_INET or AF_INET6 */
};

/* cg_resolve(host, service, &list): the addresses of a host, ordered as RFC 6724 says, in
 * *list; answers how many, at least 1. The host is a name, or a numeric address (without
 * brackets; "fe80::1%eth0"), which is answered at once, as is "localhost". The service is a
 * port ("443"), a name of /etc/services ("https"), or NULL: port 0. CG_EADDR: no host's
 * name, or no such service; CG_EHOST: unknown host; CG_ELOOKUP: no server answered, or one
 * failed, it may work later. The default timeout does not apply; that of the resolver ends
 * in CG_ELOOKUP. Traceless: *list is written only if it completes. Keywords:
 *   .family       AF_INET or AF_INET6: only addresses of this family (AF_UNSPEC: both); any
 *                 other is -EINVAL; CG_EHOST: the host has none of it */
#define cg_resolve(...) cg__resolve(__VA_ARGS__, )
#define cg__resolve(h, s, l, ...)                                                          \
    CG_OP(cg_resolve, .host = (h), .service = (s), .list = (l), __VA_ARGS__)

/* cg_resolver_set_host(fixed, host, addrs): cg_resolver_set_host_with with keywords, as in
 * .delay = CG_SECOND. */
#define cg_resolver_set_host(...) cg__resolver_set_host(__VA_ARGS__, )
#define cg__resolver_set_host(r, h, a, ...)                                                \
    cg_resolver_set_host_with(r, h, a, CG__OPTIONS(struct cg_host_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_resolve_type;

/* Writes an address as text that cg_connect takes, "10.0.0.1:80", "[::1]:80", to buf of
 * CG_ADDR_SIZE. 0; -ENOSPC: it does not fit. */
CG_API int cg_addr_print(const struct cg_addr *addr, char *buf, size_t size);

/* Opens a resolver:
 *   "c-ares"  asks name servers; respects the hosts file and resolv.conf
 *   "thread"  asks the system's getaddrinfo, in threads
 *   "fixed"   knows what cg_resolver_set_host_with has told it, and nothing else
 * NULL: the first of c-ares and thread that is built in. The options (NULL: none) are
 * copied; only c-ares has any. 0 and the resolver; -EOPNOTSUPP: not built in, or the
 * options are not for it; -EINVAL: no such name; -ENOMEM. */
CG_API int cg_resolver_open(const char *name, const struct cg_resolver_options *options,
                            struct cg_resolver **resolver);

/* Closes a resolver that no scheduler has been given. NULL is ignored. */
CG_API void cg_resolver_close(struct cg_resolver *resolver);

/* Gives a scheduler its resolver, which is freed with it. Without this the first look-up
 * opens one: "fixed" on the sim reactor, else the default. 0; -EBUSY: the scheduler has one
 * already, or the resolver has a scheduler. */
CG_API int cg_sched_set_resolver(struct cg_sched *sched, struct cg_resolver *resolver);

/* Tells a fixed resolver a host: addrs are numeric addresses with spaces in between, in the
 * order in which they will be answered (at most CG_ADDRS_MOST), or NULL if options->error
 * is the answer. What was known about the host is forgotten. 0; -EINVAL: not a fixed
 * resolver, a negative delay, or neither addresses nor an error; CG_EADDR: that is no
 * host's name, or not an address; -ENOMEM. */
CG_API int cg_resolver_set_host_with(struct cg_resolver *fixed, const char *host,
                                     const char *addrs,
                                     const struct cg_host_options *options);

CG_EXTERN_C_END

#ifndef __cplusplus

/* ---- For resolvers of your own ----------------------------------------------------- */

#include <cogen/sched.h>

/* How names are looked up. All slots are called in the scheduler's thread. */
struct cg_resolver_type {
    const char *name;
    /* Looks up op->host, a well-formed name (op->host is the caller's, until the op
     * completes). DONE: *op->list, with op->port in each address, and op->result are set.
     * PENDING: cg_op_complete(&op->op, count) will be called, exactly once, with *op->list
     * set if it is not negative. The resolver holds the run open for as long as needed.
     * op->family is the family that is wanted; addresses of the other are left out
     * later. */
    enum cg_verdict (*start)(struct cg_resolver *resolver, struct cg_resolve_op *op);
    /* Nobody wants the answer any more: forgets a pending op. */
    void (*cancel)(struct cg_resolver *resolver, struct cg_resolve_op *op);
    /* The op's answer, made of its raw result, as cg_op_type.finish. May be NULL. */
    ssize_t (*finish)(struct cg_resolver *resolver, struct cg_resolve_op *op);
    /* Frees it. No coroutine is left that waits for it. */
    void (*close)(struct cg_resolver *resolver);
    /* Whether the families of a host are answered apart: cg_connect then asks for each, and
     * begins with what comes first. NULL: never, a look-up of both is as fast as of one. */
    bool (*apart)(struct cg_resolver *resolver, const char *host);
    /* This is a child made by fork(): its look-ups begin anew, see cg_kept.forked. May be
     * NULL. */
    void (*forked)(struct cg_resolver *resolver);
    void *reserved;
};

/* The base of a resolver's own struct; type is set by whoever makes it. */
struct cg_resolver {
    const struct cg_resolver_type *type;
    struct cg_sched *sched; /* that it was given to; NULL: none yet */
    struct cg_kept kept;    /* the library's */
    void *reserved;
};

#endif
#endif
