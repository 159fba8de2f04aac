/* SPDX-License-Identifier: MIT */
/* The PROXY protocol: headers that are parsed and made, the operations, and cg_serve. */
#include "config.h"

#include "sockets/proxied/proxy_header.h"
#include "tests/support/proxy_headers.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The parser reads no byte beyond those that have come, wherever they are cut, and each header
 * is found invalid or complete at one byte and never before. What follows does not matter. */
static void parses(void)
{
    for (size_t i = 0; i < COUNT(headers); i++) {
        const struct header *header = &headers[i];
        char client[CG_ADDR_SIZE];
        ssize_t n = 0;

        for (size_t len = 0; len <= header->len && n == 0; len++) {
            char *copy = malloc(len + (len == 0)); /* ASan finds a read beyond it */

            memcpy(copy, header->bytes, len);
            n = cg__proxy_header_parse(copy, len, client);
            free(copy);
        }
        if (header->client == NULL) {
            IS(n, -EPROTO);
            IS(cg__proxy_header_parse(header->bytes, header->len, client), -EPROTO);
            continue;
        }
        IS(n, (ssize_t)header->len);
        ck_assert_str_eq(client, header->client);
    }
}

/* A header that is made names the client, and version 2 is what others write. */
static void makes(void)
{
    static const struct {
        const char *client, *server, *line, *parsed;
    } cases[] = {
        {"192.0.2.1:56324", "192.0.2.2:443", "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n",
         "192.0.2.1:56324"},
        {"[2001:db8::1]:1", "[::1]:2", "PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "[2001:db8::1]:1"},
        {"192.0.2.1:1", "[::1]:2", "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n",
         "192.0.2.1:1"},
        {"[fe80::1%2]:1", "192.0.2.2:2", "PROXY TCP6 fe80::1 ::ffff:192.0.2.2 1 2\r\n",
         "[fe80::1]:1"},
        {"unix:/x", "192.0.2.2:2", "PROXY UNKNOWN\r\n", ""},
        {"192.0.2.1:1", "unix:@1:2", "PROXY UNKNOWN\r\n", ""},
        {"192.0.2.1:65536", "192.0.2.2:2", "PROXY UNKNOWN\r\n", ""},
        {"", "", "PROXY UNKNOWN\r\n", ""},
        {NULL, NULL, "PROXY UNKNOWN\r\n", ""},
    };
    char header[CG__PROXY_HEADER_MADE], client[CG_ADDR_SIZE];

    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t len = cg__proxy_header_make(header, 1, cases[i].client, cases[i].server);

        ck_assert_uint_eq(len, strlen(cases[i].line));
        ck_assert_mem_eq(header, cases[i].line, len);
        for (unsigned version = 1; version <= 2; version++) {
            len = cg__proxy_header_make(header, version, cases[i].client, cases[i].server);
            IS(cg__proxy_header_parse(header, len, client), (ssize_t)len);
            ck_assert_str_eq(client, cases[i].parsed);
        }
        ck_assert_uint_eq((unsigned char)header[12], cases[i].client != NULL ? 0x21 : 0x20);
    }
    ck_assert_uint_eq(cg__proxy_header_make(header, 2, "192.0.2.1:258", "192.0.2.2:772"), 28);
    ck_assert_mem_eq(header + 12, "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\1\2\3\4", 16);
}

/* What is written is read, whatever its pieces; what follows stays unread, and the socket has the
 * client's address. The second reading has the result of the first. */
static void passes(struct cg_sock *a, struct cg_sock *b)
{
    char text[CG_ADDR_SIZE], rest[8];

    IS(cg_yield(cg_read_proxy_header(b, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_write_proxy_header(a, "192.0.2.1:5", "192.0.2.2:6", .version = 3)), -EINVAL);
    OK(cg_yield(cg_write_proxy_header(a, "192.0.2.1:5", "192.0.2.2:6")));
    IS(cg_yield(cg_writeall(a, "rest", 4)), 4);
    IS(cg_yield(cg_read_proxy_header(b)), 1);
    IS(cg_yield(cg_read_proxy_header(b)), 1);
    OK(cg_sock_peer_addr(b, text, sizeof text));
    ck_assert_str_eq(text, "192.0.2.1:5");
    IS(cg_sock_peer_addr(b, text, 5), -ENOSPC);
    IS(cg_yield(cg_read(b, rest, sizeof rest)), 4);
    OK(cg_yield(cg_write_proxy_header(b, NULL, NULL, .version = 1)));
    IS(cg_yield(cg_read_proxy_header(a)), 0);
    IS(cg_yield(cg_read_proxy_header(a)), 0);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* An invalid header, and one that the stream ends in, stay unread. */
static void keeps(struct cg_sock *a, struct cg_sock *b)
{
    char rest[8];

    IS(cg_yield(cg_writeall(a, "PROXX", 5)), 5);
    IS(cg_yield(cg_read_proxy_header(b)), -EPROTO);
    IS(cg_yield(cg_readall(b, rest, 5)), 5);
    IS(cg_yield(cg_writeall(a, "PROXY", 5)), 5);
    cg_sock_close(a);
    IS(cg_yield(cg_read_proxy_header(b)), CG_EOF);
    IS(cg_yield(cg_readall(b, rest, 5)), 5);
    IS(cg_yield(cg_read_proxy_header(b)), CG_EOF);
    cg_sock_close(b);
}

/* On a connection of a peer that is none of the proxies nothing is read. */
static ssize_t only_from_proxies(void *arg)
{
    struct cg_sock *listener, *a, *b;
    char addr[CG_ADDR_SIZE], rest[8];

    (void)arg;
    listener = test_listen(addr);
    OK(cg_yield(cg_connect(addr, &a)));
    OK(cg_yield(cg_accept(listener, &b)));
    OK(cg_yield(cg_write_proxy_header(a, "192.0.2.1:5", "192.0.2.2:6", .version = 1)));
    IS(cg_yield(cg_read_proxy_header(b, .from = "")), 0);
    IS(cg_yield(cg_read_proxy_header(b, .from = "10.0.0.0/8, unix")), 0);
    IS(cg_yield(cg_read_proxy_header(b, .from = "10.0.0.0/33")), -EINVAL);
    IS(cg_yield(cg_read(b, rest, 1)), 1);
    ck_assert_int_eq(*rest, 'P');
    cg_sock_close(a);
    cg_sock_close(b);
    OK(cg_yield(cg_connect(addr, &a)));
    OK(cg_yield(cg_accept(listener, &b)));
    OK(cg_yield(cg_write_proxy_header(a, "192.0.2.1:5", "192.0.2.2:6")));
    IS(cg_yield(cg_read_proxy_header(b, .from = "10.0.0.0/8, 127.0.0.0/8")), 1);
    IS(cg_yield(cg_read_proxy_header(b, .from = "10.0.0.0/8")), 1); /* it is known already */
    cg_sock_close(a);
    cg_sock_close(b);
    cg_sock_close(listener);
    return 0;
}

static ssize_t reads(void *sock)
{
    return cg_yield(cg_read_proxy_header(sock));
}

/* Closing the socket ends the operation. */
static void closes(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *coro = test_start(reads, b);

    IS(cg_yield(cg_writeall(a, "PROXY ", 6)), 6);
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    cg_sock_close(b);
    IS(test_end(coro), -EBADF);
    cg_sock_close(a);
    IS(cg_yield(cg_read_proxy_header(NULL)), -EBADF);
    IS(cg_yield(cg_write_proxy_header(NULL, "", "")), -EBADF);
}

/* A connection that fails within a header says why. */
static void fails(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *coro = test_start(reads, b);
    struct linger reset = {.l_onoff = 1};

    IS(cg_yield(cg_writeall(a, "PROXY ", 6)), 6);
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    OK(cg_sock_setopt(a, SOL_SOCKET, SO_LINGER, &reset, sizeof reset));
    cg_sock_close(a);
    IS(test_end(coro), -ECONNRESET);
    cg_sock_close(b);
}

static ssize_t names_client(struct cg_sock *conn, void *served)
{
    char text[CG_ADDR_SIZE];

    ++*(int *)served;
    OK(cg_sock_peer_addr(conn, text, sizeof text));
    cg_yield(cg_writeall(conn, text, strlen(text)));
    cg_sock_close(conn);
    return 0;
}

struct server {
    struct cg_sock *listener;
    const char *proxies;
    int served;
};

static ssize_t serves(void *arg)
{
    struct server *server = arg;

    return cg_yield(cg_serve(server->listener, names_client, .arg = &server->served,
                             .proxies = server->proxies, .grace = CG_SECOND));
}

/* Reads all that a server says to a header; "": nothing. */
static void ask(const char *addr, const char *header, size_t len, char *got, size_t size)
{
    struct cg_sock *sock;
    ssize_t n;

    OK(cg_yield(cg_connect(addr, &sock)));
    if (len > 0)
        cg_yield(cg_writeall(sock, header, len));
    n = cg_yield(cg_read_to_end(sock, got, size - 1));
    got[n > 0 ? n : 0] = '\0';
    cg_sock_close(sock);
}

/* cg_serve reads the headers of trusted proxies, and of nobody else. Connections without a valid
 * one do not reach the handler. */
static ssize_t serves_proxies(void *arg)
{
    char addr[CG_ADDR_SIZE], got[CG_ADDR_SIZE];
    struct server server = {.listener = test_listen(addr), .proxies = "10.0.0.0/8, 127.0.0.1"};
    struct cg_coro *coro = test_start(serves, &server);
    int64_t began;
    int valid = 0;

    (void)arg;
    for (size_t i = 0; i < COUNT(headers); i++) {
        const char *client = headers[i].client;

        ask(addr, headers[i].bytes, headers[i].len, got, sizeof got);
        valid += client != NULL;
        IS(server.served, valid);
        if (client == NULL)
            ck_assert_str_eq(got, "");
        else if (*client == '\0')
            ck_assert_ptr_nonnull(strstr(got, "127.0.0.1:"));
        else
            ck_assert_str_eq(got, client);
    }
    began = cg_sched_now(cg_sched_self());
    ask(addr, "PROXY", 5, got, sizeof got);
    IS((cg_sched_now(cg_sched_self()) - began) / CG_SECOND, CG_PROXY_HEADER_TIMEOUT / CG_SECOND);
    IS(server.served, valid);
    cg_coro_cancel(coro);
    IS(test_end(coro), -ECANCELED);
    server.proxies = "10.0.0.0/8, unix";
    coro = test_start(serves, &server);
    ask(addr, "", 0, got, sizeof got);
    ck_assert_ptr_nonnull(strstr(got, "127.0.0.1:"));
    cg_coro_cancel(coro);
    IS(test_end(coro), -ECANCELED);
    for (size_t i = 0; i < COUNT(no_lists); i++) {
        server.proxies = no_lists[i];
        IS(serves(&server), -EINVAL);
    }
    cg_sock_close(server.listener);
    return 0;
}

static const struct test_case cases[] = {
    PLAIN(parses),
    PLAIN(makes),
    LINK(passes),
    LINK(keeps),
    LINK(closes),
    LINK(fails, .over = OVER_TCP),
    CORO(only_from_proxies),
    CORO(serves_proxies, .where = ON_SIM),
};

int main(void)
{
    return test_main("proxied", cases, COUNT(cases));
}
