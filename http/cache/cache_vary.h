/* SPDX-License-Identifier: MIT */
/* The fields of a request on which a response depends: those that its Vary names, and unless it
 * is public those that say who asks. So users who share a cache do not get each other's
 * responses. */
#ifndef COGEN_HTTP_CACHE_CACHE_VARY_H
#define COGEN_HTTP_CACHE_CACHE_VARY_H

#include "http/message/message.h"

/* Copies these fields of a request into an empty list; `head`: of the response. 0 or -ENOMEM. */
int cg__http_cache_vary_copy(struct cg_http_headers *to, const struct cg_http_headers *head,
                             const struct cg_http_headers *fields);

/* Whether these fields of a request are the same as `asked`. Those of different names may come in
 * another order. */
bool cg__http_cache_vary_fits(const struct cg_http_headers *asked,
                              const struct cg_http_headers *head,
                              const struct cg_http_headers *fields);

/* Whether two responses have the same fields Vary. */
bool cg__http_cache_vary_same(const struct cg_http_headers *a, const struct cg_http_headers *b);

#endif
