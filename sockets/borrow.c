/* SPDX-License-Identifier: MIT */
/* cg_borrow and cg_giveback: the first chunk of the input, lent. */
#include "config.h"

#include "sockets/engine.h"

#include <assert.h>

static struct cg_borrow_op *of(struct cg_op *op)
{
    return (struct cg_borrow_op *)op;
}

static inline bool borrow_take(struct cg_sock *sock, struct cg_op *op)
{
    struct cg_chunk *chunk = sock->input.first;
    struct cg_view *view = of(op)->view;

    if (chunk == NULL) {
        op->result = sock->error;
        *view = (struct cg_view){.sock = sock};
        return sock->error != 0 || sock->eof;
    }
    chunk->lent = 1;
    *view = (struct cg_view){
        .data = chunk->data + chunk->start,
        .size = chunk->end - chunk->start,
        .sock = sock,
        .chunk = chunk,
    };
    op->result = (ssize_t)view->size;
    return true;
}

static int borrow_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    (void)sock;
    (void)op;
    io->code = CG_IO_RECV;
    io->buf = NULL;
    io->len = 0;
    return 0;
}

static void borrow_complete(struct cg_io *io, ssize_t result);

static const struct cg__work borrow_work = {
    .take = borrow_take,
    .ask = borrow_ask,
    .complete = borrow_complete,
};

static void borrow_complete(struct cg_io *io, ssize_t result)
{
    if (io->chunk != NULL)
        cg__filled_here(io, result, &borrow_work);
    else
        cg__complete(io, result);
}

void cg_giveback(struct cg_view *view, size_t used)
{
    struct cg_chunk *chunk = view->chunk;

    assert(used <= view->size);
    view->chunk = NULL;
    if (chunk == NULL) /* the end of the stream, or given back before */
        return;
    assert(chunk == view->sock->input.first && chunk->lent == 1);
    chunk->lent = 0;
    cg__input_drop(view->sock->reactor, &view->sock->input, used);
}

static enum cg_verdict borrow_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    return cg__begin_reading_here(op, of(op)->sock, &borrow_work);
}

static ssize_t borrow_run(struct cg_op *op)
{
    return cg__run(op, of(op)->sock, CG__RX, &borrow_work);
}

static enum cg_verdict borrow_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    return cg__take_back(op, of(op)->sock, CG__RX);
}

static int borrow_print(const struct cg_op *op, char *buf, size_t size)
{
    return cg__print_sock(((const struct cg_borrow_op *)op)->sock, buf, size);
}

const struct cg_op_type cg_borrow_type = {
    .name = "borrow",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = borrow_process,
    .run = borrow_run,
    .cancel = borrow_cancel,
    .print = borrow_print,
};
