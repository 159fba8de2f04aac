/* SPDX-License-Identifier: MIT */
/* The field Cache-Control, of requests and of responses (RFC 9111, 5.2; RFC 5861). */
#ifndef COGEN_HTTP_CACHE_CACHE_CONTROL_H
#define COGEN_HTTP_CACHE_CACHE_CONTROL_H

#include <cogen/http.h>

#define CG__CACHE_LONGEST INT64_C(0x7fffffff) /* seconds; what is more counts as this */

static inline int64_t cg__http_cache_control_seconds(uint64_t number)
{
    return number < (uint64_t)CG__CACHE_LONGEST ? (int64_t)number : CG__CACHE_LONGEST;
}

/* What the directives say, without those for shared caches only. */
struct cg__cache_says {
    bool no_store, no_cache, must_revalidate, must_understand, is_public, only_if_cached;
    /* In seconds; -1: not said. */
    int64_t max_age, min_fresh, max_stale, if_error, while_revalidate;
};

/* Reads all fields Cache-Control of a message; if it has none, Pragma: no-cache counts. An invalid
 * number, or a directive that is there twice, never makes a response fresh for longer. */
void cg__http_cache_control_read(struct cg__cache_says *says,
                                 const struct cg_http_headers *fields);

#endif
