/* SPDX-License-Identifier: MIT */
/* Waits of a client with a deadline. */
#ifndef COGEN_HTTP_CLIENT_WAIT_H
#define COGEN_HTTP_CLIENT_WAIT_H

#include "http/client/client.h"
#include "lib/base/moment.h"

#include <errno.h>

/* The moment at which a wait of this length ends. */
static inline int64_t cg__http_client_wait_end(const struct cg_http_client *client,
                                               int64_t length)
{
    return cg__moment_after(cg_sched_now(client->sched), length);
}

/* Whether a wait has ended because its time is over. Before `end`, -ETIMEDOUT is from the kernel,
 * which has given up the connection. */
static inline bool cg__http_client_wait_is_over(const struct cg_http_client *client,
                                                ssize_t code, int64_t end)
{
    return code == -ETIMEDOUT && end <= cg_sched_now(client->sched);
}

#endif
