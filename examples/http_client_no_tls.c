/* SPDX-License-Identifier: MIT */
/* See http_client_tls.h: the build without TLS. */
#include "http_client_tls.h"

#include <stdio.h>

const struct cg_http_tls *download_tls(const char *cacert, const char *pins, bool insecure,
                                       char *why)
{
    if (cacert || pins || insecure)
        snprintf(why, CG_HTTP_WHY_SIZE, "built without TLS");
    return NULL;
}

void download_tls_end(void)
{
}
