/* SPDX-License-Identifier: MIT */
/* For systems whose posix_spawn cannot change the directory. */
#include "config.h"

#include "system/process/spawn.h"

#include <errno.h>

int cg__spawn_chdir(posix_spawn_file_actions_t *actions, const char *dir)
{
    (void)actions;
    (void)dir;
    return ENOSYS;
}
