/* SPDX-License-Identifier: MIT */
/* The names for which a certificate is valid. */
#ifndef COGEN_TLS_NAMES_H
#define COGEN_TLS_NAMES_H

#include <openssl/x509.h>

/* Returns a certificate's alternative names as texts, each with its kind before it,
 * "DNS:a.test", in an array that ends with NULL. It is one allocation, which the caller
 * frees. Returns NULL if there is no memory or the certificate has none. */
char **cg__tls_names_alt(X509 *cert);

/* Returns the last, most specific common name of a certificate's subject; the caller frees
 * it. Returns NULL if there is none. */
char *cg__tls_names_common(X509 *cert);

#endif
