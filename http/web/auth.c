/* SPDX-License-Identifier: MIT */
/* Layers that ask who the client is: basic authentication and bearer tokens. */
#include "config.h"

#include "lib/base/ascii.h"

#include <cogen.h>
#include <cogen/http_layers.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

bool cg_http_secret_is(const char *given, const char *secret)
{
    size_t len = strlen(given), secret_len = strlen(secret);
    volatile unsigned char differ = len != secret_len;

    for (size_t i = 0; i < len; i++)
        differ |= (unsigned char)(given[i] ^ secret[secret_len > 0 ? i % secret_len : 0]);
    return differ == 0;
}

/* The user whom this list or function knows, or NULL. All users are compared. */
static ssize_t find_user(const struct cg_http_auth *auth, struct cg_http_request *req,
                         const char *name, const char *secret, const char **user)
{
    ssize_t n;

    *user = NULL;
    if (auth->check != NULL) {
        n = auth->check(auth->arg, req, name, secret);
        *user = n > 0 ? (name != NULL ? name : "") : NULL;
        return n;
    }
    for (const struct cg_http_user *each = auth->users;
         each != NULL && each->name != NULL; each++) {
        bool same = cg_http_secret_is(secret, each->secret);

        if (name != NULL)
            same = cg_http_secret_is(name, each->name) && same;
        if (same)
            *user = each->name;
    }
    return *user != NULL;
}

/* Copies a realm as a quoted string; what does not fit is cut off. */
static void put_realm(char *to, const char *realm, size_t size)
{
    char *end = to + size - 2;

    for (; realm != NULL && *realm != '\0' && to + 1 < end; realm++) {
        if (*realm == '"' || *realm == '\\')
            *to++ = '\\';
        *to++ = *realm;
    }
    *to = '\0';
}

static ssize_t refuse(struct cg_http_request *req, const struct cg_http_auth *auth,
                      const char *scheme, const char *more)
{
    char realm[200], text[300];
    int rc;

    put_realm(realm, auth->realm, sizeof realm);
    snprintf(text, sizeof text, "%s realm=\"%s\"%s", scheme, realm, more);
    rc = cg_http_response_set_header(req, "WWW-Authenticate", text);
    return rc < 0 ? rc : cg_yield(cg_http_send_text(req, 401, "401 Unauthorized\n"));
}

/* Lets the request pass if the user is known. */
static ssize_t pass(struct cg_http_request *req, const struct cg_http_layer *next,
                    const struct cg_http_auth *auth, const char *name, const char *secret,
                    const char *scheme, const char *more)
{
    const char *user;
    ssize_t n = find_user(auth, req, name, secret, &user);

    if (n < 0)
        return n;
    if (n > 0) {
        n = cg_http_request_set_param(req, "auth-user", user);
        if (n == 0)
            return cg_http_layer_run(next, req);
        if (n != -EINVAL) /* a name with control characters is nobody's */
            return n;
    }
    return refuse(req, auth, scheme, more);
}

/* What follows the scheme in Authorization; NULL: the field is missing, twice there, or of
 * another scheme. */
static const char *credentials(const struct cg_http_request *req, const char *scheme)
{
    const struct cg_http_headers *headers = cg_http_request_headers(req);
    const char *value = NULL;
    struct cg_http_field field;

    for (size_t at = 0; cg_http_headers_next(headers, &at, &field);) {
        if (!cg__ascii_equal(field.name, "Authorization"))
            continue;
        if (value != NULL)
            return NULL;
        value = field.value;
    }
    if (value == NULL || !cg__ascii_begins(value, scheme) || value[strlen(scheme)] != ' ')
        return NULL;
    value += strlen(scheme);
    return value + strspn(value, " ");
}

ssize_t cg_http_basic_layer(struct cg_http_request *req, const struct cg_http_layer *next,
                            void *auth)
{
    const char *text = credentials(req, "Basic"), *more = ", charset=\"UTF-8\"";
    size_t size = text != NULL ? strlen(text) : 0;
    char pair[CG_HTTP_SECRET_LIMIT + 1], *colon;
    long len;

    if (text == NULL || size > CG_HTTP_SECRET_LIMIT ||
        (len = cg__ascii_base64(pair, text, size)) < 0 || memchr(pair, '\0', (size_t)len))
        return refuse(req, auth, "Basic", more);
    pair[len] = '\0';
    colon = strchr(pair, ':');
    if (colon == NULL)
        return refuse(req, auth, "Basic", more);
    *colon = '\0';
    return pass(req, next, auth, pair, colon + 1, "Basic", more);
}

ssize_t cg_http_bearer_layer(struct cg_http_request *req, const struct cg_http_layer *next,
                             void *auth)
{
    const char *token = credentials(req, "Bearer");

    if (token == NULL)
        return refuse(req, auth, "Bearer", "");
    if (strlen(token) > CG_HTTP_SECRET_LIMIT)
        return refuse(req, auth, "Bearer", ", error=\"invalid_token\"");
    return pass(req, next, auth, NULL, token, "Bearer", ", error=\"invalid_token\"");
}
