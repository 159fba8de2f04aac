/* SPDX-License-Identifier: MIT */
/* See pins.h. A pin is the SHA-256 of the SubjectPublicKeyInfo in DER (RFC 7469, 2.4), so that it
 * holds for later certificates with the same key. */
#include "config.h"

#include "lib/base/ascii.h"
#include "tls/pins.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { DIGEST = 32, DIGITS = 44 }; /* bytes of SHA-256; its length in base64 */

static const char kind[] = "sha256//";

/* Takes the next pin of a list. 1; 0: there is none; -1: it is invalid. */
static int next_pin(const char **at, unsigned char digest[DIGEST])
{
    const char *text = *at + strspn(*at, "; \t");
    char bytes[DIGITS];
    size_t len = strcspn(text, "; \t");

    *at = text + len;
    if (len == 0)
        return 0;
    if (len != sizeof kind - 1 + DIGITS || strncmp(text, kind, sizeof kind - 1) != 0 ||
        cg__ascii_base64(bytes, text + sizeof kind - 1, DIGITS) != DIGEST)
        return -1;
    memcpy(digest, bytes, DIGEST);
    return 1;
}

bool cg__tls_pins_are_valid(const char *pins)
{
    unsigned char digest[DIGEST];
    int count = 0, rc;

    while ((rc = next_pin(&pins, digest)) > 0)
        count++;
    return rc == 0 && count > 0;
}

static bool digest_key(X509 *cert, unsigned char digest[DIGEST])
{
    unsigned char *der = NULL;
    int len = cert != NULL ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der) : -1;
    bool ok = len > 0 && EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1;

    OPENSSL_free(der);
    return ok;
}

bool cg__tls_pins_have(const char *pins, X509 *cert, char own[static CG__TLS_PIN_SIZE])
{
    unsigned char key[DIGEST], digest[DIGEST];

    *own = '\0';
    if (!digest_key(cert, key))
        return false;
    EVP_EncodeBlock((unsigned char *)stpcpy(own, kind), key, DIGEST);
    while (next_pin(&pins, digest) > 0)
        if (memcmp(key, digest, DIGEST) == 0)
            return true;
    return false;
}
