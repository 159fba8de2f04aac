/* SPDX-License-Identifier: MIT */
/* For systems without sendfile: files are sent through a buffer. */
#include "config.h"

#include "reactors/calls.h"

ssize_t cg__calls_sendfile(int fd, int file, int64_t offset, size_t count)
{
    (void)fd;
    (void)file;
    (void)offset;
    (void)count;
    return -ENOSYS;
}
