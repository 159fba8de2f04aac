/* SPDX-License-Identifier: MIT */
/* A generator that both yields values and receives values, which is rarely wise: the value
 * that send returns is easily lost. Here the loop sends 3 when it gets 5. send returns the
 * next value, 3, which the loop drops; it continues with 2.
 *
 *     ./bogus                  prints 5, 2, 1, 0
 */
#include <cogen.h>
#include <stdio.h>

#include "../generators.h"

static ssize_t countdown(struct cg_gen *gen, void *arg)
{
    intptr_t n = *(const int *)arg, sent;
    ssize_t rc;

    while (n >= 0) {
        if ((rc = cg_gen_yield(gen, n, &sent)) < 0)
            return rc;
        n = rc > 0 ? sent : n - 1;
    }
    return 0;
}

int main(void)
{
    struct cg_gen *gen = generator(countdown, &(int){5});
    intptr_t n;

    while (cg_gen_next(gen, &n) > 0) {
        printf("%d\n", (int)n);
        if (n == 5)
            cg_gen_send(gen, 3, NULL);
    }
    cg_gen_free(gen);
    return 0;
}
