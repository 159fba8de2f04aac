/* SPDX-License-Identifier: MIT */
/* What constructors are made of: keyword arguments that are checked, and an operation that
 * must not be forgotten. Those who define operation types use CG_OP. See cg_op(3). */
#ifndef COGEN_CONSTRUCT_H
#define COGEN_CONSTRUCT_H

#include <cogen/op.h>

#ifndef __cplusplus

/* gcc does not warn about the macros of installed headers, so not about a `cg_read(...);`
 * without its cg_yield either. A line marker makes it treat the rest of this file as the
 * user's own code; the pragma before it only makes gcc accept the marker under -Wpedantic.
 * The number is that of the line behind the marker; tests/headers.sh compares them. */
#if defined __GNUC__ && !defined __clang__
#pragma GCC system_header
# 18 "cogen/construct.h"
#endif

/* CG__KEYWORDS(.x = 1, .y = 2) initialises x and y of the member `made`. An argument that
 * does not begin with the name of a field is a syntax error: without this, C would put it
 * into the field behind the last one. Empty arguments are left out. A value with a comma
 * outside parentheses needs parentheses of its own: .list = ((int[]){1, 2}). */
#define CG__KEYWORDS(...)                                                                  \
    CG__KEYWORDS_32(__VA_ARGS__, , , , , , , , , , , , , , , , , , , , , , , , , , , , , , \
                    , , , , )
#define CG__KEYWORDS_32(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v,  \
                        w, x, y, z, A, B, C, D, E, F, more, ...)                           \
    CG__KEYWORD(a) CG__KEYWORD(b) CG__KEYWORD(c) CG__KEYWORD(d) CG__KEYWORD(e)             \
    CG__KEYWORD(f) CG__KEYWORD(g) CG__KEYWORD(h) CG__KEYWORD(i) CG__KEYWORD(j)             \
    CG__KEYWORD(k) CG__KEYWORD(l) CG__KEYWORD(m) CG__KEYWORD(n) CG__KEYWORD(o)             \
    CG__KEYWORD(p) CG__KEYWORD(q) CG__KEYWORD(r) CG__KEYWORD(s) CG__KEYWORD(t)             \
    CG__KEYWORD(u) CG__KEYWORD(v) CG__KEYWORD(w) CG__KEYWORD(x) CG__KEYWORD(y)             \
    CG__KEYWORD(z) CG__KEYWORD(A) CG__KEYWORD(B) CG__KEYWORD(C) CG__KEYWORD(D)             \
    CG__KEYWORD(E) CG__KEYWORD(F) CG__NO_MORE(more)

/* CG__COMMA x is a comma if x begins with a parenthesis, and CG__COMMA x () also if x is
 * empty. The comma decides what is the third argument. */
#define CG__KEYWORD(x) CG__UNLESS_EMPTY(x, CG__INITIALISE)
#define CG__NO_MORE(x) CG__UNLESS_EMPTY(x, CG__TOO_MANY)
#define CG__UNLESS_EMPTY(x, then)                                                          \
    CG__THIRD(CG__COMMA x, then, CG__THIRD(CG__COMMA x (), CG__NOTHING, then, ), )(x)
#define CG__COMMA(...) ,
#define CG__THIRD(...) CG__THIRD_OF(__VA_ARGS__)
#define CG__THIRD_OF(a, b, c, ...) c
#define CG__NOTHING(x)
#define CG__INITIALISE(x) .made x,
#define CG__TOO_MANY(x) .made.more_than_32_keywords = 0,

/* A struct on the caller's stack with the fields that are named, at least one; and a
 * pointer to one of options, where none need be. */
#define CG__STRUCT(kind, ...) ((struct { kind made; }){CG__KEYWORDS(__VA_ARGS__)}.made)
#define CG__OPTIONS(kind, ...) (&CG__STRUCT(kind, .reserved = NULL, __VA_ARGS__))

/* Zero would do for what is CG__UNSET here. But gcc clears what no initialiser names, from
 * the first such field to the last, and if that is more than 80 bytes, gcc 12 does it by a
 * string instruction, which takes 9 ns: more than all else that a constructor does. So the
 * first fields have an initialiser although they need none; and of an op of more than 112
 * bytes the last fields are such as nearly always have one. */
#define CG__OP(kind, of, ...)                                                              \
    CG__MUST_BE_USED(&(struct { kind made; }){.made.type = &of,                            \
                                              .made.owner = CG__UNSET,                     \
                                              .made.runs = {CG__UNSET, CG__UNSET},         \
                                              CG__KEYWORDS(__VA_ARGS__)}                   \
                          .made.op)
#define CG__UNSET ((void *)-1)

/* An op that nobody uses is a forgotten cg_yield. clang warns of that by the attribute. gcc
 * looks at the attribute only when it generates code, but at unused values always, and the
 * array is one. Neither costs an instruction. What a constructor expands to begins with a
 * name: so cg_any(a, b) does not take it for a list of ops in parentheses. */
#ifdef __clang__
#define CG__MUST_BE_USED(...) cg__op_made(__VA_ARGS__)
__attribute__((always_inline, warn_unused_result)) static inline struct cg_op *
cg__op_made(struct cg_op *op)
{
    return op;
}
#else
#define CG__MUST_BE_USED(...) cg__op_made(__VA_ARGS__)->made
struct cg__op_made {
    struct cg_op made[1];
};
__attribute__((always_inline)) static inline struct cg__op_made *
cg__op_made(struct cg_op *op)
{
    return (struct cg__op_made *)op;
}
#endif

/* `out`, which must be NULL or point to an object of one word: any pointer, an intptr_t. A
 * void pointer may point to anything. */
#define CG__WORD(out)                                                                      \
    _Generic(sizeof(struct {                                                               \
                 _Static_assert(sizeof *_Generic((out), void *: (intptr_t *)0,             \
                                                 default: (out)) == sizeof(void *),        \
                                "the result is one word: any pointer, or an intptr_t");    \
                 char none;                                                                \
             }),                                                                           \
        default: (out))

#endif
#endif
