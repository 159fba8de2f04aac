/* SPDX-License-Identifier: MIT */
/* Requests that are made of a reactor directly, for the conformance tests. */
#ifndef COGEN_TESTS_REQUESTS_H
#define COGEN_TESTS_REQUESTS_H

#include <cogen/reactor.h>

#include <netinet/in.h>
#include <sys/un.h>

union addr {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_storage storage;
};

extern struct cg_reactor *reactor; /* which all requests are made of */
extern union addr addr;            /* of what was bound last */
extern socklen_t addrlen;
extern int a, b; /* the ends of a connection */

/* Makes a request, and waits for its result. A receive that stays armed is cancelled. */
ssize_t call(struct cg_io io);
#define CALL(...) call((struct cg_io){__VA_ARGS__})

int make(int domain, int type);
void close_fd(int fd);
ssize_t shut(int fd, int how);
ssize_t send_to(int fd);
ssize_t receive(int fd);
ssize_t poll_for(int fd, unsigned events);
ssize_t accept_from(int fd);
ssize_t connect_to(int fd, const union addr *to);
ssize_t peer_name(int fd);
ssize_t set(int fd, int level, int name, int value);

/* Waits until a socket has learned what was done to it. */
void settle(int fd, unsigned events);
/* Waits until a socket has an error. */
void settle_error(int fd);

/* Binds a new socket to a new name, which is then in addr. Returns the socket. */
int bound(int domain, int type);
int listens(int domain);

/* Connect and close a and b. */
void open_pair(int domain);
void close_pair(void);

/* Runs a case in a world of its own for UNIX and for IPv4. */
void for_both(void (*check)(int domain));

#endif
