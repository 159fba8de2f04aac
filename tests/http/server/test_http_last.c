/* SPDX-License-Identifier: MIT */
/* A handler that ends its response and goes on, over both carriers. */
#include "config.h"

#include "tests/http/carried.h"

#include <cogen/sync.h>
#include <errno.h>

static struct cg_event received;

/* The client gets all of the response before this returns. */
static ssize_t goes_on(struct cg_http_request *req, void *arg)
{
    (void)arg;
    OK(cg_http_response_add_trailer(req, "T", "yes"));
    IS(cg_yield(cg_http_write(req, "one", 3)), 3);
    IS(cg_yield(cg_http_write(req, "two", 3, .last = true)), 3);
    IS(cg_yield(cg_http_write(req, "three", 5)), -EALREADY);
    return cg_yield(cg_wait_event(&received, .timeout = 10 * CG_SECOND));
}

/* A body that is shorter than announced cannot end. */
static ssize_t is_short(struct cg_http_request *req, void *arg)
{
    (void)arg;
    OK(cg_http_response_set_header(req, "Content-Length", "5"));
    IS(cg_yield(cg_http_write(req, "abc", 3, .last = true)), CG_EOF);
    return 0;
}

static void ends(bool h2)
{
    struct cg_http_reply *reply;
    size_t len;

    carried_begin(h2);
    received = (struct cg_event){.name = "received"};
    OK(cg_http_server_mount(carried_server, "/goes-on", goes_on, NULL));
    OK(cg_http_server_mount(carried_server, "/short", is_short, NULL));
    IS(cg_yield(cg_http_get(carried_client, carried_url("/goes-on"), &reply,
                            .timeout = CG_SECOND)), 200);
    ck_assert_str_eq(cg_http_reply_body(reply, &len), "onetwo");
    ck_assert_str_eq(cg_http_headers_get(cg_http_reply_trailers(reply), "T"), "yes");
    cg_http_reply_free(reply);
    cg_event_set(&received);
    ck_assert_int_lt(cg_yield(cg_http_get(carried_client, carried_url("/short"), &reply)), 0);
    carried_end();
}

CARRIED(ends)

static const struct test_case cases[] = {CARRIED_CASES};

int main(void)
{
    return test_main("responses that end early", cases, COUNT(cases));
}
