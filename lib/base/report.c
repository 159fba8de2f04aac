/* SPDX-License-Identifier: MIT */
/* Messages of the library on stderr. */
#include "config.h"

#include "lib/base/report.h"

#include <cogen/os_signal.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

enum { PATIENCE = 1000 }; /* ms */

static atomic_uint lost; /* messages, since that was last told */

/* Whether stderr takes a message without blocking: a pipe that can be written takes PIPE_BUF
 * bytes. Waits for somebody to read it, unless nobody did so the last time. */
static bool is_writable(void)
{
    struct pollfd poller = {.fd = fileno(stderr), .events = POLLOUT};
    int ready;

    if (poller.fd < 0)
        return true;
    do
        ready = poll(&poller, 1, atomic_load(&lost) ? 0 : PATIENCE);
    while (ready < 0 && errno == EINTR);
    return ready != 0;
}

int cg__report_lost(unsigned count, char *buf, size_t size)
{
    return snprintf(buf, size, "cogen: %u message%s lost, since nobody read the others\n", count,
                    count > 1 ? "s were" : " was");
}

static void tell_lost(void)
{
    unsigned count = atomic_exchange(&lost, 0);
    char line[CG__REPORT_LOST_SIZE];

    if (count == 0)
        return;
    cg__report_lost(count, line, sizeof line);
    fputs(line, stderr);
}

void cg__report(const char *format, ...)
{
    int before;
    va_list args;

    if (!is_writable()) {
        atomic_fetch_add(&lost, 1);
        return;
    }
    before = cg_sigpipe_block();
    va_start(args, format);
    flockfile(stderr); /* a line of one thread stays whole */
    tell_lost();
    fputs("cogen: ", stderr);
    vfprintf(stderr, format, args);
    putc('\n', stderr);
    funlockfile(stderr);
    va_end(args);
    cg_sigpipe_unblock(before, ferror(stderr));
}
