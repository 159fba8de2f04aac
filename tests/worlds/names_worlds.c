/* SPDX-License-Identifier: MIT */
/* A program that connects by name, to a service with several addresses of both families, while
 * name servers and networks fail: connections reach the service or nobody, errors are those of
 * the contract, and after the storm every name is found. */
#include "config.h"

#include "tests/worlds/worlds.h"

#include <cogen/resolve.h>

enum { CALLERS = 3, CALLS = 4 };

/* Nobody listens at 10.0.0.4. */
static const char zone[] = "echo.test 5 10.0.0.4 10.0.0.1 2001:db8::1\n"
                           "old.test 1 10.0.0.1\n"
                           "new.test 60 2001:db8::1\n"
                           "empty.test 5";

static bool is_lookup_error(ssize_t n)
{
    return n == CG_EHOST || n == CG_ELOOKUP || n == -ENOMEM;
}

/* A look-up has addresses that are the host's, or wrong ones of a storm. */
static ssize_t look_up(const char *host)
{
    struct cg_addr_list list;
    ssize_t n = cg_yield(cg_resolve(host, "7", &list));

    MUST(n > 0 ? n == list.count : is_lookup_error(n));
    for (int i = 0; i < n; i++) {
        char text[CG_ADDR_SIZE];

        MUST(cg_addr_print(&list.addrs[i], text, sizeof text) == 0);
        MUST(strcmp(text, "[2001:db8::1]:7") == 0 || strcmp(text, "10.0.0.1:7") == 0 ||
             strcmp(text, "10.0.0.4:7") == 0 || strcmp(text, "192.0.2.1:7") == 0);
    }
    return n;
}

static ssize_t call(const char *host, unsigned id)
{
    struct cg_sock *conn;
    char addr[64];
    ssize_t n;

    snprintf(addr, sizeof addr, "%s:7", host);
    n = cg_yield(cg_connect(addr, &conn, .timeout = (1 + (int64_t)chance(20000)) * CG_MILLISECOND));
    return n < 0 ? n : worlds_converse(conn, id, true);
}

static ssize_t caller(void *arg)
{
    static const char *const hosts[] = {"echo.test", "old.test", "new.test", "none.test"};
    unsigned id = (unsigned)(intptr_t)arg * CALLS, tries = 0;

    for (unsigned i = 0; i < CALLS; i++) {
        dawdle();
        if (chance(2))
            call(hosts[chance(4)], id + i);
        else
            look_up(hosts[chance(4)]);
    }
    while (stormy())
        cg_yield(cg_sleep(CG_SECOND));
    for (unsigned i = 0; i < 3; i++)
        while (call(hosts[i], id) < 0) {
            MUST(++tries < 100);
            cg_yield(cg_sleep(CG_SECOND));
        }
    while (look_up("none.test") != CG_EHOST || look_up("empty.test") != CG_EHOST)
        MUST(++tries < 100);
    return 0;
}

static ssize_t callers(void *arg)
{
    struct cg_group group;

    (void)arg;
    cg_group_open(&group);
    for (intptr_t i = 0; i < CALLERS; i++)
        cg_group_start(&group, caller, (void *)i, NULL, .name = "caller");
    return cg_yield(cg_wait_group(&group));
}

static const struct cg_sim_program programs[] = {
    {"v4", worlds_echo_server, (void *)"10.0.0.1:7"},
    {"v6", worlds_echo_server, (void *)"[2001:db8::1]:7"},
    {NULL, NULL, NULL},
};

const struct subject names_subject = {
    .name = "names",
    .fn = callers,
    .programs = programs,
    .names = zone,
    .faults = CG_SIM_ALL_FAULTS,
    .share = 20,
};
