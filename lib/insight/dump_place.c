/* SPDX-License-Identifier: MIT */
/* Addresses as a file and the place in it: cogen-symbols turns them into names, on any
 * machine that has the same files. In this process that would take 85 ms. */
#include "config.h"

#include "lib/insight/dump.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The program itself is called as its user has called it, perhaps from another folder. Linux
 * knows its path. It is asked once, since a dump prints thousands of places. */
static char program[512];

static void find_program(void)
{
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);

    program[len > 0 ? len : 0] = '\0';
}

static const char *full_name(const char *name)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (*name == '/')
        return name;
    pthread_once(&once, find_program);
    return strcmp(base_name(program), base_name(name)) == 0 ? program : name;
}

int cg__dump_place(const void *address, char *buf, size_t size)
{
    Dl_info info;

    if (dladdr(address, &info) && info.dli_fname && *info.dli_fname)
        return snprintf(buf, size, "%s+0x%zx", full_name(info.dli_fname),
                        (size_t)((const char *)address - (const char *)info.dli_fbase));
    return snprintf(buf, size, "%p", address);
}
