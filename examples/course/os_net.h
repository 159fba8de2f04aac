/* SPDX-License-Identifier: MIT */
/* Plain non-blocking sockets for the echo servers of the small operating system, which
 * wait by os_read_wait and os_write_wait. What differs between the servers is in their
 * files. */
#ifndef EXAMPLES_COURSE_OS_NET_H
#define EXAMPLES_COURSE_OS_NET_H

#include "../common.h"
#include "os.h"

enum {
    OS_MESSAGE = 64 * 1024
};

/* The main of an echo server: reads the command line, listens, boots the operating system
 * with task(server), and runs it until --clients have been served, or for ever. */
struct os_server {
    int fd;       /* the listening socket */
    long clients; /* how many to serve; 0: no end */
    bool alive;   /* another task must print that it is alive */
};
int os_serve(const char *name, const char *about, cg_fn *task, int argc, char **argv);

/* Accepts a connection, if there is one. Returns a non-blocking descriptor, or -1 and
 * errno. */
int os_accept(int listener);

/* Says that no connection can be waited for, unless the server was told to stop. */
void os_accept_failed(ssize_t code);

#endif
