/* SPDX-License-Identifier: MIT */
/* Taking away a pending SIGPIPE. */
#ifndef COGEN_LIB_BASE_SIGPIPE_H
#define COGEN_LIB_BASE_SIGPIPE_H

/* Takes a pending SIGPIPE, which this thread blocks. Never waits: another thread may have
 * taken it first, if it was sent to the process. */
void cg__sigpipe_take(void);

#endif
