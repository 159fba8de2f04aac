/* SPDX-License-Identifier: MIT */
/* The building blocks of constructors: keyword arguments that the compiler checks, and a
 * warning for an operation that is not yielded. To define an operation type, use CG_OP. See
 * cg_op_type(3). */
#ifndef COGEN_CONSTRUCT_H
#define COGEN_CONSTRUCT_H

#include <cogen/op.h>

#ifndef __cplusplus

/* gcc does not warn about code in macros of installed headers, and so would not warn about
 * `cg_read(...);` without a cg_yield. The line marker makes gcc treat the rest of this file
 * as the user's own code; the pragma before it only makes gcc accept the marker under
 * -Wpedantic. The number is that of the line after the marker (tests/headers.sh checks). */
#if defined __GNUC__ && !defined __clang__
#pragma GCC system_header
# 19 "cogen/construct.h"
#endif

/* CG__KEYWORDS(.x = 1, .y = 2) initialises the fields x and y of the member `made`. An
 * argument that does not begin with a field's name is a syntax error; otherwise C would
 * assign it to the field after the previous one. Empty arguments are skipped. A value that
 * contains a comma needs parentheses around it: .list = ((int[]){1, 2}). */
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

/* CG__COMMA x expands to a comma if x begins with a parenthesis, CG__COMMA x () also if x
 * is empty. That comma shifts the arguments, so it decides which one is the third. */
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

/* CG__STRUCT: a struct on the caller's stack with at least one field given by keyword.
 * CG__OPTIONS: a pointer to a struct of options, where no keyword is required. */
#define CG__STRUCT(kind, ...) ((struct { kind made; }){CG__KEYWORDS(__VA_ARGS__)}.made)
#define CG__OPTIONS(kind, ...) (&CG__STRUCT(kind, .reserved = NULL, __VA_ARGS__))

/* CG__UNSET: these fields need no value, zero would be correct. But gcc clears the fields
 * without an initialiser as one block, from the first to the last; gcc 12 clears more than
 * 80 bytes with a string instruction, which takes longer than all the rest of an operation
 * that is done at once (bench/core done_at_once: 11.0 ns instead of 7.6). So the first
 * fields get an initialiser. For the same reason an op of more than 112 bytes ends in
 * fields that nearly every call sets. */
#define CG__OP(kind, of, ...)                                                              \
    CG__MUST_BE_USED(&(struct { kind made; }){.made.type = &of,                            \
                                              .made.owner = CG__UNSET,                     \
                                              .made.runs = {CG__UNSET, CG__UNSET},         \
                                              CG__KEYWORDS(__VA_ARGS__)}                   \
                          .made.op)
#define CG__UNSET ((void *)-1)

/* A constructor's value that is not used is a forgotten cg_yield. clang warns because of
 * the attribute. gcc checks the attribute only when it generates code, but always warns
 * about an unused array, so for gcc the value is an array. Neither costs an instruction.
 * The expansion begins with a name, so that cg_any(a, b) does not mistake it for a list of
 * ops in parentheses. */
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

/* Checks that `out` is NULL or points to an object of one word: any pointer or an intptr_t.
 * A void * is accepted as it is. */
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
