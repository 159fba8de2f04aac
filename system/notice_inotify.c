/* SPDX-License-Identifier: MIT */
/* Notices of changes to files, by inotify. */
#include "config.h"

#include "system/notice.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

int cg__notice_open(const char *path)
{
    const char *slash = strrchr(path, '/');
    char dir[PATH_MAX];
    int notice = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    if (notice < 0)
        return -1;
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path + 1) : 1,
             slash ? path : ".");
    inotify_add_watch(notice, dir, IN_CREATE | IN_MOVED_TO);
    return notice;
}

int cg__notice_add(int notice, int fd)
{
    char link[32];

    if (notice < 0)
        return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return inotify_add_watch(notice, link, IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF);
}

void cg__notice_remove(int notice, int watch)
{
    if (notice >= 0 && watch >= 0)
        inotify_rm_watch(notice, watch);
}

void cg__notice_empty(int notice)
{
    char events[4096] __attribute__((aligned(8)));

    while (read(notice, events, sizeof events) > 0)
        continue;
}
