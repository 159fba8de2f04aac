/* SPDX-License-Identifier: MIT */
/* A layer that names each request, so that logs of several programs can be put together. */
#include "config.h"

#include "lib/base/ascii.h"
#include "lib/base/random.h"

#include <cogen.h>
#include <cogen/http_layers.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { RANDOM = 16 };

/* An id of a client may stand in logs: only printable ASCII without quotes. */
static bool is_id(const char *id)
{
    size_t len = id != NULL ? strlen(id) : 0;

    return len > 0 && len <= CG_HTTP_REQUEST_ID_LIMIT && cg__ascii_plain(id, " \"\\") == len;
}

static int make_id(char *to)
{
    unsigned char bytes[RANDOM];

    if (getentropy(bytes, sizeof bytes) < 0)
        return -errno;
    for (int i = 0; i < RANDOM; i++)
        sprintf(to + 2 * i, "%02x", bytes[i]);
    return 0;
}

ssize_t cg_http_request_id_layer(struct cg_http_request *req, const struct cg_http_layer *next,
                                 void *options)
{
    static const struct cg_http_request_ids usual = {.trust = false};
    const struct cg_http_request_ids *ids = options != NULL ? options : &usual;
    const char *name = ids->name != NULL ? ids->name : "X-Request-Id";
    const char *given = ids->trust ? cg_http_request_header(req, name) : NULL;
    char made[2 * RANDOM + 1];
    int rc = 0;

    if (!is_id(given)) {
        rc = make_id(made);
        given = made;
    }
    if (rc == 0)
        rc = cg_http_response_set_header(req, name, given);
    if (rc == 0)
        rc = cg_http_request_set_param(req, "request-id", given);
    return rc < 0 ? rc : cg_http_layer_run(next, req);
}
