/* SPDX-License-Identifier: MIT */
/* Which cookies go into a jar, and which ones a request gets. */
#include "config.h"

#include "http/cookies/jar.h"
#include "http/cookies/set_cookie.h"
#include "http/cookies/suffix.h"
#include "http/message/cookie_name.h"
#include "lib/base/network.h"
#include "lib/base/ascii.h"

#include <cogen.h>
#include <cogen/clock.h>
#include <cogen/http_cookie.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    DOMAIN_LIMIT = 255
};

struct cg_http_jar *cg_http_jar_new_with(const struct cg_http_jar_options *options)
{
    struct cg_http_jar *jar = calloc(1, sizeof *jar);
    struct cg_http_jar_options *limits;

    if (jar == NULL)
        return NULL;
    limits = &jar->limits;
    if (options != NULL)
        *limits = *options;
    limits->per_site = limits->per_site ? limits->per_site : CG_HTTP_JAR_PER_SITE;
    limits->cookies = limits->cookies ? limits->cookies : CG_HTTP_JAR_COOKIES;
    limits->bytes = limits->bytes ? limits->bytes : CG_HTTP_JAR_BYTES;
    return jar;
}

void cg_http_jar_free(struct cg_http_jar *jar)
{
    while (jar != NULL && jar->oldest != NULL)
        cg__http_jar_drop(jar, jar->oldest);
    free(jar);
}

int64_t cg__http_jar_now(void)
{
    return cg_clock_now(cg_sched_self(), CG_CLOCK_WALL) / CG_SECOND;
}

static bool is_address(const char *host)
{
    struct cg__network_address address;

    return cg__network_address(&address, host, strlen(host));
}

bool cg__http_jar_matches(const char *host, const char *domain)
{
    size_t all = strlen(host), len = strlen(domain);

    if (len == all || len > all || host[all - len - 1] != '.')
        return strcmp(host, domain) == 0;
    return strcmp(host + all - len, domain) == 0 && !is_address(host);
}

/* Whether the path of a request, with or without a query, is the cookie's or beneath it. */
static bool path_matches(const char *target, const char *path)
{
    size_t all = strcspn(target, "?"), len = strlen(path);

    return len <= all && memcmp(target, path, len) == 0 &&
           (len == all || path[len - 1] == '/' || target[len] == '/');
}

/* The directory of a request's path, without the slash at its end. */
static size_t default_path(const char *target)
{
    size_t len = strcspn(target, "?");

    while (len > 0 && target[len - 1] != '/')
        len--;
    return len > 1 ? len - 1 : 1;
}

/* Whether a cookie that came over http hides one that is sent over https only. */
static bool hides_secure(const struct cg_http_jar *jar,
                         const struct cg_http_jar_cookie *is, int64_t now)
{
    for (const struct cg__jar_cookie *at = jar->oldest; at != NULL; at = at->newer)
        if (at->is.secure && !cg__http_jar_has_expired(&at->is, now) &&
            strcmp(at->is.name, is->name) == 0 &&
            (cg__http_jar_matches(at->is.domain, is->domain) ||
             cg__http_jar_matches(is->domain, at->is.domain)) &&
            path_matches(is->path, at->is.path))
            return true;
    return false;
}

/* The list of public suffixes has no names that end with a dot, as "co.uk.", but hosts may have
 * one. So no such domain has cookies for the hosts beneath it. */
static bool is_public(const char *domain)
{
    return domain[strlen(domain) - 1] == '.' || cg__http_suffix_is_public(domain);
}

/* Writes the cookie's domain into buf, and decides whether it is for one host. NULL, or why
 * the cookie is refused. */
static const char *take_domain(struct cg_http_jar_cookie *is,
                               const struct cg__set_cookie_part *part, const char *host,
                               char *buf)
{
    is->domain = host;
    is->host_only = true;
    if (part->len == 0)
        return NULL;
    if (part->len > DOMAIN_LIMIT)
        return "its domain is too long";
    for (size_t i = 0; i < part->len; i++)
        buf[i] = cg__ascii_lower(part->at[i]);
    buf[part->len] = '\0';
    if (!cg__http_jar_matches(host, buf))
        return "its domain is not that of the host";
    if (is_public(buf) && strcmp(host, buf) != 0)
        return "its domain is a public suffix";
    is->domain = buf;
    is->host_only = is_public(buf) || is_address(buf);
    return NULL;
}

bool cg__http_jar_keeps_rules(const struct cg_http_jar_cookie *is)
{
    const struct cg__http_cookie_rules none = {.secure = false};
    const struct cg__http_cookie_rules rules = {
        .secure = is->secure,
        .http_only = is->http_only,
        .domain = !is->host_only,
        .root = strcmp(is->path, "/") == 0,
    };

    return *is->name != '\0' ? cg__http_cookie_name_allows(is->name, &rules)
                             : cg__http_cookie_name_allows(is->value, &none);
}

static const char *check(const struct cg_http_jar *jar,
                         const struct cg_http_jar_cookie *is, bool https, int64_t now)
{
    if (is->secure && !https)
        return "it is for https, and came over http";
    if (is->same_site == CG_HTTP_JAR_SITE_NONE && !is->secure)
        return "SameSite=None without Secure";
    if (!cg__http_jar_keeps_rules(is))
        return "it breaks the rules of its name's prefix";
    if (!https && hides_secure(jar, is, now))
        return "a cookie for https has its name";
    return NULL;
}

static char *copy(char **to, const char *from, size_t len)
{
    char *start = *to;

    if (len > 0) /* a name may be missing: NULL */
        memcpy(start, from, len);
    start[len] = '\0';
    *to += len + 1;
    return start;
}

/* `texts` has room for the cookie's texts and its domain. */
static int set(struct cg_http_jar *jar, const struct cg__url *url,
               const struct cg__set_cookie *parsed, char *texts, int64_t now,
               const char **why)
{
    char *at = texts;
    struct cg_http_jar_cookie is = {
        .name = copy(&at, parsed->name.at, parsed->name.len),
        .value = copy(&at, parsed->value.at, parsed->value.len),
        .expires = parsed->expires,
        .same_site = parsed->same_site,
        .secure = parsed->secure,
        .http_only = parsed->http_only,
    };

    is.path = parsed->path.len > 0 ? copy(&at, parsed->path.at, parsed->path.len)
                                   : copy(&at, url->target, default_path(url->target));
    *why = take_domain(&is, &parsed->domain, url->host, at);
    if (*why == NULL)
        *why = check(jar, &is, url->https, now);
    return *why != NULL ? -EINVAL : cg__http_jar_put(jar, &is, now);
}

int cg__http_jar_set(struct cg_http_jar *jar, const struct cg__url *url,
                     const char *text, int64_t now, const char **why)
{
    struct cg__set_cookie parsed;
    char *texts;
    int rc;

    *why = cg__http_set_cookie_parse(&parsed, text, now);
    if (*why != NULL)
        return -EINVAL;
    texts = malloc(strlen(text) + strlen(url->target) + DOMAIN_LIMIT + 4);
    rc = texts ? set(jar, url, &parsed, texts, now, why) : -ENOMEM;
    free(texts);
    return rc;
}

/* Chains the cookies for a request: the longest path first, then the oldest cookie. */
static struct cg__jar_cookie *choose(const struct cg_http_jar *jar,
                                     const struct cg__url *url, int64_t now)
{
    struct cg__jar_cookie *first = NULL, *cookie;

    for (cookie = jar->oldest; cookie != NULL; cookie = cookie->newer) {
        const struct cg_http_jar_cookie *is = &cookie->is;
        struct cg__jar_cookie **at = &first;
        size_t len = strlen(is->path);

        if ((is->secure && !url->https) || cg__http_jar_has_expired(is, now) ||
            !(is->host_only ? strcmp(is->domain, url->host) == 0
                            : cg__http_jar_matches(url->host, is->domain)) ||
            !path_matches(url->target, is->path))
            continue;
        while (*at != NULL &&
               (strlen((*at)->is.path) > len ||
                (strlen((*at)->is.path) == len && (*at)->number < cookie->number)))
            at = &(*at)->next;
        cookie->next = *at;
        *at = cookie;
    }
    return first;
}

size_t cg__http_jar_get(struct cg_http_jar *jar, const struct cg__url *url, int64_t now,
                        char *buf)
{
    char *to = buf, *end = buf + CG_HTTP_JAR_SENT;

    for (struct cg__jar_cookie *at = choose(jar, url, now); at != NULL; at = at->next) {
        size_t len = strlen(at->is.name) + strlen(at->is.value);

        if (len + sizeof "; =" - 1 > (size_t)(end - to))
            continue;
        to = stpcpy(to, to > buf ? "; " : "");
        to = stpcpy(to, at->is.name);
        to = stpcpy(to, *at->is.name != '\0' ? "=" : "");
        to = stpcpy(to, at->is.value);
        cg__http_jar_touch(jar, at);
    }
    *to = '\0';
    return (size_t)(to - buf);
}

int cg_http_jar_set(struct cg_http_jar *jar, const char *url, const char *text,
                    const char **why)
{
    struct cg__url parsed;
    const char *unused;
    int rc = cg__http_url_parse(&parsed, url, &unused);

    if (rc < 0)
        return rc;
    rc = cg__http_jar_set(jar, &parsed, text, cg__http_jar_now(), why ? why : &unused);
    cg__http_url_free(&parsed);
    return rc;
}

static ssize_t get(struct cg_http_jar *jar, const struct cg__url *url, char *buf,
                   size_t size)
{
    char *value = malloc(CG_HTTP_JAR_SENT + 1);
    ssize_t len = -ENOMEM;

    if (value != NULL)
        len = (ssize_t)cg__http_jar_get(jar, url, cg__http_jar_now(), value);
    if (len >= 0 && (size_t)len >= size)
        len = -EMSGSIZE;
    if (len >= 0)
        memcpy(buf, value, (size_t)len + 1);
    free(value);
    return len;
}

ssize_t cg_http_jar_get(struct cg_http_jar *jar, const char *url, char *buf,
                        size_t size)
{
    struct cg__url parsed;
    const char *unused;
    ssize_t n = cg__http_url_parse(&parsed, url, &unused);

    if (n == 0)
        n = get(jar, &parsed, buf, size);
    cg__http_url_free(&parsed);
    return n;
}

bool cg_http_jar_next(const struct cg_http_jar *jar, const void **at,
                      struct cg_http_jar_cookie *cookie)
{
    const struct cg__jar_cookie *last = *at, *next = last ? last->newer : jar->oldest;

    if (next == NULL)
        return false;
    *cookie = next->is;
    *at = next;
    return true;
}

static bool has_names(const struct cg_http_jar_cookie *is, const void *arg)
{
    const struct cg_http_jar_cookie *names = arg;

    return (names->domain == NULL || cg__ascii_equal(is->domain, names->domain)) &&
           (names->name == NULL || strcmp(is->name, names->name) == 0);
}

size_t cg_http_jar_remove(struct cg_http_jar *jar, const char *domain, const char *name)
{
    const struct cg_http_jar_cookie names = {.domain = domain, .name = name};

    return cg__http_jar_drop_if(jar, has_names, &names);
}

static bool is_of_session(const struct cg_http_jar_cookie *is, const void *unused)
{
    (void)unused;
    return is->expires == 0;
}

size_t cg_http_jar_end_session(struct cg_http_jar *jar)
{
    return cg__http_jar_drop_if(jar, is_of_session, NULL);
}
