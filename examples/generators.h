/* SPDX-License-Identifier: MIT */
/* Shared by the examples with generators. These functions exit if there is no memory. */
#ifndef EXAMPLES_GENERATORS_H
#define EXAMPLES_GENERATORS_H

#include <cogen.h>

/* Makes a generator, which has not begun. */
struct cg_gen *generator(cg_gen_fn *fn, void *arg);

/* Makes a generator and runs it to its first yield; before that no value can be sent to
 * it. Beazley's course has a decorator for that. */
struct cg_gen *primed(cg_gen_fn *fn, void *arg);

#endif
