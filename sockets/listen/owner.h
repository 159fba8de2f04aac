/* SPDX-License-Identifier: MIT */
/* The owner of a file as a text, as chown(1) takes it. */
#ifndef COGEN_SOCKETS_LISTEN_OWNER_H
#define COGEN_SOCKETS_LISTEN_OWNER_H

#include <sys/types.h>

/* Parses "user", "user:group" or ":group", names or numbers. Does not change *uid or *gid
 * if the text does not name it. Returns 0; -EINVAL: no such user or group; -errno: the
 * look-up failed. */
int cg__owner_parse(const char *text, uid_t *uid, gid_t *gid);

#endif
