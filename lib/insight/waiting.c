/* SPDX-License-Identifier: MIT */
/* See waiting.h. */
#include "config.h"

#include "lib/insight/waiting.h"

#include "lib/core/branches.h"

typedef int printer(const struct cg_op *op, char *buf, size_t size);

static int print_op(const struct cg_op *op, printer *print, char *buf, size_t size)
{
    const struct cg_any_op *any = (const struct cg_any_op *)op;
    int len = 0;

    if (op->state != CG_OP_PENDING || op->compound)
        return 0;
    if (op->type != &cg_any_type && op->type != &cg_all_type)
        return print(op, buf, size);
    for (size_t i = 0, count = cg__branches_count(any); len == 0 && i < count; i++)
        len = print_op(any->ops[i], print, buf, size);
    return len;
}

int cg__waiting_print(const struct cg_coro *coro, printer *print, char *buf, size_t size)
{
    return coro->op && coro->state == CG_CORO_WAITING ? print_op(coro->op, print, buf, size)
                                                      : 0;
}
