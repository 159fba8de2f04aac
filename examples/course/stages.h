/* SPDX-License-Identifier: MIT */
/* The stages of the course's pipelines: coroutines to which lines are sent, and a
 * function that sends the lines of a file. When a stage is closed, it closes the stages
 * behind it. */
#ifndef EXAMPLES_COURSE_STAGES_H
#define EXAMPLES_COURSE_STAGES_H

#include <cogen.h>
#include <stdio.h>

/* stage_print: prints each line. arg: a text to print before it, or NULL. */
cg_gen_fn stage_print;

/* stage_grep: passes on the lines that contain a word. arg: a struct stage_grep. */
struct stage_grep {
    const char *word;
    struct cg_gen *target;
};
cg_gen_fn stage_grep;

/* stage_broadcast: passes each line on to every target. arg: an array that ends with
 * NULL. */
cg_gen_fn stage_broadcast;

/* Sends the lines of a file to a coroutine, until the end of the file or the coroutine. */
void stage_feed(FILE *file, struct cg_gen *target);

/* Opens the file that the command line names (argv[1]), or the sample. Exits if it cannot
 * be opened. */
FILE *stage_open(int argc, char **argv, const char *sample);

#endif
