/* SPDX-License-Identifier: MIT */
/* A small certificate authority for the tests. The certificates are made when a test
 * program starts, in a directory of their own, and are deleted when it ends. */
#ifndef COGEN_TESTS_TLS_TLS_CERTS_H
#define COGEN_TESTS_TLS_TLS_CERTS_H

#include <stdbool.h>

struct cert {
    const char *file;   /* file name of the certificate and its key */
    const char *name;   /* common name */
    const char *alt;    /* "DNS:site.test,IP:127.0.0.1"; NULL: none */
    const char *issuer; /* file of the issuer, which is made before; NULL: self-signed */
    bool authority;
    int from, to;       /* days from now; both 0: yesterday to tomorrow */
    unsigned rsa;       /* bits of an RSA key; 0: a key on a curve */
    const char *curve;  /* NULL: P-256 */
    const char *digest; /* of the signature; NULL: SHA256 */
    const char *passphrase; /* of the key; NULL: it is not encrypted */
    const char *name2;      /* a second common name, after the first; NULL: none */
};

/* Makes the directory with these files (host names, then what is special):
 *   ca.pem        the authority; other_ca.pem: another one
 *   site.pem      site.test, *.site.test, 127.0.0.1
 *   second.pem    second.test
 *   expired.pem   site.test, expired yesterday; early.pem: valid from tomorrow
 *   self.pem      site.test, self-signed
 *   foreign.pem   site.test, signed by the other authority
 *   deep.pem      site.test, signed by an intermediate authority, which is in the file too
 *   client.pem    "a client"; foreign_client.pem: signed by the other authority */
void certs_open(void);
void certs_close(void);

/* Makes one more certificate, or replaces one. */
void certs_make(const struct cert *cert);

/* Returns the content of a file, in a buffer that the next call overwrites. */
const char *cert_text(const char *file);

/* Returns the path of a file, in a buffer that the sixteenth call after this one
 * overwrites. */
const char *cert_path(const char *file);

#endif
