/* SPDX-License-Identifier: MIT */
/* The PROXY protocol: whom a proxy tells, and headers that are invalid. */
#include "config.h"

#include "lib/base/network.h"
#include "tests/http/http_serve.h"
#include "tests/support/proxy_headers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ssize_t tells(struct cg_http_request *req, void *arg)
{
    const char *client = cg_http_request_param(req, "client-address");

    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, client != NULL ? client : "nobody"));
}

static void begin(const char *proxies)
{
    serve_begin(&(struct cg_http_server_options){.proxy_protocol = proxies,
                                                 .header_timeout = 5 * CG_SECOND});
    OK(cg_http_server_mount(server, "/client", tells, NULL));
}

/* A connection: the header and two requests in pieces of `size` bytes. Returns what came. */
static const char *talk(const struct header *header, size_t size)
{
    static const char requests[] = "GET /client" V "\r\nGET /client" V CLOSE "\r\n";
    struct cg_sock *sock = serve_client();
    char text[1024];
    size_t len = header->len + sizeof requests - 1;

    memcpy(text, header->bytes, header->len);
    memcpy(text + header->len, requests, sizeof requests - 1);
    for (size_t at = 0; at < len; at += size) {
        if (cg_yield(cg_writeall(sock, text + at, len - at < size ? len - at : size)) < 0)
            break;
        if (size < len)
            OK(cg_yield(cg_sleep(CG_MICROSECOND)));
    }
    got[0] = '\0';
    receive(sock, NULL);
    cg_sock_close(sock);
    return got;
}

/* Every request of the connection has the client's address. */
static ssize_t tells_clients(void *arg)
{
    (void)arg;
    begin("10.0.0.0/8, 127.0.0.1");
    for (size_t i = 0; i < COUNT(headers); i++) {
        const char *client = headers[i].client;
        char *second, host[CG_ADDR_SIZE];

        if (client == NULL)
            continue;
        for (int each = 0; each < 2; each++) {
            talk(&headers[i], each == 0 ? 4096 : 1);
            client = *headers[i].client != '\0'
                         ? cg__network_host(strcpy(host, headers[i].client))
                         : "nobody";
            second = strstr(got, client);
            ck_assert_msg(second != NULL && strstr(second + 1, client) != NULL, "%zu: %s", i, got);
        }
    }
    serve_end();
    return 0;
}

/* An invalid header ends the connection without a response; so does one that does not come. */
static ssize_t refuses(void *arg)
{
    struct cg_sock *sock;
    int64_t began;
    char byte;

    (void)arg;
    begin("127.0.0.1");
    for (size_t i = 0; i < COUNT(headers); i++)
        if (headers[i].client == NULL) {
            sock = serve_client();
            OK(cg_yield(cg_writeall(sock, headers[i].bytes, headers[i].len)));
            IS(cg_yield(cg_read(sock, &byte, 1)) <= 0, 1);
            cg_sock_close(sock);
        }
    sock = serve_client();
    began = cg_sched_now(cg_sched_self());
    for (int i = 0; i < 4; i++) {
        OK(cg_yield(cg_writeall(sock, &"PROX"[i], 1)));
        OK(cg_yield(cg_sleep(CG_SECOND)));
    }
    IS(cg_yield(cg_read(sock, &byte, 1)) <= 0, 1);
    ck_assert_int_eq((cg_sched_now(cg_sched_self()) - began) / CG_SECOND, 5);
    cg_sock_close(sock);
    serve_end();
    return 0;
}

/* A header of somebody else is a bad request. */
static ssize_t strangers(void *arg)
{
    (void)arg;
    begin("10.0.0.0/8");
    talk(&headers[0], 4096);
    ck_assert_ptr_null(strstr(got, " 200 "));
    ck_assert_ptr_nonnull(strstr(got, "HTTP/1.1 "));
    IS(status_of("GET /client" V CLOSE "\r\n"), 200);
    ck_assert_ptr_nonnull(strstr(got, "nobody"));
    serve_end();
    return 0;
}

/* A shutdown does not wait for a connection that has told nothing yet. */
static ssize_t leaves(void *arg)
{
    struct cg_sock *sock;
    int64_t began;

    (void)arg;
    begin("127.0.0.1");
    sock = serve_client();
    OK(cg_yield(cg_sleep(100 * CG_MILLISECOND)));
    began = cg_sched_now(cg_sched_self());
    serve_end();
    IS((cg_sched_now(cg_sched_self()) - began) / CG_SECOND, 0);
    cg_sock_close(sock);
    return 0;
}

/* A list of proxies with anything else is an error of the program. */
static ssize_t is_checked(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < COUNT(no_lists); i++) {
        struct cg_http_server *other = cg_http_server_new(.proxy_protocol = no_lists[i]);

        begin("unix");
        ck_assert_ptr_nonnull(other);
        IS(cg_yield(cg_http_serve(other, listener)), -EINVAL);
        cg_http_server_free(other);
        serve_end();
    }
    return 0;
}

static const struct test_case cases[] = {
    CORO(is_checked),
    CORO(tells_clients),
    CORO(refuses, .where = ON_SIM),
    CORO(strangers),
    CORO(leaves, .where = ON_SIM),
};

int main(void)
{
    return test_main("http proxied", cases, COUNT(cases));
}
