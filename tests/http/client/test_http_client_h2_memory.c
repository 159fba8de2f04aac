/* SPDX-License-Identifier: MIT */
/* The HTTP client over HTTP/2 without memory: each of its own allocations fails in turn. */
#include "config.h"

#include "http/client/client.h"
#include "tests/failing/failing.h"
#include "tests/http/http2/h2_peer.h"
#include "tests/http/http_script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct cg_coro *victim; /* the coroutine whose allocations are counted */
static int left = -1;          /* allocations until one fails */
static bool only_larger;       /* only realloc counts */

/* It, or the coroutine that sends its body. */
static bool is_victim(const struct cg_coro *self)
{
    return self == victim || (self != NULL && strcmp(cg_coro_name(self), "http body") == 0);
}

bool failing_now(enum failing_what what)
{
    if (victim == NULL || !is_victim(cg_coro_self()) ||
        (only_larger && what != FAILING_LARGER))
        return false;
    return left-- == 0;
}

static struct h2_peer peer;
static struct cg_http_client *client;
static struct cg_http_reply *reply;
static struct cg_http_headers *trailers;
static char why[CG_HTTP_WHY_SIZE];

static ssize_t some_read(void *arg, void *buf, size_t len)
{
    size_t *at = arg;

    len = *at < 3000 ? 1000 : 0;
    test_fill(buf, len, *at);
    *at += len;
    return (ssize_t)len;
}

/* A body with trailers, a body that is read, interim responses. */
static ssize_t asks(void *arg)
{
    static const char *const paths[] = {"/count", "/interim", "/trailers"};
    ssize_t n = 200;

    (void)arg;
    for (size_t i = 0; i < COUNT(paths) && n == 200; i++) {
        size_t at = 0;
        struct cg_http_source source = {.read = some_read, .arg = &at, .len = -1,
                                        .trailers = trailers};
        struct cg_http_fetch fetch = {.url = h2_peer_url(&peer, "http", paths[i]),
                                      .source = i == 0 ? &source : NULL};

        cg_http_reply_free(reply);
        n = cg_yield(cg_http_fetch(client, &fetch, &reply, .why = why));
    }
    return n;
}

/* Whichever allocation fails, the result is an error code or the page, nothing is leaked,
 * and the client can be used further. */
static ssize_t each_allocation(void *arg)
{
    ssize_t n = -ENOMEM;
    int failure, refused = 0;

    (void)arg;
    trailers = cg_http_headers_new();
    OK(cg_http_headers_add(trailers, "x-t", "1"));
    for (failure = 0; left < 0 && failure < 500; failure++) {
        h2_peer_start(&peer);
        client = CLIENT(.protocols = CG_HTTP_H2C);
        victim = test_start(asks, NULL);
        left = failure;
        n = cg_yield(cg_join(victim));
        cg_coro_unref(victim);
        victim = NULL;
        if (left >= 0)
            IS(n, 200); /* no allocation was left to fail */
        if (n < 0) {
            refused++;
            ck_assert_str_ne(why, "");
            IS(client->pool.active, 0);
        }
        cg_http_reply_free(reply);
        IS(cg_yield(cg_http_get(client, h2_peer_url(&peer, "http", "/ok"), &reply)), 200);
        cg_http_reply_free(reply);
        reply = NULL;
        cg_http_client_free(client);
        h2_peer_end(&peer);
    }
    IS(n, 200);
    ck_assert_int_gt(refused, 10);
    cg_http_headers_free(trailers);
    return 0;
}

enum { PINGS = 500 };

static ssize_t asks_again(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_get(client, h2_peer_url(&peer, "http", "/ok"), &reply, .why = why));
}

/* A request on a kept connection with many PINGs to answer, when a buffer cannot grow. Returns
 * whether it has succeeded on another connection. */
static bool moves_on(int failure)
{
    static char pings[PINGS][17];
    bool moved = false;
    ssize_t n;

    for (int i = 0; i < PINGS; i++)
        memcpy(pings[i], "\0\0\10\6\0\0\0\0\0abcdefgh", sizeof *pings);
    h2_peer_start(&peer);
    client = CLIENT(.protocols = CG_HTTP_H2C);
    IS(asks_again(NULL), 200);
    cg_http_reply_free(reply);
    OK(cg_yield(cg_writeall(peer.socks[0], pings, sizeof pings)));
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    left = failure;
    victim = test_start(asks_again, NULL);
    n = cg_yield(cg_join(victim));
    cg_coro_unref(victim);
    victim = NULL;
    if (n == 200 && left < 0)
        moved = peer.connections == 2;
    else
        IS(n, left < 0 ? -ENOMEM : 200);
    cg_http_reply_free(reply);
    reply = NULL;
    cg_http_client_free(client);
    h2_peer_end(&peer);
    return moved;
}

/* A connection on which a frame of ours is lost, here an answer to a PING, is not used. */
static ssize_t loses_no_frame(void *arg)
{
    unsigned moved = 0;

    (void)arg;
    only_larger = true;
    left = -1;
    for (int failure = 0; left < 0; failure++)
        moved += moves_on(failure);
    only_larger = false;
    ck_assert_uint_gt(moved, 0);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(each_allocation, .where = ON_SIM),
        CORO(loses_no_frame, .where = ON_SIM),
    };

    return test_main("http_client_h2_memory", cases, COUNT(cases));
}
