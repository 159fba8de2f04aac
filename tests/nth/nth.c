/* SPDX-License-Identifier: MIT */
/* Lets one call of a program fail, whichever program it is: loaded before the C library
 * (LD_PRELOAD), it counts each call of the functions below and lets the n-th of one of them fail.
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
#include "config.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

/* Returns the type, parameters and arguments of each function; those with a variable number of
 * arguments, and those that do not tell a failure by -1, are written out below. */
#define PLAIN(X)                                                                                 \
    X(int, accept, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))             \
    X(int, accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags),                  \
      (fd, addr, len, flags))                                                                    \
    X(int, bind, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))          \
    X(int, connect, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))       \
    X(int, dup2, (int from, int to), (from, to))                                                 \
    X(int, epoll_create1, (int flags), (flags))                                                  \
    X(int, epoll_ctl, (int ep, int op, int fd, struct epoll_event *event), (ep, op, fd, event))  \
    X(int, epoll_pwait2,                                                                         \
      (int ep, struct epoll_event *events, int max, const struct timespec *timeout,              \
       const sigset_t *mask),                                                                    \
      (ep, events, max, timeout, mask))                                                          \
    X(int, epoll_wait, (int ep, struct epoll_event *events, int max, int timeout),               \
      (ep, events, max, timeout))                                                                \
    X(int, eventfd, (unsigned value, int flags), (value, flags))                                 \
    X(int, fstat, (int fd, struct stat *stat), (fd, stat))                                       \
    X(int, fsync, (int fd), (fd))                                                                \
    X(int, getsockname, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))        \
    X(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len),               \
      (fd, level, name, value, len))                                                             \
    X(int, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask))       \
    X(int, inotify_init1, (int flags), (flags))                                                  \
    X(int, listen, (int fd, int backlog), (fd, backlog))                                         \
    X(int, mprotect, (void *at, size_t len, int prot), (at, len, prot))                          \
    X(int, pipe2, (int ends[2], int flags), (ends, flags))                                       \
    X(int, poll, (struct pollfd *fds, nfds_t count, int timeout), (fds, count, timeout))         \
    X(int, ppoll,                                                                                \
      (struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask),  \
      (fds, count, timeout, mask))                                                               \
    X(ssize_t, pread, (int fd, void *to, size_t size, off_t at), (fd, to, size, at))             \
    X(int, pselect,                                                                              \
      (int count, fd_set *in, fd_set *out, fd_set *bad, const struct timespec *timeout,          \
       const sigset_t *mask),                                                                    \
      (count, in, out, bad, timeout, mask))                                                      \
    X(ssize_t, pwrite, (int fd, const void *from, size_t len, off_t at), (fd, from, len, at))    \
    X(ssize_t, read, (int fd, void *to, size_t size), (fd, to, size))                            \
    X(ssize_t, readv, (int fd, const struct iovec *to, int count), (fd, to, count))              \
    X(ssize_t, recv, (int fd, void *to, size_t size, int flags), (fd, to, size, flags))          \
    X(ssize_t, recvfrom,                                                                         \
      (int fd, void *to, size_t size, int flags, struct sockaddr *addr, socklen_t *len),         \
      (fd, to, size, flags, addr, len))                                                          \
    X(int, recvmmsg,                                                                             \
      (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout),   \
      (fd, messages, count, flags, timeout))                                                     \
    X(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))       \
    X(ssize_t, send, (int fd, const void *from, size_t len, int flags), (fd, from, len, flags))  \
    X(ssize_t, sendfile, (int to, int from, off_t *at, size_t len), (to, from, at, len))         \
    X(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags),              \
      (fd, messages, count, flags))                                                              \
    X(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags)) \
    X(ssize_t, sendto,                                                                           \
      (int fd, const void *from, size_t len, int flags, const struct sockaddr *addr,             \
       socklen_t size),                                                                          \
      (fd, from, len, flags, addr, size))                                                        \
    X(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),          \
      (fd, level, name, value, len))                                                             \
    X(int, shutdown, (int fd, int how), (fd, how))                                               \
    X(int, socket, (int family, int type, int protocol), (family, type, protocol))               \
    X(ssize_t, splice,                                                                           \
      (int from, off64_t *from_at, int to, off64_t *to_at, size_t len, unsigned flags),          \
      (from, from_at, to, to_at, len, flags))                                                    \
    X(int, timerfd_create, (int clock, int flags), (clock, flags))                               \
    X(int, timerfd_settime,                                                                      \
      (int fd, int flags, const struct itimerspec *to, struct itimerspec *was),                  \
      (fd, flags, to, was))                                                                      \
    X(ssize_t, write, (int fd, const void *from, size_t len), (fd, from, len))                   \
    X(ssize_t, writev, (int fd, const struct iovec *from, int count), (fd, from, count))

#define OTHERS(X)                                                                                \
    X(malloc) X(calloc) X(realloc) X(aligned_alloc) X(posix_memalign) X(mmap) X(open) X(openat)  \
    X(fcntl) X(syscall) X(pthread_create) X(io_uring_queue_init_params) X(io_uring_submit)       \
    X(io_uring_submit_and_wait) X(io_uring_submit_and_wait_timeout)

enum { CALLERS = 30 };

enum call {
#define X(type, name, params, args) CALL_##name,
    PLAIN(X)
#undef X
#define X(name) CALL_##name,
    OTHERS(X)
#undef X
    CALLS
};

static const char *const names[CALLS] = {
#define X(type, name, params, args) #name,
    PLAIN(X)
#undef X
#define X(name) #name,
    OTHERS(X)
#undef X
};

static atomic_long counts[CALLS], blocks;
static bool foreign, trace;
static enum call which = CALLS;
static long nth;
static int number;
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

/* Whether this call is the one that fails; counts it. */
static bool fails(enum call call)
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
    errno = number;
    return true;
}

static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found) {
        fprintf(stderr, "nth: there is no %s\n", name);
        _exit(125);
    }
    return found;
}

/* NEXT(malloc)(10): calls the function that this library stands before. */
#define NEXT(name) (*(__typeof__(&(name)))next(#name))

#define X(type, name, params, args)                                                              \
    type name params                                                                             \
    {                                                                                            \
        return fails(CALL_##name) ? (type)-1 : NEXT(name) args;                                  \
    }
PLAIN(X)
#undef X

/* Memory. The C library's own names for these, as looking up a name may allocate. */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
extern void __libc_free(void *block);

static void *counted(void *block)
{
    if (block)
        atomic_fetch_add(&blocks, 1);
    return block;
}

void *malloc(size_t size)
{
    return fails(CALL_malloc) ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails(CALL_calloc) ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
    void *now;

    if (fails(CALL_realloc))
        return NULL;
    now = __libc_realloc(block, size);
    return block ? now : counted(now);
}

void *aligned_alloc(size_t align, size_t size)
{
    return fails(CALL_aligned_alloc) ? NULL : counted(__libc_memalign(align, size));
}

int posix_memalign(void **block, size_t align, size_t size)
{
    if (fails(CALL_posix_memalign))
        return number;
    *block = counted(__libc_memalign(align, size));
    return *block ? 0 : ENOMEM;
}

void free(void *block)
{
    if (block)
        atomic_fetch_sub(&blocks, 1);
    __libc_free(block);
}

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
    return fails(CALL_mmap) ? MAP_FAILED : NEXT(mmap)(at, len, prot, flags, fd, offset);
}

/* A variable number of arguments: as many as they can have are handed on */

/* The word after LAST. */
#define WORD(last)                                                                               \
    ({                                                                                           \
        va_list list;                                                                            \
        long word;                                                                               \
                                                                                                 \
        va_start(list, last);                                                                    \
        word = va_arg(list, long);                                                               \
        va_end(list);                                                                            \
        word;                                                                                    \
    })

int open(const char *path, int flags, ...)
{
    long mode = WORD(flags);

    return fails(CALL_open) ? -1 : NEXT(open)(path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    long mode = WORD(flags);

    return fails(CALL_openat) ? -1 : NEXT(openat)(dir, path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
    long word = WORD(command);

    /* The other commands cannot fail for an open descriptor. */
    return command == F_DUPFD_CLOEXEC && fails(CALL_fcntl) ? -1 : NEXT(fcntl)(fd, command, word);
}

long syscall(long which_one, ...)
{
    va_list list;
    long words[6];
    size_t i;

    va_start(list, which_one);
    for (i = 0; i < 6; i++)
        words[i] = va_arg(list, long);
    va_end(list);
    return fails(CALL_syscall)
        ? -1
        : NEXT(syscall)(which_one, words[0], words[1], words[2], words[3], words[4], words[5]);
}

/* Those that return the number of the error */

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    return fails(CALL_pthread_create) ? number : NEXT(pthread_create)(thread, attr, run, arg);
}

#ifdef HAVE_LIBURING
#include <liburing.h>

int io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *p)
{
    return fails(CALL_io_uring_queue_init_params)
        ? -number
        : NEXT(io_uring_queue_init_params)(entries, ring, p);
}

int io_uring_submit(struct io_uring *ring)
{
    return fails(CALL_io_uring_submit) ? -number : NEXT(io_uring_submit)(ring);
}

int io_uring_submit_and_wait(struct io_uring *ring, unsigned count)
{
    return fails(CALL_io_uring_submit_and_wait) ? -number
                                                : NEXT(io_uring_submit_and_wait)(ring, count);
}

int io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
                                     unsigned count, struct __kernel_timespec *timeout,
                                     sigset_t *mask)
{
    return fails(CALL_io_uring_submit_and_wait_timeout)
        ? -number
        : NEXT(io_uring_submit_and_wait_timeout)(ring, cqe, count, timeout, mask);
}
#endif

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
    if (which == CALLS || sscanf(colon + 1, "%ld:%d", &nth, &number) != 2) {
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
