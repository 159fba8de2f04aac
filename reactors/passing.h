/* SPDX-License-Identifier: MIT */
/* The system calls that pass descriptors. */
#ifndef COGEN_REACTORS_PASSING_H
#define COGEN_REACTORS_PASSING_H

#include <cogen/passing.h>

/* Make one attempt, without waiting, at a request CG_IO_RECV_FDS or CG_IO_SEND_FDS. Return
 * its result; -EAGAIN. */
ssize_t cg__passing_receive(int fd, const struct cg_io_passed *passed);
ssize_t cg__passing_send(int fd, const struct cg_io_passed *passed);

#endif
