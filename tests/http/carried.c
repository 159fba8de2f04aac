/* SPDX-License-Identifier: MIT */
/* See carried.h. */
#include "config.h"

#include "tests/http/carried.h"

#include <stdio.h>

struct cg_http_server *carried_server;
struct cg_http_client *carried_client;

static struct cg_sock *listener, *given;
static struct cg_coro *serving;
static char addr[CG_ADDR_SIZE];

static ssize_t give(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_upgrade(req, 101, &given));
}

static void says_nothing(void *arg, const char *line)
{
    (void)arg;
    (void)line;
}

static ssize_t serve(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_serve(carried_server, listener));
}

void carried_begin(bool h2)
{
    listener = test_listen(addr);
    carried_server = cg_http_server_new(.protocols = CG_HTTP_H1 | CG_HTTP_H2C,
                                        .log = says_nothing);
    OK(cg_http_server_mount(carried_server, "/", give, NULL));
    serving = test_start(serve, NULL);
    carried_client = cg_http_client_new(.no_environment = true,
                                        .protocols = h2 ? CG_HTTP_H2 | CG_HTTP_H2C : CG_HTTP_H1);
}

void carried_end(void)
{
    cg_http_client_free(carried_client);
    IS(cg_yield(cg_http_shutdown(carried_server, .idle = CG_NOWAIT, .timeout = CG_SECOND)), 0);
    IS(test_end(serving), 0);
    cg_http_server_free(carried_server);
    cg_sock_close(listener);
}

const char *carried_url(const char *path)
{
    static char url[CG_ADDR_SIZE + 32];

    snprintf(url, sizeof url, "http://%s%s", addr, path);
    return url;
}

void carried_pair(struct cg_sock **served, struct cg_sock **asked)
{
    carried_pair_at(carried_url("/"), served, asked);
}

void carried_pair_at(const char *url, struct cg_sock **served, struct cg_sock **asked)
{
    static const struct cg_http_field fields[] = {
        {"Upgrade", "bytes"}, {"Connection", "Upgrade"}, {NULL, NULL}};
    struct cg_http_fetch fetch = {
        .url = url, .fields = fields, .upgrade = true, .stream = true};
    struct cg_http_reply *reply;

    IS(cg_yield(cg_http_fetch(carried_client, &fetch, &reply)), 101);
    *asked = cg_http_reply_take_sock(reply);
    ck_assert_ptr_nonnull(*asked);
    cg_http_reply_free(reply);
    *served = given;
}
