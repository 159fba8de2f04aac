/* SPDX-License-Identifier: MIT */
/* Cookies of an HTTP server. See cg_http_cookie(3). To sign them, see cogen/tls_signer.h.
 *
 *     cg_http_response_set_cookie(req, "session", id, .max_age = 30 * 24 * 60 * CG_MINUTE,
 *                                 .secure = true);
 *     ... n = cg_http_request_cookie(req, "session", id, sizeof id); */
#ifndef COGEN_HTTP_COOKIE_H
#define COGEN_HTTP_COOKIE_H

#include <cogen/construct.h>
#include <cogen/http_server.h>

enum { CG_HTTP_COOKIE_LIMIT = 4096 }; /* bytes of a cookie's name and value */

/* Whether the browser sends the cookie with requests that another site has caused. */
enum cg_http_same_site {
    CG_HTTP_SAME_SITE_LAX = 0, /* only if the user follows a link */
    CG_HTTP_SAME_SITE_STRICT,  /* never */
    CG_HTTP_SAME_SITE_NONE,    /* always; the cookie must be .secure */
};

struct cg_http_cookie_options {
    const char *path;   /* requests beneath it get the cookie; NULL: "/" */
    const char *domain; /* this host and all names beneath it get it; NULL: the host of the
                           request only */
    int64_t max_age;    /* how long the browser keeps it, ns, in whole seconds; 0: until it
                           ends, unless .expires is set */
    int64_t expires;    /* until this moment, in seconds since 1970; 0: not said */
    uint8_t same_site;  /* enum cg_http_same_site */
    bool secure;        /* is sent over https only */
    bool scripts;       /* scripts of the page may read it, too; false: HttpOnly */
    bool partitioned;   /* each site that embeds this one has its own copy; must be .secure */
    void *reserved;
};

#ifndef __cplusplus

/* cg_http_response_set_cookie(req, "name", "value", .secure = true, ...): adds a cookie to
 * the response, with its options as keywords. cg_http_response_remove_cookie(req, "name",
 * .path = p, .domain = d): makes the browser forget it; the path and the domain must be those
 * with which it was set. */
#define cg_http_response_set_cookie(...) cg__http_set_cookie(__VA_ARGS__, )
#define cg__http_set_cookie(r, n, v, ...)                                                  \
    cg_http_response_set_cookie_with(                                                      \
        r, n, v, CG__OPTIONS(struct cg_http_cookie_options, __VA_ARGS__))
#define cg_http_response_remove_cookie(...) cg__http_remove_cookie(__VA_ARGS__, )
#define cg__http_remove_cookie(r, n, ...)                                                  \
    cg_http_response_remove_cookie_with(                                                   \
        r, n, CG__OPTIONS(struct cg_http_cookie_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

/* Copies the value of a cookie of the request into buf, with a NUL; without the quotes around
 * it. If there are several with this name, the first, which has the longest path. Returns its
 * length; -ENOENT: there is none; -EMSGSIZE: buf is too small. */
CG_API ssize_t cg_http_request_cookie(const struct cg_http_request *req, const char *name,
                                      char *buf, size_t size);

/* 0, or
 *   -EINVAL    the name, the value, the path or the domain has a byte that is not allowed
 *              there (a value: blanks, commas, semicolons, quotes, backslashes and what is
 *              not ASCII); .secure is missing; or the rules of the name are not kept:
 *              "__Secure-..." must be .secure, "__Host-..." too, for the path "/" and without
 *              a domain; "__Http-..." and "__Host-Http-..." moreover without .scripts
 *   -EMSGSIZE  name and value exceed CG_HTTP_COOKIE_LIMIT
 *   -EALREADY  the response has begun
 *   -ENOMEM */
CG_API int
cg_http_response_set_cookie_with(struct cg_http_request *req, const char *name,
                                 const char *value,
                                 const struct cg_http_cookie_options *options);
CG_API int
cg_http_response_remove_cookie_with(struct cg_http_request *req, const char *name,
                                    const struct cg_http_cookie_options *options);

CG_EXTERN_C_END
#endif
