/* SPDX-License-Identifier: MIT */
/* What a TLS handshake agrees on: protocols, versions, groups, ciphers. */
#include "config.h"

#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_main.h"
#include "tests/tls/tls_meeting.h"
#include "tls/conn.h"

#include <cogen/transport.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Protocols */

static ssize_t agreed(const char *server, const char *client, char *protocol)
{
    struct meeting m = {.host = "site.test"};

    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem"), .alpn = server));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem"), .alpn = client));
    meet(&m);
    *protocol = '\0';
    if (m.result[1] == 0 && cg_tls_session_alpn(m.sock[1])) {
        strcpy(protocol, cg_tls_session_alpn(m.sock[1]));
        ck_assert_str_eq(cg_tls_session_alpn(m.sock[0]), protocol);
    }
    part(&m);
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return m.result[1];
}

/* The server's order decides. Without a common protocol the handshake fails. A client that
 * offers none gets none. */
static ssize_t protocols(void *arg)
{
    char protocol[64];

    (void)arg;
    IS(agreed("h2,http/1.1", "http/1.1,h2", protocol), 0);
    ck_assert_str_eq(protocol, "h2");
    IS(agreed("http/1.1", "h2,http/1.1", protocol), 0);
    ck_assert_str_eq(protocol, "http/1.1");
    IS(agreed("http/1.1", NULL, protocol), 0);
    ck_assert_str_eq(protocol, "");
    IS(agreed(NULL, "h2", protocol), 0);
    ck_assert_str_eq(protocol, "");
    IS(agreed("h2", "http/1.1", protocol), CG_ETLS_REFUSED);
    return 0;
}

/* TLS 1.2 is the lowest version. A client that offers less is refused. */
static ssize_t lowest_version(void *arg)
{
    static const int versions[] = {TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
    static const char *const names[] = {NULL, "TLSv1.2", "TLSv1.3"};

    (void)arg;
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct meeting m = {.host = "site.test"};

        OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
        OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
        SSL_CTX_set_min_proto_version(m.client->keys->context, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(m.client->keys->context, versions[i]);
        meet(&m);
        if (names[i] != NULL) {
            IS(m.result[1], 0);
            ck_assert_str_eq(cg_tls_session_version(m.sock[1]), names[i]);
        } else {
            ck_assert_int_lt(m.result[1], 0);
            ck_assert_int_lt(m.result[0], 0);
        }
        part(&m);
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

/* Options */

/* Makes a handshake of two configurations and returns its result. *cipher and *group are
 * what was agreed on. */
static ssize_t shaken(const struct cg_tls_options *server, const struct cg_tls_options *client,
                      const char **cipher, int *group)
{
    struct meeting m = {.host = "site.test"};

    OK(cg_tls_new_with(server, &m.server));
    OK(cg_tls_new_with(client, &m.client));
    meet(&m);
    if (m.result[1] == 0) {
        SSL *ssl = ((struct cg__tls_conn *)cg_sock_state(m.sock[1]))->ssl;

        *cipher = SSL_get_cipher_name(ssl);
        *group = (int)SSL_get_negotiated_group(ssl);
    }
    part(&m);
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return m.result[1];
}

/* Without an option only groups on curves that are cheap to compute are agreed on. */
static ssize_t groups(void *arg)
{
    static const struct {
        const char *server, *client;
        int group; /* 0: none */
    } cases[] = {
        {NULL, NULL, NID_X25519},
        {NULL, "P-384:P-256", NID_secp384r1}, /* the client sends a key share for P-384 */
        {NULL, "P-521", 0},
        {NULL, "ffdhe2048", 0},
        {NULL, "ffdhe8192", 0},
        {"P-521:X25519", "P-521:X25519", NID_secp521r1},
        {"ffdhe2048", "ffdhe2048", NID_ffdhe2048},
    };

    (void)arg;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cg_tls_options server = {.cert = cert_path("site.pem"),
                                        .groups = cases[i].server};
        struct cg_tls_options client = {.ca_file = cert_path("ca.pem"),
                                        .groups = cases[i].client};
        const char *cipher;
        int group = 0;
        ssize_t n = shaken(&server, &client, &cipher, &group);

        ck_assert_msg((n == 0) == (cases[i].group != 0), "case %zu: %zd", i, n);
        if (n == 0)
            ck_assert_msg(group == cases[i].group, "case %zu: group %d", i, group);
    }
    return 0;
}

/* The ciphers of TLS 1.2 and the suites of TLS 1.3 can be set. The server's order decides,
 * unless an option says otherwise; its own begins with AES of 128 bits. Without an option there
 * is always forward secrecy. */
static ssize_t suites(void *arg)
{
#define SUITE128 "TLS_AES_128_GCM_SHA256"
#define SUITE256 "TLS_AES_256_GCM_SHA384"
    static const struct {
        const char *server, *client;
        bool client_order;
        const char *suite;
    } cases[] = {
        {NULL, SUITE256 ":" SUITE128, false, SUITE128},
        {NULL, SUITE256 ":" SUITE128, true, SUITE256},
        {SUITE256 ":" SUITE128, NULL, false, SUITE256},
        {SUITE256 ":" SUITE128, NULL, true, SUITE128},
    };

    (void)arg;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cg_tls_options server = {.cert = cert_path("site.pem"),
                                        .suites = cases[i].server,
                                        .client_order = cases[i].client_order};
        struct cg_tls_options client = {.ca_file = cert_path("ca.pem"),
                                        .suites = cases[i].client};
        const char *cipher = NULL;
        int group;

        IS(shaken(&server, &client, &cipher, &group), 0);
        ck_assert_str_eq(cipher, cases[i].suite);
    }
    return 0;
}

/* The test keeps to TLS 1.2, where the lists of ciphers apply. */
static ssize_t ciphers(void *arg)
{
#define AES128 "ECDHE-ECDSA-AES128-GCM-SHA256"
#define AES256 "ECDHE-ECDSA-AES256-GCM-SHA384"
    static const struct {
        const char *server, *client;
        bool client_order;
        const char *cipher; /* NULL: none */
    } cases[] = {
        {AES128 ":" AES256, AES256 ":" AES128, false, AES128},
        {AES128 ":" AES256, AES256 ":" AES128, true, AES256},
        {NULL, "AES128-GCM-SHA256:AES128-SHA", false, NULL}, /* no forward secrecy */
        {NULL, "DHE-RSA-AES128-GCM-SHA256", false, NULL},
        {NULL, "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256", false,
         "ECDHE-RSA-AES128-GCM-SHA256"},
    };
    struct cert rsa = {.file = "rsa.pem", .name = "site.test", .alt = "DNS:site.test",
                       .issuer = "ca.pem", .rsa = 2048};

    (void)arg;
    certs_make(&rsa);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct meeting m = {.host = "site.test"};

        OK(cg_tls_new(&m.server, .cert = cert_path(i < 2 ? "site.pem" : "rsa.pem"),
                      .ciphers = cases[i].server, .client_order = cases[i].client_order));
        OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem"),
                      .ciphers = cases[i].client));
        SSL_CTX_set_max_proto_version(m.client->keys->context, TLS1_2_VERSION);
        meet(&m);
        if (cases[i].cipher != NULL) {
            IS(m.result[1], 0);
            ck_assert_str_eq(
                SSL_get_cipher_name(((struct cg__tls_conn *)cg_sock_state(m.sock[1]))->ssl),
                cases[i].cipher);
        } else {
            ck_assert_int_lt(m.result[1], 0);
        }
        part(&m);
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

/* A server with keys of two kinds shows the certificate of the host that the client names, also if
 * the other kind would suit the client as well. */
static ssize_t kinds_of_keys(void *arg)
{
    struct cert rsa = {.file = "rsa.pem", .name = "rsa.test", .alt = "DNS:rsa.test",
                       .issuer = "ca.pem", .rsa = 2048};
    static const char *const hosts[] = {"site.test", "rsa.test"};

    (void)arg;
    certs_make(&rsa);
    for (int i = 0; i < 4; i++) {
        struct cg_tls_pair pairs[] = {{cert_path(i < 2 ? "rsa.pem" : "site.pem"), NULL},
                                      {NULL, NULL}};
        struct meeting m = {.host = hosts[i % 2]};

        OK(cg_tls_new(&m.server, .cert = cert_path(i < 2 ? "site.pem" : "rsa.pem"),
                      .pairs = pairs));
        OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
        meet(&m);
        IS(m.result[1], 0);
        part(&m);
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

/* The lowest version can be set. */
static ssize_t min_version(void *arg)
{
    struct meeting m = {.host = "site.test"};

    (void)arg;
    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem"), .min_version = CG_TLS_1_3));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
    meet(&m);
    IS(m.result[1], 0);
    part(&m);
    SSL_CTX_set_max_proto_version(m.client->keys->context, TLS1_2_VERSION);
    meet(&m);
    IS(m.result[1], CG_ETLS_REFUSED);
    part(&m);
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return 0;
}

/* Invalid options are refused with a message that names them. */
static ssize_t bad_options(void *arg)
{
    static const struct {
        struct cg_tls_options options;
        const char *why;
    } cases[] = {
        {{.key = "key.pem"}, "key: without a cert"},
        {{.alpn = "h2,,http/1.1"}, "alpn: not a list of protocols"},
        {{.alpn = "h2,"}, "alpn: not a list of protocols"},
        {{.verify_client = 7}, "verify_client: unknown value"},
        {{.min_version = 7}, "min_version: unknown value"},
        {{.groups = "P-257"}, "groups: unknown to OpenSSL"},
        {{.groups = ""}, "groups: unknown to OpenSSL"},
        {{.ciphers = "NONSENSE"}, "ciphers: none that OpenSSL knows"},
        {{.ciphers = ""}, "ciphers: none that OpenSSL knows"},
        {{.suites = "NONSENSE"}, "suites: unknown to OpenSSL"},
        {{.suites = ""}, "suites: unknown to OpenSSL"},
    };

    (void)arg;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cg_tls_options options = cases[i].options;
        struct cg_tls *tls = NULL;
        char why[CG_TLS_WHY_SIZE];

        options.why = why;
        ck_assert_msg(cg_tls_new_with(&options, &tls) == -EINVAL, "case %zu", i);
        ck_assert_str_eq(why, cases[i].why);
        ck_assert_ptr_null(tls);
    }
    return 0;
}

static ssize_t no_options(void *arg)
{
    struct cg_tls *tls;

    (void)arg;
    OK(cg_tls_new_with(NULL, &tls));
    cg_tls_free(tls);
    return 0;
}

static const struct test_case cases[] = {
    CORO(protocols),
    CORO(lowest_version),
    CORO(groups),
    CORO(suites),
    CORO(ciphers),
    CORO(kinds_of_keys),
    CORO(min_version),
    CORO(bad_options),
    CORO(no_options),
};

int main(void)
{
    return tls_main("tls_offers", cases, COUNT(cases));
}
