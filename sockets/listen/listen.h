/* SPDX-License-Identifier: MIT */
/* What a listener keeps besides one descriptor: the file of a UNIX path, or more
 * descriptors. */
#ifndef COGEN_SOCKETS_LISTEN_LISTEN_H
#define COGEN_SOCKETS_LISTEN_LISTEN_H

#include "sockets/resolve/addr.h"
#include "sockets/sock.h"

enum { CG__ADDRS_MOST = 16 }; /* addresses of one name that a listener listens on */

/* ---- unix_path.c ---- */

/* The file that the bind of a UNIX path makes. It is known by its folder, held open, and
 * its name there, so that it is found again wherever the process has gone meanwhile (chdir,
 * chroot); and by its inode, so that no other is removed. */
struct cg__path;

/* Of a path that is about to be bound. 0; -ENOMEM, -EMFILE, -ENFILE. */
int cg__unix_path_new(const char *text, struct cg__path **path);

/* Removes a socket file that nobody listens on. The folder is locked then, until
 * cg__unix_path_unlock, against others that do the same. 0: nothing is in the way now;
 * -EADDRINUSE: somebody listens, does the same, or it is no socket. */
int cg__unix_path_clear(struct cg__path *path, const struct cg__addr *addr);
void cg__unix_path_unlock(struct cg__path *path);

/* The path has just been bound. NULL is ignored. */
void cg__unix_path_made(struct cg__path *path);

/* Frees it; remove: first removes the file that was made, if it is still there. NULL is
 * ignored. */
void cg__unix_path_remove(struct cg__path *path);
void cg__unix_path_free(struct cg__path *path);

/* ---- listen_many.c ---- */

/* One listener over several listening descriptors, which become its own. NULL: no memory,
 * they stay the caller's. */
struct cg_sock *cg__listen_many(struct cg_sched *sched, const int *fds, int count);

#endif
