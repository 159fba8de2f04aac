/* SPDX-License-Identifier: MIT */
/* Signed texts: "DATA.TIME.SIGNATURE". Data and signature are in base64 for URLs, without
 * padding; the time is in seconds since 1970. */
#include "config.h"

#include "lib/base/ascii.h"

#include <cogen.h>
#include <cogen/clock.h>
#include <cogen/tls_signer.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAC = 32,      /* bytes of a signature */
    MAC_TEXT = 43, /* as text */
    TIME_SIZE = 22,
};

struct cg_tls_signer {
    size_t count;
    struct cg_tls_secret secrets[];
};

void cg_tls_signer_free(struct cg_tls_signer *signer)
{
    if (signer == NULL)
        return;
    for (size_t i = 0; i < signer->count; i++)
        OPENSSL_clear_free((void *)signer->secrets[i].data, signer->secrets[i].len);
    free(signer);
}

int cg_tls_signer_new(const struct cg_tls_secret *secrets, size_t count,
                      struct cg_tls_signer **signer)
{
    struct cg_tls_signer *made;

    for (size_t i = 0; i < count; i++)
        if (secrets[i].len < CG_TLS_SECRET_MIN || secrets[i].len > INT32_MAX)
            return -EINVAL;
    if (count == 0)
        return -EINVAL;
    made = calloc(1, sizeof *made + count * sizeof *secrets);
    if (made == NULL)
        return -ENOMEM;
    for (; made->count < count; made->count++) {
        struct cg_tls_secret *copy = &made->secrets[made->count];

        copy->len = secrets[made->count].len;
        copy->data = OPENSSL_memdup(secrets[made->count].data, copy->len);
        if (copy->data == NULL) {
            cg_tls_signer_free(made);
            return -ENOMEM;
        }
    }
    *signer = made;
    return 0;
}

/* Writes bytes as base64 for URLs; returns the length. buf has room for padding, too. */
static size_t encode(char *buf, const void *data, size_t len)
{
    size_t size = (size_t)EVP_EncodeBlock((unsigned char *)buf, data, (int)len);

    while (size > 0 && buf[size - 1] == '=')
        size--;
    buf[size] = '\0';
    for (char *at = buf; *at != '\0'; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    return size;
}

/* Signs "PURPOSE NUL TEXT" into mac, as text. 0 or -ENOMEM. */
static int sign(const struct cg_tls_secret *secret, const char *purpose, const char *text,
                size_t len, char *mac)
{
    size_t purpose_len = strlen(purpose) + 1;
    unsigned char *both = malloc(purpose_len + len), digest[EVP_MAX_MD_SIZE], *done;
    unsigned size = 0;

    if (both == NULL)
        return -ENOMEM;
    memcpy(both, purpose, purpose_len);
    memcpy(both + purpose_len, text, len);
    done = HMAC(EVP_sha256(), secret->data, (int)secret->len, both, purpose_len + len, digest,
                &size);
    free(both);
    if (done == NULL || size != MAC)
        return -ENOMEM;
    encode(mac, digest, MAC);
    return 0;
}

/* In seconds; in a coroutine, that of its scheduler. */
static int64_t present(void)
{
    return cg_clock_now(cg_sched_self(), CG_CLOCK_WALL) / CG_SECOND;
}

ssize_t cg_tls_signer_sign(const struct cg_tls_signer *signer, const char *purpose,
                           const void *data, size_t len, char *buf, size_t size)
{
    char mac[MAC_TEXT + 2];
    size_t used;
    int rc;

    if (len > INT32_MAX / 2 || size < CG_TLS_SIGNED_SIZE(len))
        return -EMSGSIZE;
    used = encode(buf, data, len);
    used += (size_t)snprintf(buf + used, TIME_SIZE, ".%lld", (long long)present());
    rc = sign(&signer->secrets[0], purpose, buf, used, mac);
    if (rc < 0)
        return rc;
    return (ssize_t)used + snprintf(buf + used, MAC_TEXT + 2, ".%s", mac);
}

/* Whether one of the secrets has signed the text. All are tried. 0, -EBADMSG or -ENOMEM. */
static int find(const struct cg_tls_signer *signer, const char *purpose, const char *text,
                size_t len, const char *mac)
{
    int found = -EBADMSG;

    for (size_t i = 0; i < signer->count; i++) {
        char own[MAC_TEXT + 2];

        if (sign(&signer->secrets[i], purpose, text, len, own) < 0)
            return -ENOMEM;
        if (CRYPTO_memcmp(own, mac, MAC_TEXT) == 0)
            found = 0;
    }
    return found;
}

/* The text is valid from here on: nobody else can have made it. */
static ssize_t open_text(const char *text, int64_t max_age, char *buf, size_t size)
{
    size_t len = strcspn(text, ".");
    const char *at = text + len + 1;
    uint64_t moment;

    if (!cg__ascii_number(&at, &moment))
        return -EBADMSG;
    if (max_age < CG_NEVER && present() - (int64_t)moment > max_age / CG_SECOND)
        return -ETIMEDOUT;
    if (len * 3 / 4 >= size)
        return -EMSGSIZE;
    len = (size_t)cg__ascii_base64(buf, text, len); /* what encode has written is valid */
    buf[len] = '\0';
    return (ssize_t)len;
}

ssize_t cg_tls_signer_check(const struct cg_tls_signer *signer, const char *purpose,
                            int64_t max_age, const char *text, char *buf, size_t size)
{
    const char *dot = strrchr(text, '.');
    int rc;

    if (dot == NULL || strlen(dot + 1) != MAC_TEXT)
        return -EBADMSG;
    rc = find(signer, purpose, text, (size_t)(dot - text), dot + 1);
    return rc < 0 ? rc : open_text(text, max_age, buf, size);
}
