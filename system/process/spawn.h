/* SPDX-License-Identifier: MIT */
/* What a process that is started does before it executes its program. The functions with
 * actions add to those of posix_spawn and return 0 or an error number. */
#ifndef COGEN_SYSTEM_PROCESS_SPAWN_H
#define COGEN_SYSTEM_PROCESS_SPAWN_H

#include "system/process/stdio.h"

#include <spawn.h>
#include <stdbool.h>

/* Changes to the directory. ENOSYS: not on this system. */
int cg__spawn_chdir(posix_spawn_file_actions_t *actions, const char *dir);

/* Closes all descriptors from `from` on, also those opened after this call. ENOSYS: not on
 * this system. */
int cg__spawn_closefrom(posix_spawn_file_actions_t *actions, int from);

/* Closes all descriptors from `from` on, by cg__spawn_closefrom if it can. */
int cg__spawn_close_others(posix_spawn_file_actions_t *actions, int from);

/* Makes all descriptors from `from` on close-on-exec, in a child between fork and exec. */
void cg__spawn_mark_others(int from);

/* Like mark_others by one call. Returns whether the system has it. */
bool cg__spawn_mark_range(int from);

/* Starts a program by fork and exec, with all options. Returns 0 and its pid, or -errno. */
int cg__spawn_fork(char *const *argv, char *const *env, const struct cg__stdio *stdio,
                   const struct cg_spawn_options *options, pid_t *pid);

/* False: behave as if the system had no cg__spawn_closefrom. For tests. */
extern bool cg__spawn_may_closefrom;

#endif
