/* SPDX-License-Identifier: MIT */
/* What C++ may do: include the headers, define coroutines and operation types, drive a
 * scheduler. tests/headers.sh compiles this; nobody runs it. */
#include <cogen.h>
#include <cogen/transport.h>

extern "C" {
static ssize_t body(void *arg)
{
    cg_coro_options options = cg_coro_options();
    options.name = "inner";
    return cg_sched_start(cg_sched_self(), body, arg, &options);
}

static cg_verdict my_process(cg_op *op, cg_sched *)
{
    op->result = 1;
    return CG_DONE;
}

static int my_print(const cg_op *, char *, size_t)
{
    return 0;
}
}

ssize_t drive(const char *name);
ssize_t drive(const char *name)
{
    cg_op_type type = cg_op_type();
    cg_op op = cg_op();
    cg_reactor *reactor;
    cg_sched *sched;
    ssize_t answer;

    type.name = "my";
    type.process = my_process;
    type.print = my_print;
    op.type = &type;
    if ((answer = cg_reactor_open(name, &reactor)) < 0)
        return answer;
    sched = cg_sched_create(reactor, 0);
    cg_sched_start(sched, body, &op, 0);
    answer = cg_run(sched);
    cg_sched_free(sched);
    cg_reactor_close(reactor);
    return answer;
}
