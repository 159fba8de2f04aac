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

/* Whether a field of the caller is sent: not if it is private and a redirect has led to
 * another host, or if it describes a body that a redirect has dropped. */
static bool goes_along(const struct cg__asking *ask, const char *name, bool to_proxy)
{
    static const char *const private[] = {
        "Authorization", "Cookie", "Cookie2", "Host", "Proxy-Authorization", NULL};
    static const char *const of_body[] = {"Content-Type",        "Content-Encoding",
                                          "Content-Language",    "Content-Location",
                                          "Content-Disposition", NULL};

    if (ask->foreign && cg__http_message_is_one_of(name, private))
        return false;
    if (cg__ascii_equal(name, "Proxy-Authorization") && !to_proxy)
        return false;
    return ask->with_body || ask->redirects == 0 || !cg__http_message_is_one_of(name, of_body);
}

bool cg__http_client_fields_has(const struct cg__asking *ask, const char *name,
                                bool to_proxy)
{
    const struct cg_http_field *field = ask->fetch->fields;

    for (; field != NULL && field->name != NULL; field++)
        if (cg__ascii_equal(field->name, name) && goes_along(ask, name, to_proxy))
            return true;
    return false;
}

/* The cookies of the request: a field of the caller's, and then the jar's. */
static int put_cookies(struct cg_http_headers *fields, const struct cg__asking *ask,
                       struct cg_http_jar *jar, const char *own)
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
        rc = cg_http_headers_add(fields, "Cookie", value);
    free(value);
    return rc;
}

/* The caller's fields, which client_fetch.c has checked. */
static int put_own(struct cg_http_headers *fields, const struct cg__asking *ask,
                   bool to_proxy)
{
    const struct cg_http_field *field = ask->fetch->fields;
    struct cg_http_jar *jar = ask->fetch->bare ? NULL : ask->client->options.jar;
    int rc = 0;

    for (; rc == 0 && field != NULL && field->name != NULL; field++) {
        if (!goes_along(ask, field->name, to_proxy))
            continue;
        if (jar != NULL && cg__ascii_equal(field->name, "Cookie")) {
            rc = put_cookies(fields, ask, jar, field->value);
            jar = NULL;
        } else {
            rc = cg__http_message_add(fields, field->name, field->value);
        }
    }
    return rc == 0 && jar != NULL ? put_cookies(fields, ask, jar, "") : rc;
}

static int put_bearer(struct cg_http_headers *fields, const char *token)
{
    char *value = malloc(sizeof "Bearer " + strlen(token));
    int rc;

    if (value == NULL)
        return -ENOMEM;
    strcpy(stpcpy(value, "Bearer "), token);
    rc = cg_http_headers_add(fields, "Authorization", value);
    free(value);
    return rc;
}

static int put_auth(struct cg_http_headers *fields, const struct cg__asking *ask)
{
    const struct cg_http_fetch *fetch = ask->fetch;
    const char *user = fetch->basic ? fetch->basic : ask->url.user;
    char *basic;
    int rc;

    if (ask->foreign)
        return 0;
    if (fetch->bearer != NULL)
        return put_bearer(fields, fetch->bearer);
    if (user == NULL)
        return 0;
    basic = cg__http_client_fields_basic(user);
    rc = basic ? cg_http_headers_add(fields, "Authorization", basic) : -ENOMEM;
    free(basic);
    return rc;
}

/* The field of a stored response by which the server can validate it; "": there is none. */
static const char *validator(const struct cg__asking *ask, const char *name)
{
    const struct cg__cached *stored = ask->cached->stored;
    const char *value = stored != NULL ? cg_http_headers_get(&stored->head, name) : NULL;

    return value != NULL ? value : "";
}

/* Keeps the fields as they are sent: what is stored depends on some of them. */
static int keep(struct cg__cached_asking *cached, const struct cg_http_headers *fields)
{
    if (cached->cache == NULL)
        return 0;
    cg__http_message_clear(&cached->fields);
    return cg__http_message_copy(&cached->fields, fields);
}

int cg__http_client_fields(struct cg_http_headers *fields, const struct cg__asking *ask,
                           bool to_proxy)
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
            rc = cg_http_headers_add(fields, ours[i].name, ours[i].value);
    if (rc == 0 && !cg__http_client_fields_has(ask, "Authorization", to_proxy))
        rc = put_auth(fields, ask);
    if (rc == 0)
        rc = put_own(fields, ask, to_proxy);
    if (rc == 0)
        rc = keep(ask->cached, fields);
    if (rc == -EINVAL)
        cg__http_client_because(ask->why, rc, "a header field is invalid");
    return rc;
}
