/* SPDX-License-Identifier: MIT */
/* The HTTP/2 server without memory: each allocation fails in turn, those of nghttp2, too. A
 * response is whole or seen to be cut, and other connections are served. ASan sees what is
 * leaked. */
#include "config.h"

#include "tests/failing/failing.h"
#include "tests/http/h2_raw.h"
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

static const struct test_case cases[] = {CORO(each_allocation, .where = ON_SIM)};

int main(void)
{
    return test_main("http_h2_memory", cases, COUNT(cases));
}
