/* SPDX-License-Identifier: MIT */
/* A small certificate authority for the tests. */
#include "config.h"

#include "tests/tls/tls_certs.h"

#include <assert.h>
#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DAY = 24 * 60 * 60 };

static char dir[] = "tls-certs-XXXXXX"; /* in the build directory */

const char *cert_path(const char *file)
{
    static char paths[16][512];
    static unsigned at;
    char *path = paths[at++ % 16];

    snprintf(path, sizeof paths[0], "%s/%s", dir, file);
    return path;
}

static FILE *open_file(const char *file, const char *mode)
{
    FILE *stream = fopen(cert_path(file), mode);

    assert(stream != NULL);
    return stream;
}

const char *cert_text(const char *file)
{
    static char text[16 * 1024];
    FILE *stream = open_file(file, "r");

    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    return text;
}

static void extend(X509 *cert, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    assert(extension != NULL);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

static void set_names(X509 *x, const struct cert *cert, X509 *issuer)
{
    X509_NAME *name = X509_get_subject_name(x);
    int64_t serial = 0;

    RAND_bytes((unsigned char *)&serial, 6);
    X509_set_version(x, 2);
    ASN1_INTEGER_set_int64(X509_get_serialNumber(x), serial);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cert->name,
                               -1, -1, 0);
    if (cert->name2 != NULL)
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   (const unsigned char *)cert->name2, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer));
    if (cert->from == cert->to) {
        X509_gmtime_adj(X509_getm_notBefore(x), -DAY);
        X509_gmtime_adj(X509_getm_notAfter(x), DAY);
    } else {
        X509_gmtime_adj(X509_getm_notBefore(x), (long)cert->from * DAY);
        X509_gmtime_adj(X509_getm_notAfter(x), (long)cert->to * DAY);
    }
}

static EVP_PKEY *make_key(const struct cert *cert)
{
    if (cert->rsa > 0)
        return EVP_RSA_gen(cert->rsa);
    return EVP_EC_gen(cert->curve != NULL ? cert->curve : "P-256");
}

static void write_key(FILE *file, EVP_PKEY *key, const char *passphrase)
{
    PEM_write_PrivateKey(file, key, passphrase != NULL ? EVP_aes_128_cbc() : NULL, NULL, 0,
                         NULL, (void *)passphrase);
}

void certs_make(const struct cert *cert)
{
    const char *digest = cert->digest != NULL ? cert->digest : "SHA256";
    EVP_PKEY *key = make_key(cert), *issuer_key = key;
    X509 *x = X509_new(), *issuer = x;
    FILE *file;

    if (cert->issuer != NULL) {
        file = open_file(cert->issuer, "r");
        issuer = PEM_read_X509(file, NULL, NULL, NULL);
        rewind(file);
        issuer_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        fclose(file);
    }
    assert(key != NULL && issuer != NULL && issuer_key != NULL);
    set_names(x, cert, issuer);
    X509_set_pubkey(x, key);
    extend(x, issuer, NID_basic_constraints,
           cert->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (cert->alt != NULL)
        extend(x, issuer, NID_subject_alt_name, cert->alt);
    assert(X509_sign(x, issuer_key, EVP_get_digestbyname(digest)) > 0);
    file = open_file(cert->file, "w");
    PEM_write_X509(file, x);
    /* An issuer that is not a root is sent along with what it has signed. */
    if (issuer != x && X509_NAME_cmp(X509_get_subject_name(issuer),
                                     X509_get_issuer_name(issuer)) != 0)
        PEM_write_X509(file, issuer);
    write_key(file, key, cert->passphrase);
    fclose(file);
    if (issuer != x) {
        X509_free(issuer);
        EVP_PKEY_free(issuer_key);
    }
    X509_free(x);
    EVP_PKEY_free(key);
}

void certs_open(void)
{
    static const char site[] = "DNS:site.test,DNS:*.site.test,IP:127.0.0.1";
    static const struct cert certs[] = {
        {.file = "ca.pem", .name = "An authority", .authority = true},
        {.file = "other_ca.pem", .name = "Another authority", .authority = true},
        {.file = "inter.pem", .name = "Between", .issuer = "ca.pem", .authority = true},
        {.file = "site.pem", .name = "site.test", .alt = site, .issuer = "ca.pem"},
        {.file = "second.pem", .name = "second.test", .alt = "DNS:second.test",
         .issuer = "ca.pem"},
        {.file = "expired.pem", .name = "site.test", .alt = site, .issuer = "ca.pem",
         .from = -2, .to = -1},
        {.file = "early.pem", .name = "site.test", .alt = site, .issuer = "ca.pem",
         .from = 1, .to = 2},
        {.file = "self.pem", .name = "site.test", .alt = site},
        {.file = "foreign.pem", .name = "site.test", .alt = site,
         .issuer = "other_ca.pem"},
        {.file = "deep.pem", .name = "site.test", .alt = site, .issuer = "inter.pem"},
        {.file = "client.pem", .name = "a client", .issuer = "ca.pem"},
        {.file = "foreign_client.pem", .name = "a stranger", .issuer = "other_ca.pem"},
    };

    if (mkdtemp(dir) == NULL) {
        perror(dir);
        exit(1);
    }
    for (size_t i = 0; i < sizeof certs / sizeof certs[0]; i++)
        certs_make(&certs[i]);
}

void certs_close(void)
{
    DIR *files = opendir(dir);
    struct dirent *entry;

    while (files != NULL && (entry = readdir(files)) != NULL)
        if (entry->d_name[0] != '.')
            unlink(cert_path(entry->d_name));
    if (files != NULL)
        closedir(files);
    rmdir(dir);
}
