/* SPDX-License-Identifier: MIT */
/* Socket options as keywords say them. configure calls an option NAME that not every system
 * has CG__NAME, which is -1 where it is missing. Such an option fails with -ENOPROTOOPT only
 * if it is wanted. */
#ifndef COGEN_SOCKETS_OPTIONS_H
#define COGEN_SOCKETS_OPTIONS_H

#include <cogen/reactor.h>
#include <cogen/sock_options.h>

/* An option whose value is an int. It is left alone unless it is wanted. */
struct cg__option {
    bool wanted;
    int level, name, value;
};

/* Sets the options of a list in its order. Returns 0, or the first failure. */
int cg__options_set(struct cg_reactor *reactor, int fd, const struct cg__option *list,
                    size_t n);

/* Sets an option of any type. Returns 0 or -errno. */
int cg__options_set_value(struct cg_reactor *reactor, int fd, int level, int name,
                          const void *value, size_t size);

/* Binds a socket to an interface by its name; NULL: to none. Returns 0 or -errno. */
int cg__options_set_device(struct cg_reactor *reactor, int fd, const char *device);

/* Finds the index of an interface by its name; 0 for NULL. Returns 0 or -ENODEV. */
int cg__options_interface(const char *name, unsigned *index);

/* The common beginning of struct cg_listen_options and struct cg_connect_options. */
struct cg__stream_options {
    CG__STREAM_OPTIONS
};

/* Sets the options on a new socket. backlog: a listener's; 0: the socket will connect.
 * Returns 0; -EINVAL: an option does not apply to a UNIX socket; or -errno. */
int cg__options_set_stream(struct cg_reactor *reactor, int fd, int family,
                           const struct cg__stream_options *options, int backlog);

/* Prepares a socket that will connect to an address: sets its options and binds it to
 * .local. options: NULL: none. Returns 0 or a negative code. */
int cg__options_set_connect(struct cg_reactor *reactor, int fd, int family,
                            const struct cg_connect_options *options);

#endif
