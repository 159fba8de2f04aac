/* SPDX-License-Identifier: MIT */
/* cg_borrow and cg_view_release: lend the first chunk of the input. If it must hold more
 * bytes than it does (.least), those of the next ones are moved into it. */
#include "config.h"

#include "sockets/slots.h"

#include <assert.h>
#include <errno.h>

static struct cg_borrow_op *of(struct cg_op *op)
{
    return (struct cg_borrow_op *)op;
}

/* Lends the first chunk, with at least `least` bytes, or reports the end of the stream. */
static bool lend(struct cg_sock *sock, struct cg_op *op, size_t least)
{
    struct cg_view *view = of(op)->view;
    size_t unread = sock->input.unread;
    struct cg_chunk *chunk;

    *view = (struct cg_view){.sock = sock};
    op->result = sock->error;
    if (unread == 0)
        return true;
    op->result = -ENOMEM;
    if (!cg__input_gather(sock->reactor, &sock->input, least))
        return true;
    chunk = sock->input.first;
    chunk->lent = 1;
    *view = (struct cg_view){
        .data = chunk->data + chunk->start,
        .len = chunk->end - chunk->start,
        .sock = sock,
        .chunk = chunk,
    };
    op->result = (ssize_t)view->len;
    return true;
}

static bool borrow_take(struct cg_sock *sock, struct cg_op *op)
{
    size_t least = of(op)->least, unread = sock->input.unread;

    if (unread >= least && unread > 0)
        return lend(sock, op, least);
    return (sock->error != 0 || sock->eof) && lend(sock, op, unread);
}

/* The socket was closed before the coroutine ran, and the chunk was freed with it. */
static void borrow_withdraw(struct cg_op *op)
{
    *of(op)->view = (struct cg_view){.sock = NULL};
}

static const struct cg__work borrow_work = {
    .direction = CG__RX,
    .take = borrow_take,
    .ask = cg__slots_ask_input,
};

static enum cg_verdict borrow_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    op->result = -EMSGSIZE;
    if (of(op)->least > CG_INPUT_LIMIT)
        return CG_DONE;
    return cg__slots_process_here(op, &borrow_work);
}

void cg_view_release(struct cg_view *view, size_t used)
{
    struct cg_chunk *chunk = view->chunk;

    assert(used <= view->len);
    view->chunk = NULL;
    if (chunk == NULL) /* the end of the stream, or the view was already released */
        return;
    assert(chunk == view->sock->input.first && chunk->lent == 1);
    chunk->lent = 0;
    cg__input_drop(view->sock->reactor, &view->sock->input, used);
}

const struct cg_op_type cg_borrow_type = {
    .name = "borrow",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = borrow_process,
    .run = cg__slots_run,
    .cancel = cg__slots_cancel,
    .print = cg__slots_print,
    .detail = &borrow_work,
    .withdraw = borrow_withdraw,
};
