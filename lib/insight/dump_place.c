/* SPDX-License-Identifier: MIT */
/* Addresses as a file and the place in it: cogen-symbols turns them into names, on any
 * machine that has the same files. In this process that would take 85 ms. */
#include "config.h"

#include "lib/insight/dump.h"

#include <dlfcn.h>

int cg__dump_place(const void *address, char *buf, size_t size)
{
    Dl_info info;

    if (dladdr(address, &info) && info.dli_fname && *info.dli_fname)
        return snprintf(buf, size, "%s+0x%zx", info.dli_fname,
                        (size_t)((const char *)address - (const char *)info.dli_fbase));
    return snprintf(buf, size, "%p", address);
}
