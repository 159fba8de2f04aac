/* SPDX-License-Identifier: MIT */
/* Sockets and names without memory. */
#include "config.h"

#include "tests/failing/lives.h"

#include <errno.h>
#include <string.h>

/* A datagram that finds no memory in the simulated network is lost: -ENOBUFS there. */
static ssize_t datagrams(void *arg)
{
    struct cg_sock *server = NULL, *client = NULL;
    char addr[CG_ADDR_SIZE], buf[8];
    ssize_t rc = cg_datagram_open(sched(), "127.0.0.1:0", &server);

    (void)arg;
    if (rc == 0)
        rc = cg_sock_local_addr(server, addr, sizeof addr);
    if (rc == 0)
        rc = cg_datagram_open(sched(), NULL, &client, .peer = addr);
    if (rc == 0)
        rc = cg_yield(cg_send_to(client, "hello", 5, NULL));
    if (rc >= 0) {
        IS(rc, 5);
        rc = cg_yield(cg_receive_from(server, buf, sizeof buf, NULL));
    }
    if (rc >= 0)
        IS(rc, 5);
    cg_sock_close(client);
    cg_sock_close(server);
    return rc == -ENOBUFS ? -ENOMEM : rc < 0 ? rc : 0;
}

/* Without memory for the client's address the header cannot be taken. */
static ssize_t proxy_header(void *arg)
{
    struct cg_sock *ends[2] = {NULL, NULL};
    char peer[CG_ADDR_SIZE];
    ssize_t rc = cg_sock_pair(sched(), &ends[0], &ends[1]);

    (void)arg;
    if (rc == 0)
        rc = cg_yield(cg_write_proxy_header(ends[0], "192.0.2.1:5", "192.0.2.2:6"));
    if (rc >= 0)
        rc = cg_yield(cg_read_proxy_header(ends[1]));
    if (rc >= 0) {
        IS(rc, 1);
        IS(cg_sock_peer_addr(ends[1], peer, sizeof peer), 0);
        HAS(strcmp(peer, "192.0.2.1:5") == 0);
    }
    cg_sock_close(ends[0]);
    cg_sock_close(ends[1]);
    return rc < 0 ? rc : 0;
}

static ssize_t records(void *arg)
{
    struct cg_resolver *names;
    ssize_t rc = cg_resolver_open("fixed", NULL, &names);

    (void)arg;
    if (rc < 0)
        return rc;
    rc = cg_resolver_set_records(names, CG_RESOLVE_SRV, "a.test", "1 2 3 b.test");
    cg_resolver_close(names);
    return rc;
}

static void anywhere(void)
{
    EACH(datagrams, 2);
    EACH(proxy_header, 2);
}

static void on_kernels(void)
{
    EACH(records, 2);
}

static const struct test_case cases[] = {
    PLAIN(anywhere),
    PLAIN(on_kernels, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("memory of sockets", cases, COUNT(cases));
}
