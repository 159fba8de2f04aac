/* SPDX-License-Identifier: MIT */
/* Opens paths beneath a directory. With openat2 the kernel ensures that neither ".." nor
 * a link leads out; links that stay inside work. Without openat2 each directory of the
 * path is opened separately, and no link is followed. */
#include "config.h"

#include "http/files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef HAVE_LINUX_OPENAT2_H
#include <linux/openat2.h>
#endif

/* O_NONBLOCK: opening a FIFO would otherwise wait for its writer. */
enum { FLAGS = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY };

/* The kernel gives up with EAGAIN at a link with ".." if anything at all, also elsewhere on the
 * machine, is renamed at the same moment. */
enum { TRIES = 32 };

static int by_openat2(int root, const char *path)
{
#ifdef HAVE_LINUX_OPENAT2_H
    struct open_how how = {
        .flags = FLAGS,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int tries = TRIES;
    long fd;

    do
        fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    while (fd < 0 && errno == EAGAIN && --tries > 0);
    return fd < 0 ? -errno : (int)fd;
#else
    (void)root, (void)path;
    return -ENOSYS;
#endif
}

int cg__http_files_open_steps(int root, const char *path)
{
    char *copy = strdup(path), *at = copy, *slash;
    int fd = root, error = 0;

    if (copy == NULL)
        return -ENOMEM;
    do {
        int next;

        slash = strchr(at, '/');
        if (slash != NULL)
            *slash = '\0';
        if (*at == '\0' && slash != NULL) { /* "a//b" */
            at = slash + 1;
            continue;
        }
        next = strcmp(at, "..") == 0 ? -1
                                     : openat(fd, *at ? at : ".", FLAGS | O_NOFOLLOW);
        error = strcmp(at, "..") == 0 ? EXDEV : errno;
        if (fd != root)
            close(fd);
        fd = next;
        at = slash ? slash + 1 : at;
    } while (slash != NULL && fd >= 0);
    free(copy);
    return fd < 0 ? -error : fd;
}

int cg__http_files_open_beneath(int root, const char *path)
{
    int fd = by_openat2(root, path);

    /* EPERM and EACCES may come from a filter of system calls that does not know openat2.
     * If they concern the file, the steps return them, too. */
    if (fd == -ENOSYS || fd == -EPERM || fd == -EACCES)
        fd = cg__http_files_open_steps(root, path);
    return fd;
}

int cg__http_files_status_of(int error)
{
    switch (-error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return 404;
    case EACCES:
    case EPERM:
    case ELOOP:
    case EXDEV:
    case ENXIO: /* a socket */
        return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN: /* no thread */
        return 503;
    default:
        return 500;
    }
}
