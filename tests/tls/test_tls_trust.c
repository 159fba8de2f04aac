/* SPDX-License-Identifier: MIT */
/* What TLS trusts: a client trusts no certificate without an authority, and its error says
 * why. A server selects a certificate, and may require one from its clients. */
#include "config.h"

#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_main.h"
#include "tests/tls/tls_meeting.h"
#include "tls/tls.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

/* Returns the result of a handshake with a server's certificate. The client trusts ca.pem,
 * or is insecure. */
static ssize_t verdict(const char *cert, const char *host, bool insecure, char *why)
{
    struct meeting m = {.host = host};

    OK(cg_tls_new(&m.server, .cert = cert_path(cert)));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem"), .insecure = insecure));
    meet(&m);
    if (m.result[1] == 0) {
        const char *name = cg_tls_session_peer_name(m.sock[1]);

        IS(m.result[0], 0);
        ck_assert(insecure ? name == NULL : name != NULL);
    }
    part(&m);
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    if (why != NULL)
        strcpy(why, m.why[1]);
    return m.result[1];
}

/* Clients */

/* Each defect of a certificate has an error code and a message. An insecure client ignores
 * them all. */
static ssize_t verdicts(void *arg)
{
    char why[CG_TLS_WHY_SIZE];

    (void)arg;
    IS(verdict("site.pem", "site.test", false, NULL), 0);
    IS(verdict("site.pem", "www.site.test", false, NULL), 0);
    IS(verdict("site.pem", "127.0.0.1", false, NULL), 0);
    IS(verdict("deep.pem", "site.test", false, NULL), 0);
    IS(verdict("site.pem", "other.test", false, why), CG_ETLS_HOST);
    ck_assert_str_eq(why, "hostname mismatch");
    IS(verdict("site.pem", "a.b.site.test", false, NULL), CG_ETLS_HOST);
    IS(verdict("site.pem", "127.0.0.2", false, why), CG_ETLS_HOST);
    ck_assert_str_eq(why, "IP address mismatch");
    IS(verdict("expired.pem", "site.test", false, why), CG_ETLS_EXPIRED);
    ck_assert_str_eq(why, "certificate has expired");
    IS(verdict("early.pem", "site.test", false, NULL), CG_ETLS_EXPIRED);
    IS(verdict("self.pem", "site.test", false, why), CG_ETLS_ISSUER);
    ck_assert_ptr_nonnull(strstr(why, "self-signed"));
    IS(verdict("foreign.pem", "site.test", false, NULL), CG_ETLS_ISSUER);
    IS(verdict("expired.pem", "other.test", true, NULL), 0);
    IS(verdict("self.pem", NULL, true, NULL), 0);
    return 0;
}

/* A host is a whole name or an address. Text that only resembles one is refused before the
 * comparison, since OpenSSL would take it for something else. */
static ssize_t hosts(void *arg)
{
    static const struct {
        const char *host;
        ssize_t result;
        const char *name; /* the host name that the server gets; NULL: none */
    } cases[] = {
        {"site.test", 0, "site.test"},
        {"SITE.test.", 0, "SITE.test"},
        {"www.site.test.", 0, "www.site.test"},
        {"127.0.0.1", 0, NULL},
        {"127.0.0.1.", 0, NULL},
        {"::1", CG_ETLS_HOST, NULL},
        {"fe80::1%eth0", 0, NULL},
        {"", -EINVAL, NULL},
        {".", -EINVAL, NULL},
        {".site.test", -EINVAL, NULL},
        {".test", -EINVAL, NULL},
        {"site.test..", -EINVAL, NULL},
        {"site..test", -EINVAL, NULL},
        {"*.site.test", -EINVAL, NULL},
        {"[::1]", -EINVAL, NULL},
        {"site.test%eth0", -EINVAL, NULL},
        {"%site.test", -EINVAL, NULL},
        {"site.test%::1", -EINVAL, NULL},
        {"127.0.0.1%lo", -EINVAL, NULL},
        {"site.test:443", -EINVAL, NULL},
        {"site.test/", -EINVAL, NULL},
        {"si te.test", -EINVAL, NULL},
        {"s\303\255te.test", -EINVAL, NULL},
    };
    struct cert cert = {.file = "hosts.pem", .name = "site.test", .issuer = "ca.pem",
                        .alt = "DNS:site.test,DNS:*.site.test,DNS:evil.test,DNS:*.test,"
                               "IP:127.0.0.1,IP:fe80::1"};

    (void)arg;
    certs_make(&cert);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct meeting m = {.host = cases[i].host};
        const char *name;

        OK(cg_tls_new(&m.server, .cert = cert_path("hosts.pem")));
        OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
        meet(&m);
        ck_assert_msg(m.result[1] == cases[i].result, "%s: %zd %s", cases[i].host,
                      m.result[1], m.why[1]);
        if (m.result[1] == -EINVAL)
            ck_assert_int_eq(strncmp(m.why[1], "host: ", 6), 0);
        name = m.result[0] == 0 ? cg_tls_session_host(m.sock[0]) : NULL;
        ck_assert((name == NULL) == (cases[i].name == NULL));
        if (name != NULL)
            ck_assert_str_eq(name, cases[i].name);
        part(&m);
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

/* A name has at most 253 bytes, each label at most 63. */
static ssize_t long_hosts(void *arg)
{
    char host[512], why[CG_TLS_WHY_SIZE];

    (void)arg;
    memset(host, 'a', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    IS(verdict("site.pem", host, false, why), -EINVAL);
    ck_assert_str_eq(why, "host: longer than a name can be");
    host[64] = '\0';
    IS(verdict("site.pem", host, false, NULL), -EINVAL);
    host[63] = '\0';
    IS(verdict("site.pem", host, false, NULL), CG_ETLS_HOST);
    return 0;
}

/* A server may refuse hosts that it has no certificate for. */
static ssize_t strict_sni(void *arg)
{
    static const struct {
        const char *host;
        bool accepted;
    } cases[] = {{"site.test", true},    {"www.site.test", true}, {"SITE.TEST.", true},
                 {"other.test", false}, {"127.0.0.1", false},    {NULL, false}};

    (void)arg;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct meeting m = {.host = cases[i].host};

        OK(cg_tls_new(&m.server, .cert = cert_path("site.pem"), .strict_sni = true));
        OK(cg_tls_new(&m.client, .insecure = true));
        meet(&m);
        IS(m.result[0], cases[i].accepted ? 0 : CG_ETLS_HOST);
        IS(m.result[1], cases[i].accepted ? 0 : CG_ETLS_REFUSED);
        if (!cases[i].accepted) {
            ck_assert_str_eq(m.why[0], "the client names no host of this server");
            ck_assert_ptr_nonnull(strstr(m.why[1], "unrecognized name"));
        }
        part(&m);
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

/* The pin of a certificate, in a buffer that the next call overwrites. */
static const char *pin_of(const char *file)
{
    static char text[64] = "sha256//";
    BIO *bio = BIO_new_mem_buf(cert_text(file), -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    unsigned char *der = NULL, digest[32];
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

    IS(EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL), 1);
    EVP_EncodeBlock((unsigned char *)text + 8, digest, sizeof digest);
    OPENSSL_free(der);
    X509_free(cert);
    BIO_free(bio);
    return text;
}

static ssize_t pinned(const char *pins, bool insecure, const char *host, ssize_t *server)
{
    struct meeting m = {.host = host};
    char why[CG_TLS_WHY_SIZE];

    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem"), .insecure = insecure,
                  .pins = pins));
    snprintf(why, sizeof why, "the public key of the certificate is not pinned: %s",
             pin_of("site.pem"));
    for (int i = 0; i < 2; i++) { /* the second handshake may resume the session */
        meet(&m);
        if (m.result[1] == CG_ETLS_PIN)
            ck_assert_str_eq(m.why[1], why);
        part(&m);
    }
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    *server = m.result[0];
    return m.result[1];
}

/* Pins are public keys, one of which the server must have, besides a certificate that is valid;
 * an insecure client checks nothing else. */
static ssize_t pins(void *arg)
{
    static const char *const wrong[] = {"", ";", "sha256//", "sha1//abc", "sha256//AAAA"};
    static const char other[] = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    char both[160], why[CG_TLS_WHY_SIZE];
    struct cg_tls *tls;
    ssize_t server;

    (void)arg;
    snprintf(both, sizeof both, "%s; %s;", other, pin_of("site.pem"));
    IS(pinned(pin_of("site.pem"), false, "site.test", &server), 0);
    IS(server, 0);
    IS(pinned(both, false, "site.test", &server), 0);
    IS(pinned(other, false, "site.test", &server), CG_ETLS_PIN);
    ck_assert_int_lt(server, 0);
    IS(pinned(both, false, "other.test", &server), CG_ETLS_HOST);
    IS(pinned(both, true, "other.test", &server), 0);
    IS(pinned(other, true, NULL, &server), CG_ETLS_PIN);
    IS(pinned(pin_of("ca.pem"), false, "site.test", &server), CG_ETLS_PIN);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        IS(cg_tls_new(&tls, .pins = wrong[i], .why = why), -EINVAL);
        ck_assert_str_eq(why, "pins: not a list of sha256//BASE64");
    }
    return 0;
}

/* Servers */

/* A server with several certificates sends the one for the requested host, or else the
 * first. */
static ssize_t by_name(void *arg)
{
    const struct cg_tls_pair pairs[] = {
        {cert_path("second.pem"), NULL},
        {cert_path("deep.pem"), cert_path("deep.pem")},
        {NULL, NULL},
    };
    static const struct {
        const char *host, *name;
        ssize_t result;
    } cases[] = {
        {"second.test", "second.test", 0},
        {"site.test", "site.test", 0},
        {"www.site.test", "*.site.test", 0},
        {"third.test", NULL, CG_ETLS_HOST},
    };

    (void)arg;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct meeting m = {.host = cases[i].host};

        OK(cg_tls_new(&m.server, .cert = cert_path("foreign_client.pem"), .pairs = pairs));
        OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
        if (cases[i].result < 0) { /* the first one, which is not trusted */
            meet(&m);
            ck_assert_int_lt(m.result[1], 0);
        } else {
            meet(&m);
            IS(m.result[1], 0);
            ck_assert_str_eq(cg_tls_session_peer_name(m.sock[1]), cases[i].name);
            ck_assert_str_eq(cg_tls_session_host(m.sock[0]), cases[i].host);
        }
        part(&m);
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

/* Which certificates of clients a server accepts, in both versions of TLS. It gets the client's
 * name, or refuses the client, which gets an error that says so. */
static ssize_t client_certificates(void *arg)
{
    static const struct {
        const char *cert;
        enum cg_tls_verify verify;
        ssize_t result;
        const char *name;
    } cases[] = {
        {"client.pem", CG_TLS_ANYONE, 0, NULL},
        {"client.pem", CG_TLS_IF_GIVEN, 0, "a client"},
        {"client.pem", CG_TLS_REQUIRED, 0, "a client"},
        {NULL, CG_TLS_IF_GIVEN, 0, NULL},
        {NULL, CG_TLS_REQUIRED, CG_ETLS_CERT, NULL},
        {"foreign_client.pem", CG_TLS_ANYONE, 0, NULL},
        {"foreign_client.pem", CG_TLS_IF_GIVEN, CG_ETLS_ISSUER, NULL},
        {"foreign_client.pem", CG_TLS_REQUIRED, CG_ETLS_ISSUER, NULL},
        {"expired.pem", CG_TLS_IF_GIVEN, CG_ETLS_EXPIRED, NULL},
        {"early.pem", CG_TLS_REQUIRED, CG_ETLS_EXPIRED, NULL},
    };

    (void)arg;
    for (size_t i = 0; i < 2 * COUNT(cases); i++) {
        const char *cert = cases[i / 2].cert, *name = NULL;
        struct meeting m = {.host = "site.test"};

        OK(cg_tls_new(&m.server, .cert = cert_path("site.pem"),
                      .ca_file = cert_path("ca.pem"), .verify_client = cases[i / 2].verify));
        OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem"),
                      .cert = cert ? cert_path(cert) : NULL));
        if (i % 2)
            SSL_CTX_set_max_proto_version(m.client->keys->context, TLS1_2_VERSION);
        meet(&m);
        ck_assert_msg(m.result[0] == cases[i / 2].result, "case %zu: %zd", i, m.result[0]);
        IS(m.result[1], m.result[0] < 0 ? CG_ETLS_REFUSED : 0);
        if (m.result[0] == 0)
            name = cg_tls_session_peer_name(m.sock[0]);
        ck_assert((name == NULL) == (cases[i / 2].name == NULL));
        if (name != NULL)
            ck_assert_str_eq(name, cases[i / 2].name);
        part(&m);
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

/* The names of a client are its alternative names, each with its type. The common name
 * counts only if there are none, and the last one of several. */
static ssize_t client_names(void *arg)
{
    static const struct {
        const char *name, *name2, *alt;
        const char *peer, *first, *second;
    } cases[] = {
        {"admin", NULL, NULL, "admin", NULL, NULL},
        {"admin", "bob", NULL, "bob", NULL, NULL},
        {"admin", NULL, "DNS:a.test,IP:10.0.0.1", "a.test", "DNS:a.test", "IP:10.0.0.1"},
        {"admin", NULL, "email:bob@a.test,URI:spiffe://a.test/bob", "bob@a.test",
         "email:bob@a.test", "URI:spiffe://a.test/bob"},
        {"admin", NULL, "IP:fe80::1", "fe80::1", "IP:fe80::1", NULL},
        {"admin", NULL, "DNS:a b.test,DNS:c.test", "c.test", "DNS:c.test", NULL},
        {"a\nb", NULL, NULL, NULL, NULL, NULL},
    };

    (void)arg;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cert cert = {.file = "named.pem", .name = cases[i].name,
                            .name2 = cases[i].name2, .alt = cases[i].alt,
                            .issuer = "ca.pem"};
        const char *expected[] = {cases[i].peer, cases[i].first, cases[i].second, NULL};
        struct meeting m = {.host = "site.test"};

        certs_make(&cert);
        OK(cg_tls_new(&m.server, .cert = cert_path("site.pem"),
                      .ca_file = cert_path("ca.pem"), .verify_client = CG_TLS_REQUIRED));
        OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem"),
                      .cert = cert_path("named.pem")));
        meet(&m);
        IS(m.result[0], 0);
        for (unsigned j = 0; j < COUNT(expected); j++) {
            const char *got = j == 0 ? cg_tls_session_peer_name(m.sock[0])
                                     : cg_tls_session_peer_alt(m.sock[0], j - 1);

            ck_assert_msg((got == NULL) == (expected[j] == NULL), "case %zu, %u", i, j);
            if (got != NULL)
                ck_assert_str_eq(got, expected[j]);
        }
        ck_assert_str_eq(cg_tls_session_peer_alt(m.sock[1], 0), "DNS:site.test");
        part(&m);
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

static const struct test_case cases[] = {
    CORO(verdicts),
    CORO(hosts),
    CORO(long_hosts),
    CORO(strict_sni),
    CORO(client_names),
    CORO(pins),
    CORO(by_name),
    CORO(client_certificates),
};

int main(void)
{
    return tls_main("tls_trust", cases, COUNT(cases));
}
