/* SPDX-License-Identifier: MIT */
/* Addresses as a file and the place in it: cogen-symbols turns them into names, on any
 * machine that has the same files. In this process that would take 85 ms. */
#include "config.h"

#include "lib/insight/dump.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The program itself is called as its user has called it, perhaps from another folder. Linux
 * knows its path. */
static const char *full_name(const char *name, char *buf, size_t size)
{
    ssize_t len = *name == '/' ? -1 : readlink("/proc/self/exe", buf, size - 1);

    if (len <= 0)
        return name;
    buf[len] = '\0';
    return strcmp(base_name(buf), base_name(name)) == 0 ? buf : name;
}

int cg__dump_place(const void *address, char *buf, size_t size)
{
    char path[512];
    Dl_info info;

    if (dladdr(address, &info) && info.dli_fname && *info.dli_fname)
        return snprintf(buf, size, "%s+0x%zx",
                        full_name(info.dli_fname, path, sizeof path),
                        (size_t)((const char *)address - (const char *)info.dli_fbase));
    return snprintf(buf, size, "%p", address);
}
