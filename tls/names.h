/* SPDX-License-Identifier: MIT */
/* For whom a certificate is. */
#ifndef COGEN_TLS_NAMES_H
#define COGEN_TLS_NAMES_H

#include <openssl/x509.h>

/* The alternative names of a certificate, each as text with its kind before it,
 * "DNS:a.test", in an array that ends with NULL: one allocation, which the caller frees.
 * NULL: no memory, or the certificate has none. */
char **cg__tls_names_alt(X509 *cert);

/* The last common name in a certificate's subject, which is the most specific; the caller
 * frees it. NULL: none. */
char *cg__tls_names_common(X509 *cert);

#endif
