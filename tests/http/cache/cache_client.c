/* SPDX-License-Identifier: MIT */
/* See cache_client.h. */
#include "config.h"

#include "tests/http/cache/cache_client.h"

#include <stdio.h>

struct cg_http_cache *cache;
struct cg_http_client *client;
struct cg_http_reply *reply;
char why[CG_HTTP_WHY_SIZE];

void cache_begin(void)
{
    origin_start();
    cache = cg_http_cache_new();
    client = cg_http_client_new(.no_environment = true, .cache = cache);
}

ssize_t cache_end(void)
{
    cg_http_client_free(client);
    cg_http_cache_free(cache);
    origin_end();
    return 0;
}

const char *url(const char *path)
{
    static char urls[4][256];
    static unsigned turn;
    char *text = urls[turn++ % COUNT(urls)];

    snprintf(text, sizeof urls[0], "%s%s", origin.url, path);
    return text;
}

ssize_t get(const char *path)
{
    return FETCH(.url = url(path));
}

enum cg_http_from ask_from(const char *path, const char *name, const char *value)
{
    const struct cg_http_field fields[] = {{name, value}, {NULL, NULL}};

    ck_assert_int_eq(FETCH(.url = url(path), .fields = fields), 200);
    return from();
}

enum cg_http_from from(void)
{
    enum cg_http_from is = cg_http_reply_from(reply);

    cg_http_reply_free(reply);
    reply = NULL;
    return is;
}

void has_body(const char *want)
{
    ck_assert_str_eq(cg_http_reply_body(reply, NULL), want);
    cg_http_reply_free(reply);
    reply = NULL;
}
