/* SPDX-License-Identifier: MIT */
/* cg_splice. Bytes that are not yet written always count as unread input of their socket:
 * copied ones are lent from there until they are written, and those in a pipe are put back
 * when the operation ends. So nothing is lost, wherever it ends. */
#include "config.h"

#include "sockets/plain.h"
#include "sockets/splice/splice_step.h"

#include <cogen/splice.h>

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

_Static_assert(sizeof(struct cg_splice_op) <= 144, "two sockets");

enum {
    BULK = 64 * 1024, /* bytes that are copied without a pause before a pipe is opened */
};

#define IDLE CG_SECOND /* a pipe without a byte for so long is closed */

/* The progress of one run. */
struct way {
    struct cg_splice_op *splice;
    struct cg__splice_pipe *pipe; /* NULL: none is open */
    size_t streak; /* bytes copied in full buffers, one after the other */
    bool copies;   /* there is no way through the kernel */
};

enum { GO_ON = 1 }; /* result of a step that did not end the splice */

static struct cg_splice_op *of(struct cg_op *op)
{
    return (struct cg_splice_op *)op;
}

static size_t left(const struct cg_splice_op *splice, size_t most)
{
    size_t rest = splice->len - splice->done;

    return rest < most ? rest : most;
}

static void progress(struct cg_splice_op *splice, size_t moved)
{
    splice->done += moved;
    if (moved == 0)
        return;
    cg_op_progress(&splice->op);
    if (splice->relay != NULL)
        cg_op_progress(splice->relay);
}

/* Waits for input and writes it straight from the socket's buffer. Returns GO_ON, 0 at the
 * end of the stream, or an error. */
static ssize_t copy(struct way *way)
{
    struct cg_splice_op *splice = way->splice;
    struct cg_view view;
    size_t len, done = 0;
    ssize_t n = cg_yield(cg_borrow(splice->from, &view, .timeout = CG_NEVER));

    if (n <= 0)
        return n;
    if (way->pipe == NULL)
        way->streak = view.len >= CG_CHUNK_SIZE / 2 ? way->streak + view.len : 0;
    len = left(splice, view.len);
    while (done < len && n > 0) {
        size_t moved = 0;

        n = cg_yield(cg_write(splice->to, view.data + done, len - done, .moved = &moved,
                              .timeout = CG_NEVER));
        done += moved;
        progress(splice, moved);
    }
    cg_view_release(&view, done);
    return n < 0 ? n : GO_ON;
}

/* Returns GO_ON when the pipe is empty, or an error. */
static ssize_t drain(struct cg_splice_op *splice, struct cg__splice_pipe *pipe)
{
    while (pipe->held > 0) {
        ssize_t n = cg_yield(cg__splice_drain(splice->to, pipe, .timeout = CG_NEVER));

        if (n < 0)
            return n;
        progress(splice, (size_t)n);
    }
    return GO_ON;
}

static void close_pipe(struct way *way)
{
    if (way->pipe != NULL)
        cg__splice_pipe_close(way->pipe);
    way->pipe = NULL;
    way->streak = 0;
}

/* Like copy, through a pipe. If the whole splice times out, or the connection that is read
 * does, this looks like a pause, but the next operation fails. */
static ssize_t pass(struct way *way)
{
    struct cg_splice_op *splice = way->splice;
    bool pauses;
    ssize_t n;

    if (way->pipe == NULL && (way->pipe = cg__splice_pipe_open(splice->from)) == NULL) {
        way->streak = 0;
        return GO_ON;
    }
    n = cg_yield(cg__splice_fill(splice->from, way->pipe, left(splice, CG_SPLICE_MOST),
                                 .timeout = IDLE));
    pauses = n == -ETIMEDOUT;
    if (n > 0)
        n = drain(splice, way->pipe);
    if (n > 0 || n == -EAGAIN)
        return GO_ON;
    close_pipe(way);
    way->copies = n == -EOPNOTSUPP || n == -ENOMEM;
    return way->copies || pauses ? GO_ON : n;
}

/* Unread input is written first, by copying. Under io_uring more of it may come while an
 * armed receive is taken back. */
static bool may_pass(const struct way *way)
{
    return !way->copies && way->streak >= BULK && way->splice->from->input.first == NULL;
}

static bool is_in_kernel(const struct cg_sock *sock)
{
    return sock->transport == &cg__plain_transport && !sock->reactor->simulated;
}

static ssize_t splice_run(struct cg_op *op)
{
    struct cg_splice_op *splice = of(op);
    struct way way = {
        .splice = splice,
        .copies = !is_in_kernel(splice->from) || !is_in_kernel(splice->to),
    };
    ssize_t n = GO_ON;

    while (n > 0 && splice->done < splice->len)
        n = may_pass(&way) ? pass(&way) : copy(&way);
    close_pipe(&way);
    if (n == 0 && splice->relay != NULL)
        n = cg_yield(cg_shutdown(splice->to, SHUT_WR, .timeout = CG_NEVER));
    return n < 0 ? n : (ssize_t)splice->done;
}

static enum cg_verdict splice_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_splice_op *splice = of(op);

    (void)sched;
    splice->done = 0;
    op->result = -EBADF;
    if (splice->from == NULL || splice->to == NULL || splice->from->closing ||
        splice->to->closing)
        return CG_DONE;
    op->result = -EINVAL;
    if (splice->from->listener || splice->to->listener)
        return CG_DONE;
    cg_sock_keep(splice->from);
    cg_sock_keep(splice->to);
    splice->kept = true;
    return CG_RUN;
}

static ssize_t splice_finish(struct cg_op *op)
{
    struct cg_splice_op *splice = of(op);

    if (splice->moved != NULL)
        *splice->moved = splice->done;
    if (splice->kept) {
        int from = cg_sock_unkeep(splice->from), to = cg_sock_unkeep(splice->to);

        if (from < 0 || to < 0)
            op->result = -EBADF;
    }
    splice->kept = false;
    splice->done = 0;
    return op->result;
}

static int splice_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_splice_op *splice = (const struct cg_splice_op *)op;
    char from[32], to[32];

    cg__sock_print(splice->from, from, sizeof from);
    cg__sock_print(splice->to, to, sizeof to);
    return snprintf(buf, size, "%s to %s, %zu", from, to, splice->done);
}

const struct cg_op_type cg_splice_type = {
    .name = "splice",
    .process = splice_process,
    .run = splice_run,
    .finish = splice_finish,
    .print = splice_print,
};
