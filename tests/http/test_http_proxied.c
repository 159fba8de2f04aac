/* SPDX-License-Identifier: MIT */
/* The PROXY protocol: whom a proxy tells, and headers that are invalid. */
#include "config.h"

#include "http/http1/proxy_header.h"
#include "tests/http/http_serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct header {
    const char *bytes;
    size_t len;
    const char *client; /* NULL: it is invalid */
};

#define LINE(text, client) {text, sizeof text - 1, client}
#define BYTES(text, client) {SIGNATURE text, sizeof SIGNATURE text - 1, client}
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define N10 "0123456789"
#define N100 N10 N10 N10 N10 N10 N10 N10 N10 N10 N10
#define N108 N100 "01234567"

static const struct header headers[] = {
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", "192.0.2.1"),
    LINE("PROXY TCP4 255.255.255.255 0.0.0.0 0 65535\r\n", "255.255.255.255"),
    LINE("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "2001:db8::1"),
    LINE("PROXY UNKNOWN\r\n", ""),
    LINE("PROXY UNKNOWN ffff:f...f:ffff 65535 anything\r\n", ""),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n", NULL),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", NULL),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", NULL),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", NULL),
    LINE("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", NULL),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n", NULL),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", NULL),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n", NULL),
    LINE("PROXY TCP4 192.0.2.1 192.0.2.256 1 2\r\n", NULL),
    LINE("PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n", NULL),
    LINE("PROXY TCP4 2001:db8::1 ::1 1 2\r\n", NULL),
    LINE("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", NULL),
    LINE("PROXY TCP6 [::1] ::1 1 2\r\n", NULL),
    LINE("PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n", NULL),
    LINE("PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n", NULL),
    LINE("PROXY \r\n", NULL),
    LINE("PROXY\r\n", NULL),
    LINE("PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n", NULL),
    LINE("PROXY UNKNOWN " N108 "\r\n", NULL),
    LINE("proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n", NULL),
    LINE("GET / HTTP/1.1\r\nHost: x\r\n\r\n", NULL),
    BYTES("\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\1\2\3\4", "192.0.2.1"),
    BYTES("\x21\x11\0\x0f\xc0\0\2\1\xc0\0\2\2\1\2\3\4\4\0\0", "192.0.2.1"),
    BYTES("\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
          "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\1\2\3\4",
          "2001:db8::1"),
    BYTES("\x20\0\0\0", ""),
    BYTES("\x20\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\1\2\3\4", ""),
    BYTES("\x21\0\0\3abc", ""),
    BYTES("\x21\x31\0\xd8" N108 N108, "unix"),
    BYTES("\x21\x31\0\xd7" N108 N108, NULL),
    BYTES("\x21\x11\0\x0b\xc0\0\2\1\xc0\0\2\2\1\2\3", NULL),
    BYTES("\x21\x21\0\x23" N10 N10 N10 "01234", NULL),
    BYTES("\x21\x12\0\x0c\xc0\0\2\1\xc0\0\2\2\1\2\3\4", NULL),
    BYTES("\x21\x41\0\0", NULL),
    BYTES("\x22\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\1\2\3\4", NULL),
    BYTES("\x11\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\1\2\3\4", NULL),
    BYTES("\x21\x11\x10\x01\xc0\0\2\1\xc0\0\2\2\1\2\3\4", NULL),
    LINE("\r\n\r\n\0\r\nQUIT\r", NULL),
};

/* The parser reads no byte beyond those that have come, wherever they are cut, and each header
 * is found invalid or complete at one byte and never before. What follows does not matter. */
static void parses(void)
{
    for (size_t i = 0; i < COUNT(headers); i++) {
        const struct header *header = &headers[i];
        char client[CG__PROXY_HEADER_CLIENT];
        ssize_t n = 0;

        for (size_t len = 0; len <= header->len && n == 0; len++) {
            char *copy = malloc(len + (len == 0)); /* ASan finds a read beyond it */

            memcpy(copy, header->bytes, len);
            n = cg__http_proxy_header_parse(copy, len, client);
            free(copy);
        }
        if (header->client == NULL) {
            IS(n, -EPROTO);
            IS(cg__http_proxy_header_parse(header->bytes, header->len, client), -EPROTO);
            continue;
        }
        IS(n, (ssize_t)header->len);
        ck_assert_str_eq(client, header->client);
    }
}

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
        char *second;

        if (client == NULL)
            continue;
        for (int each = 0; each < 2; each++) {
            talk(&headers[i], each == 0 ? 4096 : 1);
            client = *headers[i].client != '\0' ? headers[i].client : "nobody";
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

static const struct test_case cases[] = {
    PLAIN(parses),
    CORO(tells_clients),
    CORO(refuses, .where = ON_SIM),
    CORO(strangers),
    CORO(leaves, .where = ON_SIM),
};

int main(void)
{
    return test_main("http proxied", cases, COUNT(cases));
}
