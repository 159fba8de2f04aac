/* SPDX-License-Identifier: MIT */
/* The quota of processor time that a control group has. */
#ifndef COGEN_LIB_THREADS_CPUS_H
#define COGEN_LIB_THREADS_CPUS_H

/* How many processors' time this process may use, rounded up: the least quota of its control
 * group and those around it. 0: there is none. `root` stands before the names of all files
 * that are read; "" but for tests. */
unsigned cg__cpus_quota(const char *root);

#endif
