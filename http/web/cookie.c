/* SPDX-License-Identifier: MIT */
/* Cookies of a server (RFC 6265bis). */
#include "config.h"

#include "http/message/cookie_name.h"
#include "http/message/message.h"
#include "lib/base/ascii.h"

#include <cogen.h>
#include <cogen/http_cookie.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_LIMIT = 1024, DOMAIN_LIMIT = 253, ATTRIBUTES = 256 };

/* Finds a cookie in the value of one field. Returns its length, or -ENOENT. */
static ssize_t find(const char *field, const char *name, const char **value)
{
    size_t wanted = strlen(name);

    for (const char *at = field; *at != '\0'; at += *at == ';') {
        size_t len, name_len;

        at += strspn(at, " \t");
        len = strcspn(at, ";");
        name_len = strcspn(at, "=;");
        if (name_len == wanted && name_len < len && memcmp(at, name, wanted) == 0) {
            *value = at + name_len + 1;
            return (ssize_t)cg__ascii_trimmed(*value, len - name_len - 1);
        }
        at += len;
    }
    return -ENOENT;
}

ssize_t cg_http_request_cookie(const struct cg_http_request *req, const char *name, char *buf,
                               size_t size)
{
    const struct cg_http_headers *headers = cg_http_request_headers(req);
    struct cg_http_field field;
    const char *value;
    ssize_t n = -ENOENT;

    for (size_t at = 0; n < 0 && cg_http_headers_next(headers, &at, &field);)
        if (cg__ascii_equal(field.name, "Cookie"))
            n = find(field.value, name, &value);
    if (n < 0)
        return n;
    if (n >= 2 && value[0] == '"' && value[n - 1] == '"') {
        value++;
        n -= 2;
    }
    if ((size_t)n >= size)
        return -EMSGSIZE;
    memcpy(buf, value, (size_t)n);
    buf[n] = '\0';
    return n;
}

/* Whether all bytes are printable ASCII, and none of those in `except`. */
static bool has_only(const char *text, const char *except)
{
    return cg__ascii_plain(text, except) == strlen(text);
}

static bool is_path(const char *path)
{
    return path[0] == '/' && has_only(path, ";") && strlen(path) <= PATH_LIMIT;
}

static bool is_domain(const char *domain)
{
    const char *at = domain;

    while (cg__ascii_is_letter(*at) || cg__ascii_is_digit(*at) || *at == '-' ||
           (*at == '.' && at > domain))
        at++;
    return *at == '\0' && at > domain && at - domain <= DOMAIN_LIMIT;
}

/* Browsers drop a cookie that breaks these rules. */
static bool keeps_rules(const char *name, const struct cg_http_cookie_options *options)
{
    const struct cg__http_cookie_rules rules = {
        .secure = options->secure,
        .http_only = !options->scripts,
        .domain = options->domain != NULL,
        .root = options->path == NULL || strcmp(options->path, "/") == 0,
    };
    bool secure = options->same_site == CG_HTTP_SAME_SITE_NONE || options->partitioned;

    return (!secure || options->secure) && cg__http_cookie_name_allows(name, &rules);
}

static int check(const char *name, const char *value,
                 const struct cg_http_cookie_options *options)
{
    if (!cg__http_message_is_token(name, strlen(name)) || !has_only(value, " \",;\\") ||
        (options->path != NULL && !is_path(options->path)) ||
        (options->domain != NULL && !is_domain(options->domain)) || options->max_age < 0 ||
        options->same_site > CG_HTTP_SAME_SITE_NONE || !keeps_rules(name, options))
        return -EINVAL;
    return strlen(name) + strlen(value) > CG_HTTP_COOKIE_LIMIT ? -EMSGSIZE : 0;
}

/* A text that grows; its room has been measured. */
struct text {
    char *data;
    size_t size, len;
};

static void put(struct text *text, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    text->len += (size_t)vsnprintf(text->data + text->len, text->size - text->len, format, list);
    va_end(list);
}

/* Writes the field. `forget`: the browser is to forget the cookie; those that do not know
 * Max-Age need a date. */
static void print(struct text *to, const char *name, const char *value, bool forget,
                  const struct cg_http_cookie_options *options)
{
    static const char *const sites[] = {"Lax", "Strict", "None"};
    int64_t seconds = options->max_age / CG_SECOND;
    char date[CG_HTTP_DATE_SIZE];

    put(to, "%s=%s; Path=%s", name, value, options->path ? options->path : "/");
    if (options->domain != NULL)
        put(to, "; Domain=%s", options->domain);
    if (options->max_age > 0 || forget)
        put(to, "; Max-Age=%lld", forget ? 0 : seconds > 0 ? (long long)seconds : 1);
    if (options->expires != 0 || forget) {
        cg_http_date_print(forget ? 0 : options->expires, date);
        put(to, "; Expires=%s", date);
    }
    put(to, "%s%s; SameSite=%s%s", options->secure ? "; Secure" : "",
        options->scripts ? "" : "; HttpOnly", sites[options->same_site],
        options->partitioned ? "; Partitioned" : "");
}

static int set(struct cg_http_request *req, const char *name, const char *value, bool forget,
               const struct cg_http_cookie_options *options)
{
    static const struct cg_http_cookie_options none = {.path = NULL};
    struct text text = {.len = 0};
    int rc;

    if (options == NULL)
        options = &none;
    rc = check(name, value, options);
    if (rc < 0)
        return rc;
    text.size = strlen(name) + strlen(value) + PATH_LIMIT + DOMAIN_LIMIT + ATTRIBUTES;
    text.data = malloc(text.size);
    if (text.data == NULL)
        return -ENOMEM;
    print(&text, name, value, forget, options);
    rc = cg_http_response_add_header(req, "Set-Cookie", text.data);
    free(text.data);
    return rc;
}

int cg_http_response_set_cookie_with(struct cg_http_request *req, const char *name,
                                     const char *value,
                                     const struct cg_http_cookie_options *options)
{
    return set(req, name, value, false, options);
}

int cg_http_response_remove_cookie_with(struct cg_http_request *req, const char *name,
                                        const struct cg_http_cookie_options *options)
{
    struct cg_http_cookie_options same = {.path = NULL};

    if (options != NULL)
        same = *options;
    same.max_age = same.expires = 0;
    /* A cookie of these names is only changed by a response that keeps their rules. */
    if (cg__ascii_begins(name, "__"))
        same.secure = true;
    return set(req, name, "", true, &same);
}
