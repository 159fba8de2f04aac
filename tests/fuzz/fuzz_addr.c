/* SPDX-License-Identifier: MIT */
/* Addresses as text: what is printed is parsed as the same address again. */
#include "config.h"

#include "sockets/resolve/addr.h"
#include "tests/fuzz/fuzz.h"

#include <cogen/sock.h>

/* Whether the parser would look a name up, which blocks. */
static bool needs_resolver(const char *text)
{
    char name[CG_HOST_SIZE];
    const char *colon = strrchr(text, ':');
    struct cg_addr addr;
    size_t len = colon != NULL ? (size_t)(colon - text) : 0;

    if (len == 0 || len >= sizeof name || strncmp(text, "unix:", 5) == 0)
        return false;
    memcpy(name, text, len);
    name[len] = '\0';
    return cg__addr_host(name, &addr) == 0 && !cg__addr_same_host(name, "localhost");
}

static void check(const struct cg_addr *addr, bool listener)
{
    char text[CG_ADDR_SIZE], again[CG_ADDR_SIZE];
    struct cg_addr list[2];

    MUST(cg__addr_print(&addr->base, addr->len, text, sizeof text) == 0);
    if (addr->base.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr))
        return; /* it is printed as IPv4 */
    MUST(cg__addr_parse(text, listener, list, COUNT(list)) == 1);
    MUST(list[0].len == addr->len && memcmp(&list[0].base, &addr->base, addr->len) == 0);
    MUST(cg__addr_print(&list[0].base, list[0].len, again, sizeof again) == 0);
    MUST(strcmp(text, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), name[CG_HOST_SIZE], port[6];
    struct cg_addr list[2];

    if (cg__addr_split(text, name, port))
        MUST(needs_resolver(text) || cg__addr_same_host(name, "localhost"));
    for (int listener = 0; listener < 2 && !needs_resolver(text); listener++) {
        int n = cg__addr_parse(text, listener, list, COUNT(list));

        MUST(n == CG_EADDR || n == 1 || n == 2);
        for (int i = 0; i < n; i++)
            check(&list[i], listener);
    }
    free(text);
    return 0;
}
