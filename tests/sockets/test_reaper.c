/* SPDX-License-Identifier: MIT */
/* A program that reaps connections under load: each is closed in the turn in which a read
 * of it completes, before the reader's coroutine runs. The read returns -EBADF, and the
 * reader does not use the connection again. */
#include "config.h"

#include "tests/support/support.h"

#include "sockets/sock.h"

#include <errno.h>

enum { CONNECTIONS = 48 };

struct connection {
    struct cg_sock *server, *client;
    bool reaped;
    struct cg_coro *reader, *writer;
};

struct load {
    struct connection connections[CONNECTIONS];
    struct cg_sched *sched;
    int left;
};

static ssize_t reads(void *arg)
{
    struct connection *c = arg;
    char buf[256];
    ssize_t n;

    while ((n = cg_yield(cg_read(c->server, buf, sizeof buf))) > 0)
        ck_assert(!c->reaped);
    ck_assert(c->reaped);
    return n;
}

/* Writes until the peer has closed. */
static ssize_t writes(void *arg)
{
    static const char bytes[64];
    struct connection *c = arg;
    ssize_t n;

    while ((n = cg_yield(cg_writeall(c->client, bytes, sizeof bytes))) > 0)
        cg_yield(cg_pass());
    cg_sock_close(c->client);
    return 0;
}

/* The loop calls this between the reactor, which completes reads, and the coroutines. */
static void reap(void *arg)
{
    struct load *load = arg;

    for (int i = 0; i < CONNECTIONS; i++) {
        struct connection *c = &load->connections[i];

        if (c->reaped || c->server->object.unheard == NULL)
            continue;
        c->reaped = true;
        cg_sock_close(c->server);
        load->left--;
    }
    if (load->left > 0)
        OK(cg_sched_call_soon(load->sched, reap, load, NULL));
}

static ssize_t reaper(void *arg)
{
    static struct load load;

    (void)arg;
    load = (struct load){.sched = cg_sched_self(), .left = CONNECTIONS};
    for (int i = 0; i < CONNECTIONS; i++)
        test_tcp(&load.connections[i].server, &load.connections[i].client);
    for (int i = 0; i < CONNECTIONS; i++) {
        load.connections[i].reader = test_start(reads, &load.connections[i]);
        load.connections[i].writer = test_start(writes, &load.connections[i]);
    }
    OK(cg_sched_call_soon(load.sched, reap, &load, NULL));
    for (int i = 0; i < CONNECTIONS; i++) {
        IS(test_end(load.connections[i].reader), -EBADF);
        IS(test_end(load.connections[i].writer), 0);
    }
    IS(load.left, 0);
    return 0;
}

static const struct test_case cases[] = {
    CORO(reaper, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("reaper", cases, COUNT(cases));
}
