/* SPDX-License-Identifier: MIT */
/* Waits for a descriptor of a foreign library with cg_poll, and uses what its callback
 * reports. The library is a stand-in: it reads lines from a shell's output. */
#include <cogen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The foreign library has a descriptor, a step and a callback. */

struct foreign {
    FILE *pipe;
    void (*on_line)(void *arg, const char *line);
    void *arg;
};

/* To be called when the descriptor is readable. Returns 0 at the end of the output. */
static int foreign_step(struct foreign *foreign)
{
    char text[512];
    ssize_t n = read(fileno(foreign->pipe), text, sizeof text - 1);

    if (n <= 0)
        return 0;
    text[n] = '\0';
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        foreign->on_line(foreign->arg, line);
    return 1;
}

/* The adapter. */

/* Runs inside the library, so it must not yield: another coroutine could call the
 * library while it is in the middle of something. It only notes the line. */
static void on_line(void *queue, const char *line)
{
    char *copy = strdup(line);

    if (copy && cg_queue_try_put(queue, copy) < 0)
        free(copy);
}

static ssize_t drive(void *arg)
{
    struct foreign *foreign = arg;
    ssize_t rc;

    while ((rc = cg_yield(cg_poll(fileno(foreign->pipe), CG_IN,
                                  .timeout = CG_MINUTE))) > 0 &&
           foreign_step(foreign))
        ;
    cg_queue_close(foreign->arg);
    return rc;
}

static ssize_t program(void *command)
{
    struct foreign foreign = {.pipe = popen(command, "r"), .on_line = on_line};
    struct cg_queue *queue = foreign.arg = cg_queue_new(.drop = free, .name = "lines");
    char *line;

    cg_yield(cg_add(drive, &foreign, .name = "drive"));
    while (cg_yield(cg_get(queue, &line)) >= 0) { /* this coroutine may yield */
        printf("a line: %s\n", line);
        free(line);
    }
    cg_queue_free(queue);
    return pclose(foreign.pipe);
}

int main(void)
{
    return cg_main(NULL, program, "echo one; sleep 0.2; echo two") != 0;
}
