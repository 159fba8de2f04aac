/* SPDX-License-Identifier: MIT */
/* The quota of CPU time of a control group. */
#ifndef COGEN_LIB_THREADS_CPUS_H
#define COGEN_LIB_THREADS_CPUS_H

/* How many processors' time this process may use, rounded up: the least quota of its
 * control group and the groups that contain it. 0: there is no quota. `root` is put before
 * the names of all files that are read; only tests pass another one than "". */
unsigned cg__cpus_quota(const char *root);

#endif
