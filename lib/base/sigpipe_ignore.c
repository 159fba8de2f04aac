/* SPDX-License-Identifier: MIT */
/* Takes a pending SIGPIPE on systems without sigtimedwait: to ignore a signal, even for a
 * moment, discards a pending one. */
#include "config.h"

#include "lib/base/sigpipe.h"

#include <signal.h>

void cg__sigpipe_take(void)
{
    struct sigaction before;

    if (sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, &before) == 0)
        sigaction(SIGPIPE, &before, NULL);
}
