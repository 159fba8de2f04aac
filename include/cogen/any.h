/* SPDX-License-Identifier: MIT */
/* Operations raced against each other, and operations done together. See cg_any(3). */
#ifndef COGEN_ANY_H
#define COGEN_ANY_H

#include <cogen/op.h>

enum {
    CG_ANY_LIMIT = INT16_MAX, /* ops of one cg_any or cg_all */
    CG_ANY_DEPTH = 16,        /* of those that are branches of each other */
};

#ifndef __cplusplus

struct cg_any_op { /* any and all */
    CG_OP_HEAD;
    struct cg_op **ops;
    size_t count;       /* of ops; CG__ENDS_WITH_NULL: they are counted when the op is yielded */
    unsigned unsettled; /* branches that somebody still holds */
    int winner;         /* index of the first branch that completed, -1: none yet */
    int failure;        /* -EBUSY: a branch is in use elsewhere */
    bool busy;          /* within process or cancel, which give the answer themselves */
    bool begun;         /* process has been called: else the branches were refused with us */
};

#define CG__ENDS_WITH_NULL SIZE_MAX
#define cg__ops(...) ((struct cg_op *[]){__VA_ARGS__, NULL})

/* cg_any((op, op, ...)): does all of them at once; the first to complete cancels the others
 * before any coroutine runs. Answers the winner's index (from 0) once all have settled; the
 * answer of each is cg_op_result(op), -ECANCELED for a loser. -EBUSY: somebody else waits
 * for one of them. -ELOOP: they are nested more than CG_ANY_DEPTH deep. A compound branch
 * without memory for a coroutine answers -ENOMEM. Of several that can be had at once, the
 * first in the list wins. Keywords as ever: cg_any((a, b), .timeout = t). */
#define cg_any(...) cg__any(__VA_ARGS__, )
#define cg__any(list, ...)                                                                 \
    CG__OP_OF(cg_any, cg_any, .ops = cg__ops list, .count = CG__ENDS_WITH_NULL, __VA_ARGS__)

/* cg_all((op, op, ...)): does all of them at once and answers 0 when all have completed,
 * well or badly; the answer of each is cg_op_result(op). */
#define cg_all(...) cg__all(__VA_ARGS__, )
#define cg__all(list, ...)                                                                 \
    CG__OP_OF(cg_any, cg_all, .ops = cg__ops list, .count = CG__ENDS_WITH_NULL, __VA_ARGS__)

/* cg_any_of(ops, count), cg_all_of(ops, count): cg_any and cg_all over an array of which
 * the length is known only at run time. The array is the caller's and stays as it is until
 * the answer. -EINVAL: more than CG_ANY_LIMIT ops, one that is NULL, or a cg_any_of of
 * none. A cg_all_of of none answers 0 at once. */
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
