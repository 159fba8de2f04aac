/* SPDX-License-Identifier: MIT */
/* Subjects of test_pairs.c: one for each kind of operation, with the little world
 * that it works in, what completes it, and the law that must hold however it ends. */
#ifndef COGEN_TESTS_PAIRS_PAIRS_H
#define COGEN_TESTS_PAIRS_PAIRS_H

#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS CG_MILLISECOND

enum subject_flags {
    ITSELF = 1,   /* may complete without being caused, at any time */
    FLEETING = 2, /* a cause that finds nobody waiting is not remembered */
    ONCE = 4,     /* two of them cannot wait in one coroutine */
    SCOPED = 8,   /* ends a scope that was opened before the race */
    SLOW = 16,    /* to set up: raced with some of the others only */
    SELDOM = 32,  /* slower: with a few of them, others on each reactor */
    PRODUCES = 64, /* in a producer's coroutine */
    EVEN_SO = 128, /* may have been done though it has lost, and says so */
    SECURE = 256, /* over TLS, if there is any */
    CLOSED = 512, /* its cause closes what it uses, and -EBADF is told to a loser too */
};

struct world;

/* All but op are called in one coroutine, that of the race, and may wait; cause also in
 * another one. */
struct subject {
    const char *name;
    size_t size; /* of its world, which begins with a struct world, and with zeros */
    unsigned flags;
    enum test_where where;
    enum test_link link; /* for those with a connection */
    void (*open)(struct world *w);
    /* The operation, built in w->room: a new one each time. */
    struct cg_op *(*op)(struct world *w);
    /* Makes event number w->caused happen, which completes the op. Does not wait for
     * it. */
    void (*cause)(struct world *w);
    /* The op has answered this: it must be event number w->seen. */
    void (*got)(struct world *w, ssize_t answer);
    /* The op has lost: nothing must have been written to the caller. May be NULL. */
    void (*lost)(struct world *w);
    /* Instead of the common law (pairs_check), which is that of traceless ops: got,
     * or had by the next op. */
    void (*check)(struct world *w, ssize_t answer);
    /* Closes or frees what the op uses, before close. NULL: nothing can be. */
    void (*shut)(struct world *w);
    void (*close)(struct world *w);
};

struct world {
    const struct subject *subject;
    unsigned slot;        /* 0 or 1: its place in the pair */
    struct cg_coro *self; /* who races */
    struct cg_iterator *producer; /* that this is; NULL: none */
    size_t caused, seen;  /* events */
    union {
        struct cg_op op;
        long double align;
        unsigned char bytes[256];
    } room;
};

/* What an op's constructor has made, kept in the world. */
#define KEEP(world, kind, constructor)                                                 \
    (*(struct kind *)(void *)&(world)->room = *(struct kind *)(void *)(constructor),   \
     &(world)->room.op)

/* As IS, which names the trial when it fails. */
#define HOLDS(expr) IS((expr) ? 1 : 0, 1)

/* Causes the next event. */
void pairs_cause(struct world *w);

/* It is the answer of a loser. */
bool pairs_lost(ssize_t answer);

/* A host that the scheduler's resolver knows, with two addresses. */
#define PAIRS_HOST "pairs.test"

/* Makes TLS sockets of both ends of a connection, if pairs_tls_open has answered that there
 * is such a thing. */
bool pairs_tls_open(void);
void pairs_tls_close(void);
void pairs_secure(struct cg_sock **a, struct cg_sock **b);

/* Closes the two ends of a connection, which leave nothing in the kernel: there are not
 * ports enough for every connection to be remembered for a minute. */
void pairs_close(struct cg_sock *a, struct cg_sock *b);

/* An event as bytes: a line with its number. */
enum {
    EVENT = 8
};
void pairs_event(char text[static EVENT + 1], size_t number);
void pairs_is_event(const char *bytes, size_t number);

/* Every subject, in families. */
struct family {
    const struct subject *subjects;
    size_t count;
};
extern const struct family pairs_streams, pairs_writers, pairs_connections, pairs_coros,
    pairs_sync, pairs_queues, pairs_system, pairs_processes, pairs_nested, pairs_tls,
    pairs_http;

#endif
