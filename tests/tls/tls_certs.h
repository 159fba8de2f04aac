/* SPDX-License-Identifier: MIT */
/* A small authority of the tests' own: certificates are made when a test program begins, in
 * a directory of their own, and are gone when it ends. */
#ifndef COGEN_TESTS_TLS_TLS_CERTS_H
#define COGEN_TESTS_TLS_TLS_CERTS_H

#include <stdbool.h>

struct cert {
    const char *file;   /* its certificate and its key, in the directory */
    const char *name;   /* common name */
    const char *alt;    /* "DNS:site.test,IP:127.0.0.1"; NULL: none */
    const char *issuer; /* file of another one, which comes before it; NULL: itself */
    bool authority;
    int from, to;       /* days from now; both 0: yesterday to tomorrow */
    unsigned rsa;       /* bits of an RSA key; 0: a key on a curve */
    const char *curve;  /* NULL: P-256 */
    const char *digest; /* of the signature; NULL: SHA256 */
    const char *passphrase; /* of the key; NULL: it is not encrypted */
    const char *name2;      /* a second common name, behind the first; NULL: none */
};

/* Makes the directory and in it:
 *   ca.pem        the authority; other_ca.pem: another one
 *   site.pem      site.test, *.site.test, 127.0.0.1
 *   second.pem    second.test
 *   expired.pem   site.test, until yesterday; early.pem: from tomorrow on
 *   self.pem      site.test, by itself
 *   foreign.pem   site.test, by the other authority
 *   deep.pem      site.test, by an authority of ca.pem's, which the file has too
 *   client.pem    "a client"; foreign_client.pem: by the other authority */
void certs_open(void);
void certs_close(void);

/* One more, or another one in its place. */
void certs_make(const struct cert *cert);

/* The content of a file, until the next call. */
const char *cert_text(const char *file);

/* The path of a file, until the sixteenth call after it. */
const char *cert_path(const char *file);

#endif
