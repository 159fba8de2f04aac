/* SPDX-License-Identifier: MIT */
/* A handshake between two configurations. */
#include "config.h"

#include "tests/support/support.h"
#include "tests/tls/tls_meeting.h"

#include <stdio.h>

static ssize_t serves(void *arg)
{
    struct meeting *m = arg;

    m->result[0] =
        cg_yield(cg_tls_accept(m->inner[0], m->server, &m->sock[0], .why = m->why[0]));
    return 0;
}

struct cg_coro *meet_server(struct meeting *m)
{
    OK(cg_sock_pair(cg_sched_self(), &m->inner[0], &m->inner[1]));
    m->sock[0] = m->inner[0];
    m->sock[1] = m->inner[1];
    return test_start(serves, m);
}

void meet(struct meeting *m)
{
    struct cg_coro *server = meet_server(m);
    char byte;

    m->result[1] = cg_yield(cg_tls_connect(m->inner[1], m->client, m->host, &m->sock[1],
                                           .why = m->why[1]));
    if (m->result[1] < 0)
        cg_sock_close(m->inner[1]);
    test_end(server);
    if (m->result[0] == 0)
        OK(m->result[1] < 0 ? 1 : cg_yield(cg_writeall(m->sock[0], "!", 1)));
    else
        cg_sock_close(m->inner[0]);
    if (m->result[1] == 0) {
        ssize_t n = cg_yield(cg_readall(m->sock[1], &byte, 1));

        m->result[1] = n < 0 ? n : 0;
        snprintf(m->why[1], sizeof m->why[1], "%s", cg_tls_session_error(m->sock[1]));
        if (n < 0)
            cg_sock_close(m->sock[1]);
    }
}

void part(struct meeting *m)
{
    if (m->result[0] == 0)
        cg_sock_close(m->sock[0]);
    if (m->result[1] == 0)
        cg_sock_close(m->sock[1]);
}

bool meet_resumes(struct meeting *m)
{
    bool resumed;

    meet(m);
    IS(m->result[0], 0);
    IS(m->result[1], 0);
    resumed = cg_tls_session_resumed(m->sock[1]);
    ck_assert(cg_tls_session_resumed(m->sock[0]) == resumed);
    ck_assert_str_eq(cg_tls_session_peer_name(m->sock[1]), m->host);
    part(m);
    return resumed;
}
