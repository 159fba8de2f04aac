/* SPDX-License-Identifier: MIT */
/* Drives a reactor directly, without a scheduler, with requests that record their results.
 * For the tests of the readiness backends: each case runs on each backend. */
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
    int completed; /* how often it completed */
    ssize_t result;
    char data[64];
};

/* The completion function of every request that is started here. */
void completed(struct cg_io *io, ssize_t result);

/* Submits a request. If it is done at once, that counts as its completion. */
enum cg_verdict start(struct ask *ask, enum cg_io_code code, int fd);
enum cg_verdict receive(struct ask *ask, int fd);
enum cg_verdict transmit(struct ask *ask, int fd, const void *data, size_t len);
enum cg_verdict poll_for(struct ask *ask, int fd, unsigned events);
enum cg_verdict link_to(struct ask *ask, int fd, const void *addr, socklen_t size);
void cancel(struct ask *ask);

/* Lets the reactor wait once. */
void turn(int64_t timeout);

/* Waits at most 5 s until the request has completed. Returns its result. */
ssize_t finish(struct ask *ask);

/* Checks that the request does not complete again in the next turns. */
void quiet(const struct ask *ask);

/* attach gives a descriptor to the reactor. shut closes it in the way in which the library
 * closes its own descriptors. */
void attach(int fd);
void shut(int fd);

/* listener returns a listening socket on 127.0.0.1; new_socket returns one that is not
 * connected yet. */
int listener(struct sockaddr_in *addr);
int new_socket(int domain);

enum over { UNIX, INET };

/* Two connected stream sockets. ends[1] is attached to the reactor, as a server's socket
 * is; ends[0] is not. */
void connected_pair(enum over over, int ends[2]);

/* Writes all of a string. */
void put(int fd, const char *text);

/* fill sends until a SEND has to wait for room. empty reads all that has come. */
void fill(struct ask *ask, int fd);
void empty(int fd);

/* Each adds the cases of one file. The stream cases run twice, with _i as UNIX and as
 * INET. */
void stream_cases(TCase *tests);
void broken_cases(TCase *tests);
void connection_cases(TCase *tests);
void reactor_cases(TCase *tests);

#endif
