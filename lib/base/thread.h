/* SPDX-License-Identifier: MIT */
/* Threads of the library's own. */
#ifndef COGEN_LIB_BASE_THREAD_H
#define COGEN_LIB_BASE_THREAD_H

/* Starts a thread that is nobody's to join and that receives no signals: these are for the
 * program's own threads. 0 or an error number. */
int cg__thread_start(void *(*fn)(void *arg), void *arg);

#endif
