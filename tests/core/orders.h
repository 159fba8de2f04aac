/* SPDX-License-Identifier: MIT */
/* Tables of orders: what coroutines note, under each priority of the scheduler. */
#ifndef COGEN_TESTS_CORE_ORDERS_H
#define COGEN_TESTS_CORE_ORDERS_H

#include "tests/support/notes.h"

enum { ORDER_LAST, ORDER_CORO, ORDER_OP, ORDER_FIRST, ORDERS };

/* Coroutines that are started one after the other, and what they note together. */
struct order {
    const char *name;
    void (*open)(struct cg_sched *sched, void *arg); /* makes what they share; may be NULL */
    void (*close)(void);                             /* after the run */
    cg_fn *fns[6];
    void *arg; /* of open and of each coroutine */
    const char *ours[ORDERS];
    const char *cogens[ORDERS]; /* where cogen had another order; NULL: the same */
    const char *why;            /* ours differs */
    ssize_t
        left[ORDERS]; /* what cg_sched_run answers: coroutines that can never go on */
};

/* The same order under every priority. */
#define ALWAYS(order) {(order), (order), (order), (order)}

/* Runs each order of the table under each priority, and checks what was noted. */
void orders_hold(const struct order *orders, size_t n);

#endif
