/* SPDX-License-Identifier: MIT */
/* Sending without SIGPIPE: by a flag of each call, which config.h calls CG__NOSIGNAL (0 if
 * the system has none), or by an option of each new socket. */
#ifndef COGEN_LIB_BASE_NOSIGNAL_H
#define COGEN_LIB_BASE_NOSIGNAL_H

/* Sets the option, if the system has it, on a new socket. Returns 0 or -errno. */
int cg__nosignal_set(int fd);

#endif
