/* SPDX-License-Identifier: MIT */
/* Texts that a server hands to its clients and recognises later: cookies, links. They are
 * signed, not encrypted (HMAC-SHA256). Of libcogen-tls. See cg_tls_signer(3). */
#ifndef COGEN_TLS_SIGNER_H
#define COGEN_TLS_SIGNER_H

#include <cogen/base.h>

/* Secret keys, of which the first signs. Threads may share it. */
struct cg_tls_signer;

/* A secret: random bytes, from a file that only the server may read. */
struct cg_tls_secret {
    const void *data;
    size_t len;
};

enum {
    CG_TLS_SECRET_MIN = 16, /* bytes of a secret, at least */
};

/* The size of a buffer for data of len bytes once it is signed, with a NUL. */
#define CG_TLS_SIGNED_SIZE(len) (((len) + 2) / 3 * 4 + 68)

CG_EXTERN_C_BEGIN

/* Makes a signer of `count` secrets, which are copied. The first signs, all are recognised:
 * to change the secret, put the new one in front, and remove the old one when what it has
 * signed has expired. Returns 0; -EINVAL: no secret, or one is too short; -ENOMEM. */
CG_API int cg_tls_signer_new(const struct cg_tls_secret *secrets, size_t count,
                             struct cg_tls_signer **signer);

/* Frees a signer and erases its secrets. NULL is ignored. */
CG_API void cg_tls_signer_free(struct cg_tls_signer *signer);

/* Signs data: writes it, the present time and the signature into buf as letters, digits,
 * "-", "_" and dots, with a NUL. The purpose, such as the name of a cookie, is signed as well:
 * what was signed for another one is not recognised. Returns the length; -EMSGSIZE: buf is
 * too small (CG_TLS_SIGNED_SIZE); -ENOMEM. */
CG_API ssize_t cg_tls_signer_sign(const struct cg_tls_signer *signer, const char *purpose,
                                  const void *data, size_t len, char *buf, size_t size);

/* Checks such a text, in a time that does not depend on how much of the signature is right,
 * and writes the data into buf, with a NUL. Returns its length, or
 *   -EBADMSG    it was not signed with one of the secrets for this purpose
 *   -ETIMEDOUT  it was signed more than max_age ns ago (CG_NEVER: at any time)
 *   -EMSGSIZE   buf is too small: a byte more than the data
 *   -ENOMEM */
CG_API ssize_t cg_tls_signer_check(const struct cg_tls_signer *signer, const char *purpose,
                                   int64_t max_age, const char *text, char *buf, size_t size);

CG_EXTERN_C_END
#endif
