/* SPDX-License-Identifier: MIT */
/* The file that bind makes for a UNIX path. We know it by its directory, which stays open,
 * and its name there: so we find it again after a chdir or chroot. We remove it only if it
 * still has its inode, so that no other file is removed. */
#ifndef COGEN_SOCKETS_LISTEN_UNIX_PATH_H
#define COGEN_SOCKETS_LISTEN_UNIX_PATH_H

#include "sockets/resolve/addr.h"

struct cg__path;

/* Prepares for a bind to this path. Returns 0, -ENOMEM, -EMFILE or -ENFILE. */
int cg__unix_path_new(const struct cg_addr *addr, struct cg__path **path);

/* Removes a socket file to which no socket is bound, or on which nobody listens. type is that
 * of the caller's socket. From then on the directory is locked against
 * others that do the same, until cg__unix_path_unlock. Returns 0 if the path is free now, and
 * -EADDRINUSE if somebody listens or holds the lock, or the file is not a socket. */
int cg__unix_path_clear(struct cg__path *path, const struct cg_addr *addr, int type);
void cg__unix_path_unlock(struct cg__path *path);

/* Call it right after a successful bind to the path. NULL is ignored. */
void cg__unix_path_made(struct cg__path *path);

/* After cg__unix_path_made: sets the file's permissions, unless mode is 0, and its owner, a
 * text as of chown(1), unless that is NULL. Returns 0, -EINVAL: no such user or group, or
 * -errno. */
int cg__unix_path_protect(const struct cg__path *path, unsigned mode, const char *owner);

/* Whether cg__unix_path_remove removes the file. It does by default. */
void cg__unix_path_set_stays(struct cg__path *path, bool stays);

/* Makes a path of a file on which an inherited descriptor listens, as if bind had made it
 * here. Returns NULL if there is no memory. */
struct cg__path *cg__unix_path_adopt(const struct cg_addr *addr);

/* Both free the path; cg__unix_path_remove first removes the file if bind made it for this
 * process and it is still there. NULL is ignored. */
void cg__unix_path_remove(struct cg__path *path);
void cg__unix_path_free(struct cg__path *path);

#endif
