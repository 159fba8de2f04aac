/* SPDX-License-Identifier: MIT */
/* The stages that the pipelines of the course are put together from: coroutines that are
 * sent lines, and what feeds them. A stage closes those behind it when it is closed. */
#ifndef EXAMPLES_COURSE_STAGES_H
#define EXAMPLES_COURSE_STAGES_H

#include <cogen.h>
#include <stdio.h>

/* stage_print: prints each line. arg: a text to print before it, or NULL. */
cg_gen_fn stage_print;

/* stage_grep: passes on the lines that have a word in them. arg: a struct stage_grep. */
struct stage_grep {
    const char *word;
    struct cg_gen *target;
};
cg_gen_fn stage_grep;

/* stage_broadcast: passes each line on to every target. arg: an array that ends with
 * NULL. */
cg_gen_fn stage_broadcast;

/* Sends the lines of a file into a coroutine, to the file's end or until the coroutine has
 * ended. */
void stage_feed(FILE *file, struct cg_gen *target);

/* The file that the command line names (argv[1]), or else a sample; ends the program if it
 * cannot be opened. */
FILE *stage_open(int argc, char **argv, const char *sample);

#endif
