/* SPDX-License-Identifier: MIT */
/* A line of coroutines that wait until somebody wakes them, in order. Whoever is woken looks
 * again at what it waits for, and wakes the next one if it does not need what it was woken
 * for: its operation may have been cancelled in the same turn. */
#ifndef COGEN_HTTP_CLIENT_POOL_LINE_H
#define COGEN_HTTP_CLIENT_POOL_LINE_H

#include <cogen/op.h>

/* All zero is an empty line. */
struct cg__line {
    struct cg__line_op *first, *last;
};

struct cg__line_op {
    CG_OP_HEAD;
    struct cg__line *line; /* NULL: it does not wait (any more) */
    char *why;             /* gets the text of a failure; NULL: none is wanted */
    struct cg__line_op *next, *prev;
};

extern const struct cg_op_type cg__http_client_pool_line_type;

/* cg__line_wait(line, .why = why): waits at the end of the line until it is woken, and
 * completes with the code that it is woken with. Traceless. */
#define cg__line_wait(l, ...)                                                              \
    (&(struct cg__line_op){                                                                \
        .type = &cg__http_client_pool_line_type, .line = (l), __VA_ARGS__})

/* Wakes one that waits; no effect if it does not wait any more. */
void cg__http_client_pool_line_wake(struct cg__line_op *waiter, ssize_t code, const char *why);

/* Wakes all. */
void cg__http_client_pool_line_wake_all(struct cg__line *line, ssize_t code, const char *why);

#endif
