/* SPDX-License-Identifier: MIT */
/* See talks.h. */
#include "config.h"

#include "tests/reactors/talks.h"

static ssize_t echoes(void *arg)
{
    char buf[256];
    ssize_t n;

    while ((n = cg_yield(cg_read(arg, buf, sizeof buf))) > 0)
        IS(cg_yield(cg_writeall(arg, buf, (size_t)n)), n);
    cg_sock_close(arg);
    return n;
}

ssize_t talks(void *arg)
{
    const int *rounds = arg;
    struct cg_sock *a, *b;
    struct cg_coro *echo;
    char out[100], in[100];

    test_tcp(&a, &b);
    echo = test_start(echoes, b);
    for (int i = 0; i < *rounds; i++) {
        test_fill(out, sizeof out, (size_t)i);
        IS(cg_yield(cg_writeall(a, out, sizeof out)), sizeof out);
        IS(cg_yield(cg_readall(a, in, sizeof in)), sizeof in);
        test_verify(in, sizeof in, (size_t)i);
        if (i % 10 == 0)
            IS(cg_yield(cg_sleep(CG_MILLISECOND / 10)), 0);
    }
    cg_sock_close(a);
    return test_end(echo);
}
