/* SPDX-License-Identifier: MIT */
/* Messages of the library on stderr. */
#include "config.h"

#include "lib/base/report.h"

#include "lib/base/json.h"

#include <cogen/os_signal.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

enum {
    PATIENCE = 1000, /* ms */
    LONGEST = 2048   /* bytes of a message */
};

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
    char text[LONGEST];
    int before;
    va_list args;

    if (!is_writable()) {
        atomic_fetch_add(&lost, 1);
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    before = cg_sigpipe_block();
    flockfile(stderr); /* a line of one thread stays whole */
    tell_lost();
    fputs("cogen: ", stderr);
    cg__json_print_plain(stderr, text);
    putc('\n', stderr);
    funlockfile(stderr);
    cg_sigpipe_unblock(before, ferror(stderr));
}
