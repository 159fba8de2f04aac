/* SPDX-License-Identifier: MIT */
/* Pins: hashes of public keys. A client that has a list of them accepts only servers whose public
 * key is in it. */
#ifndef COGEN_TLS_PINS_H
#define COGEN_TLS_PINS_H

#include <openssl/x509.h>
#include <stdbool.h>

/* Whether a text is a list of pins, "sha256//BASE64;sha256//BASE64", not empty. */
bool cg__tls_pins_are_valid(const char *pins);

enum { CG__TLS_PIN_SIZE = 64 }; /* for the text of a pin */

/* Whether a valid list has the public key of a certificate. False if the certificate is NULL or
 * cannot be read. Writes the pin of that key to `own`, for a user who compares: "" if there is
 * none. */
bool cg__tls_pins_have(const char *pins, X509 *cert, char own[static CG__TLS_PIN_SIZE]);

#endif
