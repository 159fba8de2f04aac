/* SPDX-License-Identifier: MIT */
/* Published events without memory, over both carriers: each allocation of the client and the
 * server fails in turn. */
#include "config.h"

#include "tests/failing/failing.h"
#include "tests/http/carried.h"

#include <cogen/http_events.h>
#include <string.h>

static int left = -1; /* allocations until one fails; negative: none does */
static bool armed;

bool failing_now(enum failing_what what)
{
    (void)what;
    return armed && left-- == 0;
}

static struct cg_http_events *events;
static unsigned begun, ended; /* streams */

static int greets(void *arg, uint64_t sent, struct cg_http_event *event)
{
    (void)arg;
    event->data = "hello";
    return sent == 0;
}

static void has_ended(void *arg)
{
    (void)arg;
    ended++;
}

static ssize_t handles(struct cg_http_request *req, void *arg)
{
    ssize_t n =
        cg_yield(cg_http_serve_events(req, events, .next = greets, .ended = has_ended));

    (void)arg;
    begun += n == 0;
    return n;
}

/* Listens, and is sent three events, between which it is idle: one of its own, and two with an id
 * of the program. Returns how many have come. */
static int listen_to(void)
{
    struct cg_http_fetch fetch = {.url = carried_url("/events"), .stream = true};
    struct cg_http_reply *reply;
    char buf[512];
    int count = 0;

    if (cg_yield(cg_http_fetch(carried_client, &fetch, &reply, .timeout = CG_MINUTE)) == 200)
        for (; count < 3; count++) {
            cg_yield(cg_sleep(2 * CG_SECOND));
            if ((count > 0 && cg_http_events_publish(events, .data = "x", .id = "y") < 0) ||
                cg_yield(cg_http_read_reply(reply, buf, sizeof buf, .timeout = CG_MINUTE)) <= 0)
                break;
        }
    cg_http_reply_free(reply);
    return count;
}

/* Whichever allocation fails, the server goes on, and no client is left. */
static void each_allocation(bool h2)
{
    int failure, whole = 0, refused = 0;

    for (failure = 0; failure < 2000; failure++) {
        carried_begin(h2);
        left = failure;
        armed = true;
        events = cg_http_events_new(.kept = 2, .heartbeat = CG_NEVER);
        armed = false;
        if (events != NULL) {
            OK(cg_http_server_mount(carried_server, "/events", handles, NULL));
            OK(cg_yield(cg_sleep(CG_MILLISECOND))); /* it listens */
            armed = true;
            whole = listen_to();
            armed = false;
            refused += whole < 3;
            IS(listen_to(), 3);
            cg_http_events_free(events);
        }
        carried_end();
        ck_assert_uint_eq(begun, ended); /* each is told of, and once */
        if (left >= 0)
            break; /* no allocation was left to fail */
    }
    ck_assert_int_eq(whole, 3);
    ck_assert_int_gt(failure, 20);
    ck_assert_int_gt(refused, 5);
}

CARRIED(each_allocation)

static const struct test_case cases[] = {
    CARRIED_CASES,
};

int main(void)
{
    return test_main("http events without memory", cases, COUNT(cases));
}
