/* SPDX-License-Identifier: MIT */
/* HTTP clients and servers on hosts of a simulated world, by seeds: servers that are killed
 * and started again, and servers that hand their listener over to a successor while
 * requests are on the wire. */
#include "config.h"

#include "tests/support/hosts.h"
#include "tests/support/support.h"

#include <cogen/http_client.h>
#include <cogen/http_server.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS CG_MILLISECOND

enum { CLIENTS = 4, REQUESTS = 12, SEEDS = 100, KILLS = 3, IDS = CLIENTS * REQUESTS };

static struct hosts hosts;
static struct cg_http_server *servers[HOSTS_MOST];
static uint64_t seed;
static unsigned serving;        /* the place of the next server to begin */
static int left;                /* clients that have not finished */
static int failures;            /* requests that failed, however often */
static unsigned attempts[IDS], seen[IDS];

static uint64_t below(uint64_t n)
{
    return cg_sim_random(hosts.reactor[0], n);
}

/* Responds with the request's id, now or later. */
static ssize_t counts(struct cg_http_request *req, void *arg)
{
    const char *id = cg_http_request_param(req, "id");

    (void)arg;
    seen[atoi(id)]++;
    if (below(2))
        cg_yield(cg_sleep((int64_t)below(8) * MS));
    return cg_yield(cg_http_send_text(req, 200, id));
}

static void ignore(void *arg, const char *line)
{
    (void)arg;
    (void)line;
}

static struct cg_http_server *new_server(void)
{
    struct cg_http_server *made = cg_http_server_new(.log = ignore);

    MUST_HOLD(made);
    IS(cg_http_server_mount(made, "/:id", counts, NULL), 0);
    return made;
}

static ssize_t serves(void *arg)
{
    struct cg_http_server *own = new_server();
    struct cg_sock *listener;

    if (cg_sock_listen(cg_sched_self(), "10.0.0.1:80", &listener) == 0) { /* else: killed */
        cg_yield(cg_http_serve(own, listener));
        cg_sock_close(listener);
    }
    cg_http_server_free(own);
    return arg ? 0 : 0;
}

static ssize_t attempt(struct cg_http_client *client, int id)
{
    struct cg_http_reply *reply;
    char url[64], want[16];
    struct cg_http_fetch fetch = {.url = url, .method = id % 2 ? "POST" : "GET"};
    ssize_t rc;

    snprintf(url, sizeof url, "http://10.0.0.1/%d", id);
    snprintf(want, sizeof want, "%d", id);
    attempts[id]++;
    if ((rc = cg_yield(cg_http_fetch(client, &fetch, &reply))) < 0)
        return rc;
    MUST_HOLD(rc == 200);
    MUST_HOLD(strcmp(cg_http_reply_body(reply, NULL), want) == 0);
    cg_http_reply_free(reply);
    return 0;
}

/* Sends requests, each until it has succeeded. */
static ssize_t requests(void *arg)
{
    int first = (int)(intptr_t)arg * REQUESTS;
    struct cg_http_client *client =
        cg_http_client_new(.no_environment = true, .no_keep = first % 8 == 0);

    MUST_HOLD(client);
    IS(cg_yield(cg_sleep(MS)), 0);
    for (int i = 0; i < REQUESTS; i++) {
        while (attempt(client, first + i) < 0) {
            failures++;
            IS(cg_yield(cg_sleep((int64_t)below(10) * MS)), 0);
        }
        if (below(3) == 0)
            IS(cg_yield(cg_sleep((int64_t)below(20) * MS)), 0);
    }
    cg_http_client_free(client);
    left--;
    return 0;
}

static void open_world(void)
{
    struct cg_sim_options options = {.seed = seed,
                                     .latency = (int64_t)(seed % 4) * MS,
                                     .jitter = (int64_t)(seed % 3) * MS,
                                     .short_permille = 200,
                                     .completion = seed % 2,
                                     .multishot = seed % 4 > 1,
                                     .late_cancel = seed % 5 > 1};

    hosts_open(&hosts, 2, &options);
    memset(attempts, 0, sizeof attempts);
    memset(seen, 0, sizeof seen);
    failures = 0;
    left = CLIENTS;
    serving = 1;
    for (intptr_t i = 0; i < CLIENTS; i++)
        hosts_start(&hosts, 0, requests, (void *)i);
}

static ssize_t kills(void *arg)
{
    for (int i = 0; i <= KILLS; i++) {
        IS(cg_yield(cg_sleep((int64_t)below(60) * MS)), 0);
        while (i == KILLS && left > 0)
            IS(cg_yield(cg_sleep(MS)), 0);
        cg_sim_kill(hosts.reactor[1]);
        hosts.sched[1] = NULL;
        if (i < KILLS) {
            IS(cg_yield(cg_sleep((int64_t)below(20) * MS)), 0);
            hosts_add(&hosts, 1);
            hosts_start(&hosts, 1, serves, NULL);
        }
    }
    return arg ? 0 : 0;
}

/* Whenever the server dies, a request gets its own response or fails. What fails is not sent
 * again unless it may be: a POST reaches the handler once for each attempt, or not at all. */
static void killed(void)
{
    int all = 0;

    for (seed = 1; seed <= SEEDS; seed++) {
        open_world();
        hosts_start(&hosts, 1, serves, NULL);
        hosts_start(&hosts, 0, kills, NULL);
        hosts_run(&hosts);
        hosts_close(&hosts);
        for (int id = 0; id < IDS; id++)
            if (seen[id] == 0 || seen[id] > attempts[id] * (id % 2 ? 1 : 2))
                ck_abort_msg("seed %d: %d was seen %u times, after %u attempts", (int)seed, id,
                             seen[id], attempts[id]);
        all += failures;
    }
    ck_assert_int_gt(all, SEEDS); /* the kills hit something */
}

static ssize_t shuts_down(void *arg)
{
    unsigned place = (unsigned)(intptr_t)arg;

    IS(cg_yield(cg_sleep((int64_t)below(60) * MS)), 0);
    while (left > 0 && place == 3)
        IS(cg_yield(cg_sleep(MS)), 0);
    return cg_yield(cg_http_shutdown(servers[place], .idle = 50 * MS, .timeout = CG_MINUTE));
}

/* Serves until it shuts down, then hands its listener over to the next one. */
static ssize_t serves_in_turn(void *arg)
{
    struct cg_sock *listener;
    intptr_t handle = (intptr_t)arg;
    unsigned place = serving++;
    size_t len;
    void *rest;

    if (handle == 0)
        OK(cg_sock_listen(cg_sched_self(), "10.0.0.1:80", &listener));
    else
        IS(cg_sock_attach(cg_sched_self(), (int)handle, &listener), 0);
    servers[place] = new_server();
    OK(cg_yield(cg_add(shuts_down, (void *)(intptr_t)place)));
    IS(cg_yield(cg_http_serve(servers[place], listener)), 0);
    if (place == 3) {
        cg_sock_close(listener);
    } else {
        OK(handle = cg_sock_detach(listener, &rest, &len));
        hosts_add(&hosts, place + 1);
        hosts_start(&hosts, place + 1, serves_in_turn, (void *)handle);
    }
    return 0;
}

/* Servers that shut down one after the other, and hand their listener over, lose no request,
 * on whichever part of its way it is. */
static void handed_over(void)
{
    for (seed = 1; seed <= SEEDS; seed++) {
        open_world();
        hosts_start(&hosts, 1, serves_in_turn, NULL);
        hosts_run(&hosts);
        for (unsigned i = 1; i <= 3; i++)
            cg_http_server_free(servers[i]);
        hosts_close(&hosts);
        if (failures > 0)
            ck_abort_msg("seed %d: %d requests failed", (int)seed, failures);
        for (int id = 0; id < IDS; id++)
            MUST_HOLD(seen[id] == 1 && attempts[id] == 1);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(killed, .where = ON_SIM),
        PLAIN(handed_over, .where = ON_SIM),
    };

    return test_main("http_hosts", cases, COUNT(cases));
}
