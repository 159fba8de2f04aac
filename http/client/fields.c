/* SPDX-License-Identifier: MIT */
/* The header fields of a request, whatever carries it: those of the caller, and the client's
 * own ones that the caller does not replace. */
#include "config.h"

#include "http/client/fields.h"
#include "http/client/why.h"
#include "http/coding/decoder.h"
#include "http/cookies/jar.h"
#include "http/message/base64.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* There is a colon even if there is no password (RFC 7617, 2). */
char *cg__http_client_fields_basic(const char *user)
{
    const char *colon = strchr(user, ':') == NULL ? ":" : "";
    size_t len = strlen(user) + strlen(colon);
    char *pair = malloc(len + 1), *text = malloc(sizeof "Basic " + CG__BASE64_LEN(len));

    if (pair == NULL || text == NULL) {
        free(text);
        text = NULL;
    } else {
        stpcpy(stpcpy(pair, user), colon);
        cg__http_base64_encode(stpcpy(text, "Basic "), pair, len);
    }
    free(pair);
    return text;
}

/* The caller's fields, one after the other: those of the list, then those of the array. */
struct own {
    const struct cg_http_fetch *fetch;
    size_t at;
};

struct field {
    const char *name, *value;
    size_t name_len, value_len;
};

static bool next_of_array(const struct cg_http_field *array, size_t at, struct field *field)
{
    if (array == NULL || array[at].name == NULL)
        return false;
    *field = (struct field){.name = array[at].name,
                            .value = array[at].value,
                            .name_len = strlen(array[at].name),
                            .value_len = strlen(array[at].value)};
    return true;
}

static inline bool next_own(struct own *own, struct field *field)
{
    const struct cg_http_headers *list = own->fetch->headers;
    size_t at = own->at++, listed = list != NULL ? list->count : 0;
    const struct cg__http_entry *entry;

    if (at >= listed)
        return next_of_array(own->fetch->fields, at - listed, field);
    entry = cg__http_entry(list, (uint32_t)at);
    field->name = cg__http_message_at(list, entry->name);
    field->value = cg__http_message_at(list, entry->value);
    field->name_len = entry->name_len;
    field->value_len = entry->value_len;
    return true;
}

/* Whether a field of the caller is still sent after a redirect: not if it is private and the
 * redirect has led to another host, or if it describes a body that has been dropped. */
static bool survives(const struct cg__asking *ask, const char *name)
{
    static const char *const private[] = {
        "Authorization", "Cookie", "Cookie2", "Host", "Proxy-Authorization", NULL};
    static const char *const of_body[] = {"Content-Type",        "Content-Encoding",
                                          "Content-Language",    "Content-Location",
                                          "Content-Disposition", NULL};

    if (ask->foreign && cg__http_message_is_one_of(name, private))
        return false;
    return ask->with_body || !cg__http_message_is_one_of(name, of_body);
}

static inline bool goes_along(const struct cg__asking *ask, const char *name, size_t len,
                              bool to_proxy)
{
    static const char of_proxy[] = "Proxy-Authorization";

    if (!to_proxy && len == sizeof of_proxy - 1 && cg__ascii_same(name, of_proxy, len))
        return false;
    return ask->redirects == 0 || survives(ask, name);
}

bool cg__http_client_fields_has(const struct cg__asking *ask, const char *name,
                                bool to_proxy)
{
    struct own own = {.fetch = ask->fetch};
    struct field field;

    while (next_own(&own, &field))
        if (strlen(name) == field.name_len &&
            cg__ascii_same(field.name, name, field.name_len) &&
            goes_along(ask, name, field.name_len, to_proxy))
            return true;
    return false;
}

static int put_text(struct cg_http_headers *to, cg__fields_put *put, const char *name,
                    const char *value)
{
    return put(to, name, strlen(name), value, strlen(value));
}

static bool is_cookie(const struct field *field)
{
    return field->name_len == sizeof "Cookie" - 1 &&
           cg__ascii_same(field->name, "Cookie", field->name_len);
}

/* The values of the caller's fields named Cookie, with "; " after each. Writes them if `to` is
 * set. Returns their length. */
static size_t own_cookies(const struct cg__asking *ask, char *to)
{
    struct own own = {.fetch = ask->fetch};
    struct field field;
    size_t len = 0;

    while (next_own(&own, &field)) {
        if (!is_cookie(&field) || field.value_len == 0)
            continue;
        if (to != NULL) {
            memcpy(to + len, field.value, field.value_len);
            memcpy(to + len + field.value_len, "; ", 2);
        }
        len += field.value_len + 2;
    }
    return len;
}

/* The cookies of the request, in one field (RFC 6265, 5.4): the caller's (unless a redirect drops
 * them), and then those of the jar (NULL: none). */
static int put_cookies(struct cg_http_headers *to, cg__fields_put *put,
                       const struct cg__asking *ask, struct cg_http_jar *jar, bool own)
{
    size_t len = own ? own_cookies(ask, NULL) : 0;
    char *value = jar != NULL || len > 0 ? malloc(len + CG_HTTP_JAR_SENT + 1) : NULL;
    int rc = 0;

    if (value == NULL)
        return jar != NULL || len > 0 ? -ENOMEM : 0;
    if (len > 0)
        own_cookies(ask, value);
    if (jar == NULL || cg__http_jar_get(jar, &ask->url, cg__http_jar_now(), value + len) == 0)
        value[len > 0 ? len - 2 : 0] = '\0';
    if (*value != '\0')
        rc = put_text(to, put, "Cookie", value);
    free(value);
    return rc;
}

/* The caller's fields, which check.c has checked. The cookies take the place of the first
 * of them. */
static int put_own(struct cg_http_headers *to, cg__fields_put *put,
                   const struct cg__asking *ask, bool to_proxy)
{
    struct cg_http_jar *jar =
        ask->fetch->bare || ask->refreshing ? NULL : ask->client->options.jar;
    struct own own = {.fetch = ask->fetch};
    struct field field;
    bool cookies = false;
    int rc = 0;

    while (rc == 0 && next_own(&own, &field)) {
        if (!goes_along(ask, field.name, field.name_len, to_proxy))
            continue;
        if (!is_cookie(&field)) {
            rc = put(to, field.name, field.name_len, field.value, field.value_len);
        } else if (!cookies) {
            rc = put_cookies(to, put, ask, jar, true);
            cookies = true;
        }
    }
    return rc == 0 && !cookies ? put_cookies(to, put, ask, jar, false) : rc;
}

static int put_bearer(struct cg_http_headers *to, cg__fields_put *put, const char *token)
{
    char *value = malloc(sizeof "Bearer " + strlen(token));
    int rc;

    if (value == NULL)
        return -ENOMEM;
    strcpy(stpcpy(value, "Bearer "), token);
    rc = put_text(to, put, "Authorization", value);
    free(value);
    return rc;
}

static int put_basic(struct cg_http_headers *to, cg__fields_put *put, const char *user)
{
    char *value = cg__http_client_fields_basic(user);
    int rc = value != NULL ? put_text(to, put, "Authorization", value) : -ENOMEM;

    free(value);
    return rc;
}

/* Credentials that the caller gives by an option or in the URL. */
static int put_auth(struct cg_http_headers *to, cg__fields_put *put,
                    const struct cg__asking *ask, bool to_proxy)
{
    const struct cg_http_fetch *fetch = ask->fetch;
    const char *user = fetch->basic ? fetch->basic : ask->url.user;

    if (ask->foreign || (fetch->bearer == NULL && user == NULL) ||
        cg__http_client_fields_has(ask, "Authorization", to_proxy))
        return 0;
    return fetch->bearer != NULL ? put_bearer(to, put, fetch->bearer)
                                 : put_basic(to, put, user);
}

/* The field of a stored response by which the server can validate it; NULL: there is none. */
static const char *validator(const struct cg__asking *ask, const char *name)
{
    const struct cg__cached *stored = ask->cached->stored;

    return stored != NULL ? cg_http_headers_get(&stored->head, name) : NULL;
}

/* Where the fields of a request go. */
struct pen {
    struct cg_http_headers *to;
    cg__fields_put *put;
    const struct cg__asking *ask;
    bool to_proxy;
};

/* Puts a field of ours, unless there is nothing to say or the caller replaces it. */
static int put_usual(const struct pen *pen, const char *name, const char *value)
{
    if (value == NULL || *value == '\0' ||
        cg__http_client_fields_has(pen->ask, name, pen->to_proxy))
        return 0;
    return put_text(pen->to, pen->put, name, value);
}

/* The fields that tell who asks, which are not those of a proxy. */
static int put_manners(const struct pen *pen)
{
    const struct cg__asking *ask = pen->ask;
    bool raw = ask->fetch->raw || cg__http_client_fields_has(ask, "Range", pen->to_proxy);
    int rc = put_usual(pen, "User-Agent", ask->client->user_agent);

    if (rc == 0)
        rc = put_usual(pen, "Accept", "*/*");
    return rc == 0 && !raw ? put_usual(pen, "Accept-Encoding", cg__http_decoder_accept()) : rc;
}

static int put_all(const struct pen *pen)
{
    const struct cg__asking *ask = pen->ask;
    int rc = put_usual(pen, "Host", ask->url.hostport);

    if (rc == 0 && !ask->fetch->bare)
        rc = put_manners(pen);
    if (rc == 0 && pen->to_proxy)
        rc = put_usual(pen, "Proxy-Authorization", ask->proxy_auth);
    if (rc == 0)
        rc = put_usual(pen, "Priority", ask->fetch->priority);
    if (rc == 0)
        rc = put_usual(pen, "Expect", ask->expect ? "100-continue" : NULL);
    if (rc == 0)
        rc = put_usual(pen, "If-None-Match", validator(ask, "ETag"));
    if (rc == 0)
        rc = put_usual(pen, "If-Modified-Since", validator(ask, "Last-Modified"));
    if (rc == 0)
        rc = put_auth(pen->to, pen->put, ask, pen->to_proxy);
    return rc == 0 ? put_own(pen->to, pen->put, ask, pen->to_proxy) : rc;
}

int cg__http_client_fields(struct cg_http_headers *to, cg__fields_put *put,
                           const struct cg__asking *ask, bool to_proxy)
{
    struct cg__cached_asking *cached = ask->cached;
    int rc = put_all(&(struct pen){to, put, ask, to_proxy});

    if (rc < 0 || cached->cache == NULL)
        return rc;
    /* What is stored depends on some of the fields as they are sent. */
    cg__http_message_clear(&cached->fields);
    return put_all(&(struct pen){&cached->fields, cg__http_message_put, ask, to_proxy});
}
