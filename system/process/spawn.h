/* SPDX-License-Identifier: MIT */
/* What a process that is started does before it executes its program. These functions add
 * to the actions of posix_spawn and return 0 or an error number. */
#ifndef COGEN_SYSTEM_PROCESS_SPAWN_H
#define COGEN_SYSTEM_PROCESS_SPAWN_H

#include <spawn.h>
#include <stdbool.h>

/* Changes to the directory. ENOSYS: not on this system. */
int cg__spawn_chdir(posix_spawn_file_actions_t *actions, const char *dir);

/* Closes all descriptors from `from` on, also those opened after this call. ENOSYS: not on
 * this system. */
int cg__spawn_closefrom(posix_spawn_file_actions_t *actions, int from);

/* Closes all descriptors from `from` on, by cg__spawn_closefrom if it can. */
int cg__spawn_close_others(posix_spawn_file_actions_t *actions, int from);

/* False: behave as if the system had no cg__spawn_closefrom. For tests. */
extern bool cg__spawn_may_closefrom;

#endif
