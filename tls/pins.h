/* SPDX-License-Identifier: MIT */
/* Pins: hashes of public keys. A client that has a list of them accepts only servers whose public
 * key is in it. */
#ifndef COGEN_TLS_PINS_H
#define COGEN_TLS_PINS_H

#include <openssl/x509.h>
#include <stdbool.h>

/* Whether a text is a list of pins, "sha256//BASE64;sha256//BASE64", not empty. */
bool cg__tls_pins_are_valid(const char *pins);

/* Whether a valid list has the public key of a certificate. False if the certificate is NULL or
 * cannot be read. */
bool cg__tls_pins_have(const char *pins, X509 *cert);

#endif
