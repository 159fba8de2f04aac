/* SPDX-License-Identifier: MIT */
/* What the examples with generators share: making one, or ending the program where there
 * is no memory for it. */
#ifndef EXAMPLES_GENERATORS_H
#define EXAMPLES_GENERATORS_H

#include <cogen.h>

/* A generator that has not begun. */
struct cg_gen *generator(cg_gen_fn *fn, void *arg);

/* A generator that waits in its first yield, as it must before it can be sent a value;
 * Beazley's course has a decorator for that. */
struct cg_gen *primed(cg_gen_fn *fn, void *arg);

#endif
