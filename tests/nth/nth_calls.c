/* SPDX-License-Identifier: MIT */
/* Calls of the C library. */
#include "tests/nth/nth.h"

#include <stdatomic.h>

#define X(type, name, params, args)                                                              \
    type name params                                                                             \
    {                                                                                            \
        return nth_fails(CALL_##name) ? (type)-1 : NEXT(name) args;                              \
    }
PLAIN(X)
#undef X

#define X(type, name, params, args)                                                              \
    type name params                                                                             \
    {                                                                                            \
        return nth_fails(CALL_##name) ? NULL : NEXT(name) args;                                  \
    }
POINTERS(X)
#undef X

#define X(name, params, args)                                                                    \
    int name params                                                                              \
    {                                                                                            \
        return nth_fails(CALL_##name) ? nth_number : NEXT(name) args;                            \
    }
CODES(X)
#undef X

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
    return nth_fails(CALL_mmap) ? MAP_FAILED : NEXT(mmap)(at, len, prot, flags, fd, offset);
}

/* Eventfds, to which a write cannot fail but by EINTR */

enum { DESCRIPTORS = 1024 };

static atomic_bool is_eventfd[DESCRIPTORS];

int eventfd(unsigned value, int flags)
{
    int fd = nth_fails(CALL_eventfd) ? -1 : NEXT(eventfd)(value, flags);

    if (fd >= 0 && fd < DESCRIPTORS)
        is_eventfd[fd] = true;
    return fd;
}

ssize_t write(int fd, const void *from, size_t len)
{
    bool alike = fd < 0 || fd >= DESCRIPTORS || !is_eventfd[fd];

    return alike && nth_fails(CALL_write) ? -1 : NEXT(write)(fd, from, len);
}

/* Those that end something: it is gone, and the error that they tell is that of earlier writes */

int close(int fd)
{
    int rc;

    if (fd >= 0 && fd < DESCRIPTORS)
        is_eventfd[fd] = false;
    rc = NEXT(close)(fd);
    return nth_fails(CALL_close) ? -1 : rc;
}

int fclose(FILE *stream)
{
    int rc = NEXT(fclose)(stream);

    return nth_fails(CALL_fclose) ? EOF : rc;
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

    return nth_fails(CALL_open) ? -1 : NEXT(open)(path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    long mode = WORD(flags);

    return nth_fails(CALL_openat) ? -1 : NEXT(openat)(dir, path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
    long word = WORD(command);

    /* The other commands cannot fail for an open descriptor. */
    return command == F_DUPFD_CLOEXEC && nth_fails(CALL_fcntl) ? -1
                                                               : NEXT(fcntl)(fd, command, word);
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
    return nth_fails(CALL_syscall)
        ? -1
        : NEXT(syscall)(which_one, words[0], words[1], words[2], words[3], words[4], words[5]);
}

int ioctl(int fd, unsigned long request, ...)
{
    long word = WORD(request);

    return nth_fails(CALL_ioctl) ? -1 : NEXT(ioctl)(fd, request, word);
}
