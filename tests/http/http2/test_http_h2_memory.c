/* SPDX-License-Identifier: MIT */
/* The HTTP/2 server without memory: each allocation fails in turn, those of nghttp2, too. A
 * response is whole or seen to be cut, and other connections are served. ASan sees what is
 * leaked. */
#include "config.h"

#include "tests/failing/failing.h"
#include "tests/http/http2/h2_raw.h"
#include "tests/http/http_serve.h"

#include <string.h>

enum { MANY = 3000 }; /* far more allocations than there are */

static int left = -1; /* allocations until one fails; negative: none does */
static bool armed;

bool failing_now(enum failing_what what)
{
    return armed && what != FAILING_PAGES && left-- == 0;
}

static struct raw raw;

/* Asks for a small and a large response, sends a body, and lets a request be reset. */
static void talk(void)
{
    raw_get(&raw, END_STREAM, 1, "/", NULL, 0);
    raw_send(&raw, HEADERS, END_HEADERS, 3, "\203\206\001\001x\004\005/echo", 12);
    raw_send(&raw, DATA, 0, 3, "test", 4);
    raw_get(&raw, END_STREAM, 5, "/text", "\100\1a\1b", 5);
    raw_get(&raw, END_STREAM, 7, "/held", NULL, 0);
    raw_send(&raw, PING, 0, 0, "12345678", 8);
    raw_send(&raw, RST_STREAM, 0, 7, "\0\0\0\10", 4);
    raw_send(&raw, HEADERS, END_HEADERS | END_STREAM, 3, "\0\1t\1v", 5); /* trailers */
}

/* Whether the stream has a whole response of this size; false: it is cut, and can be seen to be,
 * or an error. Checks of Check allocate, but nothing is armed any more. */
static bool is_whole(unsigned id, size_t len)
{
    if (!raw.at[id].end || raw.at[id].reset != RAW_NONE || raw.at[id].first != 0x88)
        return false;
    ck_assert_uint_eq(raw.at[id].len, len);
    return true;
}

static bool all_are_whole(void)
{
    bool small = is_whole(1, 6), echo = is_whole(3, 4), text = is_whole(5, 2999);

    return small && echo && text;
}

static void is_served(void)
{
    raw_open(&raw, addr, NULL, 0);
    raw_get(&raw, END_STREAM, 1, "/", NULL, 0);
    raw_sync(&raw);
    ck_assert(is_whole(1, 6));
    raw_close(&raw);
}

/* One server, whose allocation number `failure` fails while a client talks; negative: none does.
 * Returns whether the client had all of its responses. */
static bool serve_without(int failure)
{
    bool whole;

    serve_begin(&(struct cg_http_server_options){
        .protocols = CG_HTTP_H2C, .idle_timeout = CG_SECOND, .linger_timeout = CG_SECOND});
    raw_open(&raw, addr, NULL, 0);
    left = failure;
    armed = failure >= 0;
    talk();
    cg_yield(cg_sleep(CG_SECOND / 10));
    armed = false;
    raw_sync(&raw);
    whole = all_are_whole();
    raw_close(&raw);
    is_served();
    serve_end();
    return whole;
}

static ssize_t each_allocation(void *arg)
{
    int failure, cut = 0;
    bool whole = false;

    (void)arg;
    ck_assert(serve_without(-1));
    for (failure = 0; failure < MANY && !(whole && left >= 0); failure++) {
        whole = serve_without(failure);
        cut += !whole;
    }
    ck_assert(whole);
    ck_assert_int_gt(cut, 20);
    return 0;
}

/* Accepts an upgrade, reads nothing, and waits until the client has left. */
static ssize_t keeps(struct cg_http_request *req, void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    OK(cg_yield(cg_http_upgrade(req, 101, &sock)));
    OK(cg_yield(cg_http_wait_left(req, .timeout = CG_NEVER)));
    cg_sock_close(sock);
    return 0;
}

static void mount_all(struct cg_http_server *made)
{
    handlers_mount(made);
    OK(cg_http_server_mount(made, "/keeps", keeps, NULL));
}

/* A tunnel whose second piece of input finds no memory, a body that nobody reads, and one that is
 * read. The window of the connection is opened when half of it has been read or dropped: a few
 * bytes more than that are not. Returns whether it was the tunnel that failed. */
static bool tunnel_without(int failure)
{
    static const char connect[] = "\002\7CONNECT\206\004\6/keeps\001\001x\0\11:protocol\1x";
    static const char bytes[12600];
    bool failed;

    serve_begin_with(mount_all, &(struct cg_http_server_options){
                                    .protocols = CG_HTTP_H2C, .h2_all_windows = 65535});
    raw_open(&raw, addr, NULL, 0);
    raw_send(&raw, HEADERS, END_HEADERS, 1, connect, sizeof connect - 1);
    raw_send(&raw, DATA, 0, 1, bytes, 10000);
    raw_sync(&raw);
    left = failure;
    armed = true;
    raw_send(&raw, DATA, 0, 1, bytes, 10000);
    cg_yield(cg_sleep(CG_SECOND / 10));
    armed = false;
    raw_sync(&raw);
    failed = !raw.ended && raw.at[1].reset == 2;
    if (failed) {
        raw_get(&raw, 0, 3, "/held", NULL, 0);
        raw_send(&raw, DATA, 0, 3, bytes, 12600);
        raw_send(&raw, HEADERS, END_HEADERS, 5, "\203\206\001\001x\004\005/echo", 12);
        raw_send(&raw, DATA, END_STREAM, 5, bytes, 12600);
        raw_sync(&raw);
        ck_assert(is_whole(5, 12600));
        ck_assert_uint_eq(raw.opened, 0);
    }
    raw_close(&raw);
    serve_end();
    return failed;
}

/* What a tunnel could not store is dropped, and what it has stored is dropped with it: no byte
 * counts twice for the window of the connection. */
static ssize_t partly_stored(void *arg)
{
    unsigned failed = 0;

    (void)arg;
    for (int failure = 0; failure < 20; failure++)
        failed += tunnel_without(failure);
    ck_assert_uint_gt(failed, 0);
    return 0;
}

static const struct test_case cases[] = {
    CORO(each_allocation, .where = ON_SIM),
    CORO(partly_stored, .where = ON_SIM),
};

int main(void)
{
    return test_main("http_h2_memory", cases, COUNT(cases));
}
