/* SPDX-License-Identifier: MIT */
/* The cookie jar, as its sources and the client know it. */
#ifndef COGEN_HTTP_COOKIES_JAR_H
#define COGEN_HTTP_COOKIES_JAR_H

#include <cogen/http_jar.h>

#include "http/message/url.h"

/* A cookie; its texts follow it in the same block of memory. */
struct cg__jar_cookie {
    struct cg__jar_cookie *older, *newer; /* by the last use */
    struct cg__jar_cookie *next;          /* among those for one request */
    struct cg_http_jar_cookie is;
    const char *site; /* a suffix of is.domain */
    uint64_t number;  /* in the order of creation */
    size_t size;      /* of the block */
};

struct cg_http_jar {
    struct cg__jar_cookie *oldest, *newest;
    uint64_t numbers;
    size_t bytes;
    unsigned count;
    struct cg_http_jar_options limits;
};

/* The time of day in seconds; in a coroutine, that of its scheduler. */
int64_t cg__http_jar_now(void);

/* A response of the URL sets a cookie: cg_http_jar_set. */
int cg__http_jar_set(struct cg_http_jar *jar, const struct cg__url *url, const char *text,
                     int64_t now, const char **why);

/* Puts a copy of a complete cookie into the jar, instead of one with its name, domain and
 * path; if it has expired, only that one goes. 0 or -ENOMEM. */
int cg__http_jar_put(struct cg_http_jar *jar, const struct cg_http_jar_cookie *is,
                     int64_t now);

/* Writes the cookies for a request into buf (CG_HTTP_JAR_SENT + 1 bytes); returns the
 * length. */
size_t cg__http_jar_get(struct cg_http_jar *jar, const struct cg__url *url, int64_t now,
                        char *buf);

static inline bool cg__http_jar_has_expired(const struct cg_http_jar_cookie *is, int64_t now)
{
    return is->expires != 0 && is->expires <= now;
}

/* Whether a host, in lower case, is the domain or beneath it. */
bool cg__http_jar_matches(const char *host, const char *domain);

/* Whether a cookie keeps the rules that the prefix of its name imposes. A server would take
 * a value without a name for a name, so such a value has no prefix. */
bool cg__http_jar_keeps_rules(const struct cg_http_jar_cookie *is);

/* jar_list.c: unlinks and frees; a cookie becomes the one that was used last. */
void cg__http_jar_drop(struct cg_http_jar *jar, struct cg__jar_cookie *cookie);
void cg__http_jar_touch(struct cg_http_jar *jar, struct cg__jar_cookie *cookie);

/* Drops the cookies for which `goes` returns true; returns how many. */
size_t cg__http_jar_drop_if(struct cg_http_jar *jar,
                            bool (*goes)(const struct cg_http_jar_cookie *is, const void *arg),
                            const void *arg);

#endif
