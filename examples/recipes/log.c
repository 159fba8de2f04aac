/* SPDX-License-Identifier: MIT */
/* A log for which the server never waits: a queue, and a coroutine that lets a thread write
 * the lines. */
#include <cogen.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct cg_queue *lines;
static unsigned lost;

/* Never waits: if the disk is so slow that the queue is full, the line is lost and
 * counted. */
static __attribute__((format(printf, 1, 2))) void log_line(const char *format, ...)
{
    char *line = malloc(256);
    va_list args;

    va_start(args, format);
    if (line)
        vsnprintf(line, 256, format, args);
    va_end(args);
    if (!line || cg_queue_try_put(lines, line) < 0) {
        free(line);
        lost++;
    }
}

/* Runs in a thread of the pool, where it may block. */
static ssize_t write_line(void *line)
{
    return fprintf(stdout, "%s\n", (char *)line) < 0 || fflush(stdout) ? -1 : 0;
}

static ssize_t log_writer(void *arg)
{
    char *line;
    ssize_t rc;

    (void)arg;
    while ((rc = cg_yield(cg_get(lines, &line, .timeout = CG_NEVER))) >= 0) {
        if (cg_yield(cg_offload(write_line, line)) < 0)
            lost++;
        free(line);
    }
    return rc == CG_EOF ? 0 : rc;
}

static ssize_t program(void *arg)
{
    struct cg_coro *writer;
    ssize_t rc;

    (void)arg;
    lines = cg_queue_new(.limit = 100, .drop = free, .name = "log");
    if (!lines)
        return -ENOMEM;
    rc = cg_yield(cg_add(log_writer, NULL, .name = "log writer", .coro = &writer));
    if (rc >= 0) {
        for (int i = 0; i < 150; i++) /* more at once than the queue has room for */
            log_line("line %d", i);
        cg_queue_close(lines); /* the writer ends when it has written what is there */
        rc = cg_yield(cg_join(writer));
        cg_coro_unref(writer);
    }
    cg_queue_free(lines);
    return rc;
}

int main(void)
{
    ssize_t rc = cg_main(NULL, program, NULL);

    fprintf(stderr, "lines lost: %u\n", lost);
    if (rc < 0)
        fprintf(stderr, "log: %s\n", cg_strerror(rc));
    return rc < 0;
}
