/* SPDX-License-Identifier: MIT */
/* The working directory of a started process. */
#include "config.h"

#include "system/process/spawn.h"

int cg__spawn_chdir(posix_spawn_file_actions_t *actions, const char *dir)
{
    return CG__SPAWN_ADDCHDIR(actions, dir); /* configure knows its name here */
}
