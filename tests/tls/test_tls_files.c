/* SPDX-License-Identifier: MIT */
/* Certificates and keys that TLS loads, from files and from memory, and loads again without
 * a restart. What is refused, and with which messages. */
#include "config.h"

#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_main.h"
#include "tests/tls/tls_meeting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Files */

/* Reloaded files are used for the next connection, and open connections go on. A reload
 * that fails changes nothing. */
static ssize_t reloads(void *arg)
{
    struct cert first = {.file = "moving.pem", .name = "first", .alt = "DNS:first.test",
                         .issuer = "ca.pem"};
    struct cert second = {.file = "moving.pem", .name = "second", .alt = "DNS:next.test",
                          .issuer = "ca.pem"};
    struct meeting before = {.host = "first.test"}, after = {.host = "next.test"};
    struct cg_tls *server, *client;
    char why[CG_TLS_WHY_SIZE], byte;
    FILE *file;

    (void)arg;
    certs_make(&first);
    OK(cg_tls_new(&server, .cert = cert_path("moving.pem")));
    OK(cg_tls_new(&client, .ca_file = cert_path("ca.pem")));
    before.server = after.server = server;
    before.client = after.client = client;
    meet(&before);
    IS(before.result[1], 0);
    meet(&after);
    IS(after.result[1], CG_ETLS_HOST);
    part(&after);

    file = fopen(cert_path("moving.pem"), "w");
    fputs("not a certificate\n", file);
    fclose(file);
    IS(cg_tls_reload(server, why), CG_ETLS_FILE);
    ck_assert_ptr_nonnull(strstr(why, "moving.pem"));
    meet(&after);
    IS(after.result[1], CG_ETLS_HOST);
    part(&after);

    certs_make(&second);
    OK(cg_tls_reload(server, why));
    meet(&after);
    IS(after.result[1], 0);
    cg_tls_free(server);
    cg_tls_free(client);
    IS(cg_yield(cg_writeall(before.sock[1], "x", 1)), 1);
    IS(cg_yield(cg_readall(before.sock[0], &byte, 1)), 1);
    part(&before);
    part(&after);
    return 0;
}

/* Returns the result of cg_tls_new for a certificate and its key. If key is NULL, both are
 * in the same file. */
static int loaded(const char *cert, const char *key, char *why)
{
    struct cg_tls *tls = NULL;
    int rc = cg_tls_new(&tls, .cert = cert, .key = key, .why = why);

    ck_assert((rc == 0) == (tls != NULL));
    cg_tls_free(tls);
    return rc;
}

/* OpenSSL decrypts such a certificate if it gets a passphrase. */
static const char encrypted[] = "-----BEGIN CERTIFICATE-----\n"
                                "Proc-Type: 4,ENCRYPTED\n"
                                "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n"
                                "\n"
                                "MTIzNDU2Nzg5MDEyMzQ1Ng==\n"
                                "-----END CERTIFICATE-----\n";

/* Files that are missing, are no certificate, or do not match are refused with a
 * message. */
static ssize_t bad_files(void *arg)
{
    static const struct cert locked = {
        .file = "locked.pem", .name = "site.test", .passphrase = "secret"};
    const char *site = cert_path("site.pem");
    struct cg_tls *tls = NULL;
    char why[CG_TLS_WHY_SIZE];

    (void)arg;
    certs_make(&locked);
    IS(loaded("no/such/file.pem", NULL, why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "no/such/file.pem: No such file or directory");
    IS(loaded("/dev/null", NULL, why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "/dev/null: no certificate in PEM");
    IS(loaded(".", NULL, why), CG_ETLS_FILE);
    ck_assert_str_eq(why, ".: Is a directory");
    IS(loaded(site, "no/such/key.pem", why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "no/such/key.pem: No such file or directory");
    IS(loaded(site, "/dev/null", why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "/dev/null: no private key in PEM");
    IS(loaded(site, ".", why), CG_ETLS_FILE);
    ck_assert_str_eq(why, ".: Is a directory");
    IS(loaded(site, cert_path("second.pem"), why), CG_ETLS_FILE);
    ck_assert_ptr_nonnull(strstr(why, "second.pem: key values mismatch"));
    IS(loaded(cert_path("locked.pem"), NULL, why), CG_ETLS_FILE);
    ck_assert_ptr_nonnull(strstr(why, "locked.pem: the private key is encrypted"));
    IS(cg_tls_new(&tls, .ca_file = "no/such/file.pem", .why = why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "no/such/file.pem: No such file or directory");
    IS(cg_tls_new(&tls, .ca_file = "/dev/null", .why = why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "/dev/null: no certificate in PEM");
    IS(cg_tls_new(&tls, .ca_file = encrypted, .why = why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "PEM in memory: a certificate is encrypted");
    IS(cg_tls_new(&tls, .cert = encrypted, .why = why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "PEM in memory: the certificate is encrypted");
    IS(cg_tls_new(&tls, .ca_path = "no/such/directory", .why = why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "no/such/directory: No such file or directory");
    ck_assert_ptr_null(tls);
    cg_tls_free(NULL);
    return 0;
}

/* A certificate that no handshake would accept is refused when it is loaded or reloaded.
 * Intermediate certificates are checked too. */
static ssize_t weak_certificates(void *arg)
{
    static const struct cert made[] = {
        {.file = "small.pem", .name = "site.test", .rsa = 1024, .issuer = "ca.pem"},
        {.file = "sha1.pem", .name = "site.test", .digest = "SHA1", .issuer = "ca.pem"},
        {.file = "small_ca.pem", .name = "small", .rsa = 1024, .issuer = "ca.pem",
         .authority = true},
        {.file = "below.pem", .name = "site.test", .issuer = "small_ca.pem"},
        {.file = "strong.pem", .name = "site.test", .rsa = 2048, .digest = "SHA384",
         .issuer = "ca.pem"},
        {.file = "p384.pem", .name = "site.test", .curve = "P-384", .issuer = "ca.pem"},
    };
    static const char *const words[] = {"small.pem: ee key too small", "sha1.pem: ca md too weak",
                                        NULL, "below.pem: ca key too small"};
    struct cert live = {.file = "live.pem", .name = "site.test"};
    char why[CG_TLS_WHY_SIZE];
    struct cg_tls *tls;

    (void)arg;
    for (size_t i = 0; i < COUNT(made); i++)
        certs_make(&made[i]);
    for (size_t i = 0; i < COUNT(words); i++) {
        if (words[i] == NULL)
            continue;
        IS(loaded(cert_path(made[i].file), NULL, why), CG_ETLS_FILE);
        ck_assert_msg(strstr(why, words[i]) != NULL, "%s", why);
    }
    OK(loaded(cert_path("strong.pem"), NULL, why));
    OK(loaded(cert_path("p384.pem"), NULL, why));
    certs_make(&live);
    OK(cg_tls_new(&tls, .cert = cert_path("live.pem")));
    live.digest = "SHA1";
    live.issuer = "ca.pem";
    certs_make(&live);
    IS(cg_tls_reload(tls, why), CG_ETLS_FILE);
    ck_assert_msg(strstr(why, "live.pem: ca md too weak") != NULL, "%s", why);
    cg_tls_free(tls);
    return 0;
}

/* Every option that takes a path also takes PEM text. */
static ssize_t from_memory(void *arg)
{
    char *site = strdup(cert_text("site.pem")), *second = strdup(cert_text("second.pem"));
    char *ca = strdup(cert_text("ca.pem")), why[CG_TLS_WHY_SIZE];
    struct cg_tls_pair pairs[] = {{second, NULL}, {NULL, NULL}};
    struct meeting m = {.host = "second.test"};

    (void)arg;
    OK(cg_tls_new(&m.server, .cert = site, .key = site, .pairs = pairs));
    OK(cg_tls_new(&m.client, .ca_file = ca));
    IS(loaded(site, second, why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "PEM in memory: key values mismatch");
    IS(loaded("-----BEGIN NONSENSE-----", NULL, why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "PEM in memory: bad end line");
    free(site);
    free(second);
    free(ca);
    OK(cg_tls_reload(m.server, NULL)); /* the options were copied */
    meet(&m);
    IS(m.result[1], 0);
    part(&m);
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return 0;
}
/* The secrets of each connection are appended to the key log file, if one is set. */
static ssize_t key_log(void *arg)
{
    struct meeting m = {.host = "site.test"};
    char line[512], why[CG_TLS_WHY_SIZE];
    struct cg_tls *tls = NULL;
    unsigned lines = 0;
    FILE *file;

    (void)arg;
    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem"), .key_log = cert_path("log")));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
    for (int i = 0; i < 2; i++) {
        meet(&m);
        IS(m.result[1], 0);
        part(&m);
    }
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    file = fopen(cert_path("log"), "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) != NULL) {
        ck_assert_ptr_nonnull(strchr(line, '\n'));
        lines += strncmp(line, "CLIENT_TRAFFIC_SECRET_0 ", 24) == 0;
    }
    fclose(file);
    unlink(cert_path("log"));
    ck_assert_uint_eq(lines, 2);
    IS(cg_tls_new(&tls, .key_log = "no/such/directory/log", .why = why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "no/such/directory/log: No such file or directory");
    IS(cg_tls_new(&tls, .key_log = "/dev/null", .why = why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "/dev/null: not a regular file");
    ck_assert_ptr_null(tls);
    return 0;
}

static const struct test_case cases[] = {
    CORO(reloads),
    CORO(bad_files),
    CORO(weak_certificates),
    CORO(from_memory),
    CORO(key_log),
};

int main(void)
{
    return tls_main("tls_files", cases, COUNT(cases));
}
