/* SPDX-License-Identifier: MIT */
/* Calls on plain files, made where they keep nobody waiting. */
#ifndef COGEN_SYSTEM_DISK_REQUEST_H
#define COGEN_SYSTEM_DISK_REQUEST_H

#include <cogen/reactor.h>

struct cg_pool;

/* Makes a call: by the reactor if it can, else in a thread of the pool (NULL: the process's;
 * another one: always there), in a simulated world at once. Yields, and returns the result
 * of the call or why it was not awaited. Bytes are moved in part if the call is long. *made:
 * the result of the call if it was made, also when the coroutine was cancelled meanwhile;
 * otherwise negative. */
ssize_t cg__disk_request(struct cg_io_file *call, struct cg_pool *pool, ssize_t *made);

#endif
