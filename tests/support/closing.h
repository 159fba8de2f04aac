/* SPDX-License-Identifier: MIT */
/* What every operation on a socket must bear: that its socket is closed at any moment from
 * the yield to the completion, while the op is alone, raced, losing or cancelled. */
#ifndef COGEN_TESTS_SUPPORT_CLOSING_H
#define COGEN_TESTS_SUPPORT_CLOSING_H

#include <cogen.h>

struct closing {
    void *arg; /* passed to all of these */
    void (*open)(void *arg);
    /* Makes the operation, in room (KEEP_OP). */
    struct cg_op *(*op)(void *arg, void *room);
    /* Closes the op's socket. NULL: it stays open, and only the other endings are tried. */
    void (*close)(void *arg);
    /* The op has completed with `answer`; `closed`: close was called before. */
    void (*end)(void *arg, ssize_t answer, bool closed);
    unsigned steps; /* the most moments to try; stops early when the op completes before
                     * one */
    bool slowly;    /* lets the reactor run between moments */
};

enum {
    CLOSING_ROOM = 256
};

/* Keeps what an op's constructor makes. */
#define KEEP_OP(room, kind, constructor)                                               \
    (*(struct kind *)(room) = *(struct kind *)(void *)(constructor),                   \
     &((struct kind *)(room))->op)

/* In a coroutine: closes at each moment, in each way. */
void closing_at_any_time(const struct closing *closing);

#endif
