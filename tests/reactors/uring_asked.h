/* SPDX-License-Identifier: MIT */
/* Drives the io_uring reactor directly, without a scheduler, with requests that record all
 * their completions. For the files of test_io_uring. */
#ifndef COGEN_TESTS_REACTORS_URING_ASKED_H
#define COGEN_TESTS_REACTORS_URING_ASKED_H

#include <netinet/in.h>

#include <cogen/reactor.h>

#include "tests/support/support.h"

/* The reactor of the running case. */
extern struct cg_reactor *ring;

/* A request and its completions. */
struct asked {
    struct cg_io io;
    unsigned answers; /* how often complete was called */
    ssize_t last;     /* the last result */
    size_t size;      /* of the received bytes */
    char data[64];    /* the first of them */
    size_t at;        /* position in a stream that is verified; SIZE_MAX: not verified */
    void (*then)(struct asked *asked);
};

#define ASK(what, ...) ASK_(what, __VA_ARGS__, )
#define ASK_(what, f, ...)                                                             \
    {                                                                                  \
        .io = {.code = (what), .fd = (f), .complete = complete, __VA_ARGS__},          \
        .at = SIZE_MAX                                                                 \
    }

/* The completion function of each request. */
void complete(struct cg_io *io, ssize_t result);

void submit(struct asked *a);

/* Like submit, for a request that may be done at once, which is then recorded as a
 * completion. */
void submit_any(struct asked *a);

/* Lets the reactor wait once. */
void turn(int64_t timeout);

/* Waits for length. Returns the number of turns: thousands if the reactor spins. */
int turns_in(int64_t length);

/* await waits until the request has completed n times; await_idle waits until it is
 * idle. */
void await(const struct asked *a, unsigned n);
void await_idle(const struct asked *a);

/* Cancels the request and waits until it is idle. */
void cancel(struct asked *a);

/* Two connected sockets; writing a string to one; closing one as the library does. */
void pair(int fd[2]);
void put(int fd, const char *text);
void shut(int fd);

/* Listens on the loopback. */
int listening(struct sockaddr_in *addr);

/* Each adds the cases of one file. */
void receive_cases(TCase *tests);
void send_cases(TCase *tests);
void connection_cases(TCase *tests);
void wait_cases(TCase *tests);

#endif
