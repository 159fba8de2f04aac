/* SPDX-License-Identifier: MIT */
/* The header of the PROXY protocol: its parser gives the same result at the moment when the last
 * byte has come and with all that follows, and refuses for the first wrong byte or not at all. */
#include "config.h"

#include "sockets/proxied/proxy_header.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>

/* A header that is made of an address names the same one. */
static void remake(const char *client)
{
    for (unsigned version = 1; version <= 2; version++) {
        char header[CG__PROXY_HEADER_MADE], again[CG_ADDR_SIZE];
        size_t len = cg__proxy_header_make(header, version, client, client);

        MUST(len < sizeof header);
        MUST(cg__proxy_header_parse(header, len, again) == (ssize_t)len);
        MUST(*again == '\0' || strlen(again) <= strlen(client) + sizeof "[::ffff:]");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char whole[CG_ADDR_SIZE], part[CG_ADDR_SIZE];
    char *bytes = fuzz_copy(data, size);
    ssize_t want = cg__proxy_header_parse(bytes, size, whole);

    MUST(want >= 0 ? want <= (ssize_t)size : want == -EPROTO);
    for (size_t len = 0; len < size && len < 300; len++) {
        char *copy = fuzz_copy(data, len);
        ssize_t n = cg__proxy_header_parse(copy, len, part);

        free(copy);
        MUST(n == 0 || n == want);
        if (want > 0)
            MUST(n == ((ssize_t)len < want ? 0 : want));
        if (n > 0)
            MUST(strcmp(whole, part) == 0);
    }
    free(bytes);
    if (want > 0 && *whole != '\0')
        remake(whole);
    return 0;
}
