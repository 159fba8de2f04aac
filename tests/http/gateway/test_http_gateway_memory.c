/* SPDX-License-Identifier: MIT */
/* The gateway without memory: each allocation of a request that is forwarded fails in turn. The
 * client gets its response, or an error; nothing stays in use, and the next request is
 * served. */
#include "config.h"

#include "http/client/client.h"
#include "http/gateway/upstreams.h"
#include "tests/failing/failing.h"
#include "tests/http/gateway/gateway_on.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct cg_coro *victim; /* the handler that forwards */
static int left = -1;          /* allocations until one fails */
static int failure;            /* which one is to fail; below 0: none */

bool failing_now(enum failing_what what)
{
    (void)what;
    return victim != NULL && cg_coro_self() == victim && left-- == 0;
}

static ssize_t forward(struct cg_http_request *req, void *arg)
{
    ssize_t n;

    victim = failure >= 0 ? cg_coro_self() : NULL;
    left = failure;
    n = cg_yield(cg_http_forward(req, arg));
    victim = NULL;
    return n;
}

/* The upstream: a body of unknown length, fields and a trailer. */
static ssize_t respond(struct cg_http_request *req, void *arg)
{
    static const struct cg_http_field early[] = {{"Link", "</a>"}, {NULL, NULL}};
    char buf[64];
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_http_read(req, buf, sizeof buf))) > 0)
        ;
    if (n < 0)
        return n;
    cg_http_response_set_header(req, "X-One", "1");
    cg_yield(cg_http_send_interim(req, 103, early));
    n = cg_yield(cg_http_write(req, "whole\n", 6));
    cg_http_response_add_trailer(req, "T", "1");
    return n < 0 ? n : 0;
}

static void check(const char *request)
{
    int refused = 0;

    left = -1;
    for (failure = 0; left < 0 && failure < 500; failure++) {
        int wanted = failure;
        const char *answer = ask(request);
        bool hit = left < 0;

        ck_assert_uint_eq(upstreams->list[0]->active, 0);
        ck_assert_uint_eq(upstreams->list[0]->refs, 1);
        ck_assert_uint_eq(client->pool.active, 0);
        refused += strstr(answer, "whole") == NULL;
        failure = -1;
        has(ask(request), "whole");
        failure = wanted;
        left = hit ? -1 : 0;
    }
    ck_assert_int_gt(refused, 5);
    ck_assert_int_lt(failure, 500);
}

/* A short request, and one with a body, trailers and fields that are continued. */
static ssize_t each_allocation(void *arg)
{
    char url[2 * CG_ADDR_SIZE];

    (void)arg;
    GATEWAY(0, .failures = 1000000,
            .hop = {.name = "here", .reveal = true, .trusted = "127.0.0.0/8"});
    snprintf(url, sizeof url, "http://%s/real", addr);
    OK(cg_http_upstreams_add(upstreams, url));
    OK(cg_http_server_mount(server, "/real/", respond, NULL));
    OK(cg_http_server_mount(server, "/gate/", forward, upstreams));
    check("GET /gate/x" V CLOSE "\r\n");
    check("POST /gate/x?y" V CLOSE "TE: trailers\r\nX-Forwarded-For: 1.2.3.4\r\n"
          "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: 1\r\n\r\n");
    gateway_off();
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {CORO(each_allocation, .where = ON_SIM)};

    return test_main("http gateway memory", cases, COUNT(cases));
}
