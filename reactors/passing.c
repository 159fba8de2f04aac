/* SPDX-License-Identifier: MIT */
/* The system calls that pass descriptors: SCM_RIGHTS. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reactors/calls.h"
#include "reactors/passing.h"

/* Aligned as the kernel wants it. */
union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(CG_FDS_MOST * sizeof(int))];
};

ssize_t cg__passing_send(int fd, const struct cg_io_passed *passed)
{
    size_t size = (size_t)passed->count * sizeof(int);
    union control control = {.bytes = {0}};
    struct iovec part = {.iov_base = passed->buf, .iov_len = passed->len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    struct cmsghdr *head;
    ssize_t n;

    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(size);
    head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(head), passed->fds, size);
    do
        n = sendmsg(fd, &message, MSG_DONTWAIT | CG__NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

static void take(struct msghdr *message, struct cg_fds *into)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL;
         head = CMSG_NXTHDR(message, head)) {
        size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        assert(count <= CG_FDS_MOST);
        memcpy(into->fds, CMSG_DATA(head), count * sizeof(int));
        into->count = (int)count;
    }
    for (int i = 0; i < into->count && CG__MSG_CMSG_CLOEXEC < 0; i++)
        fcntl(into->fds[i], F_SETFD, FD_CLOEXEC);
}

/* The kernel has closed those for which there was no room, in our buffer or in our table of
 * descriptors. */
static ssize_t give_up(struct cg_fds *into)
{
    int error = into->count < CG_FDS_MOST ? -EMFILE : -EMSGSIZE;

    while (into->count > 0)
        close(into->fds[--into->count]);
    return error;
}

ssize_t cg__passing_receive(int fd, const struct cg_io_passed *passed)
{
    int flags = MSG_DONTWAIT | (CG__MSG_CMSG_CLOEXEC < 0 ? 0 : CG__MSG_CMSG_CLOEXEC);
    struct iovec part = {.iov_base = passed->buf, .iov_len = passed->len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union control control;
    ssize_t n;

    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    do
        n = recvmsg(fd, &message, flags);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    take(&message, passed->into);
    return message.msg_flags & MSG_CTRUNC ? give_up(passed->into) : n;
}
