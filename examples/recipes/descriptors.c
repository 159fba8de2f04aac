/* SPDX-License-Identifier: MIT */
/* Waits for a descriptor of a foreign library with cg_poll, and uses what its callback
 * reports. The library is a stand-in: it reads lines from a shell's output. */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The foreign library has a descriptor, a step and a callback. */

struct foreign {
    FILE *pipe;
    int (*on_line)(void *arg, const char *line); /* 0 or an error, which ends the step */
    void *arg;
};

/* To be called when the descriptor is readable. Returns 0 at the end of the output. */
static ssize_t foreign_step(struct foreign *foreign)
{
    char text[512];
    ssize_t n = read(fileno(foreign->pipe), text, sizeof text - 1);

    if (n <= 0)
        return n == 0 ? 0 : errno == EINTR ? 1 : -errno;
    text[n] = '\0';
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if ((n = foreign->on_line(foreign->arg, line)) < 0)
            return n;
    return 1;
}

/* The adapter. */

/* Runs inside the library, so it must not yield: another coroutine could call the
 * library while it is in the middle of something. It only notes the line. */
static int on_line(void *queue, const char *line)
{
    char *copy = strdup(line);
    int rc = copy ? cg_queue_try_put(queue, copy) : -ENOMEM;

    if (rc < 0)
        free(copy);
    return rc;
}

static ssize_t drive(void *arg)
{
    struct foreign *foreign = arg;
    ssize_t rc;

    do
        rc = cg_yield(cg_poll(fileno(foreign->pipe), CG_IN, .timeout = CG_MINUTE));
    while (rc > 0 && (rc = foreign_step(foreign)) > 0);
    cg_queue_close(foreign->arg);
    return rc;
}

static ssize_t program(void *command)
{
    struct foreign foreign = {.pipe = popen(command, "r"), .on_line = on_line};
    struct cg_queue *queue = foreign.arg = cg_queue_new(.drop = free, .name = "lines");
    struct cg_coro *coro;
    char *line;
    ssize_t rc = -ENOMEM;

    if (queue && foreign.pipe)
        rc = cg_yield(cg_add(drive, &foreign, .name = "drive", .coro = &coro));
    if (rc >= 0) {
        while (cg_yield(cg_get(queue, &line)) >= 0) { /* this coroutine may yield */
            printf("a line: %s\n", line);
            free(line);
        }
        rc = cg_yield(cg_join(coro));
        cg_coro_unref(coro);
    }
    cg_queue_free(queue);
    if (foreign.pipe && pclose(foreign.pipe) != 0 && rc >= 0)
        rc = 1;
    return rc;
}

int main(void)
{
    ssize_t rc = cg_main(NULL, program, "echo one; sleep 0.2; echo two");

    if (rc != 0)
        fprintf(stderr, "descriptors: %s\n", rc < 0 ? cg_strerror(rc) : "the command failed");
    return rc != 0;
}
