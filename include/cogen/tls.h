/* SPDX-License-Identifier: MIT */
/* TLS over any socket: TCP, UNIX, a pair, another TLS. A library of its own, libcogen-tls
 * (pkg-config cogen-tls), which uses OpenSSL. See cg_tls(3). */
#ifndef COGEN_TLS_H
#define COGEN_TLS_H

#include <cogen/sock.h>

/* A configuration: certificates, trusted issuers, parameters. Make one for all connections
 * of a kind; connections keep what they need of it. Threads may share it, so that the
 * workers of a crew resume each other's sessions. */
struct cg_tls;

enum {
    CG_TLS_WHY_SIZE = 160, /* size of the buffer .why, with its NUL */
    CG_TLS_SESSIONS = 64,  /* most sessions that a configuration keeps for its clients */
    CG_TLS_TICKET_LIFE = 2 * 60 * 60, /* seconds: lifetime of a server's session ticket, and
                                         of the key that encrypts it */
};

/* A certificate, followed by its intermediate certificates, and its private key, both in
 * PEM: the path of a file, or the PEM itself if the text contains "-----BEGIN ". */
struct cg_tls_pair {
    const char *cert;
    const char *key; /* NULL: in the same file */
};

/* Which certificate a server requests of its clients. */
enum cg_tls_verify {
    CG_TLS_ANYONE = 0, /* none */
    CG_TLS_IF_GIVEN,   /* one that it trusts, or none */
    CG_TLS_REQUIRED,   /* one that it trusts */
};

/* The lowest version. The highest is the newest that OpenSSL supports. */
enum cg_tls_min_version { CG_TLS_1_2 = 0, CG_TLS_1_3 };

struct cg_tls_options {
    const char *cert, *key;          /* one pair; see struct cg_tls_pair */
    const struct cg_tls_pair *pairs; /* more pairs; the last has cert NULL. A server uses
                                        the first whose certificate is for the host that the
                                        client requests, else the first of all */
    const char *ca_file, *ca_path;   /* trusted issuers: PEM as in struct cg_tls_pair, whose
                                        revocation lists are checked; a hashed directory;
                                        both NULL: the system's store */
    bool insecure;                   /* clients accept any certificate */
    uint8_t verify_client;           /* enum cg_tls_verify, for servers */
    const char *alpn;                /* protocols, preferred first: "h2,http/1.1"; NULL: no
                                        protocol is negotiated */
    char *why;                       /* CG_TLS_WHY_SIZE bytes for a failure in words */
    const char *groups;    /* of the key exchange, preferred first, by OpenSSL's names;
                              NULL: "X25519:P-256:P-384" */
    const char *ciphers;   /* of TLS 1.2, as in openssl-ciphers(1); NULL: those with forward
                              secrecy by elliptic curves, AES with 128 bits first */
    const char *suites;    /* of TLS 1.3, separated by colons; NULL: those of OpenSSL, AES with
                              128 bits first */
    uint8_t min_version;   /* enum cg_tls_min_version */
    bool client_order;     /* a server follows the client's order of ciphers and suites
                              instead of its own */
    bool strict_sni;       /* a server refuses clients that request no host for which it has
                              a certificate (alert unrecognized_name) */
    const char *key_log;   /* a file to which the secrets of all connections are appended,
                              so that Wireshark can decrypt them; browsers use
                              getenv("SSLKEYLOGFILE"). NULL: none */
    const char *pins;      /* clients accept only servers with one of these public keys, besides
                              checking the certificate: "sha256//BASE64", the digest of its
                              SubjectPublicKeyInfo; more with ";" between them. With .insecure
                              nothing else is checked. NULL: any key */
    void *reserved;
};

#ifndef __cplusplus

struct cg_tls_op { /* cg_tls_accept, cg_tls_connect */
    CG_OP_HEAD;
    struct cg_sock *inner;
    struct cg_tls *tls;
    const char *host;
    struct cg_sock **sock;
    char *why;
    const char *alpn;
    struct cg__tls_conn *conn; /* the library's */
};

/* Macro form of cg_tls_new_with that takes the options as keywords, as in
 * cg_tls_new(&tls, .cert = "site.pem", .ca_file = "ca.pem"). */
#define cg_tls_new(...) cg__tls_new(__VA_ARGS__, )
#define cg__tls_new(out, ...)                                                              \
    cg_tls_new_with(CG__OPTIONS(struct cg_tls_options, __VA_ARGS__), out)

/* cg_tls_accept(inner, tls, &sock), cg_tls_connect(inner, tls, host, &sock): the handshake
 * of a server or a client over a connected socket. After 0, *sock works like any socket
 * and owns inner; the caller closes *sock and does not use inner any more. cg_sock_close
 * sends close_notify, without waiting, unless the last write was cut short or SO_LINGER
 * requests a reset. After any other result the caller still owns inner and can only close
 * it; it may also close inner during the handshake, which then completes with -EBADF.
 *   CG_ETLS_HOST ...   the peer's certificate is not accepted: the code says why. On a
 *                      server with .strict_sni CG_ETLS_HOST: the client requested none of
 *                      the server's hosts
 *   CG_ETLS_PIN        the peer's public key is none of .pins; .why ends with its pin
 *   CG_ETLS_REFUSED    the peer did not accept the certificate, or none of the parameters
 *   CG_ETLS            the peer does not speak TLS, or violates the protocol
 *   CG_ETLS_HTTP       the peer speaks HTTP without TLS; a server may write to inner, to
 *                      reply in clear text
 *   CG_EOF             the peer closed the connection
 *   -EINVAL            no configuration; a server without a certificate; a client without a
 *                      host, or with an invalid one
 * and errors of the inner socket. With .why = buf (CG_TLS_WHY_SIZE bytes) the failure is
 * described there in words. With .alpn = "h2,http/1.1" (copied) this connection offers, or
 * accepts, these protocols instead of the configuration's; "": none. host (copied): the
 * name or address, without port or brackets, that the certificate must be for; a name is
 * also sent to the server. A dot at the end of a name and the zone of an address are
 * ignored. NULL is accepted only if the configuration is insecure. The default timeout
 * applies. Partial. */
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

/* Reads the files and makes a configuration, to be freed with cg_tls_free. The options are
 * copied. Servers need a certificate, clients do not. Each certificate is tried in a
 * handshake with itself, so that one that every handshake would refuse (its key or digest
 * is too weak) is refused here. Returns 0
 *   CG_ETLS_FILE  a file cannot be read or has no certificate; its key is encrypted or does
 *                 not match; or the trial failed
 *   -EINVAL       the options are invalid
 *   -ENOMEM */
CG_API int cg_tls_new_with(const struct cg_tls_options *options, struct cg_tls **tls);

/* Reads the files again, for new connections; existing ones, and handshakes that have begun
 * in any thread, are not affected. Sessions from before are not resumed. If it fails,
 * nothing changes. Returns what cg_tls_new_with returns; why (may be NULL) is a buffer of
 * CG_TLS_WHY_SIZE bytes. Reads from disk, so it blocks for a moment. From any thread. */
CG_API int cg_tls_reload(struct cg_tls *tls, char *why);

/* Frees a configuration; its connections and handshakes continue. NULL is ignored. */
CG_API void cg_tls_free(struct cg_tls *tls);

/* What was negotiated; for a socket without TLS NULL or false. The texts are the
 * socket's. */
CG_API const char *cg_tls_session_version(const struct cg_sock *sock); /* "TLSv1.3" */
CG_API const char *cg_tls_session_alpn(const struct cg_sock *sock); /* NULL: no protocol */
CG_API bool
cg_tls_session_resumed(const struct cg_sock *sock); /* an earlier session was resumed */

/* The host that the client requested; NULL: none, or an invalid one. */
CG_API const char *cg_tls_session_host(const struct cg_sock *sock);

/* The peer's name in its verified certificate: for a client the name that matches the host;
 * for a server the first of its client's alternative names or, if there are none, the last
 * common name. NULL: unknown. */
CG_API const char *cg_tls_session_peer_name(const struct cg_sock *sock);

/* The alternative name number i (from 0) of the peer's verified certificate, such as
 * "DNS:a.test", "email:a@b.test", "URI:spiffe://a.test/b" or "IP:10.0.0.1". NULL: there are
 * no more. To authorise a client, compare the name including its kind. */
CG_API const char *cg_tls_session_peer_alt(const struct cg_sock *sock, unsigned i);

/* The last TLS failure of this connection in words; "" if there was none. */
CG_API const char *cg_tls_session_error(const struct cg_sock *sock);

CG_EXTERN_C_END
#endif
