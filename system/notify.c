/* SPDX-License-Identifier: MIT */
/* Messages to the service manager: cg_notify and cg_watchdog_interval. Each message has
 * its own socket, on which nothing waits, so no reactor is needed: these functions may be
 * called in any thread, also without a scheduler. */
#include "config.h"

#include "lib/base/ascii.h"

#include <cogen/restart.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FDS_MOST = 64 };

/* Makes the address of a UNIX socket; a name that begins with "@" is abstract. */
static int make_addr(const char *text, struct sockaddr_un *addr, socklen_t *size)
{
    size_t len = strlen(text);

    *addr = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((*text != '/' && *text != '@') || len > sizeof addr->sun_path)
        return -EAFNOSUPPORT;
    memcpy(addr->sun_path, text, len);
    if (*text == '@')
        addr->sun_path[0] = '\0';
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return 0;
}

static void put_fds(struct msghdr *message, const int *fds, size_t n)
{
    struct cmsghdr *part;

    message->msg_controllen = CMSG_SPACE(n * sizeof *fds);
    part = CMSG_FIRSTHDR(message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(n * sizeof *fds);
    memcpy(CMSG_DATA(part), fds, n * sizeof *fds);
}

static int send_to(const struct sockaddr_un *addr, socklen_t size, const char *state,
                   const int *fds, size_t n)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDS_MOST * sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec text = {.iov_base = (void *)state, .iov_len = strlen(state)};
    struct msghdr message = {.msg_name = (void *)addr,
                             .msg_namelen = size,
                             .msg_iov = &text,
                             .msg_iovlen = 1,
                             .msg_control = n > 0 ? control.bytes : NULL};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0), rc = 1;

    if (fd < 0)
        return -errno;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (n > 0)
        put_fds(&message, fds, n);
    if (sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        rc = -errno;
    close(fd);
    return rc;
}

int cg_notify(const char *state, const int *fds, size_t n)
{
    const char *text = getenv("NOTIFY_SOCKET");
    struct sockaddr_un addr;
    socklen_t size;
    int rc;

    if (n > FDS_MOST)
        return -EINVAL;
    if (text == NULL || *text == '\0')
        return 0;
    rc = make_addr(text, &addr, &size);
    return rc < 0 ? rc : send_to(&addr, size, state, fds, n);
}

int64_t cg_watchdog_interval(void)
{
    const char *pid = getenv("WATCHDOG_PID");
    uint64_t interval, number;

    if (pid != NULL && !(cg__ascii_is_number(pid, &number) && number == (uint64_t)getpid()))
        return 0;
    if (!cg__ascii_is_number(getenv("WATCHDOG_USEC"), &interval) ||
        interval > INT64_MAX / CG_MICROSECOND)
        return 0;
    return (int64_t)interval * CG_MICROSECOND;
}
