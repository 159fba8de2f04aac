/* SPDX-License-Identifier: MIT */
/* The system calls that guard pages: see fake_guards.h. */
#include "config.h"

#include "tests/stacks/fake_guards.h"

#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

bool no_light_guards, lying_guards;
unsigned protections = UINT_MAX;

int madvise(void *address, size_t size, int advice)
{
    if (advice == 102 && no_light_guards)
        return errno = EINVAL, -1;
    if (advice == 102 && lying_guards)
        return 0;
    return (int)syscall(SYS_madvise, address, size, advice);
}

int mprotect(void *address, size_t size, int prot)
{
    if (prot == PROT_NONE && protections-- == 0)
        return protections = 0, errno = ENOMEM, -1;
    return (int)syscall(SYS_mprotect, address, size, prot);
}
