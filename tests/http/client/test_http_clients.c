/* SPDX-License-Identifier: MIT */
/* The addresses of an HTTP server's clients: behind proxies, and how much each may ask. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <cogen/http_clients.h>
#include <stdio.h>
#include <string.h>

static ssize_t tells_client(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, cg_http_request_param(req, "client-address")));
}

static const char *client_of(const char *fields)
{
    char text[4096];

    snprintf(text, sizeof text, "GET /client" V CLOSE "%s\r\n", fields);
    return BODY(text);
}

#define XFF "X-Forwarded-For: "

/* The last address that is not trusted is the client's, as far as trusted proxies say. */
static ssize_t forwarded(void *arg)
{
    static struct cg_http_forwarded trusts = {.trusted = "10.0.0.0/8, 127.0.0.1,fd00::/8"};
    char many[4000] = XFF;

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_add_layer(server, cg_http_forwarded_layer, &trusts));
    OK(cg_http_server_mount(server, "/client", tells_client, NULL));
    ck_assert_str_eq(client_of(""), "127.0.0.1");
    ck_assert_str_eq(client_of(XFF "192.0.2.1\r\n"), "192.0.2.1");
    ck_assert_str_eq(client_of("x-forwarded-for: 192.0.2.1:80\r\n"), "192.0.2.1");
    ck_assert_str_eq(client_of(XFF "1.2.3.4, 192.0.2.1\r\n"), "192.0.2.1");
    ck_assert_str_eq(client_of(XFF "1.2.3.4,192.0.2.1 , 10.1.2.3\r\n"), "192.0.2.1");
    ck_assert_str_eq(client_of(XFF "192.0.2.1\r\n" XFF "10.0.0.1\r\n"), "192.0.2.1");
    ck_assert_str_eq(client_of(XFF "10.0.0.2, 10.0.0.1\r\n"), "10.0.0.2");
    ck_assert_str_eq(client_of(XFF "2001:db8::1\r\n"), "2001:db8::1");
    ck_assert_str_eq(client_of(XFF "[2001:db8::1]:443, fd00::1\r\n"), "2001:db8::1");
    ck_assert_str_eq(client_of(XFF "1.2.3.4, unknown, 10.0.0.1\r\n"), "10.0.0.1");
    ck_assert_str_eq(client_of(XFF "\r\n"), "127.0.0.1");
    ck_assert_str_eq(client_of(XFF ",\r\n"), "127.0.0.1");
    ck_assert_str_eq(client_of(XFF "1.2.3.4.5\r\n"), "127.0.0.1");
    ck_assert_str_eq(client_of("Forwarded: for=192.0.2.1\r\n"), "127.0.0.1");
    for (int i = 0; i < 100; i++)
        strcat(many, "10.0.0.1, ");
    strcat(many, "10.0.0.2\r\n");
    ck_assert_str_eq(client_of(many), "10.0.0.1");
    trusts.standard = true;
    ck_assert_str_eq(client_of(XFF "192.0.2.1\r\n"), "127.0.0.1");
    ck_assert_str_eq(client_of("Forwarded: for=192.0.2.1;proto=https\r\n"), "192.0.2.1");
    ck_assert_str_eq(client_of("Forwarded: for=1.2.3.4, by=x; For=\"[2001:db8::1]:80\"\r\n"),
                     "2001:db8::1");
    ck_assert_str_eq(client_of("Forwarded: for=\"_hidden\"\r\n"), "127.0.0.1");
    ck_assert_str_eq(client_of("Forwarded: for=1.2.3.4, by=x\r\n"), "127.0.0.1");
    ck_assert_str_eq(client_of("Forwarded: for=\"1.2.3.4, 5.6.7.8\r\n"), "127.0.0.1");
    ck_assert_str_eq(client_of("Forwarded: for=192.0.2.1;host=\"a,for=6.6.6.6\"\r\n"), "192.0.2.1");
    ck_assert_str_eq(client_of("Forwarded: host=\"a\\\",for=6.6.6.6\";for=192.0.2.1\r\n"),
                     "192.0.2.1");
    ck_assert_str_eq(client_of("Forwarded: for=\", for=192.0.2.1;host=\"a,b\"\r\n"), "192.0.2.1");
    snprintf(many, sizeof many, "Forwarded: host=\"%0300d\";for=192.0.2.1\r\n", 0);
    ck_assert_str_eq(client_of(many), "192.0.2.1");
    serve_end();
    return 0;
}

/* What strangers send is ignored. */
static ssize_t strangers(void *arg)
{
    static struct cg_http_forwarded trusts = {.trusted = "10.0.0.0/8"}, none = {.trusted = NULL};

    (void)arg;
    for (int i = 0; i < 2; i++) {
        serve_begin(NULL);
        OK(cg_http_server_add_layer(server, cg_http_forwarded_layer, i ? &none : &trusts));
        OK(cg_http_server_mount(server, "/client", tells_client, NULL));
        ck_assert_str_eq(client_of(XFF "192.0.2.1\r\n"), "127.0.0.1");
        serve_end();
    }
    return 0;
}

/* A server on a UNIX socket believes its proxy by the word "unix". */
static ssize_t over_unix(void *arg)
{
    static struct cg_http_forwarded trusts = {.trusted = "127.0.0.1, unix"};
    struct cg_sock *on;

    (void)arg;
    test_unix_path(addr);
    OK(cg_sock_listen(cg_sched_self(), addr, &on));
    serve_begin_on(on, NULL);
    OK(cg_http_server_add_layer(server, cg_http_forwarded_layer, &trusts));
    OK(cg_http_server_mount(server, "/client", tells_client, NULL));
    ck_assert_str_eq(client_of(XFF "192.0.2.1\r\n"), "192.0.2.1");
    ck_assert_str_eq(client_of(""), "unix");
    serve_end();
    return 0;
}

/* With anything else in the list of proxies nobody is served. */
static ssize_t is_checked(void *arg)
{
    static struct cg_http_forwarded trusts = {.trusted = "10.0.0.0/8, 127.0.0.0/33"};

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_add_layer(server, cg_http_forwarded_layer, &trusts));
    OK(cg_http_server_mount(server, "/client", tells_client, NULL));
    IS(status_of("GET /client" V CLOSE "\r\n"), 500);
    serve_end();
    return 0;
}

/* An address may make a burst of requests, and then as many as the rate allows. Others are
 * not affected; addresses of one /64 are one client. */
static ssize_t limits(void *arg)
{
    static struct cg_http_forwarded trusts = {.trusted = "127.0.0.1"};
    struct cg_http_limiter *limiter = cg_http_limiter_new(.rate = 2, .burst = 3);

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_add_layer(server, cg_http_forwarded_layer, &trusts));
    OK(cg_http_server_add_layer(server, cg_http_limit_layer, limiter));
    OK(cg_http_server_mount(server, "/client", tells_client, NULL));
#define FROM(address, want) ck_assert_str_eq(client_of(XFF address "\r\n"), want)
#define TOO_MANY "429 Too Many Requests\n"
    for (int i = 0; i < 3; i++)
        FROM("192.0.2.1", "192.0.2.1");
    FROM("192.0.2.1", TOO_MANY);
    ck_assert_ptr_nonnull(strstr(got, "\r\nRetry-After: 1\r\n"));
    FROM("192.0.2.2", "192.0.2.2");
    OK(cg_yield(cg_sleep(CG_SECOND)));
    FROM("192.0.2.1", "192.0.2.1");
    FROM("192.0.2.1", "192.0.2.1");
    FROM("192.0.2.1", TOO_MANY);
    FROM("2001:db8::1", "2001:db8::1");
    FROM("2001:db8::2", "2001:db8::2");
    FROM("2001:db8::3:4", "2001:db8::3:4");
    FROM("2001:db8::5", TOO_MANY);
    FROM("2001:db8:0:1::1", "2001:db8:0:1::1");
    OK(cg_yield(cg_sleep(100 * CG_SECOND)));
    for (int i = 0; i < 3; i++)
        FROM("192.0.2.1", "192.0.2.1");
    FROM("192.0.2.1", TOO_MANY);
    serve_end();
    cg_http_limiter_free(limiter);
    return 0;
}

/* Ten times a high rate exceeds the range of a number: the burst is not small for that. */
static ssize_t high_rate(void *arg)
{
    struct cg_http_limiter *limiter = cg_http_limiter_new(.rate = UINT32_MAX / 10 + 1);

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_add_layer(server, cg_http_limit_layer, limiter));
    for (int i = 0; i < 10; i++)
        IS(status_of("GET /hello" V CLOSE "\r\n"), 200);
    serve_end();
    cg_http_limiter_free(limiter);
    return 0;
}

/* The table is bounded: thousands of addresses that ask once do not make it forget the one
 * that asks all the time. */
static ssize_t many(void *arg)
{
    static struct cg_http_forwarded trusts = {.trusted = "127.0.0.1"};
    struct cg_http_limiter *limiter = cg_http_limiter_new(.rate = 1, .burst = 50, .addresses = 8);
    struct cg_sock *sock;

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_add_layer(server, cg_http_forwarded_layer, &trusts));
    OK(cg_http_server_add_layer(server, cg_http_limit_layer, limiter));
    OK(cg_http_server_mount(server, "/client", tells_client, NULL));
    sock = serve_client();
    for (int i = 0; i < 50; i++) {
        send_text(sock, "GET /client" V XFF "192.0.2.1\r\n\r\n");
        receive(sock, "192.0.2.1");
    }
    for (int i = 0; i < 1000; i++) {
        char text[200], address[32];

        snprintf(address, sizeof address, "10.1.%d.%d", i / 250, i % 250);
        snprintf(text, sizeof text, "GET /client" V XFF "%s\r\n\r\n", address);
        send_text(sock, text);
        receive(sock, address);
    }
    send_text(sock, "GET /client" V XFF "192.0.2.1\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(receive(sock, "Requests\n"), " 429 "));
    cg_sock_close(sock);
    serve_end();
    cg_http_limiter_free(limiter);
    return 0;
}

static const struct test_case cases[] = {
    CORO(forwarded),
    CORO(strangers),
    CORO(is_checked),
    CORO(over_unix, .where = ON_KERNEL),
    CORO(limits, .where = ON_SIM),
    CORO(high_rate, .where = ON_SIM),
    CORO(many, .where = ON_SIM),
};

int main(void)
{
    return test_main("http clients", cases, COUNT(cases));
}
