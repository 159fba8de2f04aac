/* SPDX-License-Identifier: MIT */
/* Kernels that refuse guards: madvise and mprotect, replaced for the whole program. */
#ifndef COGEN_TESTS_STACKS_FAKE_GUARDS_H
#define COGEN_TESTS_STACKS_FAKE_GUARDS_H

#include <stdbool.h>

extern bool no_light_guards; /* MADV_GUARD_INSTALL fails with EINVAL */
extern bool lying_guards;    /* it returns 0 and guards nothing */
extern unsigned protections; /* so many mprotect(PROT_NONE) succeed, then ENOMEM */

#endif
