/* SPDX-License-Identifier: MIT */
/* Messages of the library on stderr. */
#include "config.h"

#include "lib/base/report.h"

#include <cogen/os_signal.h>

#include <stdarg.h>
#include <stdio.h>

void cg__report(const char *format, ...)
{
    int before = cg_sigpipe_block();
    va_list args;

    va_start(args, format);
    flockfile(stderr); /* a line of one thread stays whole */
    fputs("cogen: ", stderr);
    vfprintf(stderr, format, args);
    putc('\n', stderr);
    funlockfile(stderr);
    va_end(args);
    cg_sigpipe_unblock(before, ferror(stderr));
}
