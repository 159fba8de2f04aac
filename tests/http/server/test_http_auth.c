/* SPDX-License-Identifier: MIT */
/* Layers that ask who the client is, those that name requests, and redirects. */
#include "config.h"

#include "lib/base/ascii.h"
#include "tests/http/http_serve.h"

#include <cogen/http_layers.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static ssize_t tells_user(struct cg_http_request *req, void *arg)
{
    const char *user = cg_http_request_param(req, "auth-user");

    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, user != NULL ? user : "nobody"));
}

/* Knows "any" with a password of the length of its name. Waits. */
static ssize_t checks(void *arg, struct cg_http_request *req, const char *name,
                      const char *secret)
{
    ck_assert_ptr_nonnull(req);
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    if (strcmp(secret, "broken") == 0)
        return -EINVAL; /* not to be taken for a name that is invalid */
    return name != NULL ? strlen(name) == strlen(secret) : strcmp(secret, arg) == 0;
}

static const char *asks(const char *path, const char *authorization)
{
    char text[8192];

    snprintf(text, sizeof text, "GET %s" V CLOSE "%s\r\n", path, authorization);
    return BODY(text);
}

#define A "Authorization: "
#define REFUSED "401 Unauthorized\n"

static const struct cg_http_user users[] = {
    {"ann", "pass:word"}, {"\xc3\xa4", "x"}, {"bad\x01", "y"}, {"none", ""}, {NULL, NULL}};

/* Only a user with the right password passes, and the handler knows who it is. */
static ssize_t basic(void *arg)
{
    static struct cg_http_auth list = {.realm = "a \"realm\"", .users = users},
                               asked = {.check = checks};
    static const struct cg_http_layer layers[] = {{cg_http_basic_layer, NULL, &list},
                                                  {NULL, tells_user, NULL}},
                                      others[] = {{cg_http_basic_layer, NULL, &asked},
                                                  {NULL, tells_user, NULL}};

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/list", cg_http_layers_handler, (void *)layers));
    OK(cg_http_server_mount(server, "/asked", cg_http_layers_handler, (void *)others));
    ck_assert_str_eq(asks("/list", A "Basic YW5uOnBhc3M6d29yZA==\r\n"), "ann");
    ck_assert_str_eq(asks("/list", A "basic   YW5uOnBhc3M6d29yZA\r\n"), "ann");
    ck_assert_str_eq(asks("/list", A "Basic w6Q6eA==\r\n"), "\xc3\xa4");
    ck_assert_str_eq(asks("/list", A "Basic bm9uZTo=\r\n"), "none");
    ck_assert_str_eq(asks("/list", ""), REFUSED);
    ck_assert_ptr_nonnull(strstr(got, "\r\nWWW-Authenticate: Basic realm=\"a \\\"realm\\\"\", "
                                      "charset=\"UTF-8\"\r\n"));
    ck_assert_str_eq(asks("/list", A "Basic YW5uOnBhc3M6d29yeA==\r\n"), REFUSED);
    ck_assert_str_eq(asks("/list", A "Basic YW5uOg==\r\n"), REFUSED);
    ck_assert_str_eq(asks("/list", A "Basic YW5u\r\n"), REFUSED);
    ck_assert_str_eq(asks("/list", A "Basic YW5uOnBhc3M6d29yZA=\r\n"), REFUSED);
    ck_assert_str_eq(asks("/list", A "Basic YW5uOnBhc3M6d29yZA== x\r\n"), REFUSED);
    ck_assert_str_eq(asks("/list", A "Basic \r\n"), REFUSED);
    ck_assert_str_eq(asks("/list", A "Basic\r\n"), REFUSED);
    ck_assert_str_eq(asks("/list", A "Basic YmFkATp5\r\n"), REFUSED); /* bad\x01 */
    ck_assert_str_eq(asks("/list", A "Basic YW5uADpwYXNzOndvcmQ=\r\n"), REFUSED); /* a NUL */
    ck_assert_str_eq(asks("/list", A "Digest YW5uOnBhc3M6d29yZA==\r\n"), REFUSED);
    ck_assert_str_eq(asks("/list", A "Basic YW5uOnBhc3M6d29yZA==\r\n" A "Basic x\r\n"),
                     REFUSED);
    ck_assert_str_eq(asks("/asked", A "Basic YW5uOnh5eg==\r\n"), "ann");
    ck_assert_str_eq(asks("/asked", A "Basic YW5uOng=\r\n"), REFUSED);
    ck_assert_str_eq(asks("/asked", A "Basic YW5uOmJyb2tlbg==\r\n"),
                     "500 Internal Server Error\n");
    serve_end();
    return 0;
}

static ssize_t bearer(void *arg)
{
    static struct cg_http_auth list = {.users = users},
                               asked = {.check = checks, .arg = "token"};
    static const struct cg_http_layer layers[] = {{cg_http_bearer_layer, NULL, &list},
                                                  {NULL, tells_user, NULL}},
                                      others[] = {{cg_http_bearer_layer, NULL, &asked},
                                                  {NULL, tells_user, NULL}};
    char large[CG_HTTP_SECRET_LIMIT + 100];

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/list", cg_http_layers_handler, (void *)layers));
    OK(cg_http_server_mount(server, "/asked", cg_http_layers_handler, (void *)others));
    ck_assert_str_eq(asks("/list", A "Bearer pass:word\r\n"), "ann");
    ck_assert_str_eq(asks("/list", A "BEARER x\r\n"), "\xc3\xa4");
    ck_assert_str_eq(asks("/list", A "Bearer xx\r\n"), REFUSED);
    ck_assert_ptr_nonnull(strstr(
        got, "\r\nWWW-Authenticate: Bearer realm=\"\", error=\"invalid_token\"\r\n"));
    ck_assert_str_eq(asks("/list", ""), REFUSED);
    ck_assert_ptr_nonnull(strstr(got, "\r\nWWW-Authenticate: Bearer realm=\"\"\r\n"));
    ck_assert_str_eq(asks("/asked", A "Bearer token\r\n"), "");
    ck_assert_str_eq(asks("/asked", A "Bearer tokens\r\n"), REFUSED);
    memset(large, 'x', sizeof large);
    memcpy(large, A "Bearer ", 22);
    strcpy(large + sizeof large - 3, "\r\n");
    ck_assert_str_eq(asks("/list", large), REFUSED);
    serve_end();
    return 0;
}

/* Equal or not, whatever the lengths are. */
static void secrets(void)
{
    static const char *const texts[] = {"", "a", "aa", "ab", "abab", "b"};

    for (size_t i = 0; i < COUNT(texts); i++)
        for (size_t j = 0; j < COUNT(texts); j++)
            IS(cg_http_secret_is(texts[i], texts[j]), i == j);
}

/* Base64 with each length, with padding and without; what is not base64 is refused. */
static void base64(void)
{
    static const char *const good[] = {"", "YQ==", "YWI=", "YWJj", "YQ", "YWI"},
                      *const plain[] = {"", "a", "ab", "abc", "a", "ab"};
    static const char *const bad[] = {"Y", "YQ=", "YQ===", "=", "==", "====", "Y=Q=", "YQ==YQ==",
                                      "YWJ!", "YW J"};
    char to[16];

    for (size_t i = 0; i < COUNT(good); i++) {
        IS(cg__ascii_base64(to, good[i], strlen(good[i])), (ssize_t)strlen(plain[i]));
        ck_assert_mem_eq(to, plain[i], strlen(plain[i]));
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        IS(cg__ascii_base64(to, bad[i], strlen(bad[i])), -1);
}

static ssize_t tells_id(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, cg_http_request_param(req, "request-id")));
}

/* Each request has an id of its own; one that comes with it is taken only from proxies, and
 * only if it is harmless. */
static ssize_t ids(void *arg)
{
    static struct cg_http_request_ids trusts = {.trust = true, .name = "Trace"};
    static const struct cg_http_layer layers[] = {{cg_http_request_id_layer, NULL, NULL},
                                                  {NULL, tells_id, NULL}},
                                      others[] = {{cg_http_request_id_layer, NULL, &trusts},
                                                  {NULL, tells_id, NULL}};
    char first[64], field[128];

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/own", cg_http_layers_handler, (void *)layers));
    OK(cg_http_server_mount(server, "/given", cg_http_layers_handler, (void *)others));
    snprintf(first, sizeof first, "%s", asks("/own", "X-Request-Id: mine\r\n"));
    IS(strspn(first, "0123456789abcdef"), 32);
    IS(strlen(first), 32);
    snprintf(field, sizeof field, "\r\nX-Request-Id: %s\r\n", first);
    ck_assert_ptr_nonnull(strstr(got, field));
    ck_assert_str_ne(asks("/own", ""), first);
    ck_assert_str_eq(asks("/given", "Trace: mine\r\n"), "mine");
    ck_assert_ptr_nonnull(strstr(got, "\r\nTrace: mine\r\n"));
    IS(strlen(asks("/given", "Trace: two words\r\n")), 32);
    IS(strlen(asks("/given", "Trace: a\"b\r\n")), 32);
    IS(strlen(asks("/given", "Trace: \r\n")), 32);
    serve_end();
    return 0;
}

static ssize_t redirects(struct cg_http_request *req, void *arg)
{
    (void)arg;
    IS(cg_yield(cg_http_send_redirect(req, 200, "/")), -EINVAL);
    IS(cg_yield(cg_http_send_redirect(req, 304, "/")), -EINVAL);
    IS(cg_yield(cg_http_send_redirect(req, 302, "/\r\nX: y")), -EINVAL);
    return cg_yield(cg_http_send_redirect(req, 303, "/a b?\xc3\xa4=%20#c"));
}

static ssize_t timed(struct cg_http_request *req, void *arg)
{
    static const char *const bad[] = {"", "a b", "a,b", "a;b", "a\nb", "\xc3\xa4"};
    char longer[CG_HTTP_TIMING_LIMIT + 2];

    (void)arg;
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    for (size_t i = 0; i < COUNT(bad); i++)
        IS(cg_http_response_add_timing(req, bad[i], 1, NULL), -EINVAL);
    IS(cg_http_response_add_timing(req, longer, 1, NULL), -EINVAL);
    IS(cg_http_response_add_timing(req, "x", 1, longer), -EINVAL);
    IS(cg_http_response_add_timing(req, "x", 1, "a\r\nX: y"), -EINVAL);
    OK(cg_http_response_add_timing(req, "cache", -1, NULL));
    OK(cg_http_response_add_timing(req, "db", 1234567899, "a \"b\" \\, c"));
    OK(cg_http_response_add_timing(req, "short", 999, longer + 1));
    OK(cg_http_response_add_timing(req, "long", INT64_MAX, NULL));
    cg_yield(cg_http_send_text(req, 200, "timed\n"));
    IS(cg_http_response_add_timing(req, "late", 1, NULL), -EALREADY);
    return 0;
}

static ssize_t redirecting(void *arg)
{
    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/timed", timed, NULL));
    ck_assert_str_eq(asks("/timed", ""), "timed\n");
    ck_assert_ptr_nonnull(strstr(got, "\r\nServer-Timing: cache\r\nServer-Timing: "
                                      "db;dur=1234.567;desc=\"a \\\"b\\\" \\\\, c\"\r\n"
                                      "Server-Timing: short;dur=0.000;desc=\"xxx"));
    ck_assert_ptr_nonnull(strstr(got, "\r\nServer-Timing: long;dur=9223372036854.775\r\n"));
    OK(cg_http_server_mount(server, "/moved", redirects, NULL));
    ck_assert_str_eq(asks("/moved", ""), "303 See Other\n");
    ck_assert_ptr_nonnull(strstr(got, "\r\nLocation: /a%20b?%C3%A4=%20#c\r\n"));
    serve_end();
    return 0;
}

static const struct test_case cases[] = {
    CORO(basic),
    CORO(bearer),
    CORO(ids),
    CORO(redirecting),
};

static const struct test_case once[] = {
    PLAIN(secrets, .where = ON_SIM),
    PLAIN(base64, .where = ON_SIM),
};

int main(void)
{
    return both_main("http auth", cases, COUNT(cases), once, COUNT(once));
}
