/* SPDX-License-Identifier: MIT */
/* How long a stored response may be used: RFC 9111, 3 and 4.2, of a private cache. No I/O; the
 * caller tells the time. */
#ifndef COGEN_HTTP_CACHE_CACHE_FRESH_H
#define COGEN_HTTP_CACHE_CACHE_FRESH_H

#include "http/cache/cache_control.h"

/* A moment, in seconds. The steady clock is the scheduler's; the time of day may be set, and goes
 * on while the machine is suspended. The clock that has advanced more decides. */
struct cg__cache_now {
    int64_t steady, wall;
};

/* What a response says about its use. */
struct cg__cache_life {
    struct cg__cache_says says;
    int64_t lifetime; /* it is fresh below this age */
    int64_t age;      /* when it came */
    struct cg__cache_now came;
};

enum cg__cache_use {
    CG__CACHE_FRESH,
    CG__CACHE_STALE,    /* the request accepts a stale response */
    CG__CACHE_REFRESH,  /* stale, and to be validated meanwhile */
    CG__CACHE_VALIDATE, /* not without the server */
};

/* Reads the head of a response to a request that was sent at `asked`. */
void cg__http_cache_fresh_read(struct cg__cache_life *life, unsigned status,
                               const struct cg_http_headers *head,
                               struct cg__cache_now asked, struct cg__cache_now now);

/* Whether such a response to GET may be stored, and would be of use. */
bool cg__http_cache_fresh_is_storable(const struct cg__cache_life *life, unsigned status,
                                      const struct cg_http_headers *head);

/* Its age in seconds. */
int64_t cg__http_cache_fresh_age(const struct cg__cache_life *life, struct cg__cache_now now);

/* How a request may use it. */
enum cg__cache_use cg__http_cache_fresh_use(const struct cg__cache_life *life,
                                            const struct cg__cache_says *request,
                                            struct cg__cache_now now);

/* Whether it may be used because the server fails. */
bool cg__http_cache_fresh_bridges(const struct cg__cache_life *life,
                                  const struct cg__cache_says *request,
                                  struct cg__cache_now now);

#endif
