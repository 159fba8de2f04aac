/* SPDX-License-Identifier: MIT */
/* Socket options as keywords say them. configure calls an option NAME that not every system
 * has CG__NAME, which is -1 where it is missing. Such an option fails with -ENOPROTOOPT only
 * if it is wanted. */
#ifndef COGEN_SOCKETS_OPTIONS_H
#define COGEN_SOCKETS_OPTIONS_H

#include <cogen/reactor.h>

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

#endif
