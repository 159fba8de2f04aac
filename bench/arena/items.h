/* SPDX-License-Identifier: MIT */
#ifndef COGEN_ARENA_ITEMS_H
#define COGEN_ARENA_ITEMS_H

#include <cogen/http_server.h>

#include "pool.h"

/* Mounts the handlers of the database, which borrow the pool. 0 or the errors of
 * cg_http_server_mount. */
int items_mount(struct cg_http_server *server, struct pool *pool);

#endif
