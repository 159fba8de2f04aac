/* SPDX-License-Identifier: MIT */
/* Writing to processes and reading their output, on every reactor of a kernel. */
#include "config.h"

#include "tests/system/processes.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* A pipe is a socket like any other. */
static ssize_t pipes_are_sockets(void *arg)
{
    struct cg_process *process = NULL;
    char line[64];

    (void)arg;
    OK(cg_process_spawn(cg_sched_self(), ((char *[]){"cat", NULL}), &process,
                        .in = CG_STDIO_PIPE, .out = CG_STDIO_PIPE));
    ck_assert_ptr_null(cg_process_sock(process, 2));
    ck_assert_ptr_null(cg_process_sock(process, 3));
    for (int i = 0; i < 3; i++) {
        IS(cg_yield(cg_writeall(cg_process_sock(process, 0), "hello\n", 6)), 6);
        IS(cg_yield(cg_readline(cg_process_sock(process, 1), line, sizeof line)), 6);
        ck_assert_str_eq(line, "hello\n");
    }
    cg_process_close_sock(process, 0);
    IS(cg_yield(cg_read(cg_process_sock(process, 1), line, sizeof line)), 0);
    IS(cg_yield(cg_wait_process(process)), 0);
    cg_process_close(process);
    return 0;
}

enum { LARGE = 1 << 20 };

/* Megabytes in both directions, to a process that buffers little, cause no deadlock. */
static ssize_t much_both_ways(void *arg)
{
    struct cg_process *process = NULL;
    struct cg_output out = {.limit = LARGE}, err = {.limit = LARGE};
    char *data = malloc(LARGE);

    (void)arg;
    test_fill(data, LARGE, 0);
    OK(cg_process_spawn(cg_sched_self(), SH("tee /dev/fd/2"), &process,
                        .in = CG_STDIO_PIPE, .out = CG_STDIO_PIPE,
                        .err = CG_STDIO_PIPE));
    IS(cg_yield(cg_communicate(process, data, LARGE, .out = &out, .err = &err)), 0);
    ck_assert_uint_eq(out.len, LARGE);
    ck_assert_uint_eq(err.len, LARGE);
    test_verify(out.data, LARGE, 0);
    test_verify(err.data, LARGE, 0);
    ck_assert_ptr_null(cg_process_sock(process, 0));
    ck_assert_ptr_null(cg_process_sock(process, 1));
    cg_process_close(process);
    free(out.data);
    free(err.data);
    free(data);
    no_children();
    return 0;
}

/* An output that exceeds its limit ends the process. An output that is not wanted may have
 * any size. */
static ssize_t limits(void *arg)
{
    struct cg_process *process = NULL;
    struct cg_output out = {.limit = 5000};

    (void)arg;
    OK(cg_process_spawn(cg_sched_self(), SH("while :; do echo more; done"), &process,
                        .out = CG_STDIO_PIPE));
    IS(cg_yield(cg_communicate(process, NULL, 0, .out = &out)), -EMSGSIZE);
    ck_assert_uint_eq(out.len, 5000);
    ck_assert_int_eq(memcmp(out.data, "more\nmore\n", 10), 0);
    ck_assert_int_eq(out.data[5000], '\0');
    ck_assert(cg_process_result(process) >= CG_EXIT_SIGNAL);
    free(out.data);
    cg_process_close(process);
    OK(cg_process_spawn(cg_sched_self(), SH("head -c 300000 /dev/zero; exit 2"),
                        &process, .out = CG_STDIO_PIPE));
    IS(cg_yield(cg_communicate(process, NULL, 0)), 2);
    cg_process_close(process);
    no_children();
    return 0;
}

/* A process that does not read its input causes no error and no SIGPIPE. */
static ssize_t does_not_read(void *arg)
{
    struct cg_process *process = NULL;
    char *data = calloc(1, LARGE);

    (void)arg;
    OK(cg_process_spawn(cg_sched_self(), SH("exec <&-; exit 6"), &process,
                        .in = CG_STDIO_PIPE));
    IS(cg_yield(cg_communicate(process, data, LARGE)), 6);
    cg_process_close(process);
    free(data);
    return 0;
}

/* At a timeout the process is ended, and the output that has come is available. */
static ssize_t communicate_times_out(void *arg)
{
    struct cg_process *process = NULL;
    struct cg_output out = {.limit = 0};

    (void)arg;
    OK(cg_process_spawn(cg_sched_self(), SH("echo first; exec sleep 1000"), &process,
                        .out = CG_STDIO_PIPE, .in = CG_STDIO_PIPE));
    IS(cg_yield(cg_communicate(process, "x", 1, .out = &out, .timeout = 100 * MS)),
       -ETIMEDOUT);
    ck_assert(out.len == 0 || !strcmp(out.data, "first\n"));
    IS(cg_process_result(process), CG_EXIT_SIGNAL + SIGTERM);
    free(out.data);
    cg_process_close(process);
    OK(cg_process_spawn(cg_sched_self(), SH("exec sleep 1000"), &process,
                        .out = CG_STDIO_PIPE));
    IS(cg_yield(cg_any((cg_communicate(process, NULL, 0), cg_sleep(MS)))), 1);
    IS(cg_process_result(process), CG_EXIT_SIGNAL + SIGTERM);
    cg_process_close(process);
    no_children();
    return 0;
}

/* A run that is stopped leaves no process behind. */
static ssize_t stopped_in_communicate(void *arg)
{
    struct cg_process *process = spawn("exec sleep 1000");
    ssize_t n;

    (void)arg;
    cg_sched_stop(cg_sched_self());
    n = cg_yield(cg_communicate(process, NULL, 0));
    cg_process_close(process);
    return n;
}

static void stopped(void)
{
    IS(test_run(stopped_in_communicate, NULL), -ECANCELED);
    no_children();
}

static int left; /* what the reactor has memory for */

static bool lacks(struct cg_reactor *reactor, enum cg_lack what)
{
    (void)reactor;
    return what == CG_LACKS_MEMORY && left-- == 0;
}

/* Without memory for one of the transfers the op fails: it does not wait for ever, and does not
 * take a part of the output for all of it. */
static ssize_t memory_runs_out(void *arg)
{
    struct cg_reactor *reactor = cg_sched_reactor(cg_sched_self());

    (void)arg;
    for (int n = 0, told = 1; told; n++) {
        struct cg_process *process = NULL;
        struct cg_output out = {.limit = 0}, err = {.limit = 0};
        ssize_t rc;

        OK(cg_process_spawn(cg_sched_self(), SH("tee /dev/fd/2"), &process,
                            .in = CG_STDIO_PIPE, .out = CG_STDIO_PIPE, .err = CG_STDIO_PIPE));
        left = n;
        reactor->lacks = lacks;
        rc = cg_yield(cg_communicate(process, "hello", 5, .out = &out, .err = &err));
        reactor->lacks = NULL;
        told = left < 0;
        IS(rc, rc < 0 && told ? -ENOMEM : 0);
        ck_assert(rc < 0 || (out.len == 5 && err.len == 5));
        cg_process_close(process);
        free(out.data);
        free(err.data);
    }
    no_children();
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(pipes_are_sockets, .where = ON_KERNEL),
        CORO(much_both_ways, .where = ON_KERNEL),
        CORO(limits, .where = ON_KERNEL),
        CORO(does_not_read, .where = ON_KERNEL),
        CORO(communicate_times_out, .where = ON_KERNEL),
        PLAIN(stopped, .where = ON_KERNEL),
        CORO(memory_runs_out, .where = ON_KERNEL),
    };

    return test_main("communicate", cases, COUNT(cases));
}
