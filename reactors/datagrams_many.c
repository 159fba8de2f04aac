/* SPDX-License-Identifier: MIT */
/* Several datagrams with one system call. */
#include "config.h"

#include <stddef.h>

#include "reactors/calls.h"
#include "reactors/datagrams.h"

_Static_assert(sizeof(struct cg__message) == sizeof(struct mmsghdr) &&
                   offsetof(struct cg__message, len) == offsetof(struct mmsghdr, msg_len),
               "one is passed as the other");

ssize_t cg__datagrams_receive_many(int fd, struct cg__message *messages, unsigned n, int flags)
{
    ssize_t done = -ENOSYS;

    if (n > 1) {
        CG__CALLS_RETRY(done, recvmmsg(fd, (struct mmsghdr *)messages, n, flags, NULL));
        done = cg__calls_result(done);
    }
    return cg__calls_is_missing(done) ? cg__datagrams_receive_one(fd, messages, flags) : done;
}

ssize_t cg__datagrams_send_many(int fd, struct cg__message *messages, unsigned n, int flags)
{
    ssize_t done = -ENOSYS;

    if (n > 1) {
        CG__CALLS_RETRY(done, sendmmsg(fd, (struct mmsghdr *)messages, n, flags));
        done = cg__calls_result(done);
    }
    return cg__calls_is_missing(done) ? cg__datagrams_send_one(fd, messages, flags) : done;
}
