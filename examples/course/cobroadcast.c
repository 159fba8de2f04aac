/* SPDX-License-Identifier: MIT */
/* A broadcaster sends each line to three filters, each of which has its own printer.
 *
 *     ./cobroadcast [LOG]
 */
#include <cogen.h>

#include "../generators.h"
#include "stages.h"

int main(int argc, char **argv)
{
    static const char *const words[] = {"python", "ply", "swig"};
    static char *const before[] = {"python: ", "ply:    ", "swig:   "};
    FILE *log = stage_open(argc, argv, EXAMPLES_DATA "/access-log");
    struct stage_grep greps[3];
    struct cg_gen *filters[4] = {NULL}, *all;

    for (int i = 0; i < 3; i++) {
        greps[i] = (struct stage_grep){words[i], primed(stage_print, before[i])};
        filters[i] = primed(stage_grep, &greps[i]);
    }
    all = primed(stage_broadcast, filters);
    stage_feed(log, all);
    cg_gen_free(all);
    for (int i = 0; i < 3; i++) {
        cg_gen_free(filters[i]);
        cg_gen_free(greps[i].target);
    }
    fclose(log);
    return 0;
}
