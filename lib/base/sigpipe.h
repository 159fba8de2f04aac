/* SPDX-License-Identifier: MIT */
/* What cg_sigpipe_block and cg_sigpipe_unblock rest on. */
#ifndef COGEN_LIB_BASE_SIGPIPE_H
#define COGEN_LIB_BASE_SIGPIPE_H

/* Takes a pending SIGPIPE; the calling thread must block the signal. Never waits for one:
 * if it was sent to the process, another thread may have taken it. */
void cg__sigpipe_take(void);

/* A run of the calling thread's scheduler begins or ends. If the program ignores SIGPIPE at its
 * begin, writes make no system calls for the signal until its end. */
void cg__sigpipe_run_begins(void);
void cg__sigpipe_run_ends(void);

/* A handler for SIGPIPE is about to be installed: writes of all threads must not raise it. */
void cg__sigpipe_handle(void);

#endif
