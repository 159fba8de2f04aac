/* SPDX-License-Identifier: MIT */
/* For systems without notices of changes to files: cg_follow checks the files now and
 * then. */
#include "config.h"

#include "system/notice.h"

int cg__notice_open(const char *path)
{
    (void)path;
    return -1;
}

int cg__notice_add(int notice, int fd)
{
    (void)notice;
    (void)fd;
    return -1;
}

void cg__notice_remove(int notice, int watch)
{
    (void)notice;
    (void)watch;
}

void cg__notice_empty(int notice)
{
    (void)notice;
}
