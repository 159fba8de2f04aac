/* SPDX-License-Identifier: MIT */
/* Host names: looked up by an operation, with a resolver that can be chosen for each
 * scheduler. cg_connect looks names up by itself. See cg_resolve(3). */
#ifndef COGEN_RESOLVE_H
#define COGEN_RESOLVE_H

#include <cogen/op.h>
#include <cogen/system.h>

struct cg_resolver;

/* How long cg_connect to a name tries one address before it also tries the next one. */
#define CG_CONNECT_DELAY (250 * CG_MILLISECOND)

/* How long cg_connect to a name that has IPv4 addresses waits for IPv6 addresses before it
 * connects to those it has. */
#define CG_RESOLUTION_DELAY (50 * CG_MILLISECOND)

/* How long a resolver remembers a host at most, and a host that does not exist. */
#define CG_RESOLVER_LONGEST CG_HOUR
#define CG_RESOLVER_NEGATIVE (5 * CG_SECOND)

enum {
    CG_RESOLVER_CACHE = 256, /* hosts that a resolver remembers */
    CG_ADDRS_MOST = 16, /* most addresses of a host that a look-up returns */
    CG_SRVS_MOST = 16,  /* most servers of a service */
    CG_NAMES_MOST = 8,  /* most names of an address */
    CG_TXTS_MOST = 32,  /* most texts of a name */
    CG_TXT_SIZE = 4096, /* all texts of a name, with a NUL after each */
    CG_HOST_SIZE = 256, /* a buffer for a name and its NUL */
};

/* An address of a host with its port, or of a UNIX socket. An IPv6 address may have a
 * scope. */
struct cg_addr {
    union {
        struct sockaddr base;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    };
    socklen_t len;
};

/* The result of a look-up, best address first. Nothing in it needs to be freed. */
struct cg_addr_list {
    int count;
    struct cg_addr addrs[CG_ADDRS_MOST];
};

/* The servers of a service (SRV records), in the order in which to try them: see
 * cg_resolve_srv. Nothing in this list or the next ones needs to be freed. */
struct cg_srv {
    char host[CG_HOST_SIZE];
    uint16_t port; /* in host byte order */
    uint16_t priority, weight;
};

struct cg_srv_list {
    int count;
    struct cg_srv srvs[CG_SRVS_MOST];
};

/* The texts of a name (TXT records): see cg_txt_list_text. */
struct cg_txt_list {
    int count;
    uint16_t lens[CG_TXTS_MOST];
    char data[CG_TXT_SIZE];
};

/* The names of an address (PTR records). */
struct cg_name_list {
    int count;
    char names[CG_NAMES_MOST][CG_HOST_SIZE];
};

/* What a look-up asks for. */
enum cg_resolve_kind { CG_RESOLVE_ADDR, CG_RESOLVE_SRV, CG_RESOLVE_TXT, CG_RESOLVE_PTR };

struct cg_resolver_options {
    /* Name servers instead of the system's: "10.0.0.53,[::1]:5353". */
    const char *servers;
    const char *resolv_conf; /* a file instead of /etc/resolv.conf */
    int64_t timeout; /* of the first query to a server, ns; 0: the system's, 5 s */
    int tries;       /* of each server; 0: the system's, 4 */
    bool no_cache;   /* asks each time, whatever the servers allow to be remembered */
    void *reserved;
};

struct cg_host_options {
    int64_t delay; /* of the result, ns; CG_NEVER: there is none */
    /* Additional delays of each family, ns. If either is not 0 the families are looked up
     * separately, as by name servers; a look-up of both takes the longer time. */
    int64_t delay_ipv4, delay_ipv6;
    int error; /* the result instead of addresses: CG_EHOST, CG_ELOOKUP ... */
    void *reserved;
};

#ifndef __cplusplus

struct cg_resolve_op {
    CG_OP_HEAD;
    const char *host;
    const char *service;
    union { /* by kind */
        struct cg_addr_list *list;
        struct cg_srv_list *srvs;
        struct cg_txt_list *txts;
        struct cg_name_list *names;
        void *found;
    };
    struct cg_resolver *resolver; /* the one that is used; NULL: none */
    union {                       /* the resolver's */
        void *lookup;
        int64_t due;
    };
    in_port_t port;     /* in network byte order */
    sa_family_t family; /* AF_UNSPEC, AF_INET or AF_INET6 */
    enum cg_resolve_kind kind;
};

/* cg_resolve(host, service, &list): looks up the addresses of a host and stores them in
 * *list, ordered as in RFC 6724. Completes with their number, at least 1. The host is a
 * name or a numeric address (without brackets; "fe80::1%eth0"); a numeric address and
 * "localhost" complete at once. The service is a port ("443"), a name from /etc/services
 * ("https"), or NULL: port 0. The default timeout does not apply; when the resolver's own
 * passes the result is CG_ELOOKUP. Traceless: *list is written only if the op completes.
 *   CG_EADDR    not a valid host name, or unknown service
 *   CG_EHOST    unknown host
 *   CG_ELOOKUP  no server replied, or one failed; a later attempt may succeed
 * Keywords:
 *   .family       AF_INET or AF_INET6: addresses of this family only (CG_EHOST if the host
 *                 has none); AF_UNSPEC: both; any other: -EINVAL */
#define cg_resolve(...) cg__resolve(__VA_ARGS__, )
#define cg__resolve(h, s, l, ...)                                                          \
    CG_OP(cg_resolve, .host = (h), .service = (s), .list = (l), __VA_ARGS__)

/* cg_resolve_srv(name, &list): looks up the servers of a service, as in
 * "_xmpp-client._tcp.a.org". Completes with their number, at least 1, and stores them in
 * the order in which to try them (RFC 2782): by priority, and within a priority at random
 * by weight, anew each time. Of more than CG_SRVS_MOST, those of the best priorities are
 * stored. A host that is no valid name is left out. Timeouts, tracelessness and errors are
 * those of cg_resolve.
 *   CG_EHOST       there is no such service, or it says that it is not offered
 *   -EOPNOTSUPP    the resolver cannot look this up: "thread" */
#define cg_resolve_srv(...) cg__resolve_srv(__VA_ARGS__, )
#define cg__resolve_srv(n, l, ...)                                                         \
    CG_OP(cg_resolve, .host = (n), .srvs = (l), .kind = CG_RESOLVE_SRV, __VA_ARGS__)

/* cg_resolve_txt(name, &list): like cg_resolve_srv, the texts of a name. The strings of one
 * record are joined. They may contain any bytes. -EMSGSIZE: they do not fit in the list. */
#define cg_resolve_txt(...) cg__resolve_txt(__VA_ARGS__, )
#define cg__resolve_txt(n, l, ...)                                                         \
    CG_OP(cg_resolve, .host = (n), .txts = (l), .kind = CG_RESOLVE_TXT, __VA_ARGS__)

/* cg_resolve_ptr(addr, &list): the names of an address. The address is numeric, and may
 * have a port, which is ignored: "10.0.0.1", "::1", "[::1]:80". Names that are not valid
 * are left out. Whoever has an address may give it any name: look the name up before you
 * believe it.
 *   CG_EADDR    not a numeric address
 *   CG_EHOST    it has no name */
#define cg_resolve_ptr(...) cg__resolve_ptr(__VA_ARGS__, )
#define cg__resolve_ptr(a, l, ...)                                                         \
    CG_OP(cg_resolve, .host = (a), .names = (l), .kind = CG_RESOLVE_PTR, __VA_ARGS__)

/* Macro forms of cg_resolver_set_host_with and cg_resolver_set_records_with that take the
 * options as keywords, as in cg_resolver_set_host(fixed, host, addrs, .delay =
 * CG_SECOND). */
#define cg_resolver_set_host(...) cg__resolver_set_host(__VA_ARGS__, )
#define cg__resolver_set_host(r, h, a, ...)                                                \
    cg_resolver_set_host_with(r, h, a, CG__OPTIONS(struct cg_host_options, __VA_ARGS__))
#define cg_resolver_set_records(...) cg__resolver_set_records(__VA_ARGS__, )
#define cg__resolver_set_records(r, k, n, t, ...)                                          \
    cg_resolver_set_records_with(r, k, n, t,                                               \
                                 CG__OPTIONS(struct cg_host_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_resolve_type;

/* Writes an address as text that cg_connect accepts, "10.0.0.1:80", "[::1]:80"; a buffer of
 * CG_ADDR_SIZE is enough. Returns 0; -ENOSPC: it does not fit. */
CG_API int cg_addr_print(const struct cg_addr *addr, char *buf, size_t size);

/* Text i (from 0) of a list, with a NUL behind its list->lens[i] bytes. */
CG_API const char *cg_txt_list_text(const struct cg_txt_list *list, int i);

/* Opens a resolver:
 *   "c-ares"  asks name servers; respects the hosts file and resolv.conf, also when it
 *             changes. Remembers CG_RESOLVER_CACHE hosts for as long as the servers allow,
 *             at most CG_RESOLVER_LONGEST, and CG_RESOLVER_NEGATIVE that a host does not
 *             exist
 *   "thread"  calls the system's getaddrinfo and getnameinfo, in threads
 *   "fixed"   knows only the hosts given to cg_resolver_set_host_with, and the records
 *             given to cg_resolver_set_records_with
 *   "world"   asks the name server of a simulated world (cg_sim(3)) for addresses
 * NULL: the first of c-ares and thread that is built in. The options (NULL: none) are
 * copied; c-ares has all of them, world all but .resolv_conf. Returns 0 and the resolver;
 * -EOPNOTSUPP: not built in, or it does not support the options; -EINVAL: no such name;
 * -ENOMEM. */
CG_API int cg_resolver_open(const char *name, const struct cg_resolver_options *options,
                            struct cg_resolver **resolver);

/* Closes a resolver that was not given to a scheduler. NULL is ignored. */
CG_API void cg_resolver_close(struct cg_resolver *resolver);

/* Sets the resolver of a scheduler, which then owns it. Without this the first look-up
 * opens one: on the sim reactor "fixed", or "world" if that has a name server; elsewhere the
 * default. Returns 0; -EBUSY: the scheduler has a resolver already, or the resolver has a
 * scheduler. */
CG_API int cg_sched_set_resolver(struct cg_sched *sched, struct cg_resolver *resolver);

/* Sets a host of a fixed resolver, and replaces what was set before. addrs: at most
 * CG_ADDRS_MOST numeric addresses, separated by spaces, in the order in which look-ups
 * return them; or NULL if options->error is set. Returns 0
 *   -EINVAL   not a fixed resolver, a negative delay, or neither addresses nor an error
 *   CG_EADDR  an invalid host name or address
 *   -ENOMEM */
CG_API int cg_resolver_set_host_with(struct cg_resolver *fixed, const char *host,
                                     const char *addrs,
                                     const struct cg_host_options *options);

/* Sets the records of a kind (not CG_RESOLVE_ADDR) that a fixed resolver has for a name, or
 * an address, and replaces what was set before. text: a record a line, or NULL if
 * options->error is set. SRV: "PRIORITY WEIGHT PORT HOST"; PTR: a name; TXT: any text.
 * Returns 0
 *   -EINVAL    not a fixed resolver, another kind, a negative delay, or neither text nor an
 *              error; not a record
 *   CG_EADDR   an invalid name or address
 *   -EMSGSIZE  more records than a list holds
 *   -ENOMEM */
CG_API int cg_resolver_set_records_with(struct cg_resolver *fixed,
                                        enum cg_resolve_kind kind, const char *name,
                                        const char *text,
                                        const struct cg_host_options *options);

CG_EXTERN_C_END

#ifndef __cplusplus

/* For programs that implement a resolver. */

#include <cogen/sched.h>

/* A kind of resolver. All slots are called in the scheduler's thread. */
struct cg_resolver_type {
    const char *name;
    /* Looks up op->host, a well-formed name, borrowed until the op completes. DONE:
     * *op->list (with op->port in each address) and op->result are set. PENDING:
     * cg_op_complete(&op->op, count) will be called exactly once, with *op->list set if
     * count is not negative. The resolver holds the run open as long as needed. op->family
     * is the family requested; addresses of the other are removed afterwards. If op->kind
     * is not CG_RESOLVE_ADDR, the list is another one, in any order; the host of
     * CG_RESOLVE_PTR is an address. */
    enum cg_verdict (*start)(struct cg_resolver *resolver, struct cg_resolve_op *op);
    /* The op was cancelled: forgets it. */
    void (*cancel)(struct cg_resolver *resolver, struct cg_resolve_op *op);
    /* Turns the op's raw result into its result, like cg_op_type.finish. May be NULL. */
    ssize_t (*finish)(struct cg_resolver *resolver, struct cg_resolve_op *op);
    /* Frees it. No coroutine waits for it any more. */
    void (*close)(struct cg_resolver *resolver);
    /* Whether the families of a host are looked up separately: cg_connect then looks up
     * each, and starts with the first result. NULL: never; a look-up of both takes no
     * longer than one. */
    bool (*apart)(struct cg_resolver *resolver, const char *host);
    /* Called in a child made by fork(): the look-ups in progress must be started again;
     * see cg_kept.forked. May be NULL. */
    void (*forked)(struct cg_resolver *resolver);
    /* The kinds that it looks up besides addresses, as bits: 1 << CG_RESOLVE_SRV ... */
    unsigned kinds;
    void *reserved;
};

/* The base of a resolver's own struct. The resolver must set `type`. */
struct cg_resolver {
    const struct cg_resolver_type *type;
    struct cg_sched *sched; /* the scheduler that owns it; NULL: none yet */
    struct cg_kept kept;    /* the library's */
    void *reserved;
};

#endif
#endif
