/* SPDX-License-Identifier: MIT */
/* Shared by the tests of cg_connect to host names: a name with several addresses in a
 * simulated world, listeners on them, and one that never responds. */
#ifndef COGEN_TESTS_SOCKETS_WEB_H
#define COGEN_TESTS_SOCKETS_WEB_H

#include "tests/support/support.h"

#include <cogen/sim.h>

#define V6_1 "[2001:db8::1]:80"
#define V6_2 "[2001:db8::2]:80"
#define V4_1 "10.0.0.1:80"
#define V4_2 "10.0.0.2:80"
#define ALL_FOUR "2001:db8::1 2001:db8::2 10.0.0.1 10.0.0.2"

/* Gives the scheduler a resolver with a fixed table, which is empty at first. */
struct cg_resolver *names_for(struct cg_sched *sched);

/* The scheduler of the case resolves one name, web.test. */
void web_is(const char *addrs);

/* A listener whose backlog is full: a connect to it stays pending. */
struct hole {
    struct cg_sock *listener, *filler;
};

struct hole dig(const char *addr);

/* Refuses the connects that are pending there. */
void fill_in(struct hole *hole);

/* Makes room in the backlog: a pending connect succeeds. */
void open_up(struct hole *hole);

struct cg_sock *serve(const char *addr);

/* Connects to the address and closes the connection: a coroutine. */
ssize_t connects(void *arg);

#endif
