/* SPDX-License-Identifier: MIT */
/* Random requests of several coroutines over connections of HTTP/2 whose server does wrong in
 * random ways: each ends, none is processed twice that must not be, and nothing is left of them. */
#include "config.h"

#include "tests/http/http2/h2_ask.h"

#include <cogen/sim.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WORKERS = 20, REQUESTS = 15, ROUNDS = 12, MOST_BODY = 200 * 1000 };

static char large[MOST_BODY];

static unsigned below(unsigned most)
{
    return (unsigned)cg_sim_random(cg_sched_reactor(cg_sched_self()), most);
}

/* Half of the requests, where most of the time goes, are for the first paths. */
static const char *some_path(void)
{
    static const char *const paths[] = {
        "/ok", "/big", "/count", "/count", "/early", "/interim", "/trailers", "/status/304",
        "/status/417", "/status/408", "/status/503", "/never", "/head", "/reset", "/refuse",
        "/1.1", "/half", "/short", "/goaway", "/leave", "/cut", "/bad", "/pings", "/half-head",
        "/no-streams", "/push", "/idle", "/unknown", "/late-interims", "/late-resets"};

    return paths[below(below(2) ? 7 : COUNT(paths))];
}

static ssize_t takes(void *arg, struct cg_http_reply *mine)
{
    char buf[3000];
    ssize_t n = 1;

    (void)arg;
    while (n > 0 && below(50) > 0)
        n = cg_yield(cg_http_read_reply(mine, buf, 1 + below(sizeof buf)));
    return n < 0 ? n : 0;
}

static ssize_t makes_slowly(void *arg, void *buf, size_t size)
{
    ssize_t n = below(4) ? 0 : cg_yield(cg_sleep(below(3) * CG_MILLISECOND));

    return n < 0 ? n : make(arg, buf, size);
}

static void reads_some(struct cg_http_reply *mine)
{
    char buf[5000];
    ssize_t n = 1;

    for (unsigned left = below(100); n > 0 && left > 0; left--)
        n = cg_yield(cg_http_read_reply(mine, buf, 1 + below(sizeof buf),
                                        .timeout = below(2) ? CG_NOWAIT : CG_MILLISECOND));
}

static void set_body(struct cg_http_fetch *fetch, struct cg_http_source *source,
                     struct made *made)
{
    switch (below(5)) {
    case 0:
        fetch->body = large;
        fetch->len = below(below(2) ? 1000 : sizeof large);
        break;
    case 1:
        *made = (struct made){.len = below(MOST_BODY), .step = below(2) ? 500 : 0};
        *source = (struct cg_http_source){.read = makes_slowly, .arg = made};
        source->rewind = below(2) ? make_again : NULL;
        source->len = below(2) ? -1 : (int64_t)made->len;
        fetch->source = source;
        break;
    }
    fetch->expect = below(4) == 0;
}

static bool is_post(const struct cg_http_fetch *fetch)
{
    return fetch->method != NULL ? strcmp(fetch->method, "POST") == 0
                                 : fetch->body != NULL || fetch->source != NULL;
}

static void asks_something(unsigned id)
{
    static const char *const methods[] = {NULL, "GET", "POST", "POST", "PUT", "HEAD"};
    struct cg_http_reply *mine;
    struct cg_http_source source;
    struct made made;
    char url[256], number[16];
    struct cg_http_fetch fetch = {
        .url = url,
        .method = methods[below(COUNT(methods))],
        .fields = FIELDS({"X-Id", number}),
        .stream = below(2),
        .retries = below(3),
        .retry_pause = CG_MILLISECOND,
        .receive = below(5) ? NULL : takes,
    };
    ssize_t n;

    snprintf(number, sizeof number, "%u", id);
    snprintf(url, sizeof url, "%s", AT(some_path()));
    set_body(&fetch, &source, &made);
    n = cg_yield(cg_http_fetch(client, &fetch, &mine,
                               .timeout = below(3) ? (1 + below(30 * 1000)) * CG_MICROSECOND
                                                   : 20 * CG_SECOND));
    if (n >= 0 && fetch.stream)
        reads_some(mine);
    ck_assert_msg(peer.processed[id] <= 1 || !is_post(&fetch),
                  "POST %s was processed %u times, result %zd", url, peer.processed[id], n);
    cg_http_reply_free(mine);
}

static ssize_t works(void *arg)
{
    unsigned *next = arg;

    for (int i = 0; i < REQUESTS; i++) {
        asks_something((*next)++);
        if (below(10) == 0)
            OK(cg_yield(cg_sleep(below(20 * 1000) * CG_MICROSECOND)));
    }
    return 0;
}

static ssize_t shakes(void *arg)
{
    (void)arg;
    while (cg_yield(cg_sleep((1 + below(20)) * CG_MILLISECOND)) == 0) {
        peer.deaf ^= below(3) == 0;
        if (below(40) == 0)
            h2_peer_hang_up(&peer);
    }
    return 0;
}

static void round_of_requests(void)
{
    struct cg_coro *coros[WORKERS], *shaker;
    unsigned next = 1;

    peer.most = below(2) * (1 + below(10));
    peer.lives = below(2) * (1 + below(20));
    peer.stingy = below(8) == 0;
    h2_peer_start(&peer);
    client = CLIENT(PRIOR, .h2_window = below(2) * (1000 + below(50 * 1000)),
                    .h2_useless = below(2) * 20000, .response_timeout = CG_SECOND,
                    .send_timeout = CG_SECOND, .idle_timeout = CG_SECOND,
                    .expect_timeout = 5 * CG_MILLISECOND, .keep = below(2),
                    .per_origin = below(2) * (1 + below(3)),
                    .h2_streams = below(2) * (1 + below(8)));
    shaker = test_start(shakes, NULL);
    for (int i = 0; i < WORKERS; i++)
        coros[i] = test_start(works, &next);
    for (int i = 0; i < WORKERS; i++)
        test_end(coros[i]);
    cg_coro_cancel(shaker);
    test_end(shaker);
    ck_assert_uint_le(cg_http_client_connections(client), 1); /* one may be kept */
    finish();
}

static ssize_t survives(void *arg)
{
    (void)arg;
    test_fill(large, sizeof large, 0);
    for (int i = 0; i < ROUNDS; i++)
        round_of_requests();
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {CORO(survives, .where = ON_SIM)};

    return test_main("http client h2 random", cases, COUNT(cases));
}
