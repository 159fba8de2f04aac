/* SPDX-License-Identifier: MIT */
/* For systems where the child can close descriptors only by their numbers. */
#include "config.h"

#include "system/process/spawn.h"

#include <errno.h>

int cg__spawn_closefrom(posix_spawn_file_actions_t *actions, int from)
{
    (void)actions;
    (void)from;
    return ENOSYS;
}

bool cg__spawn_mark_range(int from)
{
    (void)from;
    return false;
}
