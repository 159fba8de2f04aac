/* SPDX-License-Identifier: MIT */
/* Addresses that the client's options name instead of those of a host's name. */
#ifndef COGEN_HTTP_CLIENT_POOL_TARGET_H
#define COGEN_HTTP_CLIENT_POOL_TARGET_H

#include <cogen/http_client.h>

#include "http/message/url.h"

/* Copies a list and its texts into one block of memory, to be freed with free(). NULL: no
 * memory. */
struct cg_http_target *cg__http_client_pool_target_copy(const struct cg_http_target *list);

/* Stores the address for a URL in *addr, to be freed with free(); NULL: the list (NULL is
 * empty) has none. 0 or -ENOMEM. */
int cg__http_client_pool_target_find(const struct cg_http_target *list,
                                     const struct cg__url *url, char **addr);

#endif
