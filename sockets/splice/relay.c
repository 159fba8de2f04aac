/* SPDX-License-Identifier: MIT */
/* cg_relay: a splice for each direction. When one stream has ended, the other splice is
 * cancelled, which loses nothing, and yielded again, alone. */
#include "config.h"

#include "sockets/sock.h"

#include <cogen/any.h>
#include <cogen/splice.h>

#include <errno.h>
#include <stdio.h>

_Static_assert(sizeof(struct cg_relay_op) <= 128, "core ops fit in 128 bytes");

static struct cg_relay_op *of(struct cg_op *op)
{
    return (struct cg_relay_op *)op;
}

static void add(uint64_t *sum, size_t moved)
{
    if (sum != NULL)
        *sum += moved;
}

static ssize_t relay_run(struct cg_op *op)
{
    struct cg_relay_op *relay = of(op);
    size_t forth = 0, back = 0;
    struct cg_op *ways[] = {
        cg_splice(relay->a, relay->b, SIZE_MAX, .moved = &forth, .relay = op),
        cg_splice(relay->b, relay->a, SIZE_MAX, .moved = &back, .relay = op),
    };
    ssize_t n = cg_yield(cg_any_of(ways, 2));

    add(relay->a_to_b, forth);
    add(relay->b_to_a, back);
    if (n < 0 || cg_op_result(ways[n]) < 0)
        return n < 0 ? n : cg_op_result(ways[n]);
    forth = back = 0;
    n = cg_yield(ways[1 - n]);
    add(relay->a_to_b, forth);
    add(relay->b_to_a, back);
    return n < 0 ? n : 0;
}

static enum cg_verdict relay_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_relay_op *relay = of(op);

    (void)sched;
    if (relay->a_to_b != NULL)
        *relay->a_to_b = 0;
    if (relay->b_to_a != NULL)
        *relay->b_to_a = 0;
    op->result = -EBADF;
    if (relay->a == NULL || relay->b == NULL)
        return CG_DONE;
    cg_sock_keep(relay->a);
    cg_sock_keep(relay->b);
    relay->kept = true;
    return CG_RUN;
}

static ssize_t relay_finish(struct cg_op *op)
{
    struct cg_relay_op *relay = of(op);

    if (relay->kept) {
        int a = cg_sock_unkeep(relay->a), b = cg_sock_unkeep(relay->b);

        if (a < 0 || b < 0)
            op->result = -EBADF;
    }
    relay->kept = false;
    return op->result;
}

static int relay_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_relay_op *relay = (const struct cg_relay_op *)op;
    char a[32], b[32];

    cg__sock_print(relay->a, a, sizeof a);
    cg__sock_print(relay->b, b, sizeof b);
    return snprintf(buf, size, "%s and %s", a, b);
}

const struct cg_op_type cg_relay_type = {
    .name = "relay",
    .process = relay_process,
    .run = relay_run,
    .finish = relay_finish,
    .print = relay_print,
};
