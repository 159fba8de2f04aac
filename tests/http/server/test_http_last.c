/* SPDX-License-Identifier: MIT */
/* A handler that ends its response and goes on, over both carriers. */
#include "config.h"

#include "tests/http/carried.h"

#include <cogen/sync.h>
#include <errno.h>
#include <string.h>

static struct cg_event received;
static ssize_t went_on; /* how the wait of goes_on has ended */

/* The client gets all of the response before this returns. */
static ssize_t goes_on(struct cg_http_request *req, void *arg)
{
    (void)arg;
    OK(cg_http_response_add_trailer(req, "T", "yes"));
    IS(cg_yield(cg_http_write(req, "one", 3)), 3);
    IS(cg_yield(cg_http_write(req, "two", 3, .last = true)), 3);
    IS(cg_yield(cg_http_write(req, "three", 5)), -EALREADY);
    IS(cg_http_response_add_trailer(req, "U", "no"), -EALREADY);
    went_on = cg_yield(cg_wait_event(&received, .timeout = 10 * CG_SECOND));
    return went_on;
}

/* A body that is shorter than announced cannot end. */
static ssize_t is_short(struct cg_http_request *req, void *arg)
{
    (void)arg;
    OK(cg_http_response_set_header(req, "Content-Length", "5"));
    IS(cg_yield(cg_http_write(req, "abc", 3, .last = true)), CG_EOF);
    return 0;
}

/* A piece that is longer than announced does not end it. */
static ssize_t is_long(struct cg_http_request *req, void *arg)
{
    (void)arg;
    OK(cg_http_response_set_header(req, "Content-Length", "2"));
    IS(cg_yield(cg_http_write(req, "abc", 3, .last = true)), -EMSGSIZE);
    IS(cg_yield(cg_http_write(req, "ab", 2, .last = true)), 2);
    IS(cg_yield(cg_http_write(req, NULL, 0, .last = true)), -EALREADY);
    went_on = 0;
    return 0;
}

static char large[512 * 1024];

/* The client has all of it before this returns, although it exceeds what windows and buffers
 * take; `arg`: the type of the text. */
static ssize_t is_large(struct cg_http_request *req, void *arg)
{
    OK(cg_http_response_set_header(req, "Content-Type", arg));
    IS(cg_yield(cg_http_write(req, large, sizeof large, .last = true)), sizeof large);
    went_on = cg_yield(cg_wait_event(&received, .timeout = 10 * CG_SECOND));
    return went_on;
}

/* A response without a body is its head, which any write sends. */
static ssize_t is_bare(struct cg_http_request *req, void *arg)
{
    (void)arg;
    IS(cg_yield(cg_http_write(req, "a", 1, .last = true)), -EPIPE);
    IS(cg_yield(cg_http_write(req, NULL, 0, .last = true)), 0);
    IS(cg_yield(cg_http_write(req, NULL, 0)), -EALREADY);
    went_on = cg_yield(cg_wait_event(&received, .timeout = 10 * CG_SECOND));
    return went_on;
}

/* Gets all of a response while its handler waits. */
static void get_and(bool leave, const char *method, const char *path, const char *body,
                    size_t size)
{
    struct cg_http_fetch fetch = {.method = method, .url = carried_url(path)};
    struct cg_http_reply *reply;
    const char *text;
    size_t len;

    received = (struct cg_event){.name = "received"};
    went_on = 1;
    IS(cg_yield(cg_http_fetch(carried_client, &fetch, &reply, .timeout = CG_SECOND)), 200);
    text = cg_http_reply_body(reply, &len);
    ck_assert_uint_eq(len, size);
    ck_assert_mem_eq(text, body, size);
    cg_http_reply_free(reply);
    if (leave) {
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
        IS(cg_http_client_close_idle(carried_client, carried_url(path)), 1);
        IS(cg_yield(cg_sleep(CG_SECOND)), 0);
    }
    cg_event_set(&received);
    while (went_on == 1)
        OK(cg_yield(cg_pass()));
    IS(went_on, 0); /* neither the end of the response nor that of its client cancels the handler */
}

static void get(const char *method, const char *path, const char *body, size_t size)
{
    get_and(false, method, path, body, size);
    if (strcmp(method, "GET") == 0)
        get_and(true, method, path, body, size);
}

/* Bodies of all kinds end like that. */
static void kinds(bool h2)
{
    carried_begin(h2);
    test_fill(large, sizeof large, 0);
    OK(cg_http_server_mount(carried_server, "/goes-on", goes_on, NULL));
    OK(cg_http_server_mount(carried_server, "/plain", is_large, "image/png"));
    OK(cg_http_server_mount(carried_server, "/text", is_large, "text/plain"));
    OK(cg_http_server_mount(carried_server, "/bare", is_bare, NULL));
    OK(cg_http_server_mount(carried_server, "/long", is_long, NULL));
    get("GET", "/goes-on", "onetwo", 6);
    get("GET", "/plain", large, sizeof large);
    get("GET", "/text", large, sizeof large);
    get("HEAD", "/bare", "", 0);
    get("GET", "/long", "ab", 2);
    carried_end();
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

static void all(bool h2)
{
    ends(h2);
    kinds(h2);
}

CARRIED(all)

static const struct test_case cases[] = {CARRIED_CASES};

int main(void)
{
    return test_main("responses that end early", cases, COUNT(cases));
}
