/* SPDX-License-Identifier: MIT */
/* The ready queue: wherever its ring begins, it grows without losing the order. */
#include "config.h"

#include "lib/core/ready.h"
#include "tests/support/support.h"

enum { MANY = 3 * CG__READY_FIRST };

static struct cg_coro coros[MANY];

/* Makes a queue whose ring begins at a given place. */
static void begin_at(struct cg__ready *ready, size_t place)
{
    cg__ready_init(ready);
    for (size_t i = 0; i < place; i++) {
        cg__ready_put(ready, &coros[0], false);
        ck_assert_ptr_eq(cg__ready_take(ready), &coros[0]);
    }
}

/* There is a place for each reserved coroutine, and they are taken in the order of
 * putting. */
static void grows(void)
{
    for (size_t place = 0; place <= CG__READY_FIRST; place++) {
        struct cg__ready ready;

        begin_at(&ready, place);
        for (size_t i = 0; i < MANY; i++) {
            ck_assert(cg__ready_reserve(&ready));
            cg__ready_put(&ready, &coros[i], false);
        }
        for (size_t i = 0; i < MANY; i++)
            ck_assert_ptr_eq(cg__ready_take(&ready), &coros[i]);
        ck_assert(cg__ready_empty(&ready));
        cg__ready_free(&ready);
    }
}

/* Coroutines that are put at the head come before the others, in the order of putting. */
static void first_come_first(void)
{
    struct cg__ready ready;

    begin_at(&ready, 0);
    for (size_t i = 0; i < 3; i++)
        cg__ready_put(&ready, &coros[i], true);
    cg__ready_put(&ready, &coros[3], false);
    ck_assert_uint_eq(cg__ready_count(&ready), 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_ptr_eq(cg__ready_take(&ready), &coros[i]);
    cg__ready_free(&ready);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(grows, .where = ON_SIM),
        PLAIN(first_come_first, .where = ON_SIM),
    };

    return test_main("ready", cases, COUNT(cases));
}
