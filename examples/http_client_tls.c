/* SPDX-License-Identifier: MIT */
/* See http_client_tls.h. */
#include "http_client_tls.h"

#include <cogen/https.h>

#include <stdio.h>

static struct cg_tls *tls;

const struct cg_http_tls *download_tls(const char *cacert, const char *pins, bool insecure,
                                       char *why)
{
    static struct cg_http_tls how;
    int rc = cg_tls_new(&tls, .ca_file = cacert, .pins = pins, .insecure = insecure, .why = why);

    if (rc < 0) {
        if (*why == '\0')
            snprintf(why, CG_HTTP_WHY_SIZE, "TLS: %s", cg_strerror(rc));
        return NULL;
    }
    how = *cg_tls_http(tls);
    return &how;
}

void download_tls_end(void)
{
    cg_tls_free(tls);
}
