/* SPDX-License-Identifier: MIT */
/* See http_ask.h. */
#include "config.h"

#include "tests/http/http_ask.h"

#include <string.h>

struct script server, other;
struct cg_http_client *client;
struct cg_http_reply *reply;
char why[CG_HTTP_WHY_SIZE];

void has_body(const char *want)
{
    size_t size;

    ck_assert_str_eq(cg_http_reply_body(reply, &size), want);
    ck_assert_uint_eq(size, strlen(want));
    cg_http_reply_free(reply);
    reply = NULL;
}

void heard(const char *piece)
{
    ck_assert_msg(strstr(server.seen + server.from, piece) != NULL,
                  "not heard: %s in\n%s", piece, server.seen + server.from);
}

void not_heard(const char *piece)
{
    ck_assert_msg(strstr(server.seen + server.from, piece) == NULL, "heard: %s in\n%s",
                  piece, server.seen + server.from);
}

unsigned count(const char *text, const char *piece)
{
    unsigned n = 0;

    while ((text = strstr(text, piece)) != NULL)
        n++, text++;
    return n;
}

void done(void)
{
    cg_http_client_free(client);
    client = NULL;
    script_end(&server);
}

ssize_t some_read(void *arg, void *buf, size_t len)
{
    int *left = arg;

    ck_assert_uint_ge(len, 3);
    OK(cg_yield(cg_sleep(1)));
    if (*left == 0)
        return 0;
    --*left;
    memcpy(buf, "abc", 3);
    return 3;
}

int some_rewind(void *arg)
{
    *(int *)arg = 2;
    return 0;
}
