/* SPDX-License-Identifier: MIT */
/* cg_ws_serve, over both carriers: an idle WebSocket has no coroutine, and is what others are
 * in all else. */
#include "config.h"

#include "tests/http/carried.h"

#include <cogen/websocket.h>
#include <errno.h>
#include <string.h>

static struct cg_ws *served;
static unsigned messages, ends;
static ssize_t result; /* of the last call */
static int64_t ping_interval, idle_timeout;

static ssize_t got(struct cg_ws *ws, ssize_t kind, const struct cg_ws_message *message, void *arg)
{
    ck_assert_ptr_eq(arg, &served);
    if (message == NULL) {
        ends++;
        result = kind;
        served = NULL;
        return 0;
    }
    messages++;
    if (message->len == 3 && memcmp(message->data, "end", 3) == 0)
        return -EDOM;
    if (message->len == 4 && memcmp(message->data, "free", 4) == 0)
        cg_ws_free(ws);
    else if (message->len == 5 && memcmp(message->data, "sleep", 5) == 0)
        return cg_yield(cg_sleep(CG_HOUR));
    else
        return cg_yield(cg_ws_write(ws, kind, message->data, message->len,
                                    .more = cg_ws_has_input(ws)));
    return 0;
}

static ssize_t accept_it(struct cg_http_request *req, void *arg)
{
    ssize_t n = cg_yield(cg_ws_accept(req, &served, .deflate = true,
                                      .ping_interval = ping_interval,
                                      .idle_timeout = idle_timeout));

    (void)arg;
    if (n != 0)
        return n;
    IS(cg_ws_serve(served, req, NULL, NULL), -EINVAL);
    IS(cg_ws_serve(served, req, got, &served), 0);
    IS(cg_ws_serve(served, req, got, &served), -EBUSY);
    return 0;
}

static struct cg_ws *begin(bool h2)
{
    struct cg_ws *ws;

    messages = ends = 0;
    result = 99;
    carried_begin(h2);
    OK(cg_http_server_mount(carried_server, "/ws", accept_it, NULL));
    IS(cg_yield(cg_ws_connect(carried_client, carried_url("/ws"), &ws, .deflate = true)), 0);
    return ws;
}

/* How many coroutines the server has for connections and WebSockets. */
static unsigned coroutines(void)
{
    unsigned count = 0;

    for (struct cg_coro *coro = NULL; (coro = cg_coro_next(cg_sched_self(), coro));)
        count += strcmp(cg_coro_name(coro), "http") == 0 ||
                 strcmp(cg_coro_name(coro), "http/2") == 0 ||
                 strcmp(cg_coro_name(coro), "websocket") == 0;
    return count;
}

static void comes_back(struct cg_ws *ws, const char *text)
{
    struct cg_ws_message message;

    OK(cg_yield(cg_ws_send_text(ws, text)));
    IS(cg_yield(cg_ws_read(ws, &message)), CG_WS_TEXT);
    ck_assert_uint_eq(message.len, strlen(text));
    ck_assert_mem_eq(message.data, text, message.len);
}

/* Messages come back before and after it was idle, and the client's Close ends it. */
static void serves(bool h2)
{
    struct cg_ws *ws = begin(h2);
    unsigned rest = h2; /* the connection of HTTP/2 */

    comes_back(ws, "first");
    ck_assert_uint_eq(coroutines(), rest + 1);
    OK(cg_yield(cg_sleep(3 * CG_SECOND)));
    ck_assert_uint_eq(coroutines(), rest);
    ck_assert_uint_eq(cg_http_server_connections(carried_server), 1);
    comes_back(ws, "second");
    comes_back(ws, "third");
    OK(cg_yield(cg_sleep(3 * CG_SECOND)));
    ck_assert_uint_eq(coroutines(), rest);
    IS(cg_yield(cg_ws_end(ws, CG_WS_NORMAL)), 0);
    cg_ws_free(ws);
    carried_end();
    ck_assert_uint_eq(messages, 3);
    ck_assert_uint_eq(ends, 1);
    IS(result, 0);
}

static ssize_t reads(void *arg)
{
    struct cg_ws_message message;

    return cg_yield(cg_ws_read((struct cg_ws *)arg, &message, .timeout = CG_NEVER));
}

/* Others write to it while it is idle; pings are sent, and whose peer is silent is ended. */
static void pings(bool h2)
{
    struct cg_coro *reader;
    struct cg_ws *ws;

    ping_interval = 10 * CG_SECOND;
    idle_timeout = 25 * CG_SECOND;
    ws = begin(h2);
    reader = test_start(reads, ws);
    OK(cg_yield(cg_sleep(95 * CG_SECOND)));
    ck_assert_uint_eq(coroutines(), h2);
    ck_assert_uint_eq(ends, 0);
    OK(cg_yield(cg_ws_send_text(served, "from others")));
    IS(test_end(reader), CG_WS_TEXT);
    OK(cg_yield(cg_sleep(18 * CG_SECOND))); /* nobody answers */
    ck_assert_uint_eq(ends, 0);
    OK(cg_yield(cg_sleep(4 * CG_SECOND)));
    ck_assert_uint_eq(ends, 1);
    IS(result, -ETIMEDOUT);
    cg_ws_free(ws);
    carried_end();
    ping_interval = idle_timeout = 0;
}

/* What others have gathered while it waited is sent, not dropped, when it gives up its
 * coroutine. */
static void sends_what_was_gathered(bool h2)
{
    struct cg_ws *ws = begin(h2);
    struct cg_coro *reader;

    comes_back(ws, "first");
    OK(cg_yield(cg_sleep(300 * CG_MILLISECOND)));
    IS(cg_yield(cg_ws_write(served, CG_WS_TEXT, "more", 4, .more = true)), 4);
    reader = test_start(reads, ws);
    OK(cg_yield(cg_sleep(3 * CG_SECOND)));
    IS(test_end(reader), CG_WS_TEXT);
    ck_assert_uint_eq(coroutines(), h2);
    comes_back(ws, "last");
    cg_ws_free(ws);
    carried_end();
}

static ssize_t shuts_down(void *arg)
{
    (void)arg;
    carried_end();
    return 0;
}

/* The shutdown is told to an idle one, too, and waits for it. */
static void is_told(bool h2)
{
    struct cg_ws *ws = begin(h2);
    struct cg_coro *reader = test_start(reads, ws), *shutdown;

    OK(cg_yield(cg_sleep(3 * CG_SECOND)));
    shutdown = test_start(shuts_down, NULL);
    IS(test_end(reader), 0);
    IS(cg_ws_code(ws), CG_WS_GOING_AWAY);
    cg_ws_free(ws);
    IS(test_end(shutdown), 0);
    ck_assert_uint_eq(ends, 1);
    IS(result, 0);
}

/* It ends when the handler says so, or frees it, or others do while it is idle; and its handler
 * is cancelled if the shutdown does not wait any longer. */
static void ends_early(bool h2)
{
    static const char *const ways[] = {"end", "free", "others", "gone", "sleep"};
    static const ssize_t wanted[] = {-EDOM, -EBADF, -EBADF, CG_EOF, -ECANCELED};

    for (size_t i = 0; i < COUNT(ways); i++) {
        struct cg_ws *ws = begin(h2);

        OK(cg_yield(cg_sleep(3 * CG_SECOND)));
        if (i == 2)
            cg_ws_free(served);
        else if (i != 3)
            OK(cg_yield(cg_ws_send_text(ws, ways[i])));
        if (i == 4)
            IS(cg_yield(cg_http_shutdown(carried_server, .timeout = CG_SECOND)), -ETIMEDOUT);
        else if (i != 3)
            IS(reads(ws), CG_EOF);
        cg_ws_free(ws);
        carried_end();
        ck_assert_uint_eq(ends, 1);
        ck_assert_msg(result == wanted[i] || (i == 3 && result == -ECONNRESET),
                      "%s: %zd, %s", ways[i], result, cg_strerror(result));
    }
}

static void whole(bool h2)
{
    serves(h2);
    pings(h2);
    sends_what_was_gathered(h2);
    is_told(h2);
    ends_early(h2);
}

CARRIED(whole)

/* Many at once, on real sockets. */
static ssize_t many(void *arg)
{
    struct cg_ws *ws[30];

    (void)arg;
    ws[0] = begin(false);
    for (size_t i = 1; i < COUNT(ws); i++)
        IS(cg_yield(cg_ws_connect(carried_client, carried_url("/ws"), &ws[i])), 0);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < COUNT(ws); i++)
            comes_back(ws[i], "hello");
    for (size_t i = 0; i < COUNT(ws); i++)
        cg_ws_free(ws[i]);
    carried_end();
    ck_assert_uint_eq(ends, COUNT(ws));
    return 0;
}

static const struct test_case cases[] = {
    CARRIED_CASES,
    CORO(many),
};

int main(void)
{
    return test_main("WebSockets that are served", cases, COUNT(cases));
}
