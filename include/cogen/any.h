/* SPDX-License-Identifier: MIT */
/* Races of operations, and operations that complete together. See cg_any(3). */
#ifndef COGEN_ANY_H
#define COGEN_ANY_H

#include <cogen/op.h>

enum {
    CG_ANY_LIMIT = INT16_MAX, /* most branches of one cg_any or cg_all */
    CG_ANY_DEPTH = 16,        /* how deep they may be nested in each other */
};

#ifndef __cplusplus

struct cg_any_op { /* cg_any and cg_all */
    CG_OP_HEAD;
    struct cg_op **ops;
    size_t count;       /* of ops; CG__ENDS_WITH_NULL: process counts them */
    struct cg_op *starting; /* the branch whose process slot is running; NULL: none */
    unsigned unsettled; /* branches that were started and have not settled */
    int winner;         /* index of the first branch that completed; -1: none yet */
    int failure;        /* -EBUSY: another coroutine waits for a branch; -ECANCELED: a race
                         * around this one was decided while its branches were started */
    bool busy;          /* inside process or cancel, which complete the op themselves */
    bool begun;         /* process was called; if not, the branches were refused, too */
};

#define CG__ENDS_WITH_NULL SIZE_MAX
#define cg__ops(...) ((struct cg_op *[]){__VA_ARGS__, NULL})

/* cg_any((op, op, ...)): starts all ops; the first to complete wins and cancels the others
 * before any coroutine runs. Completes with the winner's index (from 0) once all branches
 * have settled. cg_op_result(op) is the result of each: -ECANCELED for a loser. The winner
 * may have failed: check its cg_op_result before you use what it should have brought (a
 * connection, bytes). If several could complete at once, the first in the list wins. A
 * compound branch completes with -ENOMEM if there is no memory for its coroutine. Keywords
 * follow the list: cg_any((a, b), .timeout = t).
 *   -EBUSY  another coroutine waits for one of the ops
 *   -ELOOP  they are nested more than CG_ANY_DEPTH deep */
#define cg_any(...) cg__any(__VA_ARGS__, )
#define cg__any(list, ...)                                                                 \
    CG__OP_OF(cg_any, cg_any, .ops = cg__ops list, .count = CG__ENDS_WITH_NULL, __VA_ARGS__)

/* cg_all((op, op, ...)): starts all ops. Completes with 0 when all have completed, whether
 * they failed or not. cg_op_result(op) is the result of each. */
#define cg_all(...) cg__all(__VA_ARGS__, )
#define cg__all(list, ...)                                                                 \
    CG__OP_OF(cg_any, cg_all, .ops = cg__ops list, .count = CG__ENDS_WITH_NULL, __VA_ARGS__)

/* cg_any_of(ops, count), cg_all_of(ops, count): like cg_any and cg_all, for an array whose
 * length is known only at run time. The array is borrowed and must not change meanwhile.
 * -EINVAL: more than CG_ANY_LIMIT ops, one that is NULL, or cg_any_of with none. cg_all_of
 * with none completes with 0 at once. */
#define cg_any_of(...) cg__any_of(__VA_ARGS__, )
#define cg__any_of(list, n, ...)                                                           \
    CG__OP_OF(cg_any, cg_any, .ops = (list), .count = (n), __VA_ARGS__)
#define cg_all_of(...) cg__all_of(__VA_ARGS__, )
#define cg__all_of(list, n, ...)                                                           \
    CG__OP_OF(cg_any, cg_all, .ops = (list), .count = (n), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN
extern CG_API const struct cg_op_type cg_any_type, cg_all_type;
CG_EXTERN_C_END
#endif
