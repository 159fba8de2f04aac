/* SPDX-License-Identifier: MIT */
/* The header fields of a request, whatever carries it: those of the caller, and the client's
 * own ones that the caller does not replace. */
#include "config.h"

#include "http/client/client_fields.h"
#include "http/client/client_why.h"
#include "http/coding/decoder.h"
#include "http/cookies/jar.h"
#include "http/message/base64.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

char *cg__http_client_fields_basic(const char *user)
{
    size_t len = strlen(user);
    char *text = malloc(sizeof "Basic " + CG__BASE64_LEN(len));

    if (text != NULL)
        cg__http_base64_encode(stpcpy(text, "Basic "), user, len);
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

static bool next_own(struct own *own, struct field *field)
{
    const struct cg_http_headers *list = own->fetch->headers;
    const struct cg_http_field *array = own->fetch->fields;
    size_t at = own->at++, listed = list != NULL ? list->count : 0;

    if (at < listed) {
        const struct cg__http_entry *entry = cg__http_entry(list, (uint32_t)at);

        *field = (struct field){.name = cg__http_message_at(list, entry->name),
                                .value = cg__http_message_at(list, entry->value),
                                .name_len = entry->name_len,
                                .value_len = entry->value_len};
        return true;
    }
    if (array == NULL || array[at - listed].name == NULL)
        return false;
    array += at - listed;
    *field = (struct field){.name = array->name,
                            .value = array->value,
                            .name_len = strlen(array->name),
                            .value_len = strlen(array->value)};
    return true;
}

/* Whether a field of the caller is sent: not if it is private and a redirect has led to
 * another host, or if it describes a body that a redirect has dropped. */
static bool goes_along(const struct cg__asking *ask, const char *name, size_t len,
                       bool to_proxy)
{
    static const char of_proxy[] = "Proxy-Authorization";

    static const char *const private[] = {
        "Authorization", "Cookie", "Cookie2", "Host", "Proxy-Authorization", NULL};
    static const char *const of_body[] = {"Content-Type",        "Content-Encoding",
                                          "Content-Language",    "Content-Location",
                                          "Content-Disposition", NULL};

    if (ask->foreign && cg__http_message_is_one_of(name, private))
        return false;
    if (!to_proxy && len == sizeof of_proxy - 1 && cg__ascii_same(name, of_proxy, len))
        return false;
    return ask->with_body || ask->redirects == 0 || !cg__http_message_is_one_of(name, of_body);
}

bool cg__http_client_fields_has(const struct cg__asking *ask, const char *name,
                                bool to_proxy)
{
    struct own own = {.fetch = ask->fetch};
    size_t len = strlen(name);
    struct field field;

    while (next_own(&own, &field))
        if (field.name_len == len && cg__ascii_same(field.name, name, len) &&
            goes_along(ask, name, len, to_proxy))
            return true;
    return false;
}

static int put_text(struct cg_http_headers *to, cg__fields_put *put, const char *name,
                    const char *value)
{
    return put(to, name, strlen(name), value, strlen(value));
}

/* The cookies of the request: a field of the caller's, and then the jar's. */
static int put_cookies(struct cg_http_headers *to, cg__fields_put *put,
                       const struct cg__asking *ask, struct cg_http_jar *jar, const char *own)
{
    size_t len = strlen(own);
    char *value = malloc(len + sizeof "; " + CG_HTTP_JAR_SENT), *at = value;
    int rc = 0;

    if (value == NULL)
        return -ENOMEM;
    at = stpcpy(stpcpy(at, own), len > 0 ? "; " : "");
    if (cg__http_jar_get(jar, &ask->url, cg__http_jar_now(), at) == 0)
        value[len] = '\0';
    if (*value != '\0')
        rc = put_text(to, put, "Cookie", value);
    free(value);
    return rc;
}

/* The caller's fields, which client_fetch.c has checked. */
static int put_own(struct cg_http_headers *to, cg__fields_put *put,
                   const struct cg__asking *ask, bool to_proxy)
{
    struct cg_http_jar *jar =
        ask->fetch->bare || ask->refreshing ? NULL : ask->client->options.jar;
    struct own own = {.fetch = ask->fetch};
    struct field field;
    int rc = 0;

    while (rc == 0 && next_own(&own, &field)) {
        if (!goes_along(ask, field.name, field.name_len, to_proxy))
            continue;
        if (jar != NULL && cg__ascii_equal(field.name, "Cookie")) {
            rc = put_cookies(to, put, ask, jar, field.value);
            jar = NULL;
        } else {
            rc = put(to, field.name, field.name_len, field.value, field.value_len);
        }
    }
    return rc == 0 && jar != NULL ? put_cookies(to, put, ask, jar, "") : rc;
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

/* The field of a stored response by which the server can validate it; "": there is none. */
static const char *validator(const struct cg__asking *ask, const char *name)
{
    const struct cg__cached *stored = ask->cached->stored;
    const char *value = stored != NULL ? cg_http_headers_get(&stored->head, name) : NULL;

    return value != NULL ? value : "";
}

static int put_all(struct cg_http_headers *to, cg__fields_put *put,
                   const struct cg__asking *ask, bool to_proxy)
{
    const struct cg_http_client *client = ask->client;
    bool bare = ask->fetch->bare;
    bool raw = ask->fetch->raw || bare || cg__http_client_fields_has(ask, "Range", to_proxy);
    const struct {
        const char *name, *value;
    } ours[] = {
        {"Host", ask->url.hostport},
        {"User-Agent", bare ? "" : client->user_agent},
        {"Accept", bare ? "" : "*/*"},
        {"Accept-Encoding", raw ? "" : cg__http_decoder_accept()},
        {"Proxy-Authorization", to_proxy && ask->proxy_auth ? ask->proxy_auth : ""},
        {"Priority", ask->fetch->priority != NULL ? ask->fetch->priority : ""},
        {"Expect", ask->expect ? "100-continue" : ""},
        {"If-None-Match", validator(ask, "ETag")},
        {"If-Modified-Since", validator(ask, "Last-Modified")},
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof ours / sizeof *ours; i++)
        if (*ours[i].value && !cg__http_client_fields_has(ask, ours[i].name, to_proxy))
            rc = put_text(to, put, ours[i].name, ours[i].value);
    if (rc == 0)
        rc = put_auth(to, put, ask, to_proxy);
    return rc == 0 ? put_own(to, put, ask, to_proxy) : rc;
}

int cg__http_client_fields(struct cg_http_headers *to, cg__fields_put *put,
                           const struct cg__asking *ask, bool to_proxy)
{
    struct cg__cached_asking *cached = ask->cached;
    int rc = put_all(to, put, ask, to_proxy);

    if (rc < 0 || cached->cache == NULL)
        return rc;
    /* What is stored depends on some of the fields as they are sent. */
    cg__http_message_clear(&cached->fields);
    return put_all(&cached->fields, cg__http_message_put, ask, to_proxy);
}
