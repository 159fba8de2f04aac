/* SPDX-License-Identifier: MIT */
/* The upstreams of a gateway: which one a request goes to, and which ones are out. */
#ifndef COGEN_HTTP_GATEWAY_UPSTREAMS_H
#define COGEN_HTTP_GATEWAY_UPSTREAMS_H

#include <cogen.h>
#include <cogen/http_gateway.h>
#include <cogen/sync.h>

#include "http/message/message.h"

enum { CG__UPSTREAMS_SPARES = 64 };

struct cg__upstream {
    struct cg_http_upstreams *set;
    unsigned refs; /* the set's, and one of each that uses it */
    bool removed;  /* from the set */
    bool probed;   /* by a coroutine */
    uint8_t proxy_protocol; /* the version; 0: none */
    uint64_t hash;
    unsigned active;   /* requests in progress */
    unsigned failures; /* since the moment `since` */
    int64_t since;
    int64_t until; /* while it is out: when a request tries it though others are available */
    bool out;
    const struct cg_http_request *trial; /* what tries it while it is out; or NULL */
    size_t len; /* of the URL */
    char url[]; /* without a slash at its end */
};

struct cg_http_upstreams {
    struct cg_http_upstreams_options options; /* with the defaults filled in */
    struct cg_http_client *client;
    struct cg__upstream **list;
    size_t count;
    size_t turn; /* where the next search for the fewest requests begins */
    uint64_t refused;     /* requests since the last line about them, which are logged .. */
    int64_t silent_until; /* .. at this time at the earliest */
    struct cg_starter *starter; /* of the watches on clients; or NULL */
    /* Memory of the fields of earlier requests, for the next ones. */
    struct cg_http_headers spare[CG__UPSTREAMS_SPARES];
    unsigned nspare;
    struct cg_event added; /* an upstream, for those who watch them */
};

/* Picks the upstream for a request; none of those in `tried`, which has `count` elements. The
 * caller gets a reference. NULL: none is available. */
struct cg__upstream *cg__http_upstreams_pick(struct cg_http_upstreams *upstreams,
                                             struct cg_http_request *req,
                                             struct cg__upstream *const *tried, size_t count);

void cg__http_upstreams_unref(struct cg__upstream *upstream);

/* An empty list of fields, with the memory of an earlier one if there is one; and its return. */
struct cg_http_headers cg__http_upstreams_fields(struct cg_http_upstreams *upstreams);
void cg__http_upstreams_return(struct cg_http_upstreams *upstreams,
                               struct cg_http_headers *fields);

/* Whether an upstream is out and its time is not over. */
bool cg__http_upstreams_is_resting(const struct cg__upstream *upstream);

/* Note how a request or a probe has gone. `why`: the reason, for the log. A response that has begun
 * brings an upstream back (_responds), however long it lasts; only one that has ended makes its
 * earlier failures forgotten (_succeeded). */
void cg__http_upstreams_responds(struct cg__upstream *upstream);
void cg__http_upstreams_succeeded(struct cg__upstream *upstream);
void cg__http_upstreams_failed(struct cg__upstream *upstream, const char *why);

/* Logs "URL: what". */
void cg__http_upstreams_log(const struct cg_http_upstreams *upstreams,
                            const struct cg__upstream *upstream, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
