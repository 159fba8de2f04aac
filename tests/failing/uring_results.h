/* SPDX-License-Identifier: MIT */
/* Changes what io_uring does. Under io_uring the kernel makes the calls, so that --wrap cannot
 * replace them; it replaces the functions of liburing by which they are submitted. For
 * programs that are linked with $(uring_wraps) of tests/programs.am. */
#ifndef COGEN_TESTS_FAILING_URING_RESULTS_H
#define COGEN_TESTS_FAILING_URING_RESULTS_H

#ifdef HAVE_LIBURING
#include "reactors/io_uring/uring.h"

/* Defined by the program: the error with which the kernel is not entered (positive; 0: it
 * is entered); and what becomes of the result of a request, before the reactor reads it. */
int uring_refuses(void);
void uring_result(const struct cg_io *io, int *result);
#endif

#endif
