/* SPDX-License-Identifier: MIT */
/* Checks for loops with a hundred thousand rounds: unlike ck_assert they write to no pipe when they
 * hold, which would be too slow there. */
#ifndef COGEN_TESTS_SUPPORT_MUST_H
#define COGEN_TESTS_SUPPORT_MUST_H

#include <check.h>

/* Like ck_assert_msg: MUST(n > 0, "%d", n). */
#define MUST(expr, ...)                                                                    \
    do {                                                                                   \
        if (!(expr))                                                                       \
            ck_abort_msg(__VA_ARGS__);                                                     \
    } while (0)

/* Like ck_assert. */
#define MUST_HOLD(expr) MUST(expr, "%s does not hold", #expr)

#endif
