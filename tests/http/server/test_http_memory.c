/* SPDX-License-Identifier: MIT */
/* The HTTP client without memory: each allocation of a request fails in turn. */
#include "config.h"

#include "http/client/client.h"
#include "tests/failing/failing.h"
#include "tests/http/http_script.h"

#include <cogen/http_jar.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct cg_coro *victim; /* the coroutine whose allocations are counted */
static int left = -1;          /* allocations until one fails */

bool failing_now(enum failing_what what)
{
    (void)what;
    return victim != NULL && cg_coro_self() == victim && left-- == 0;
}

static const unsigned char gzipped[] = {
    0x1f, 0x8b, 0x08, 0,    0,    0,    0,    0,    0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9,
    0xd7, 0x51, 0xc8, 0x40, 0xa2, 0x00, 0x9f, 0xa1, 0xca, 0x09, 0x13, 0,    0,    0};

static struct script server;
static struct cg_http_client *client;
static struct cg_http_reply *reply;
static char why[CG_HTTP_WHY_SIZE];

static ssize_t one_read(void *arg, void *buf, size_t len)
{
    int *times = arg;

    (void)len;
    memcpy(buf, "x", 1);
    return (*times)++ == 0;
}

static int one_rewind(void *arg)
{
    *(int *)arg = 0;
    return 0;
}

static ssize_t post(void *arg)
{
    int times = 0;
    struct cg_http_source source = {
        .read = one_read, .rewind = one_rewind, .arg = &times, .len = -1};
    struct cg_http_fetch fetch = {.url = server.url, .source = &source, .basic = "a:b"};

    (void)arg;
    return cg_yield(cg_http_fetch(client, &fetch, &reply, .why = why));
}

/* A request with a source, a password, a cookie, a redirect and a compressed body. Whichever
 * allocation fails, the result is an error code or the page, and nothing is leaked. */
static ssize_t each_allocation(void *arg)
{
    static char answer[256];
    ssize_t n = -ENOMEM;
    int failure, refused = 0;
    struct cg_http_jar *jar;

    (void)arg;
    memcpy(stpcpy(answer, HEAD_200 "Content-Encoding: gzip\r\nContent-Length: 29\r\n\r\n"),
           gzipped, sizeof gzipped);
    for (failure = 0; left < 0 && failure < 500; failure++) {
        script_start(&server,
                     TURNS(SAYS("HTTP/1.1 307 Moved\r\nLocation: /x y\r\nContent-Length: 0\r\n"
                                "Set-Cookie: a=1\r\n"
                                "\r\n",
                                .body = 11),
                           SAYS(answer, .size = strlen(HEAD_200) + 46 + sizeof gzipped,
                                .body = 11)));
        jar = cg_http_jar_new();
        client = CLIENT(.jar = jar, .targets = ((const struct cg_http_target[]){
                                        {"*", server.addr}, {NULL, NULL}}));
        ck_assert_ptr_nonnull(client);
        victim = test_start(post, NULL);
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
        cg_http_reply_free(n < 0 ? NULL : reply);
        cg_http_client_free(client);
        cg_http_jar_free(jar);
        cg_sock_close(server.listener);
        server.listener = NULL;
        cg_yield(cg_cancel(server.coro));
        test_end(server.coro);
    }
    IS(n, 200);
    ck_assert_int_gt(refused, 10);
    return 0;
}

static ssize_t no_tls(void *arg, struct cg_sock *inner, const char *host, const char *alpn,
                      struct cg_sock **sock, char *words)
{
    (void)arg;
    (void)inner;
    (void)host;
    (void)alpn;
    (void)sock;
    (void)words;
    return -EPROTO;
}

static ssize_t get(void *arg)
{
    return cg_yield(cg_http_get(client, arg, &reply, .why = why));
}

/* Asks a proxy for a tunnel; each allocation fails in turn. */
static void tunnel(const char *scheme, const struct turn *turns)
{
    char proxy[CG_ADDR_SIZE + 16];
    ssize_t n = -ENOMEM;
    int refused = 0;

    left = -1;
    for (int failure = 0; left < 0 && failure < 500; failure++) {
        script_start(&server, turns);
        snprintf(proxy, sizeof proxy, "%s://%s", scheme, server.addr);
        client = CLIENT(.https_proxy = proxy, .tls = (&(struct cg_http_tls){no_tls, NULL}));
        ck_assert_ptr_nonnull(client);
        victim = test_start(get, (void *)"https://10.0.0.1/");
        left = failure;
        n = cg_yield(cg_join(victim));
        cg_coro_unref(victim);
        victim = NULL;
        ck_assert(n == -EPROTO || (left < 0 && (n == -ENOMEM || n == -ENOBUFS)));
        refused += n == -ENOMEM;
        cg_http_client_free(client);
        cg_sock_close(server.listener);
        server.listener = NULL;
        cg_yield(cg_cancel(server.coro));
        test_end(server.coro);
    }
    IS(n, -EPROTO);
    ck_assert_int_gt(refused, 3);
}

/* A proxy is not blamed for what is lacking here. */
static ssize_t proxies(void *arg)
{
    (void)arg;
    tunnel("http", TURNS(SAYS("HTTP/1.1 200 Connected\r\n\r\n")));
    tunnel("socks5", TURNS(SAYS("\5\0\5\0\0\1\0\0\0\0\0\0", .size = 12, .deaf = true)));
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(each_allocation, .where = ON_SIM),
        CORO(proxies, .where = ON_SIM),
    };

    return test_main("http_memory", cases, COUNT(cases));
}
