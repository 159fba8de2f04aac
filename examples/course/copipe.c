/* SPDX-License-Identifier: MIT */
/* A pipeline of coroutines that is driven by its source: each line of a log is sent to a
 * filter, which sends the matching lines to a printer.
 *
 *     ./copipe [LOG]           the lines with "python" in them
 */
#include <cogen.h>

#include "../generators.h"
#include "stages.h"

int main(int argc, char **argv)
{
    FILE *log = stage_open(argc, argv, EXAMPLES_DATA "/access-log");
    struct cg_gen *print = primed(stage_print, NULL);
    struct cg_gen *grep = primed(stage_grep, &(struct stage_grep){"python", print});

    stage_feed(log, grep);
    cg_gen_free(grep);
    cg_gen_free(print);
    fclose(log);
    return 0;
}
