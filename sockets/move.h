/* SPDX-License-Identifier: MIT */
/* Moves a connection as cg_sock_move does, and tells if it was lost on the way. */
#ifndef COGEN_SOCKETS_MOVE_H
#define COGEN_SOCKETS_MOVE_H

#include <cogen/crew.h>
#include <cogen/serve.h>

/* lost(arg) is called instead of fn if the connection had to be closed: in the other
 * worker's thread, or in the one that frees its scheduler. NULL: nobody wants to know. */
int cg__move_to(struct cg_sock *sock, struct cg_worker *worker, cg_handler *fn, void *arg,
                void (*lost)(void *arg));

#endif
