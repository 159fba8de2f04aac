/* SPDX-License-Identifier: MIT */
/* A coroutine in another process: lines that are sent to it go through a pipe. At the
 * other end the same program, started with --child, reads them from its standard input and
 * sends them to its own coroutines, which do not know of the pipe.
 *
 *     ./coprocess [LOG]        the lines with "python" in them, printed by the child
 */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../common.h"
#include "../generators.h"
#include "../output.h"
#include "stages.h"

static int child_main(void)
{
    struct cg_gen *print = primed(stage_print, "child: ");
    struct cg_gen *grep = primed(stage_grep, &(struct stage_grep){"python", print});

    stage_feed(stdin, grep);
    cg_gen_free(grep);
    cg_gen_free(print);
    output_told = true; /* the parent writes to the same stdout, and reports errors */
    return !output_flush();
}

/* A stage like the others, but it passes on the lines that it is sent through a pipe. */
static ssize_t send_to_process(struct cg_gen *gen, void *arg)
{
    struct cg_process *process = arg;
    struct cg_sock *pipe = cg_process_sock(process, 0);
    const char *line;
    ssize_t rc;

    while ((rc = cg_gen_yield(gen, 0, &line)) > 0)
        if ((rc = cg_yield(cg_writeall(pipe, line, strlen(line)))) < 0) {
            example_fail("the pipe", rc);
            break;
        }
    cg_process_close_sock(process, 0); /* the end of its standard input */
    return rc;
}

struct parent {
    char *program;
    FILE *log;
};

static ssize_t parent_main(void *arg)
{
    const struct parent *parent = arg;
    char *argv[] = {parent->program, "--child", NULL};
    struct cg_process *child;
    struct cg_gen *target;
    ssize_t rc = cg_process_spawn(cg_sched_self(), argv, &child, .in = CG_STDIO_PIPE);

    if (rc < 0) {
        example_fail(argv[0], rc);
        return rc;
    }
    target = primed(send_to_process, child);
    stage_feed(parent->log, target);
    cg_gen_free(target);
    rc = cg_yield(cg_wait_process(child));
    if (rc < 0)
        example_fail("the child", rc);
    else
        printf("the child has ended with %zd\n", rc);
    cg_process_close(child);
    return rc;
}

int main(int argc, char **argv)
{
    struct example ex = {
        .name = "coprocess",
        .about = "Sends a log to a coroutine in another process",
        .operands = "[LOG]",
        .network = true,
    };
    struct parent parent = {.program = argv[0]};
    int code;

    if (argc == 2 && strcmp(argv[1], "--child") == 0)
        return child_main();
    example_open(&ex, argc, argv);
    parent.log = stage_open(ex.argc + 1, ex.argv - 1, EXAMPLES_DATA "/access-log");
    if ((code = cg_sched_start(ex.sched, parent_main, &parent, .name = "parent")) < 0)
        example_fail("start", code);
    code = example_run(&ex);
    fclose(parent.log);
    return code;
}
