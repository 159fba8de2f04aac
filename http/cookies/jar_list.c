/* SPDX-License-Identifier: MIT */
/* The list of a jar's cookies, in the order of their last use, and its limits. */
#include "config.h"

#include "http/cookies/jar.h"
#include "http/cookies/suffix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void unlink_cookie(struct cg_http_jar *jar, struct cg__jar_cookie *cookie)
{
    *(cookie->older ? &cookie->older->newer : &jar->oldest) = cookie->newer;
    *(cookie->newer ? &cookie->newer->older : &jar->newest) = cookie->older;
}

static void link_newest(struct cg_http_jar *jar, struct cg__jar_cookie *cookie)
{
    cookie->newer = NULL;
    cookie->older = jar->newest;
    *(jar->newest ? &jar->newest->newer : &jar->oldest) = cookie;
    jar->newest = cookie;
}

void cg__http_jar_drop(struct cg_http_jar *jar, struct cg__jar_cookie *cookie)
{
    unlink_cookie(jar, cookie);
    jar->count--;
    jar->bytes -= cookie->size;
    free(cookie);
}

void cg__http_jar_touch(struct cg_http_jar *jar, struct cg__jar_cookie *cookie)
{
    unlink_cookie(jar, cookie);
    link_newest(jar, cookie);
}

size_t cg__http_jar_drop_if(struct cg_http_jar *jar,
                            bool (*goes)(const struct cg_http_jar_cookie *is, const void *arg),
                            const void *arg)
{
    unsigned before = jar->count;
    struct cg__jar_cookie *cookie, *newer;

    for (cookie = jar->oldest; cookie != NULL; cookie = newer) {
        newer = cookie->newer;
        if (goes(&cookie->is, arg))
            cg__http_jar_drop(jar, cookie);
    }
    return before - jar->count;
}

static bool has_expired(const struct cg_http_jar_cookie *is, const void *now)
{
    return cg__http_jar_has_expired(is, *(const int64_t *)now);
}

/* Counts the cookies of a site, and finds the one to drop: the oldest without Secure, else
 * the oldest. */
static unsigned count_site(const struct cg_http_jar *jar, const char *site,
                           struct cg__jar_cookie **drop)
{
    unsigned count = 0;

    *drop = NULL;
    for (struct cg__jar_cookie *at = jar->oldest; at != NULL; at = at->newer) {
        if (strcmp(at->site, site) != 0)
            continue;
        count++;
        if (*drop == NULL || ((*drop)->is.secure && !at->is.secure))
            *drop = at;
    }
    return count;
}

/* Called with the new cookie in the list, which may itself be dropped. */
static void keep_limits(struct cg_http_jar *jar, const char *domain, int64_t now)
{
    const char *site = cg__http_suffix_site(domain);
    struct cg__jar_cookie *drop;

    if (jar->count > jar->limits.cookies || jar->bytes > jar->limits.bytes ||
        count_site(jar, site, &drop) > jar->limits.per_site)
        cg__http_jar_drop_if(jar, has_expired, &now);
    while (count_site(jar, site, &drop) > jar->limits.per_site)
        cg__http_jar_drop(jar, drop);
    while (jar->count > jar->limits.cookies || jar->bytes > jar->limits.bytes)
        cg__http_jar_drop(jar, jar->oldest);
}

static const char *copy(char **to, const char *text)
{
    char *start = *to;

    *to = stpcpy(start, text) + 1;
    return start;
}

static struct cg__jar_cookie *make(const struct cg_http_jar_cookie *is)
{
    size_t size = sizeof(struct cg__jar_cookie) + strlen(is->name) + strlen(is->value) +
                  strlen(is->domain) + strlen(is->path) + 4;
    struct cg__jar_cookie *cookie = malloc(size);
    char *at = (char *)(cookie + 1);

    if (cookie == NULL)
        return NULL;
    *cookie = (struct cg__jar_cookie){.is = *is, .size = size};
    cookie->is.name = copy(&at, is->name);
    cookie->is.value = copy(&at, is->value);
    cookie->is.domain = copy(&at, is->domain);
    cookie->is.path = copy(&at, is->path);
    cookie->site = cg__http_suffix_site(cookie->is.domain);
    return cookie;
}

static struct cg__jar_cookie *find(const struct cg_http_jar *jar,
                                   const struct cg_http_jar_cookie *is)
{
    struct cg__jar_cookie *at = jar->oldest;

    while (at != NULL &&
           (at->is.host_only != is->host_only || strcmp(at->is.name, is->name) != 0 ||
            strcmp(at->is.domain, is->domain) != 0 ||
            strcmp(at->is.path, is->path) != 0))
        at = at->newer;
    return at;
}

int cg__http_jar_put(struct cg_http_jar *jar, const struct cg_http_jar_cookie *is,
                     int64_t now)
{
    struct cg__jar_cookie *old = find(jar, is), *cookie;
    bool expired = cg__http_jar_has_expired(is, now);

    cookie = expired ? NULL : make(is);
    if (!expired && cookie == NULL)
        return -ENOMEM;
    if (cookie != NULL) {
        cookie->number = old != NULL ? old->number : ++jar->numbers;
        link_newest(jar, cookie);
        jar->count++;
        jar->bytes += cookie->size;
    }
    if (old != NULL)
        cg__http_jar_drop(jar, old);
    if (cookie != NULL)
        keep_limits(jar, is->domain, now);
    return 0;
}
