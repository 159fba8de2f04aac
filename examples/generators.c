/* SPDX-License-Identifier: MIT */
/* See generators.h. */
#include "generators.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>

struct cg_gen *generator(cg_gen_fn *fn, void *arg)
{
    struct cg_gen *gen = cg_gen_new(fn, arg);

    if (!gen) {
        fprintf(stderr, "%s%sgenerator: no memory\n", output_program ? output_program : "",
                output_program ? ": " : "");
        exit(1);
    }
    return gen;
}

struct cg_gen *primed(cg_gen_fn *fn, void *arg)
{
    struct cg_gen *gen = generator(fn, arg);

    cg_gen_next(gen, NULL);
    return gen;
}
