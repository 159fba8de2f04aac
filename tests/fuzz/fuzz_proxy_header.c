/* SPDX-License-Identifier: MIT */
/* The header of the PROXY protocol: its parser gives the same result at the moment when the last
 * byte has come and with all that follows, and refuses for the first wrong byte or not at all. */
#include "config.h"

#include "http/http1/proxy_header.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char whole[CG__PROXY_HEADER_CLIENT], part[CG__PROXY_HEADER_CLIENT];
    char *bytes = fuzz_copy(data, size);
    ssize_t want = cg__http_proxy_header_parse(bytes, size, whole);

    MUST(want >= 0 ? want <= (ssize_t)size : want == -EPROTO);
    for (size_t len = 0; len < size && len < 300; len++) {
        char *copy = fuzz_copy(data, len);
        ssize_t n = cg__http_proxy_header_parse(copy, len, part);

        free(copy);
        MUST(n == 0 || n == want);
        if (want > 0)
            MUST(n == ((ssize_t)len < want ? 0 : want));
        if (n > 0)
            MUST(strcmp(whole, part) == 0);
    }
    free(bytes);
    return 0;
}
