/* SPDX-License-Identifier: MIT */
/* Processes of tests: see processes.h. */
#include "config.h"

#include "tests/system/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

void no_children(void)
{
    IS(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

struct cg_process *spawn(char *script)
{
    struct cg_process *process = NULL;

    OK(cg_process_spawn(cg_sched_self(), SH(script), &process));
    return process;
}

void expect(const char *output, ssize_t result, struct cg_process *process)
{
    struct cg_output out = {.limit = 1000};

    IS(cg_yield(cg_communicate(process, NULL, 0, .out = &out)), result);
    ck_assert_str_eq(out.data, output);
    ck_assert_uint_eq(out.len, strlen(output));
    free(out.data);
    cg_process_close(process);
}
