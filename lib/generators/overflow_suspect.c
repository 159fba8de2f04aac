/* SPDX-License-Identifier: MIT */
/* Tells which coroutine or generator this thread runs, for the report of a stack
 * overflow. */
#include "config.h"

#include "lib/core/coro.h"
#include "lib/generators/generator.h"
#include "lib/stacks/overflow.h"

bool cg__overflow_suspect(const char **kind, const char **name, const void **low,
                          size_t *size)
{
    const struct cg_coro *self = cg__coro_self;
    const struct cg_gen *gen =
        cg__generator_of(self ? self->inner : cg__generator_outside);

    *kind = gen ? "generator" : "coroutine";
    if (gen) {
        *name = gen->name;
        *low = gen->stack_low;
        *size = (size_t)((char *)gen - (char *)gen->stack_low);
        return true;
    }
    if (self == NULL)
        return false;
    *name = self->name;
    *low = self->stack_low;
    *size = (size_t)((char *)self - (char *)self->stack_low);
    return true;
}
