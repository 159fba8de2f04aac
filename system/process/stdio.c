/* SPDX-License-Identifier: MIT */
/* What a process gets as standard input, output and error: our descriptors, pipes, or
 * /dev/null. All of them block, because programs expect that. */
#include "config.h"

#include "lib/base/pipe.h"
#include "system/process/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Duplicates a descriptor to one above 2 with close-on-exec. Closes the original if it was
 * ours. */
static int lift(int fd, bool ours)
{
    int lifted = fcntl(fd, F_DUPFD_CLOEXEC, 3), error = errno;

    if (ours)
        close(fd);
    return lifted < 0 ? -error : lifted;
}

/* Listeners stay non-blocking: the reactor tries accept before it waits. */
static bool is_listener(int fd)
{
    int listens = 0;
    socklen_t size = sizeof listens;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens;
}

/* Makes a lifted descriptor block. O_NONBLOCK belongs to the open file, which the child
 * would share with us, so the file is opened again for the child. What cannot be opened
 * again, such as a socket, then blocks for us too; our send and recv are told not to
 * wait. */
static int blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL), own;

    if (flags < 0 || !(flags & O_NONBLOCK) || is_listener(fd))
        return fd;
    if ((own = cg__stdio_reopen(fd, flags)) >= 0) {
        close(fd);
        if ((fd = lift(own, true)) < 0)
            return fd;
        flags = fcntl(fd, F_GETFL);
    }
    fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    return fd;
}

static int borrow(int fd)
{
    int lifted = lift(fd, false);

    return lifted < 0 ? lifted : blocking(lifted);
}

static int open_pipe(struct cg__stdio *stdio, int number)
{
    int ends[2], mine = number == 0 ? 1 : 0, rc = cg__pipe_open(ends);

    if (rc < 0)
        return rc;
    if ((rc = lift(ends[mine], true)) < 0) {
        close(ends[1 - mine]);
        return rc;
    }
    stdio->ours[number] = rc;
    return lift(ends[1 - mine], true);
}

const char *cg__stdio_null = "/dev/null";

/* posix_spawn's -ENOENT means that the program does not exist, so this is another error. */
static int open_null(int number)
{
    int fd = open(cg__stdio_null, (number == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? -ENODEV : -errno;
    return lift(fd, true);
}

/* Returns the child's descriptor of that number, or -errno; -EBADF: we have none to
 * inherit. */
static int plumb(struct cg__stdio *stdio, int number, int what)
{
    switch (what) {
    case CG_STDIO_INHERIT:
        return borrow(number);
    case CG_STDIO_NULL:
        return open_null(number);
    case CG_STDIO_PIPE:
        return open_pipe(stdio, number);
    case CG_STDIO_OUT:
        return number == 2 && stdio->child[1] >= 0 ? lift(stdio->child[1], false) : -EINVAL;
    }
    return what > 0 ? borrow(what) : -EINVAL;
}

static int copy_all(struct cg__stdio *stdio, const struct cg_spawn_options *options)
{
    unsigned n = options->nfds;

    if (n == 0)
        return 0;
    stdio->copies = malloc(n * sizeof *stdio->copies);
    if (stdio->copies == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < n; i++) {
        int fd = fcntl(options->fds[i], F_DUPFD_CLOEXEC, 3 + (int)n);

        if (fd < 0)
            return -errno;
        stdio->copies[stdio->ncopies++] = fd;
    }
    return 0;
}

int cg__stdio_open(struct cg__stdio *stdio, const struct cg_spawn_options *options)
{
    const int what[3] = {options->in, options->out, options->err};

    *stdio = (struct cg__stdio){.child = {-1, -1, -1}, .ours = {-1, -1, -1}};
    for (int i = 0; i < 3; i++) {
        int fd = plumb(stdio, i, what[i]);

        if (fd < 0 && !(fd == -EBADF && what[i] == CG_STDIO_INHERIT))
            return fd;
        stdio->child[i] = fd < 0 ? -1 : fd;
    }
    return copy_all(stdio, options);
}

static void close_all(const int fds[3])
{
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

void cg__stdio_close(struct cg__stdio *stdio)
{
    close_all(stdio->child);
    close_all(stdio->ours);
    for (unsigned i = 0; i < stdio->ncopies; i++)
        close(stdio->copies[i]);
    free(stdio->copies);
}
