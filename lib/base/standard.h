/* SPDX-License-Identifier: MIT */
/* The descriptors of standard input, output and error. */
#ifndef COGEN_LIB_BASE_STANDARD_H
#define COGEN_LIB_BASE_STANDARD_H

/* Takes those of the numbers 0 to 2 that are closed, so that no socket gets them: what the program
 * or the library prints would be sent to a peer. Reading from 0 and writing to 1 and 2 still fail
 * (EBADF; reading without /dev/null: EISDIR), and a program that is executed finds them closed. */
void cg__standard_take_closed(void);

#endif
