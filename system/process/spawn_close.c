/* SPDX-License-Identifier: MIT */
/* A started process gets no descriptor that it was not given. */
#include "config.h"

#include "lib/base/ascii.h"
#include "system/process/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

enum { MOST_LOOKED_AT = 65536 };

bool cg__spawn_may_closefrom = true;

static int close_one(posix_spawn_file_actions_t *actions, int from, int fd)
{
    int flags = fd >= from ? fcntl(fd, F_GETFD) : -1, rc;

    if (flags < 0 || flags & FD_CLOEXEC)
        return 0;
    rc = posix_spawn_file_actions_addclose(actions, fd);
    return rc == EBADF ? EMFILE : rc; /* the limit was lowered after fd was opened */
}

static int close_listed(posix_spawn_file_actions_t *actions, int from, DIR *dir)
{
    struct dirent *entry;
    int rc = 0;

    while (rc == 0 && (entry = readdir(dir))) {
        const char *name = entry->d_name;
        uint64_t fd;

        if (cg__ascii_number(&name, &fd) && fd <= INT_MAX)
            rc = close_one(actions, from, (int)fd);
    }
    closedir(dir);
    return rc;
}

/* The limit of descriptors may be 2^30; we never try so many. */
static int close_numbered(posix_spawn_file_actions_t *actions, int from)
{
    long limit = sysconf(_SC_OPEN_MAX);
    int rc = 0;

    for (int fd = from; rc == 0 && fd < limit && fd < MOST_LOOKED_AT; fd++)
        rc = close_one(actions, from, fd);
    return rc;
}

/* Other code may have opened descriptors without close-on-exec. If the child cannot find
 * and close them itself, we list those that are open now. */
int cg__spawn_close_others(posix_spawn_file_actions_t *actions, int from)
{
    DIR *dir;
    int rc = cg__spawn_may_closefrom ? cg__spawn_closefrom(actions, from) : ENOSYS;

    if (rc != ENOSYS)
        return rc;
    if ((dir = opendir("/proc/self/fd")) == NULL)
        dir = opendir("/dev/fd");
    return dir ? close_listed(actions, from, dir) : close_numbered(actions, from);
}

void cg__spawn_mark_others(int from)
{
    long limit;

    if (cg__spawn_may_closefrom && cg__spawn_mark_range(from))
        return;
    limit = sysconf(_SC_OPEN_MAX);
    for (int fd = from; fd < limit && fd < MOST_LOOKED_AT; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}
