/* SPDX-License-Identifier: MIT */
/* A cookie jar for HTTP clients (RFC 6265bis). See cg_http_jar(3).
 *
 *     struct cg_http_jar *jar = cg_http_jar_new();
 *     struct cg_http_client *client = cg_http_client_new(.jar = jar);
 *
 * The client then sends the jar's cookies, and puts those of the responses into it. */
#ifndef COGEN_HTTP_JAR_H
#define COGEN_HTTP_JAR_H

#include <cogen/base.h>
#include <cogen/construct.h>
#include <stdio.h>

enum {
    CG_HTTP_JAR_PER_SITE = 180,          /* cookies of a site, with all hosts beneath it */
    CG_HTTP_JAR_COOKIES = 3000,          /* cookies in all */
    CG_HTTP_JAR_BYTES = 4 * 1024 * 1024, /* memory of all cookies */
    CG_HTTP_JAR_SENT = 8 * 1024,         /* bytes of cookies in one request */
    CG_HTTP_JAR_DAYS = 400,              /* days that a cookie is kept at most */
};

/* Cookies; for one thread. */
struct cg_http_jar;

/* Zero means the default. */
struct cg_http_jar_options {
    unsigned per_site; /* cookies of a site; 0: CG_HTTP_JAR_PER_SITE */
    unsigned cookies;  /* cookies in all; 0: CG_HTTP_JAR_COOKIES */
    size_t bytes;      /* memory of all cookies; 0: CG_HTTP_JAR_BYTES */
    void *reserved;
};

/* What SameSite said when the cookie was set. */
enum cg_http_jar_site {
    CG_HTTP_JAR_SITE_UNSAID = 0,
    CG_HTTP_JAR_SITE_LAX,
    CG_HTTP_JAR_SITE_STRICT,
    CG_HTTP_JAR_SITE_NONE,
};

/* A cookie of a jar. */
struct cg_http_jar_cookie {
    const char *name, *value;
    const char *domain; /* in lower case, without a dot before it */
    const char *path;
    int64_t expires;   /* in seconds since 1970; 0: at the end of the session */
    uint8_t same_site; /* enum cg_http_jar_site */
    bool host_only;    /* for the host alone, not for those beneath it */
    bool secure;       /* sent over https only */
    bool http_only;    /* not for scripts */
};

#ifndef __cplusplus

/* cg_http_jar_new(.cookies = 100): cg_http_jar_new_with with its options as keywords. */
#define cg_http_jar_new(...)                                                               \
    cg_http_jar_new_with(CG__OPTIONS(struct cg_http_jar_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

/* Makes an empty jar, to be freed with cg_http_jar_free. Options NULL: all defaults. Returns
 * NULL if there is no memory. Beyond a limit cookies that have expired go first, then those
 * that have not been sent for the longest time; of a site with too many, those without Secure
 * before others. */
CG_API struct cg_http_jar *cg_http_jar_new_with(const struct cg_http_jar_options *options);

/* Frees a jar, after the clients that use it. NULL is ignored. */
CG_API void cg_http_jar_free(struct cg_http_jar *jar);

/* Puts a cookie into the jar, or removes it if it has expired. text: the value of a
 * Set-Cookie field in a response from the URL. Returns 0; CG_EHTTP_URL: the URL is invalid;
 * -EINVAL: the cookie is refused, and why (may be NULL) gets the reason (static); -ENOMEM. */
CG_API int cg_http_jar_set(struct cg_http_jar *jar, const char *url, const char *text,
                           const char **why);

/* Writes the cookies for a request of the URL into buf, as the value of a Cookie field: the
 * longest path first, then the oldest. Returns its length, 0 if there is none; CG_EHTTP_URL:
 * the URL is invalid; -EMSGSIZE: buf is too small (CG_HTTP_JAR_SENT + 1 bytes are always
 * enough); -ENOMEM. */
CG_API ssize_t cg_http_jar_get(struct cg_http_jar *jar, const char *url, char *buf,
                               size_t size);

/* Iterates over the cookies: set *at to NULL before the first call. Returns false behind the
 * last one. The texts are valid until the jar is changed. */
CG_API bool cg_http_jar_next(const struct cg_http_jar *jar, const void **at,
                             struct cg_http_jar_cookie *cookie);

/* Removes the cookies of a domain that have this name; a NULL stands for any domain or name.
 * Returns how many there were. */
CG_API size_t cg_http_jar_remove(struct cg_http_jar *jar, const char *domain,
                                 const char *name);

/* Removes the cookies that last until the end of the session. Returns how many. */
CG_API size_t cg_http_jar_end_session(struct cg_http_jar *jar);

enum { CG_HTTP_JAR_FILE_LIMIT = 16 * 1024 * 1024 }; /* bytes of a file that are loaded */

/* cg_http_jar_load adds the cookies of a file in the format of Netscape, as curl and wget
 * have it; lines that are not a cookie are skipped, and the number of the first one is stored
 * in *wrong (0: none; NULL is allowed). Returns the number of cookies. cg_http_jar_save
 * replaces a file by all cookies, also those of the session, as one step; only its owner may
 * read it. A path that is not a regular file, such as a device or a symbolic link, is written
 * to instead of replaced. cg_http_jar_print prints the same. SameSite is not in this format.
 * Negative results: -errno, -ENOMEM; -EFBIG: the file exceeds CG_HTTP_JAR_FILE_LIMIT, and the
 * jar has the cookies up to there. All block. */
CG_API ssize_t cg_http_jar_load(struct cg_http_jar *jar, const char *path, unsigned *wrong);
CG_API int cg_http_jar_save(const struct cg_http_jar *jar, const char *path);
CG_API void cg_http_jar_print(const struct cg_http_jar *jar, FILE *file);

CG_EXTERN_C_END
#endif
