/* SPDX-License-Identifier: MIT */
/* Functions on all open ports, for restarts. */
#ifndef COGEN_SOCKETS_LISTEN_PORTS_H
#define COGEN_SOCKETS_LISTEN_PORTS_H

#include <stddef.h>

/* Collects the descriptors of all open ports, duplicated, and their names as COGEN_FDS has
 * them (inherited.h). Stores at most n descriptors. Returns how many, or -errno: -EMFILE,
 * -ENOMEM, -E2BIG. The caller closes them and frees *names. */
int cg__ports_collect(int *fds, int n, char **names);

/* hand_over: a successor owns the files of the UNIX paths from now on. take_over: this
 * process owns them, because its predecessor has handed them over. */
void cg__ports_hand_over(void);
void cg__ports_take_over(void);

#endif
