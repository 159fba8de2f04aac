/* SPDX-License-Identifier: MIT */
/* WebSockets without memory, over both carriers: each allocation of the client and the server
 * fails in turn. */
#include "config.h"

#include "tests/failing/failing.h"
#include "tests/http/carried.h"

#include <cogen/websocket.h>
#include <string.h>

static int left = -1; /* allocations until one fails; negative: none does */
static bool armed;

bool failing_now(enum failing_what what)
{
    (void)what;
    return armed && left-- == 0;
}

static unsigned ends;

static ssize_t got(struct cg_ws *ws, ssize_t kind, const struct cg_ws_message *message, void *arg)
{
    (void)arg;
    ends += message == NULL;
    return message == NULL ? 0 : cg_yield(cg_ws_write(ws, kind, message->data, message->len));
}

static unsigned begun;

static ssize_t accept_it(struct cg_http_request *req, void *arg)
{
    struct cg_ws *ws;
    ssize_t n = cg_yield(cg_ws_accept(req, &ws, .deflate = true, .protocol = "a"));

    (void)arg;
    if (n != 0)
        return n;
    begun++;
    return cg_ws_serve(ws, req, got, NULL);
}

/* Connects, gets two messages back, between which both are idle, and ends. Returns how many
 * have come back. */
static int talk(void)
{
    static char text[2000];
    struct cg_ws_message message;
    struct cg_ws *ws;
    int count = 0;

    memset(text, 'a', sizeof text);
    if (cg_yield(cg_ws_connect(carried_client, carried_url("/ws"), &ws, .deflate = true,
                               .protocol = "a", .timeout = CG_MINUTE)) != 0)
        return 0;
    while (count < 2 && cg_yield(cg_ws_write(ws, CG_WS_TEXT, text, sizeof text)) > 0 &&
           cg_yield(cg_ws_read(ws, &message, .timeout = CG_MINUTE)) == CG_WS_TEXT) {
        if (message.len != sizeof text) /* checks of Check allocate */
            ck_abort_msg("%zu bytes came back", message.len);
        cg_yield(cg_sleep(2 * CG_SECOND));
        count++;
    }
    cg_yield(cg_ws_end(ws, CG_WS_NORMAL));
    cg_ws_free(ws);
    return count;
}

/* Whichever allocation fails, messages come back whole or not at all, the server goes on, and
 * nothing is left. */
static void each_allocation(bool h2)
{
    int failure, whole = 0, refused = 0;

    for (failure = 0; failure < 2000; failure++) {
        ends = begun = 0;
        carried_begin(h2);
        OK(cg_http_server_mount(carried_server, "/ws", accept_it, NULL));
        OK(cg_yield(cg_sleep(CG_MILLISECOND))); /* it listens */
        left = failure;
        armed = true;
        whole = talk();
        armed = false;
        refused += whole < 2;
        IS(talk(), 2);
        carried_end();
        ck_assert_uint_eq(ends, begun);
        if (left >= 0)
            break; /* no allocation was left to fail */
    }
    ck_assert_int_eq(whole, 2);
    ck_assert_int_gt(failure, 20);
    ck_assert_int_gt(refused, 5);
}

CARRIED(each_allocation)

static const struct test_case cases[] = {
    CARRIED_CASES,
};

int main(void)
{
    return test_main("WebSocket without memory", cases, COUNT(cases));
}
