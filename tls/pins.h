/* SPDX-License-Identifier: MIT */
/* Public keys of servers that a client was told before. */
#ifndef COGEN_TLS_PINS_H
#define COGEN_TLS_PINS_H

#include <openssl/x509.h>
#include <stdbool.h>

/* Whether a text is a list of pins, "sha256//BASE64;sha256//BASE64", not empty. */
bool cg__tls_pins_are_valid(const char *pins);

/* Whether the public key of a certificate is one of a valid list. A certificate that is NULL, or
 * cannot be read, has none. */
bool cg__tls_pins_have(const char *pins, X509 *cert);

#endif
