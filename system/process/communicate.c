/* SPDX-License-Identifier: MIT */
/* cg_communicate: writes to a process and reads its outputs at the same time, so that
 * neither side can block the other, however much there is to transfer. */
#include "config.h"

#include "system/process/process.h"

#include <cogen/group.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct cg_communicate_op) <= 128, "core ops fit in 128 bytes");

enum { FIRST_SIZE = 4096 };

struct drain {
    struct cg_process *process;
    struct cg_output *output;
    int number;
};

static ssize_t feed(void *arg)
{
    struct cg_communicate_op *op = arg;
    struct cg_sock *sock = cg_process_sock(op->process, 0);
    ssize_t n = 0;

    if (sock == NULL)
        return 0;
    if (op->len > 0)
        n = cg_yield(cg_writeall(sock, op->in, op->len, .timeout = CG_NEVER));
    cg_process_close_sock(op->process, 0);
    return n >= 0 || n == -EPIPE || n == -ECONNRESET ? 0 : n;
}

/* Makes room in an output for more bytes and a NUL. */
static size_t make_room(struct cg_output *output, size_t *capacity)
{
    size_t limit = output->limit ? output->limit : CG_OUTPUT_LIMIT, size;
    char *data;

    if (output->len < *capacity)
        return *capacity - output->len;
    size = *capacity ? *capacity * 2 : FIRST_SIZE;
    if (size > limit)
        size = limit;
    if (size > *capacity && size < SIZE_MAX && (data = realloc(output->data, size + 1))) {
        output->data = data;
        *capacity = size;
    }
    return *capacity - output->len;
}

static ssize_t drain(void *arg)
{
    struct drain *drain = arg;
    struct cg_output *output = drain->output;
    struct cg_sock *sock = cg_process_sock(drain->process, drain->number);
    size_t capacity = 0;
    char scratch[512];
    ssize_t n;

    if (sock == NULL)
        return 0;
    for (;;) {
        size_t room = output ? make_room(output, &capacity) : 0;
        void *buf = room ? output->data + output->len : scratch;

        n = cg_yield(cg_read(sock, buf, room ? room : sizeof scratch, .timeout = CG_NEVER));
        if (n <= 0)
            break;
        if (room) {
            output->len += (size_t)n;
            output->data[output->len] = '\0';
        } else if (output) {
            bool full = capacity == (output->limit ? output->limit : CG_OUTPUT_LIMIT);

            return full ? -EMSGSIZE : -ENOMEM;
        }
    }
    if (output && output->data)
        output->data[output->len] = '\0';
    return n;
}

static void begin(struct cg_output *output)
{
    if (output) {
        output->data = NULL;
        output->len = 0;
    }
}

/* The first transfer that fails cancels the group, and with it the others and the wait for the
 * end. Returns the failure, or how the process ended. */
static ssize_t transfer(struct cg_communicate_op *op)
{
    struct drain drains[] = {{op->process, op->out, 1}, {op->process, op->err, 2}};
    struct cg_group group;
    ssize_t ended = 0, n, rc;

    cg_group_open(&group);
    rc = cg_group_start(&group, feed, op, NULL, .name = "communicate, 0");
    if (rc == 0)
        rc = cg_group_start(&group, drain, &drains[0], NULL, .name = "communicate, 1");
    if (rc == 0)
        rc = cg_group_start(&group, drain, &drains[1], NULL, .name = "communicate, 2");
    if (rc == 0)
        ended = cg_yield(cg_wait_process(op->process));
    else
        cg_group_cancel(&group);
    n = cg_yield(cg_wait_group(&group));
    return rc < 0 ? rc : n < 0 ? n : ended;
}

static ssize_t communicate_run(struct cg_op *op)
{
    struct cg_communicate_op *communicate = (struct cg_communicate_op *)op;
    struct cg_process *process = communicate->process;
    ssize_t n;

    begin(communicate->out);
    begin(communicate->err);
    n = transfer(communicate);
    if (n < 0)
        cg__process_end(process, communicate->grace, true);
    for (int i = 0; i < 3; i++)
        cg_process_close_sock(process, i);
    return cg__process_leave(op, n);
}

static int communicate_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_communicate_op *communicate = (const struct cg_communicate_op *)op;

    return snprintf(buf, size, "pid %jd",
                    communicate->process ? (intmax_t)cg_process_pid(communicate->process) : 0);
}

const struct cg_op_type cg_communicate_type = {
    .name = "communicate",
    .flags = CG_OP_ANYHOW,
    .process = cg__process_enter,
    .run = communicate_run,
    .cancel = cg__process_cancel,
    .print = communicate_print,
};
