/* SPDX-License-Identifier: MIT */
/* Threads, processes, signals and files without memory. */
#include "config.h"

#include "lib/base/memory_file.h"
#include "tests/failing/lives.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ssize_t works(void *arg)
{
    return (ssize_t)(intptr_t)arg;
}

static ssize_t offload(void *arg)
{
    struct cg_pool *pool = cg_pool_new(2, 10);
    ssize_t rc = pool ? 0 : -ENOMEM;

    (void)arg;
    for (int i = 0; pool && i < 3; i++) {
        ssize_t n = cg_yield(cg_offload(works, (void *)5, .pool = pool));

        if (n >= 0)
            IS(n, 5);
        rc = first(rc, n);
    }
    cg_pool_free(pool);
    return rc;
}

static ssize_t process(void *arg)
{
    struct cg_process *process;
    struct cg_output out = {.limit = 100};
    ssize_t rc = cg_process_spawn(sched(), ((char *[]){"cat", NULL}), &process,
                                  .in = CG_STDIO_PIPE, .out = CG_STDIO_PIPE);

    (void)arg;
    if (rc < 0)
        return rc;
    rc = cg_yield(cg_communicate(process, "hello", 5, .out = &out));
    if (rc == 0)
        HAS(out.len == 5 && memcmp(out.data, "hello", 6) == 0);
    free(out.data);
    cg_process_close(process);
    return rc;
}

static ssize_t process_by_fork(void *arg)
{
    struct cg_process *process;
    const char *failed;
    ssize_t rc = cg_process_spawn(sched(), ((char *[]){"true", NULL}), &process,
                                  .in = CG_STDIO_NULL, .session = true, .failed = &failed);

    (void)arg;
    if (rc < 0)
        return rc;
    rc = cg_yield(cg_wait_process(process));
    cg_process_close(process);
    return rc;
}

static ssize_t disk(void *arg)
{
    char path[] = "/tmp/cogen-test-memory-XXXXXX", buf[4];
    int fd = mkstemp(path);
    ssize_t rc;

    (void)arg;
    OK(fd);
    unlink(path);
    rc = cg_yield(cg_write_file(fd, "four", 4, 0));
    if (rc >= 0)
        rc = cg_yield(cg_read_file(fd, buf, sizeof buf, 0));
    close(fd);
    return rc < 0 ? rc : 0;
}

static ssize_t follow(void *arg)
{
    char path[] = "/tmp/cogen-test-memory-XXXXXX", line[100];
    struct cg_follower *follow = NULL;
    int fd = mkstemp(path);
    ssize_t rc;

    (void)arg;
    OK(fd);
    IS(write(fd, "one\ntwo\n", 8), 8);
    rc = cg_follower_open(sched(), path, &follow, .from_start = true,
                          .interval = CG_MILLISECOND);
    for (int i = 0; follow && i < 3; i++) {
        ssize_t n = cg_yield(cg_follow_line(follow, line, sizeof line));

        if (n > 0)
            IS(n, i == 2 ? 6 : 4);
        else
            i--; /* the line is still there */
        if (i == 1)
            IS(write(fd, "three\n", 6), 6);
        rc = first(rc, n);
    }
    cg_follower_close(follow);
    unlink(path);
    close(fd);
    return rc;
}

static ssize_t os_signal(void *arg)
{
    struct cg_os_signals *signals;
    ssize_t rc = cg_os_signals_open(sched(), SIGUSR1, &signals);

    (void)arg;
    if (rc < 0)
        return rc;
    kill(getpid(), SIGUSR1);
    IS(cg_yield(cg_get_os_signal(signals)), 1);
    cg_os_signals_close(signals);
    return 0;
}

/* A text of which a part is missing is no text. */
static ssize_t memory_file(void *arg)
{
    struct cg__memory_file memory;
    ssize_t rc = cg__memory_file_open(&memory);

    (void)arg;
    if (rc < 0)
        return rc;
    for (int i = 0; i < 10000; i++)
        fputs("0123456789", memory.file);
    rc = cg__memory_file_close(&memory, 7);
    if (rc >= 0)
        HAS(memory.len == 100000 && strlen(memory.data) == 100000);
    free(memory.data);
    return rc < 0 ? rc : 0;
}

static void anywhere(void)
{
    EACH(memory_file, 3);
    EACH(follow, 2);
}

static void on_kernels(void)
{
    EACH(offload, 2);
    EACH(process, 2);
    EACH(process_by_fork, 2);
    EACH(disk, 1);
    EACH(os_signal, 1);
}

static const struct test_case cases[] = {
    PLAIN(anywhere),
    PLAIN(on_kernels, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("memory of the system", cases, COUNT(cases));
}
