/* SPDX-License-Identifier: MIT */
/* The trusted issuers of TLS: files, directories, the system's store, and what they revoke. */
#include "config.h"

#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_main.h"
#include "tests/tls/tls_meeting.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static X509 *read_cert(const char *file)
{
    BIO *bio = BIO_new_mem_buf(cert_text(file), -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    ck_assert_ptr_nonnull(cert);
    return cert;
}

/* Directories */

/* Copies a certificate as openssl-rehash names it, into the directory of the issuers, which is that
 * of the certificates. */
static void add_to_directory(const char *file)
{
    X509 *cert = read_cert(file);
    char name[32];
    FILE *to;

    snprintf(name, sizeof name, "%08lx.0", X509_subject_name_hash(cert));
    to = fopen(cert_path(name), "w");
    ck_assert_ptr_nonnull(to);
    PEM_write_X509(to, cert);
    fclose(to);
    X509_free(cert);
}

/* A client trusts the issuers in a hashed directory, and no others. */
static ssize_t directory(void *arg)
{
    static const struct {
        const char *cert;
        ssize_t result;
    } cases[] = {{"site.pem", 0}, {"deep.pem", 0}, {"foreign.pem", CG_ETLS_ISSUER}};

    (void)arg;
    add_to_directory("ca.pem");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct meeting m = {.host = "site.test"};

        OK(cg_tls_new(&m.server, .cert = cert_path(cases[i].cert)));
        OK(cg_tls_new(&m.client, .ca_path = cert_path(".")));
        meet(&m);
        IS(m.result[1], cases[i].result);
        part(&m);
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

/* Writes deep.pem to `lone` without the certificate of the intermediate authority. */
static const char *without_issuer(char *lone)
{
    static const char begins[] = "-----BEGIN CERTIFICATE-----";
    static const char ends[] = "-----END CERTIFICATE-----";
    char *second, *end;

    strcpy(lone, cert_text("deep.pem"));
    second = strstr(strstr(lone, begins) + 1, begins);
    ck_assert_ptr_nonnull(second);
    end = strstr(second, ends) + strlen(ends);
    memmove(second, end, strlen(end) + 1);
    return lone;
}

/* A server whose file has only its own certificate also sends the intermediate certificates that
 * it finds among its trusted issuers, in a file or in a directory. It does not look in the system's
 * store. */
static ssize_t lone_certificate(void *arg)
{
    char lone[16384], trusted[16384];

    (void)arg;
    without_issuer(lone);
    strcpy(trusted, cert_text("inter.pem"));
    strcat(trusted, cert_text("ca.pem"));
    add_to_directory("inter.pem");
    for (int with = 0; with <= 2; with++) {
        struct meeting m = {.host = "site.test"};

        OK(cg_tls_new(&m.server, .cert = lone, .ca_file = with == 1 ? trusted : NULL,
                      .ca_path = with == 2 ? cert_path(".") : NULL));
        OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
        meet(&m);
        IS(m.result[1], with ? 0 : CG_ETLS_ISSUER);
        part(&m);
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

/* The system's certificates are read for the first peer that is checked, not by a server that
 * checks nobody. $SSL_CERT_FILE is OpenSSL's name for where they are. */
static ssize_t system_store(void *arg)
{
    struct meeting m = {.host = "site.test"};

    (void)arg;
    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&m.client));
    setenv("SSL_CERT_FILE", cert_path("ca.pem"), 1);
    meet(&m);
    IS(m.result[0], 0);
    IS(m.result[1], 0);
    part(&m);
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    meet(&m);
    IS(m.result[1], 0);
    part(&m);
    cg_tls_free(m.client);
    OK(cg_tls_new(&m.client));
    meet(&m);
    IS(m.result[1], CG_ETLS_ISSUER);
    IS(m.result[0], CG_ETLS_REFUSED);
    ck_assert_ptr_nonnull(strstr(m.why[0], "unknown ca"));
    part(&m);
    unsetenv("SSL_CERT_FILE");
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return 0;
}

/* Revocation */

/* Appends to `text` the list of an issuer, which revokes a certificate (NULL: none) and is valid
 * until tomorrow, or until yesterday. */
static void append_list(char *text, const char *issuer, const char *revoked, bool valid)
{
    BIO *in = BIO_new_mem_buf(cert_text(issuer), -1), *out = BIO_new(BIO_s_mem());
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    X509 *cert = read_cert(issuer), *gone = revoked != NULL ? read_cert(revoked) : NULL;
    ASN1_TIME *from = X509_gmtime_adj(NULL, -200000);
    ASN1_TIME *to = X509_gmtime_adj(NULL, valid ? 90000 : -90000);
    X509_CRL *list = X509_CRL_new();
    char *pem;
    long size;

    X509_CRL_set_version(list, 1);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(cert));
    X509_CRL_set1_lastUpdate(list, from);
    X509_CRL_set1_nextUpdate(list, to);
    if (gone != NULL) {
        X509_REVOKED *entry = X509_REVOKED_new();

        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(gone));
        X509_REVOKED_set_revocationDate(entry, from);
        X509_CRL_add0_revoked(list, entry);
    }
    ck_assert_int_gt(X509_CRL_sign(list, key, EVP_sha256()), 0);
    PEM_write_bio_X509_CRL(out, list);
    size = BIO_get_mem_data(out, &pem);
    strncat(text, pem, (size_t)size);
    X509_CRL_free(list);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    X509_free(cert);
    X509_free(gone);
    EVP_PKEY_free(key);
    BIO_free(in);
    BIO_free(out);
}

/* A list among the trusted issuers is checked, for each certificate in the peer's chain, on both
 * sides. */
static ssize_t revocation(void *arg)
{
    static const struct {
        const char *cert; /* of both sides */
        const char *revoked_by_ca, *revoked_by_inter;
        bool lists[2], valid; /* whether the authority and the one between have lists */
        const char *why;      /* NULL: accepted */
    } cases[] = {
        {"site.pem", NULL, NULL, {true, false}, true, NULL},
        {"site.pem", "second.pem", NULL, {true, false}, true, NULL},
        {"site.pem", "site.pem", NULL, {true, false}, true, "certificate revoked"},
        {"site.pem", NULL, NULL, {true, false}, false, "CRL has expired"},
        {"deep.pem", NULL, NULL, {true, true}, true, NULL},
        {"deep.pem", NULL, "deep.pem", {true, true}, true, "certificate revoked"},
        {"deep.pem", "inter.pem", NULL, {true, true}, true, "certificate revoked"},
        {"deep.pem", NULL, NULL, {true, false}, true, "unable to get certificate CRL"},
    };

    (void)arg;
    for (size_t i = 0; i < 2 * COUNT(cases); i++) {
        struct meeting m = {.host = "site.test"};
        bool server = i % 2;
        char text[16384];
        ssize_t wanted = cases[i / 2].why != NULL ? CG_ETLS_CERT : 0;

        strcpy(text, cert_text("ca.pem"));
        if (cases[i / 2].lists[0])
            append_list(text, "ca.pem", cases[i / 2].revoked_by_ca, cases[i / 2].valid);
        if (cases[i / 2].lists[1])
            append_list(text, "inter.pem", cases[i / 2].revoked_by_inter, cases[i / 2].valid);
        OK(cg_tls_new(&m.server, .cert = cert_path(server ? "site.pem" : cases[i / 2].cert),
                      .ca_file = text, .verify_client = server ? CG_TLS_REQUIRED : CG_TLS_ANYONE));
        OK(cg_tls_new(&m.client, .ca_file = server ? cert_path("ca.pem") : text,
                      .cert = server ? cert_path(cases[i / 2].cert) : NULL));
        meet(&m);
        ck_assert_msg(m.result[!server] == wanted, "case %zu: %zd %s", i, m.result[!server],
                      m.why[!server]);
        if (wanted < 0)
            ck_assert_str_eq(m.why[!server], cases[i / 2].why);
        part(&m);
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(directory),
        CORO(lone_certificate),
        CORO(system_store),
        CORO(revocation),
    };

    return tls_main("tls_issuers", cases, COUNT(cases));
}
