/* SPDX-License-Identifier: MIT */
/* Guards of two kinds. A light guard (MADV_GUARD_INSTALL, Linux 6.13) marks pages within a
 * mapping; there may be any number of them. Other systems need mprotect, which splits the
 * mapping: each such split guard costs two of the mappings that a process may have
 * (vm.max_map_count). A process that has used them all cannot start a thread, grow its
 * heap or load a library. So split guards are counted for the whole process, and may use
 * half of its mappings. */
#include "config.h"
#include "lib/base/ascii.h"

#include "lib/stacks/guard.h"
#include "lib/base/sanitize.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

size_t cg__guard_mappings;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_size_t split, most; /* split guards: their number, and its limit */

#define GUARD_INSTALL 102 /* MADV_GUARD_INSTALL; older headers lack it */

#if defined __linux__ && !CG__ASAN

enum knowledge { UNKNOWN, WORKS, FAILS };

/* Whether write(2) fails when it has to read from a guarded page. It writes to a pipe,
 * because a write to /dev/null does not read the buffer. */
static enum knowledge try_write(const char *page)
{
    enum knowledge works;
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return UNKNOWN; /* a shortage of descriptors says nothing about guards */
    works = write(fds[1], page, 1) < 0 && errno == EFAULT ? WORKS : FAILS;
    close(fds[0]);
    close(fds[1]);
    return works;
}

/* Trusts light guards only after the kernel has refused to read a guarded page: under an
 * emulator madvise returns 0 and does nothing. */
static enum knowledge probe(size_t page)
{
    enum knowledge works = FAILS;
    char *mem =
        mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (mem == MAP_FAILED)
        return UNKNOWN;
    if (madvise(mem, page, GUARD_INSTALL) == 0)
        works = try_write(mem);
    munmap(mem, page);
    return works;
}

bool cg__guard_light(char *guard, size_t size, size_t page)
{
    static _Atomic enum knowledge works; /* two threads may find out at once */

    if (works == UNKNOWN)
        works = probe(page);
    /* madvise may still fail: locked memory cannot have light guards. */
    return works == WORKS && madvise(guard, size, GUARD_INSTALL) == 0;
}

#else

/* LeakSanitizer reads registered regions and would die on a light guard. */
bool cg__guard_light(char *guard, size_t size, size_t page)
{
    (void)guard, (void)size, (void)page;
    return false;
}

#endif

/* vm.max_map_count, or Linux's default if the system has no such limit. */
static size_t ask_mappings(void)
{
    char text[32];
    uint64_t number = 0;
    int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    if (n > 0) {
        const char *at = text;

        text[n] = '\0';
        cg__ascii_number(&at, &number);
    }
    return number > 0 ? (size_t)number : CG__GUARD_MAPPINGS;
}

static void set_most(void)
{
    if (cg__guard_mappings == 0)
        cg__guard_mappings = ask_mappings();
    atomic_store(&most, cg__guard_mappings / 4); /* each guard costs two; half may be used */
}

bool cg__guard_affordable(void)
{
    pthread_once(&once, set_most);
    return atomic_load(&split) < atomic_load(&most);
}

bool cg__guard_split(char *guard, size_t size)
{
    if (mprotect(guard, size, PROT_NONE) < 0)
        return false;
    atomic_fetch_add(&split, 1);
    return true;
}

void cg__guard_give_way(char *from, size_t size, size_t count)
{
    atomic_store(&most, 0);
    if (count > 0 && mprotect(from, size, PROT_READ | PROT_WRITE) == 0)
        atomic_fetch_sub(&split, count);
}

void cg__guard_forget(size_t count)
{
    atomic_fetch_sub(&split, count);
}
