/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/support/notes.h"
#include "tests/vocabulary/waiters.h"

ssize_t waiter(void *arg)
{
    struct waiter *w = arg;
    intptr_t value = -1;
    ssize_t answer = cg_yield(cg_wait_signal(w->name, &value));

    if (answer < 0)
        return answer;
    note(w->mark);
    ck_assert_int_eq(value, w->wanted);
    return answer;
}

struct cg_coro *waiting(struct waiter *w)
{
    struct cg_coro *coro = test_start(waiter, w);

    test_until_waiting(coro);
    return coro;
}
