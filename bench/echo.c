/* SPDX-License-Identifier: MIT */
/* The echo server that is measured: a coroutine for each connection sends back what it
 * receives. At its end it prints how often it has allocated memory.
 *     bench/echo [--reactor NAME] [--listen ADDR] [--borrow] [--timeout SECONDS]
 * --borrow echoes from the reactor's own buffers; --timeout is that of each read. */
#include "examples/common.h"

#include <stdio.h>
#include <stdlib.h>

static int64_t timeout;
static long allocations;

/* These functions replace those of the C library, also in calls from libraries, because
 * they are exported in spite of -fvisibility=hidden. So every allocation is counted. */
#define FOUND __attribute__((visibility("default")))
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

FOUND void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

FOUND void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}

FOUND void *realloc(void *old, size_t size)
{
    allocations++;
    return __libc_realloc(old, size);
}

static ssize_t echo(struct cg_sock *conn, void *arg)
{
    char buf[1024]; /* larger than a message: a read that fills it may have left input */
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_read(conn, buf, sizeof buf, .timeout = timeout))) > 0 &&
           (n = cg_yield(cg_writeall(conn, buf, n))) > 0)
        continue;
    cg_sock_close(conn);
    return n;
}

static ssize_t echo_borrowed(struct cg_sock *conn, void *arg)
{
    struct cg_view view;
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_borrow(conn, &view, .timeout = timeout))) > 0) {
        n = cg_yield(cg_writeall(conn, view.data, view.len));
        cg_view_release(&view, view.len);
        if (n < 0)
            break;
    }
    cg_sock_close(conn);
    return n;
}

static const char *borrow, *seconds;

static ssize_t serve(void *listener)
{
    ssize_t n = cg_yield(cg_serve(listener, borrow ? echo_borrowed : echo));

    cg_sock_close(listener);
    return n;
}

int main(int argc, char **argv)
{
    const struct example_option options[] = {
        {"borrow", NULL, "echo from the reactor's own buffers", &borrow, 0},
        {"timeout", "SECONDS", "the timeout of each read", &seconds, 0},
        {0},
    };
    struct example ex = {
        .name = "echo",
        .about = "Sends back what it receives; the server that is measured",
        .listen = "127.0.0.1:0",
        .options = options,
        .network = true,
    };
    int status;

    example_open(&ex, argc, argv);
    if (seconds != NULL)
        timeout = example_seconds(&ex, seconds);
    example_serve(&ex, serve);
    status = example_run(&ex);
    printf("allocations %ld\n", allocations);
    return status;
}
