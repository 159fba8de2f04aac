/* SPDX-License-Identifier: MIT */
/* See set_cookie.h. */
#include "config.h"

#include "http/cookies/cookie_date.h"
#include "http/cookies/set_cookie.h"
#include "lib/base/ascii.h"

#include <cogen/http_cookie.h>
#include <cogen/http_jar.h>

enum {
    DAY = 24 * 60 * 60
};

/* A moment that every clock has passed; 0 has another meaning. */
static const int64_t past = 1;

static struct cg__set_cookie_part trimmed(const char *at, size_t len)
{
    while (len > 0 && cg__ascii_is_blank(*at))
        at++, len--;
    return (struct cg__set_cookie_part){at, cg__ascii_trimmed(at, len)};
}

static bool is(struct cg__set_cookie_part part, const char *word)
{
    return strlen(word) == part.len && cg__ascii_same(part.at, word, part.len);
}

/* Limits the time that a cookie is kept, as browsers do. */
static int64_t limited(int64_t expires, int64_t now)
{
    const int64_t most = now + (int64_t)CG_HTTP_JAR_DAYS * DAY;

    return expires < past ? past : expires > most ? most : expires;
}

/* False: the value is invalid, and the attribute is ignored. */
static bool take_max_age(struct cg__set_cookie_part value, int64_t now,
                         int64_t *expires)
{
    const int64_t most = (int64_t)CG_HTTP_JAR_DAYS * DAY;
    bool negative = value.len > 0 && *value.at == '-';
    const char *at = value.at + negative;
    uint64_t seconds;

    if (value.len == 0 || !cg__ascii_number(&at, &seconds) ||
        at != value.at + value.len)
        return false;
    if (negative || seconds == 0)
        *expires = past;
    else
        *expires =
            limited(now + (seconds < (uint64_t)most ? (int64_t)seconds : most), now);
    return true;
}

static bool take_expires(struct cg__set_cookie_part value, int64_t now,
                         int64_t *expires)
{
    if (!cg__http_cookie_date(value.at, value.len, expires))
        return false;
    *expires = limited(*expires, now);
    return true;
}

/* Max-Age is stronger than Expires; otherwise the last attribute of a name counts. */
static void take_attribute(struct cg__set_cookie *cookie,
                           struct cg__set_cookie_part name,
                           struct cg__set_cookie_part value, int64_t now,
                           bool *has_max_age)
{
    if (value.len > CG__SET_COOKIE_ATTRIBUTE)
        return;
    if (is(name, "Expires") && !*has_max_age) {
        take_expires(value, now, &cookie->expires);
    } else if (is(name, "Max-Age")) {
        *has_max_age |= take_max_age(value, now, &cookie->expires);
    } else if (is(name, "Domain")) {
        bool dot = value.len > 0 && *value.at == '.';

        cookie->domain = (struct cg__set_cookie_part){value.at + dot, value.len - dot};
    } else if (is(name, "Path")) {
        cookie->path = value;
        if (value.len > 0 && *value.at != '/')
            cookie->path.len = 0;
    } else if (is(name, "Secure")) {
        cookie->secure = true;
    } else if (is(name, "HttpOnly")) {
        cookie->http_only = true;
    } else if (is(name, "SameSite")) {
        cookie->same_site = is(value, "None")     ? CG_HTTP_JAR_SITE_NONE
                            : is(value, "Strict") ? CG_HTTP_JAR_SITE_STRICT
                            : is(value, "Lax")    ? CG_HTTP_JAR_SITE_LAX
                                                  : CG_HTTP_JAR_SITE_UNSAID;
    }
}

static const char *take_pair(struct cg__set_cookie *cookie, const char *text,
                             size_t len)
{
    const char *equals = memchr(text, '=', len);

    cookie->value = trimmed(text, len);
    if (equals != NULL) {
        cookie->name = trimmed(text, (size_t)(equals - text));
        cookie->value = trimmed(equals + 1, len - (size_t)(equals + 1 - text));
    }
    if (cookie->name.len + cookie->value.len == 0)
        return "it has neither a name nor a value";
    if (cookie->name.len + cookie->value.len > CG_HTTP_COOKIE_LIMIT)
        return "its name and value are too long";
    return NULL;
}

/* A tab within a text could not be saved: tabs separate the columns of a file. */
static bool has_controls(const char *text)
{
    for (; *text != '\0'; text++)
        if ((*text > 0 && *text < ' ' && *text != '\t') || *text == 0x7f)
            return true;
    return false;
}

static bool has_tab(struct cg__set_cookie_part part)
{
    return part.len > 0 && memchr(part.at, '\t', part.len) != NULL;
}

const char *cg__http_set_cookie_parse(struct cg__set_cookie *cookie, const char *text,
                                      int64_t now)
{
    size_t len = strcspn(text, ";");
    bool has_max_age = false;
    const char *wrong;

    *cookie = (struct cg__set_cookie){.expires = 0};
    if (has_controls(text))
        return "it has control characters";
    wrong = take_pair(cookie, text, len);
    if (wrong != NULL)
        return wrong;
    for (text += len; *text == ';'; text += len) {
        size_t name = strcspn(++text, "=;");

        len = strcspn(text, ";");
        take_attribute(cookie, trimmed(text, name),
                       name < len ? trimmed(text + name + 1, len - name - 1)
                                  : (struct cg__set_cookie_part){text, 0},
                       now, &has_max_age);
    }
    if (has_tab(cookie->name) || has_tab(cookie->value) || has_tab(cookie->path))
        return "it has a tab";
    return NULL;
}
