/* SPDX-License-Identifier: MIT */
/* See interim.h. */
#include "config.h"

#include "http/client/interim.h"
#include "http/client/why.h"

ssize_t cg__http_client_interim(struct cg__asking *ask)
{
    const struct cg_http_fetch *fetch = ask->fetch;
    bool interim = cg__http_client_is_interim(ask->reply);
    ssize_t n = 0;

    ask->interims += interim;
    if (ask->interims > CG__HTTP_MOST_INTERIM)
        return cg__http_client_because(ask->why, CG_EHTTP,
                                       "the server sends too many interim responses");
    if (fetch->interim != NULL && interim)
        n = fetch->interim(fetch->interim_arg, (int)ask->reply->head.status,
                           &ask->reply->headers);
    if (n < 0)
        return cg__http_client_because(ask->why, n,
                                       "passing on an interim response failed: %s",
                                       cg_strerror(n));
    return 0;
}
