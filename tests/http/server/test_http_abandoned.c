/* SPDX-License-Identifier: MIT */
/* A server that is abandoned together with its scheduler, since a handler does not end within the
 * grace period, over both carriers. */
#include "config.h"

#include "lib/base/sanitize.h"
#include "tests/http/carried.h"

#include <cogen/reactor.h>
#include <errno.h>

static ssize_t answers(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, "hello"));
}

static ssize_t stays(struct cg_http_request *req, void *arg)
{
    (void)req;
    (void)arg;
    return cg_yield(cg_sleep(CG_HOUR, .shield = true));
}

static void ask(const char *path, ssize_t want)
{
    struct cg_http_fetch fetch = {.url = carried_url(path)};
    struct cg_http_reply *reply;

    IS(cg_yield(cg_http_fetch(carried_client, &fetch, &reply, .timeout = CG_SECOND)), want);
    cg_http_reply_free(reply);
}

static ssize_t leaves_a_handler(void *h2)
{
    carried_begin(*(bool *)h2);
    OK(cg_http_server_mount(carried_server, "/hello", answers, NULL));
    OK(cg_http_server_mount(carried_server, "/stays", stays, NULL));
    ask("/hello", 200);
    ask("/stays", -ETIMEDOUT);
    cg_http_client_free(carried_client);
    return 0;
}

/* No output buffer stays with the server: only the reactor could free it. */
static void returns_buffers(bool h2)
{
    struct test test;
    struct cg_coro *coro;

    if (CG__ASAN) /* what the abandoned handler owns is lost, and would be reported */
        return;
    test = test_open(.grace = CG_SECOND);
    OK(cg_sched_start(test.sched, leaves_a_handler, &h2, .coro = &coro));
    while (cg_coro_state(coro) != CG_CORO_FINISHED)
        OK(cg_sched_step(test.sched, CG_NEVER));
    IS(cg_coro_result(coro), 0);
    cg_coro_unref(coro);
    cg_sched_free(test.sched);
    ck_assert_uint_eq(test.reactor->chunks_out, 0);
    cg_reactor_close(test.reactor);
    cg_http_server_free(carried_server);
}

static void over_h1(void)
{
    returns_buffers(false);
}

static void over_h2(void)
{
    returns_buffers(true);
}

static const struct test_case cases[] = {
    PLAIN(over_h1, .where = ON_SIM),
#ifdef HAVE_NGHTTP2
    PLAIN(over_h2, .where = ON_SIM),
#endif
};

int main(void)
{
    return test_main("abandoned servers", cases, COUNT(cases));
}
