/* SPDX-License-Identifier: MIT */
/* Driving a reactor directly, without a scheduler: requests that note how they ended. For
 * the tests of the readiness backends, each of whose cases runs on each of them. */
#ifndef COGEN_TESTS_REACTORS_DRIVE_H
#define COGEN_TESTS_REACTORS_DRIVE_H

#include <check.h>
#include <netinet/in.h>

#include "reactors/calls.h"
#include "reactors/reactors.h"

extern const char *name; /* of the reactor under test */
extern struct cg_reactor *reactor;

struct ask {
    struct cg_io io;
    int completed; /* times */
    ssize_t result;
    char data[64];
};

/* The completion of every request that is started here. */
void completed(struct cg_io *io, ssize_t result);

/* Submits; what is done at once counts as completed. */
enum cg_verdict start(struct ask *ask, enum cg_io_code code, int fd);
enum cg_verdict receive(struct ask *ask, int fd);
enum cg_verdict transmit(struct ask *ask, int fd, const void *data, size_t len);
enum cg_verdict poll_for(struct ask *ask, int fd, unsigned events);
enum cg_verdict link_to(struct ask *ask, int fd, const void *addr, socklen_t size);
void cancel(struct ask *ask);

/* One wait of the reactor. */
void turn(int64_t timeout);

/* Waits until it has completed, 5 s at most, and answers the result. */
ssize_t finish(struct ask *ask);

/* Nothing more completes in the next turns. */
void quiet(const struct ask *ask);

/* Hands a descriptor to the reactor; and closes it as the library closes what it owns. */
void attach(int fd);
void shut(int fd);

/* A listener on 127.0.0.1, a socket that is not connected yet. */
int listener(struct sockaddr_in *addr);
int new_socket(int domain);

enum over { UNIX, INET };

/* Two connected stream sockets; the second is known to the reactor as a server's is, the
 * first is not known at all. */
void connected_pair(enum over over, int ends[2]);

/* Writes a string, all of it. */
void put(int fd, const char *text);

/* Add the cases of each file; those of streams are run with _i as UNIX and as INET. */
void stream_cases(TCase *tests);
void broken_cases(TCase *tests);
void connection_cases(TCase *tests);
void reactor_cases(TCase *tests);

#endif
