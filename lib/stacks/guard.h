/* SPDX-License-Identifier: MIT */
/* Guards: inaccessible pages below a stack. See guard.c for the two kinds. */
#ifndef COGEN_LIB_STACKS_GUARD_H
#define COGEN_LIB_STACKS_GUARD_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CG__GUARD_MAPPINGS = 65530, /* Linux's default of vm.max_map_count */
};

/* How many mappings the process may have. 0: the system is asked when the first split guard
 * is wanted; tests set it before. */
extern size_t cg__guard_mappings;

/* Guards these pages without splitting the mapping. False: the kernel does not support
 * it. */
bool cg__guard_light(char *guard, size_t size, size_t page);

/* Guards them by a mapping of their own, which makes two more of the one around them.
 * False: the kernel refuses. The caller gives it back with cg__guard_forget. */
bool cg__guard_split(char *guard, size_t size);

/* Whether the process keeps half of its mappings free after a further split guard. */
bool cg__guard_affordable(void);

/* The kernel refused a guard: these pages, `count` split guards among them, become one
 * accessible mapping again, and from now on no further guard is affordable. */
void cg__guard_give_way(char *from, size_t size, size_t count);

/* Notes that `count` split guards were unmapped. */
void cg__guard_forget(size_t count);

#endif
