/* SPDX-License-Identifier: MIT */
/* The descriptors that this process has inherited by name: from a predecessor, by
 * COGEN_FDS, or from the service manager, by LISTEN_FDS. */
#ifndef COGEN_SOCKETS_LISTEN_INHERITED_H
#define COGEN_SOCKETS_LISTEN_INHERITED_H

#include <stdbool.h>

/* COGEN_FDS=INODE:NAME:NAME... Descriptor 3 is a pipe to the predecessor, with this inode.
 * The names are those of descriptor 4 and the following ones. Each name begins with one of
 * these characters. */
#define CG__INHERITED_ENV "COGEN_FDS"
enum {
    CG__INHERITED_NAME = 255, /* the longest name, bytes */
    CG__INHERITED_PIPE = 3,
    CG__INHERITED_PLAIN = '-',
    CG__INHERITED_PATH = '+', /* the last process removes the file of its UNIX path */
    CG__INHERITED_BYTES = '=', /* a pipe with bytes in it (system/handover.c) */
};

struct cg__inherited {
    int fd;
    bool path;
};

/* Claims the descriptors of this name, at most `most`. Returns how many. */
int cg__inherited_claim(const char *name, struct cg__inherited *list, int most);

/* Takes the next pipe with bytes of this name. Returns its descriptor, or -1. */
int cg__inherited_take_bytes(const char *name);

/* Whether this can be the name of a descriptor. */
bool cg__inherited_is_name(const char *name);

/* Gives claimed descriptors back. */
void cg__inherited_unclaim(const struct cg__inherited *list, int count);

/* Takes the pipe to the predecessor; -1: there is none, or it was taken. */
int cg__inherited_take_pipe(void);

/* Closes the descriptors that were not claimed. */
void cg__inherited_close_rest(void);

#endif
