/* SPDX-License-Identifier: MIT */
/* TLS over any socket: TCP, UNIX, a pair, another TLS. A library of its own, libcogen-tls
 * (pkg-config cogen-tls), made of OpenSSL. See cg_tls(3). */
#ifndef COGEN_TLS_H
#define COGEN_TLS_H

#include <cogen/sock.h>

/* A configuration: certificates, whom to trust, what to offer. One for all connections of a
 * kind, of one scheduler; connections keep what they need of it. */
struct cg_tls;

enum {
    CG_TLS_WHY_SIZE = 160, /* room for .why, with its NUL */
    CG_TLS_SESSIONS = 64,  /* sessions that a configuration remembers for its clients */
    CG_TLS_TICKET_LIFE = 2 * 60 * 60, /* seconds: how long a server's session ticket is good,
                                         and how long one key makes tickets */
};

/* A certificate, followed by those between it and a root, and its private key, both in PEM:
 * the path of a file; or, where the text contains "-----BEGIN ", the PEM itself. */
struct cg_tls_pair {
    const char *cert;
    const char *key; /* NULL: in the same file */
};

/* What a server asks of its clients. */
enum cg_tls_verify {
    CG_TLS_ANYONE = 0, /* no certificate */
    CG_TLS_IF_GIVEN,   /* one that it trusts, or none */
    CG_TLS_REQUIRED,   /* one that it trusts */
};

/* The lowest version. The highest is the newest that OpenSSL has. */
enum cg_tls_min_version { CG_TLS_1_2 = 0, CG_TLS_1_3 };

struct cg_tls_options {
    const char *cert, *key;          /* one pair; see struct cg_tls_pair */
    const struct cg_tls_pair *pairs; /* more of them, ended by one whose cert is NULL. A
                                        server takes the first whose certificate is for the
                                        host that the client names, else the first of all */
    const char *ca_file, *ca_path;   /* whom to trust: PEM as in struct cg_tls_pair, a hashed
                                        directory; both NULL: the system's store */
    bool insecure;                   /* clients believe any certificate of anybody */
    uint8_t verify_client;           /* enum cg_tls_verify, for servers */
    const char *alpn;                /* protocols, preferred first: "h2,http/1.1" */
    char *why;                       /* CG_TLS_WHY_SIZE bytes for a failure in words */
    const char *groups;    /* of the key exchange, preferred first, as OpenSSL names them;
                              NULL: "X25519:P-256:P-384" */
    const char *ciphers;   /* of TLS 1.2, as openssl-ciphers(1) has it; NULL: those with
                              forward secrecy by elliptic curves */
    const char *suites;    /* of TLS 1.3, with colons between; NULL: OpenSSL's */
    uint8_t min_version;   /* enum cg_tls_min_version */
    bool client_order;     /* a server goes by its client's order of ciphers and suites,
                              not by its own */
    bool strict_sni;       /* a server refuses clients that name no host for which it has
                              a certificate (alert unrecognized_name) */
    const char *key_log;   /* a file to which the secrets of all connections are appended,
                              so that Wireshark can read them; getenv("SSLKEYLOGFILE") is
                              what browsers take. NULL: none */
    void *reserved;
};

#ifndef __cplusplus

struct cg_tls_op { /* accept, connect */
    CG_OP_HEAD;
    struct cg_sock *inner;
    struct cg_tls *tls;
    const char *host;
    struct cg_sock **sock;
    char *why;
    struct cg__tls_conn *conn; /* the library's */
};

/* cg_tls_new(&tls, .cert = "site.pem", .ca_file = "ca.pem"): cg_tls_new_with with
 * keywords. */
#define cg_tls_new(...) cg__tls_new(__VA_ARGS__, )
#define cg__tls_new(out, ...)                                                              \
    cg_tls_new_with(CG__OPTIONS(struct cg_tls_options, __VA_ARGS__), out)

/* cg_tls_accept(inner, tls, &sock), cg_tls_connect(inner, tls, host, &sock): the handshake
 * of a server or a client over a connected socket. 0: everything that can be done with a
 * socket can be done with *sock, which owns inner; the caller closes it and uses inner no
 * more. cg_sock_close sends close_notify, without waiting, unless the last write was cut
 * short or SO_LINGER asks for a reset. Otherwise inner stays the caller's, and is good for
 * nothing but to be closed; also before the answer, which is -EBADF then.
 *   CG_ETLS_HOST ...   the peer's certificate is not accepted, and why; of a server with
 *                      .strict_sni CG_ETLS_HOST: the client named no host of ours
 *   CG_ETLS_REFUSED    the peer did not accept ours, or nothing that was offered
 *   CG_ETLS            it does not speak TLS, or breaks its rules
 *   CG_ETLS_HTTP       of a server: it speaks HTTP without TLS; inner may be written to, so
 *                      that it can be told so in the clear
 *   CG_EOF             it closed the connection
 *   -EINVAL            no configuration; a server without a certificate; a client without a
 *                      host, or with an invalid one
 * and what the inner socket says. With .why = buf (CG_TLS_WHY_SIZE bytes) a failure is put
 * into words there. host (copied): the name or the address, without port or brackets, that
 * the certificate must be for; names are also sent to the server. A dot at the end of a
 * name and the zone of an address are left out. NULL is accepted only if the configuration
 * is insecure. The default timeout applies. Partial. */
#define cg_tls_accept(...) cg__tls_accept(__VA_ARGS__, )
#define cg__tls_accept(i, t, s, ...)                                                       \
    CG__OP_OF(cg_tls, cg_tls_accept, .inner = (i), .tls = (t), .sock = (s), __VA_ARGS__)
#define cg_tls_connect(...) cg__tls_connect(__VA_ARGS__, )
#define cg__tls_connect(i, t, h, s, ...)                                                   \
    CG__OP_OF(cg_tls, cg_tls_connect, .inner = (i), .tls = (t), .host = (h), .sock = (s),  \
              __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_tls_accept_type, cg_tls_connect_type;

/* Reads the files and makes a configuration, which the caller gives back by cg_tls_free.
 * The options are copied. Servers need a certificate, clients do not. Each certificate is
 * tried in a handshake with itself, so that one which no handshake would accept (a key or a
 * digest that is too weak) is refused here. 0; CG_ETLS_FILE: a file cannot be read, has no
 * certificate, or a key that is encrypted or does not fit, or the trial failed; -EINVAL:
 * options that make no sense; -ENOMEM. */
CG_API int cg_tls_new_with(const struct cg_tls_options *options, struct cg_tls **tls);

/* Reads the files again, for the connections to come; those there are stay as they are. No
 * session goes on that began before. If it fails everything stays as it was. The answers
 * are those of cg_tls_new_with; why (may be NULL) has room for CG_TLS_WHY_SIZE bytes. Reads
 * from disk, so it blocks a little. */
CG_API int cg_tls_reload(struct cg_tls *tls, char *why);

/* Gives a configuration back; connections and handshakes go on. NULL is ignored. */
CG_API void cg_tls_free(struct cg_tls *tls);

/* What was agreed. Of a socket without TLS: NULL, false. The texts are the socket's. */
CG_API const char *cg_tls_session_version(const struct cg_sock *sock); /* "TLSv1.3" */
CG_API const char *cg_tls_session_alpn(const struct cg_sock *sock); /* NULL: no protocol */
CG_API bool
cg_tls_session_resumed(const struct cg_sock *sock); /* an earlier session goes on */

/* The host that the client asked for; NULL: none, or an invalid one. */
CG_API const char *cg_tls_session_host(const struct cg_sock *sock);

/* Who the peer is, as its certificate says and was verified: for a client the name that
 * fits the host; for a server the first of its client's alternative names, or, if it has
 * none, the last common name. NULL: unknown. */
CG_API const char *cg_tls_session_peer_name(const struct cg_sock *sock);

/* The alternative names of the peer's certificate, which was verified, one after the other:
 * "DNS:a.test", "email:a@b.test", "URI:spiffe://a.test/b" or "IP:10.0.0.1", those with the
 * index 0, 1 ... NULL: there are no more. To authorise a client, compare with its kind. */
CG_API const char *cg_tls_session_peer_alt(const struct cg_sock *sock, unsigned i);

/* The last failure of TLS on this connection in words; "" if there was none. */
CG_API const char *cg_tls_session_error(const struct cg_sock *sock);

CG_EXTERN_C_END
#endif
