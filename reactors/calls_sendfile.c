/* SPDX-License-Identifier: MIT */
/* sendfile by Linux's system call. */
#include "config.h"

#include "reactors/calls.h"

#include <sys/sendfile.h>

ssize_t cg__calls_sendfile(int fd, int file, int64_t offset, size_t count)
{
    off_t at = offset;
    ssize_t n;

    CG__CALLS_RETRY(n, sendfile(fd, file, &at, count));
    return cg__calls_result(n);
}
