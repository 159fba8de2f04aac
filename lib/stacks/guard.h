/* SPDX-License-Identifier: MIT */
/* Guards: inaccessible pages below a stack. See guard.c for the two kinds. */
#ifndef COGEN_LIB_STACKS_GUARD_H
#define COGEN_LIB_STACKS_GUARD_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CG__GUARD_MAPPINGS = 65530, /* Linux's default of vm.max_map_count */
};

/* How many mappings the process may have. 0: read from the system before the first split
 * guard is made. Tests set it. */
extern size_t cg__guard_mappings;

/* Guards these pages without splitting the mapping. False: the kernel does not support it,
 * or not for this memory. */
bool cg__guard_light(char *guard, size_t size, size_t page);

/* Guards these pages with mprotect, which splits the mapping around them: two mappings
 * more. False: the kernel refuses. When the caller has unmapped them, it calls
 * cg__guard_forget. */
bool cg__guard_split(char *guard, size_t size);

/* Whether half of the process's mappings stay free if one more split guard is made. */
bool cg__guard_affordable(void);

/* Called when the kernel has refused a guard. Makes these pages, with the `count` split
 * guards among them, accessible again, so that they become one mapping. From now on no
 * further split guard is affordable. */
void cg__guard_give_way(char *from, size_t size, size_t count);

/* Notes that `count` split guards were unmapped. */
void cg__guard_forget(size_t count);

#endif
