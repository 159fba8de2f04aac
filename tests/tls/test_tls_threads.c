/* SPDX-License-Identifier: MIT */
/* One configuration for all workers of a crew: they resume each other's sessions, and each
 * of them may load the files again while the others make handshakes. */
#include "config.h"

#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_main.h"
#include "tests/tls/tls_meeting.h"
#include "tls/conn.h"

#include <stdatomic.h>

enum { WORKERS = 3, MEETINGS = 6 };

static struct cg_tls *server, *client;

static ssize_t resumes(void *arg)
{
    struct meeting m = {.server = server, .client = client, .host = "site.test"};

    (void)arg;
    return meet_resumes(&m);
}

static ssize_t in_turn(void *arg)
{
    (void)arg;
    if (cg_worker_id() != 0)
        return 0;
    for (unsigned i = 0; i < 2 * WORKERS; i++)
        IS(cg_yield(cg_run_on(cg_crew_worker(i % WORKERS), resumes, NULL)), i > 0);
    return 0;
}

static void run_crew(cg_fn *fn)
{
    OK(cg_tls_new(&server, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&client, .ca_file = cert_path("ca.pem")));
    IS(cg_crew_main(fn, NULL, .workers = WORKERS,
                    .reactor = test_on_sim() ? "sim" : test_reactor()),
       0);
    ck_assert_ptr_null(server->turns);
    ck_assert_ptr_null(client->turns);
    cg_tls_free(server);
    cg_tls_free(client);
}

/* A session that one worker's server or client has made is resumed on all workers. */
static void shared_sessions(void)
{
    run_crew(in_turn);
}

static ssize_t meets_and_reloads(void *arg)
{
    struct meeting m = {.server = server, .client = client, .host = "site.test"};
    struct cg__tls_keys *before = cg__tls_keys_now(server), *after;

    (void)arg;
    for (int i = 0; i < MEETINGS; i++) {
        meet_resumes(&m); /* or not: somebody may have loaded the files meanwhile */
        OK(cg_tls_reload(i % 2 ? server : client, NULL));
    }
    after = cg__tls_keys_now(server);
    ck_assert_ptr_ne(before, after);
    cg__tls_keys_unref(before);
    cg__tls_keys_unref(after);
    return 0;
}

/* No handshake fails while the files are loaded again, whichever thread does it; at the end
 * the keys of the last load are used. */
static void reloads(void)
{
    run_crew(meets_and_reloads);
}

static ssize_t reloads_late(void *arg)
{
    struct cg__tls_keys *keys, *now;

    (void)arg;
    keys = cg__tls_keys_now(server);
    server->loaded = server->begun + 2; /* a reload that has begun later is ready */
    OK(cg_tls_reload(server, NULL));
    now = cg__tls_keys_now(server);
    ck_assert_ptr_eq(now, keys);
    cg__tls_keys_unref(keys);
    cg__tls_keys_unref(now);
    return 0;
}

/* A reload that is ready after one that has begun later changes nothing: it may have read
 * older files. */
static void overtaken(void)
{
    OK(cg_tls_new(&server, .cert = cert_path("site.pem")));
    reloads_late(NULL);
    cg_tls_free(server);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(shared_sessions),
        PLAIN(reloads),
        PLAIN(overtaken, .where = ON_SIM),
    };
    return tls_main("tls_threads", cases, COUNT(cases));
}
