/* SPDX-License-Identifier: MIT */
/* See h2_ask.h. */
#include "config.h"

#include "tests/http/http2/h2_ask.h"

#include <stdio.h>

struct h2_peer peer;

void finish(void)
{
    cg_http_client_free(client);
    client = NULL;
    h2_peer_end(&peer);
}

ssize_t make(void *arg, void *buf, size_t size)
{
    struct made *made = arg;
    size_t len = made->len - made->at;

    len = len < size ? len : size;
    len = made->step && len > made->step ? made->step : len;
    test_fill(buf, len, made->at);
    made->at += len;
    return (ssize_t)len;
}

int make_again(void *arg)
{
    struct made *made = arg;

    made->at = 0;
    made->rewound++;
    return 0;
}

ssize_t asks(void *arg)
{
    struct asked *asked = arg;
    struct cg_http_reply *mine;

    asked->result = cg_yield(
        cg_http_get(client, h2_peer_url(asked->peer, asked->scheme, asked->path), &mine,
                    .timeout = asked->timeout));
    if (asked->result >= 0)
        snprintf(asked->body, sizeof asked->body, "%s", cg_http_reply_body(mine, NULL));
    cg_http_reply_free(mine);
    return 0;
}

void ask_many(struct asked *all, const char *path, const char *scheme)
{
    struct cg_coro *coros[MANY];

    for (unsigned i = 0; i < MANY; i++) {
        all[i] = (struct asked){.peer = &peer, .path = path, .scheme = scheme};
        coros[i] = test_start(asks, &all[i]);
    }
    for (unsigned i = 0; i < MANY; i++)
        test_end(coros[i]);
}

void all_are(const struct asked *all, ssize_t result)
{
    for (unsigned i = 0; i < MANY; i++)
        IS(all[i].result, result);
}
