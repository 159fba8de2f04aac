/* SPDX-License-Identifier: MIT */
/* Compares the timers with a model that is too simple to be wrong: an array that is
 * searched. */
#include "config.h"

#include "lib/core/timers.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 2000 };

struct model {
    struct cg_timer timer;
    int64_t expiry;
    unsigned order;
    bool set;
};

static struct cg__timers timers;
static struct model all[MANY];
static unsigned orders;

static uint64_t random_bits(void)
{
    static uint64_t x = 88172645463325252u;

    x ^= x << 13;
    x ^= x >> 7;
    return x ^= x << 17;
}

static void set(struct model *m, int64_t expiry)
{
    cg__timers_set(&timers, &m->timer, expiry);
    m->expiry = expiry;
    m->order = orders++;
    m->set = true;
}

static void cancel(struct model *m)
{
    cg__timers_cancel(&timers, &m->timer);
    m->set = false;
}

static struct model *earliest(void)
{
    struct model *best = NULL;

    for (struct model *m = all; m < all + MANY; m++)
        if (m->set && (best == NULL || m->expiry < best->expiry ||
                       (m->expiry == best->expiry && m->order < best->order)))
            best = m;
    return best;
}

static void setup(void)
{
    cg__timers_init(&timers);
    memset(all, 0, sizeof all);
}

/* Timers fire in the order of their moments, those of one moment in the order of setting;
 * none fires early or is missing, whatever is set and cancelled in between. */
START_TEST(order_is_exact)
{
    int64_t now = CG_HOUR;

    for (int round = 0; round < 20000; round++) {
        struct model *m = &all[random_bits() % MANY];
        struct cg_timer *timer;

        if (m->set && random_bits() % 3)
            cancel(m);
        else if (!m->set) /* from ns to days, often the same moment */
            set(m, now + 1 + (random_bits() % 64 << random_bits() % 44));
        if (round % 16)
            continue;
        now += random_bits() % 100 << random_bits() % 36;
        while ((timer = cg__timers_pop(&timers, now))) {
            struct model *due = (struct model *)timer, *expected = earliest();

            ck_assert_ptr_eq(due, expected);
            ck_assert_int_le(due->expiry, now);
            due->set = false;
        }
        m = earliest();
        ck_assert(m == NULL || m->expiry > now);
        ck_assert_int_le(cg__timers_next(&timers), m ? m->expiry : CG_NEVER);
        ck_assert_int_gt(cg__timers_next(&timers), now);
    }
}
END_TEST

/* Without cancellations cg__timers_next returns exactly the next expiry, so a simulated
 * clock needs only one jump. */
START_TEST(next_is_exact)
{
    for (int i = 0; i < MANY; i++)
        set(&all[i], 1 + random_bits() % CG_HOUR);
    for (struct model *m; (m = earliest());) {
        int64_t now = cg__timers_next(&timers);

        ck_assert_int_eq(now, m->expiry);
        ck_assert_ptr_eq(cg__timers_pop(&timers, now), &m->timer);
        m->set = false;
    }
    ck_assert_int_eq(cg__timers_next(&timers), CG_NEVER);
    ck_assert_uint_eq(timers.count, 0);
}
END_TEST

/* Moments at the ends of the scale: before the clock, and never. */
START_TEST(extremes)
{
    ck_assert_ptr_null(cg__timers_pop(&timers, CG_HOUR));
    set(&all[0], INT64_MIN);
    set(&all[1], 0);
    set(&all[2], INT64_MAX);
    ck_assert_int_le(cg__timers_next(&timers), CG_HOUR);
    ck_assert_ptr_eq(cg__timers_pop(&timers, CG_HOUR), &all[0].timer);
    ck_assert_ptr_eq(cg__timers_pop(&timers, CG_HOUR), &all[1].timer);
    ck_assert_ptr_null(cg__timers_pop(&timers, CG__MOMENT_MAX - 1));
    ck_assert_ptr_eq(cg__timers_pop(&timers, CG__MOMENT_MAX), &all[2].timer);
}
END_TEST

/* A timer for a moment that has passed fires next, and no other timer fires early. */
START_TEST(the_past_comes_first)
{
    int64_t now = CG_HOUR;

    ck_assert_ptr_null(cg__timers_pop(&timers, now));
    set(&all[0], now + 5);
    set(&all[1], now + CG_SECOND);
    set(&all[2], now - CG_MINUTE);
    set(&all[3], now - CG_SECOND);
    for (int i = 2; i < 4; i++) /* both are due now: in the order of their setting */
        ck_assert_ptr_eq(cg__timers_pop(&timers, now), &all[i].timer);
    ck_assert_ptr_null(cg__timers_pop(&timers, now + 4));
    ck_assert_ptr_eq(cg__timers_pop(&timers, now + 5), &all[0].timer);
    ck_assert_ptr_null(cg__timers_pop(&timers, now + CG_SECOND - 1));
    ck_assert_ptr_eq(cg__timers_pop(&timers, now + CG_SECOND), &all[1].timer);
}
END_TEST

/* Cancelling twice, or a timer that was never set, changes nothing. */
START_TEST(cancel_is_idempotent)
{
    cg__timers_cancel(&timers, &all[0].timer);
    set(&all[0], 5);
    cancel(&all[0]);
    cancel(&all[0]);
    ck_assert_uint_eq(timers.count, 0);
    ck_assert_ptr_null(cg__timers_pop(&timers, 10));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("timers");
    TCase *tc = tcase_create("timers");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, order_is_exact);
    tcase_add_test(tc, next_is_exact);
    tcase_add_test(tc, extremes);
    tcase_add_test(tc, the_past_comes_first);
    tcase_add_test(tc, cancel_is_idempotent);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
