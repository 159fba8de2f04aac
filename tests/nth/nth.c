/* SPDX-License-Identifier: MIT */
/* Lets one call of a program fail, whichever program it is: loaded before the C library
 * (LD_PRELOAD), it counts each call of the functions of nth.h and lets the n-th of one of them
 * fail.
 *   NTH_FAILS=NAME:N:ERRNO  which one, from 1 on, and with which number; without it none fails
 *   NTH_REPORT=FILE         where to write, when the program ends: a line NAME COUNT for each
 *                           function; `foreign`, 1 if OpenSSL made the call that failed;
 *                           `blocks`, the memory that is still allocated; `descriptors`, how
 *                           many are still open
 *   NTH_TRACE=1             prints on stderr who made the call that fails
 * They are taken out of the environment, so that a program's children are left alone.
 *
 * Only calls from the program and its libraries are seen, not those that the C library makes of
 * itself (what stdio reads and writes). */
#include "tests/nth/nth.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <stdatomic.h>
#include <string.h>

enum { CALLERS = 30 };

static const char *const names[CALLS] = {
#define X(type, name, params, args) #name,
    PLAIN(X) POINTERS(X)
#undef X
#define X(name, params, args) #name,
    CODES(X)
#undef X
#define X(name) #name,
    OTHERS(X)
#undef X
#define X(name) "entry_" #name,
    ENTRIES(X)
#undef X
};

static atomic_long counts[CALLS], blocks;
static bool foreign, trace;
static enum call which = CALLS;
static long nth;
int nth_number;
static char *report;

/* Whether the first caller that is neither this library nor the C library is OpenSSL. */
static bool is_foreign(void *const *callers, int count)
{
    Dl_info info = {.dli_fname = ""};
    int i;

    for (i = 0; i < count && dladdr(callers[i], &info); i++)
        if (!strstr(info.dli_fname, "nth.so") && !strstr(info.dli_fname, "libc.so"))
            break;
    return strstr(info.dli_fname, "libcrypto") || strstr(info.dli_fname, "libssl");
}

bool nth_fails(enum call call)
{
    void *callers[CALLERS];
    int count;

    if (atomic_fetch_add(&counts[call], 1) + 1 != nth || call != which)
        return false;
    which = CALLS;
    count = backtrace(callers, CALLERS);
    foreign = is_foreign(callers, count);
    if (trace)
        backtrace_symbols_fd(callers, count, 2);
    errno = nth_number;
    return true;
}

void *nth_next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found) {
        fprintf(stderr, "nth: there is no %s\n", name);
        _exit(125);
    }
    return found;
}

void nth_count_block(int by)
{
    atomic_fetch_add(&blocks, by);
}

/* The plan and the report */

/* NAME:N:ERRNO, or NULL. */
static void plan(char *text)
{
    char *colon = text ? strchr(text, ':') : NULL;

    if (!colon)
        return;
    *colon = '\0';
    for (which = 0; which < CALLS && strcmp(names[which], text) != 0; which++)
        continue;
    if (which == CALLS || sscanf(colon + 1, "%ld:%d", &nth, &nth_number) != 2) {
        fprintf(stderr, "nth: NTH_FAILS must be NAME:N:ERRNO, with a name that nth.c has\n");
        _exit(125);
    }
}

__attribute__((constructor)) static void begin(void)
{
    void *caller;

    backtrace(&caller, 1); /* the first one allocates */
    report = getenv("NTH_REPORT") ? strdup(getenv("NTH_REPORT")) : NULL;
    plan(getenv("NTH_FAILS"));
    trace = getenv("NTH_TRACE") != NULL;
    unsetenv("NTH_TRACE");
    unsetenv("NTH_REPORT");
    unsetenv("NTH_FAILS");
    unsetenv("LD_PRELOAD");
    memset(counts, 0, sizeof counts);
    atomic_store(&blocks, 0);
}

static int descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = -3; /* ., .. and the directory itself */

    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

__attribute__((destructor)) static void end(void)
{
    long left = atomic_load(&blocks);
    FILE *file;
    size_t i;

    which = CALLS;
    file = report ? fopen(report, "w") : NULL;
    if (!file)
        return;
    for (i = 0; i < CALLS; i++)
        fprintf(file, "%s %ld\n", names[i], atomic_load(&counts[i]));
    fprintf(file, "foreign %d\nblocks %ld\ndescriptors %d\n", foreign, left, descriptors() - 1);
    fclose(file);
}
