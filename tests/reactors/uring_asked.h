/* SPDX-License-Identifier: MIT */
/* Asking the io_uring reactor directly, without a scheduler: requests that note all that
 * they were told. For the parts of test_io_uring. */
#ifndef COGEN_TESTS_REACTORS_URING_ASKED_H
#define COGEN_TESTS_REACTORS_URING_ASKED_H

#include <netinet/in.h>

#include <cogen/reactor.h>

#include "tests/support/support.h"

/* The reactor of the running case. */
extern struct cg_reactor *ring;

/* A request and all that it was told. */
struct asked {
    struct cg_io io;
    unsigned answers; /* how often complete was called */
    ssize_t last;     /* what it was told last */
    size_t size;      /* of what was received */
    char data[64];    /* the beginning of that */
    size_t at;        /* position in a stream that is verified; SIZE_MAX: it is not */
    void (*then)(struct asked *asked);
};

#define ASK(what, ...) ASK_(what, __VA_ARGS__, )
#define ASK_(what, f, ...)                                                             \
    {                                                                                  \
        .io = {.code = (what), .fd = (f), .complete = complete, __VA_ARGS__},          \
        .at = SIZE_MAX                                                                 \
    }

/* The completion of each. */
void complete(struct cg_io *io, ssize_t result);

void submit(struct asked *a);

/* The same for one that may be done at once; then it is noted as if it had been told. */
void submit_any(struct asked *a);

/* One wait of the reactor. */
void turn(int64_t timeout);

/* Waits that long: in how many turns. Who spins takes thousands. */
int turns_in(int64_t length);

/* Waits until the request has been answered n times; until it is idle. */
void await(const struct asked *a, unsigned n);
void await_idle(const struct asked *a);

/* Cancels and waits until nobody holds it. */
void cancel(struct asked *a);

/* Two connected sockets; writing a string to one; and closing it as the library does. */
void pair(int fd[2]);
void put(int fd, const char *text);
void shut(int fd);

/* Listens on the loopback. */
int listening(struct sockaddr_in *addr);

/* Add the cases of each file. */
void receive_cases(TCase *tests);
void send_cases(TCase *tests);
void connection_cases(TCase *tests);
void wait_cases(TCase *tests);

#endif
