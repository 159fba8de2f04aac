/* SPDX-License-Identifier: MIT */
/* The broadcaster again, but the three filters send to one printer. A line with two of the
 * words is printed twice.
 *
 *     ./cobroadcast2 [LOG]
 */
#include <cogen.h>

#include "../generators.h"
#include "stages.h"

int main(int argc, char **argv)
{
    FILE *log = stage_open(argc, argv, EXAMPLES_DATA "/access-log");
    struct cg_gen *print = primed(stage_print, NULL);
    struct stage_grep greps[] = {{"python", print}, {"ply", print}, {"swig", print}};
    struct cg_gen *filters[4] = {NULL}, *all;

    for (int i = 0; i < 3; i++)
        filters[i] = primed(stage_grep, &greps[i]);
    all = primed(stage_broadcast, filters);
    stage_feed(log, all);
    cg_gen_free(all);
    for (int i = 0; i < 3; i++)
        cg_gen_free(filters[i]);
    cg_gen_free(print);
    fclose(log);
    return 0;
}
