/* SPDX-License-Identifier: MIT */
/* A child cannot close descriptors here unless it gets their numbers. */
#include "config.h"

#include "system/process/spawn.h"

#include <errno.h>

int cg__spawn_closefrom(posix_spawn_file_actions_t *actions, int from)
{
    (void)actions;
    (void)from;
    return ENOSYS;
}
