/* SPDX-License-Identifier: MIT */
/* After an upgrade, a stream of HTTP/2 is a socket like others. */
#include "config.h"

#include "tests/http/carried.h"
#include "tests/sockets/sock_cases.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static void both_ways_round(void (*check)(struct cg_sock *, struct cg_sock *), bool h2)
{
    struct cg_sock *served, *asked;

    carried_begin(h2);
    carried_pair(&served, &asked);
    check(served, asked);
    carried_pair(&served, &asked);
    check(asked, served);
    carried_end();
}

static ssize_t are_sockets(void *arg)
{
    (void)arg;
    for (int h2 = 0; h2 <= 1; h2++) {
        both_ways_round(sock_everything, h2);
        both_ways_round(sock_both_ways, h2);
        both_ways_round(sock_raced, h2);
        both_ways_round(sock_closed, h2);
    }
    return 0;
}

static ssize_t weak_timeouts_start_anew(void *arg)
{
    (void)arg;
    both_ways_round(sock_weak, true);
    return 0;
}

static const struct test_case cases[] = {
    CORO(are_sockets),
    CORO(weak_timeouts_start_anew, .where = ON_SIM),
};

int main(void)
{
    return test_main("streams as sockets", cases, COUNT(cases));
}
