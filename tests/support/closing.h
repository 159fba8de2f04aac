/* SPDX-License-Identifier: MIT */
/* What an operation of whatever library must bear: that the socket it is about is closed at
 * any moment from its yield to its answer, while it is alone, raced, losing or
 * cancelled. */
#ifndef COGEN_TESTS_SUPPORT_CLOSING_H
#define COGEN_TESTS_SUPPORT_CLOSING_H

#include <cogen.h>

struct closing {
    void *arg; /* of all these */
    void (*open)(void *arg);
    /* The operation, kept in room (KEEP_OP). */
    struct cg_op *(*op)(void *arg, void *room);
    /* Closes its socket. NULL: it stays open, and the other ends come as they do. */
    void (*close)(void *arg);
    /* The op has answered, and `closed` says whether close was called before. */
    void (*end)(void *arg, ssize_t answer, bool closed);
    unsigned steps; /* at most so many moments; an op that is done before one needs no more */
    bool slowly;    /* in each the reactor is looked at */
};

enum {
    CLOSING_ROOM = 128
};

/* What an op's constructor has made, kept. */
#define KEEP_OP(room, kind, constructor)                                               \
    (*(struct kind *)(room) = *(struct kind *)(void *)(constructor),                   \
     &((struct kind *)(room))->op)

/* In a coroutine: at each moment, in each way. */
void closing_at_any_time(const struct closing *closing);

#endif
