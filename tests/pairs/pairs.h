/* SPDX-License-Identifier: MIT */
/* The subjects of test_pairs.c: one for each kind of operation. A subject has the world
 * that its op works in, the event that completes the op, and the rule that must hold
 * however the op ends. */
#ifndef COGEN_TESTS_PAIRS_PAIRS_H
#define COGEN_TESTS_PAIRS_PAIRS_H

#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS CG_MILLISECOND

enum subject_flags {
    ITSELF = 1,   /* may complete at any time, without an event */
    FLEETING = 2, /* an event that no coroutine waits for is lost */
    ONCE = 4,     /* one coroutine cannot wait for two of them */
    SCOPED = 8,   /* ends a scope that was opened before the race */
    SLOW = 16,    /* slow to set up: 1 of 8 pairs is tried */
    SELDOM = 32,  /* slower: 1 of 32 pairs is tried, different ones on each reactor */
    PRODUCES = 64, /* runs in the coroutine of a producer */
    EVEN_SO = 128, /* a loser may complete with 0: its event came despite the cancellation */
    SECURE = 256, /* over TLS, if it is available */
    CLOSED = 512, /* its event closes what the op uses: a loser may complete with -EBADF */
};

struct world;

/* All functions but op may wait. They are called in the coroutine that races; cause is also
 * called in other coroutines. */
struct subject {
    const char *name;
    size_t size; /* of its world, which starts with a struct world and is zeroed */
    unsigned flags;
    enum test_where where;
    enum test_link link; /* for subjects with a connection */
    void (*open)(struct world *w);
    /* Returns the operation, built in w->room. Each call builds a new one. */
    struct cg_op *(*op)(struct world *w);
    /* Makes event number w->caused happen, which completes the op. Does not wait for
     * that. */
    void (*cause)(struct world *w);
    /* Called when the op has completed with answer: checks that it got event number
     * w->seen. */
    void (*got)(struct world *w, ssize_t answer);
    /* Called when the op has lost: checks that it wrote nothing to the caller. May be
     * NULL. */
    void (*lost)(struct world *w);
    /* Replaces the common check, which is that of traceless ops: either the op got the
     * event, or the next op gets it. */
    void (*check)(struct world *w, ssize_t answer);
    /* Closes or frees what the op uses; called before close. NULL: it cannot be closed. */
    void (*shut)(struct world *w);
    void (*close)(struct world *w);
};

struct world {
    const struct subject *subject;
    unsigned slot;        /* 0 or 1: its index in the pair */
    struct cg_coro *self; /* the coroutine that races */
    struct cg_iterator *producer; /* which self runs; NULL: none */
    size_t caused, seen;  /* numbers of events */
    union {
        struct cg_op op;
        long double align;
        unsigned char bytes[384];
    } room;
};

/* Copies the operation that a constructor has built into the world. */
#define KEEP(world, kind, constructor)                                                 \
    (*(struct kind *)(void *)&(world)->room = *(struct kind *)(void *)(constructor),   \
     &(world)->room.op)

/* Like IS: a failure names the trial. */
#define HOLDS(expr) IS((expr) ? 1 : 0, 1)

void pairs_cause(struct world *w);

/* Whether answer is the result of an op that lost. */
bool pairs_lost(ssize_t answer);

/* A host name that the scheduler's resolver knows, with two addresses. */
#define PAIRS_HOST "pairs.test"

/* pairs_tls_open returns whether TLS is available. If it is, pairs_secure turns both ends
 * of a connection into TLS sockets. */
bool pairs_tls_open(void);
void pairs_tls_close(void);
void pairs_secure(struct cg_sock **a, struct cg_sock **b);

/* Closes both ends of a connection by a reset, so that it does not stay in TIME_WAIT: there
 * are too few ports for that. */
void pairs_close(struct cg_sock *a, struct cg_sock *b);

/* An event as bytes: a line with its number. */
enum {
    EVENT = 8
};
void pairs_event(char text[static EVENT + 1], size_t number);
void pairs_is_event(const char *bytes, size_t number);

/* All subjects, by family. */
struct family {
    const struct subject *subjects;
    size_t count;
};
extern const struct family pairs_streams, pairs_writers, pairs_relays, pairs_connections,
    pairs_coros, pairs_sync, pairs_queues, pairs_threads, pairs_system, pairs_processes,
    pairs_nested, pairs_tls, pairs_http, pairs_ws, pairs_datagrams;

#endif
