/* SPDX-License-Identifier: MIT */
/* Tables of orders: the notes of coroutines, under each priority of the scheduler. */
#ifndef COGEN_TESTS_CORE_ORDERS_H
#define COGEN_TESTS_CORE_ORDERS_H

#include "tests/support/notes.h"

enum { ORDER_LAST, ORDER_CORO, ORDER_OP, ORDER_FIRST, ORDERS };

/* Coroutines that are started one after the other, and the notes that they must make. */
struct order {
    const char *name;
    void (*open)(struct cg_sched *sched, void *arg); /* makes what they share; may be NULL */
    void (*close)(void);                             /* after the run */
    cg_fn *fns[6];
    void *arg; /* of open and of each coroutine */
    const char *ours[ORDERS];
    const char *cogens[ORDERS]; /* cogen's order, if it differs; NULL: the same */
    const char *why;            /* the reason for the difference */
    ssize_t
        left[ORDERS]; /* the result of cg_sched_run: coroutines that can never continue */
};

/* For `ours` of an order that is the same under every priority. */
#define ALWAYS(order) {(order), (order), (order), (order)}

/* Runs each order of the table under each priority, and checks what was noted. */
void orders_hold(const struct order *orders, size_t n);

#endif
