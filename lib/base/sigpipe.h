/* SPDX-License-Identifier: MIT */
/* Taking a pending SIGPIPE, so that it is not delivered. */
#ifndef COGEN_LIB_BASE_SIGPIPE_H
#define COGEN_LIB_BASE_SIGPIPE_H

/* Takes a pending SIGPIPE; the calling thread must block the signal. Never waits for one:
 * if it was sent to the process, another thread may have taken it. */
void cg__sigpipe_take(void);

#endif
