/* SPDX-License-Identifier: MIT */
/* See http_protocols.h. */
#include "http_protocols.h"

#include <cogen/http.h>
#include <string.h>

unsigned http_protocols(const struct example *ex, const char *list, bool tls)
{
    static const char *const names[] = {"h1", "h2", "h2c"};
    unsigned protocols = 0;

    while (list != NULL) {
        size_t len = strcspn(list, ","), i = 0;

        while (i < 3 && (strlen(names[i]) != len || strncmp(names[i], list, len) != 0))
            i++;
        if (i == 3)
            example_usage(ex, "--protocols takes a list of h1, h2 and h2c");
        protocols |= (unsigned)CG_HTTP_H1 << i;
        list = list[len] == ',' ? list + len + 1 : NULL;
    }
    if (protocols == CG_HTTP_H2 && !tls)
        example_usage(ex, "--protocols h2 needs TLS and a certificate; without it is h2c");
    if (protocols == CG_HTTP_H2C && tls)
        example_usage(ex, "--protocols h2c is without TLS; with --tls-cert it is h2");
    return protocols;
}

const char *http_protocols_alpn(unsigned protocols)
{
    if (protocols == 0 ||
        (protocols & (CG_HTTP_H1 | CG_HTTP_H2)) == (CG_HTTP_H1 | CG_HTTP_H2))
        return "h2,http/1.1";
    return protocols & CG_HTTP_H2 ? "h2" : "http/1.1";
}
