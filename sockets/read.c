/* SPDX-License-Identifier: MIT */
/* cg_read, cg_readall, cg_readline. */
#include "config.h"

#include "sockets/engine.h"

#include <errno.h>
#include <string.h>

static struct cg_read_op *of(struct cg_op *op)
{
    return (struct cg_read_op *)op;
}

/* What is left of the op's buffer may be filled directly, unless the reactor is known to
 * answer with chunks. */
static int ask_into_buffer(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    struct cg_read_op *read = of(op);

    io->code = CG_IO_RECV;
    io->buf = sock->multishot ? NULL : (char *)read->buf + read->done;
    io->len = sock->multishot ? 0 : read->len - read->done;
    return 0;
}

static int got_into_buffer(struct cg_sock *sock, struct cg_op *op, ssize_t result)
{
    (void)sock;
    of(op)->done += (size_t)result;
    return 0;
}

static inline void fill(struct cg_sock *sock, struct cg_read_op *read)
{
    if (sock->input.first != NULL)
        read->done +=
            cg__input_read(sock->reactor, &sock->input, (char *)read->buf + read->done,
                           read->len - read->done);
}

/* ---- read ---- */

static inline bool read_take(struct cg_sock *sock, struct cg_op *op)
{
    struct cg_read_op *read = of(op);

    if (read->done == 0)
        fill(sock, read);
    if (read->done > 0 || read->len == 0) {
        op->result = (ssize_t)read->done;
        return true;
    }
    if (sock->error == 0 && !sock->eof)
        return false;
    op->result = sock->error;
    return true;
}

static int read_got(struct cg_sock *sock, struct cg_op *op, ssize_t result)
{
    (void)sock;
    of(op)->done = (size_t)result;
    return 0;
}

static void read_complete(struct cg_io *io, ssize_t result);

static const struct cg__work read_work = {
    .take = read_take,
    .ask = ask_into_buffer,
    .got = read_got,
    .complete = read_complete,
};

static __attribute__((noinline)) void read_filled(struct cg_io *io, ssize_t result)
{
    cg__filled_here(io, result, &read_work);
}

static void read_complete(struct cg_io *io, ssize_t result)
{
    if (io->chunk != NULL)
        read_filled(io, result);
    else
        cg__moved_here(io, result, CG__RX, &read_work);
}

static enum cg_verdict read_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    of(op)->done = 0;
    return cg__begin_reading_here(op, of(op)->sock, &read_work);
}

static ssize_t read_run(struct cg_op *op)
{
    return cg__run(op, of(op)->sock, CG__RX, &read_work);
}

/* ---- readall ---- */

static bool readall_take(struct cg_sock *sock, struct cg_op *op)
{
    struct cg_read_op *read = of(op);

    fill(sock, read);
    op->result = (ssize_t)read->done;
    if (read->done == read->len)
        return true;
    op->result = sock->error != 0 ? sock->error : CG_EOF;
    return sock->error != 0 || sock->eof;
}

static const struct cg__work readall_work = {
    .take = readall_take,
    .ask = ask_into_buffer,
    .got = got_into_buffer,
    .partial = true,
};

static enum cg_verdict readall_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    of(op)->done = 0;
    return cg__begin_reading(op, of(op)->sock, &readall_work);
}

static ssize_t readall_run(struct cg_op *op)
{
    return cg__run(op, of(op)->sock, CG__RX, &readall_work);
}

/* Also of an op that was refused before it was processed: nothing moved. */
static ssize_t read_finish(struct cg_op *op)
{
    struct cg_read_op *read = of(op);

    if (read->moved != NULL)
        *read->moved = read->done;
    read->done = 0;
    return op->result;
}

/* ---- readline ---- */

/* The lines are found in the input, which a direct buffer would bypass. */
static bool readline_take(struct cg_sock *sock, struct cg_op *op)
{
    struct cg_read_op *read = of(op);
    size_t line, unread = sock->input.unread;
    char *text = read->buf;

    op->result = -EINVAL;
    if (read->len == 0)
        return true;
    line = cg__input_line(&sock->input);
    if (line == 0) {
        op->result = -EMSGSIZE;
        if (unread >= read->len || unread >= CG_INPUT_LIMIT)
            return true;
        op->result = sock->error;
        if (sock->error != 0)
            return true; /* half a line must not pass for a whole one */
        if (!sock->eof)
            return false;
        line = unread;
    }
    op->result = -EMSGSIZE;
    if (line >= read->len)
        return true;
    read->done = cg__input_read(sock->reactor, &sock->input, text, line);
    text[line] = '\0';
    op->result = (ssize_t)line;
    return true;
}

static int readline_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    (void)sock;
    (void)op;
    io->code = CG_IO_RECV;
    io->buf = NULL;
    io->len = 0;
    return 0;
}

static const struct cg__work readline_work = {
    .take = readline_take,
    .ask = readline_ask,
};

static enum cg_verdict readline_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    of(op)->done = 0;
    return cg__begin_reading(op, of(op)->sock, &readline_work);
}

static ssize_t readline_run(struct cg_op *op)
{
    return cg__run(op, of(op)->sock, CG__RX, &readline_work);
}

/* ---- all ---- */

static enum cg_verdict read_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    return cg__take_back(op, of(op)->sock, CG__RX);
}

static int read_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_read_op *read = (const struct cg_read_op *)op;

    return cg__print(read->sock, read->done, read->len, buf, size);
}

const struct cg_op_type cg_read_type = {
    .name = "read",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = read_process,
    .run = read_run,
    .cancel = read_cancel,
    .finish = read_finish,
    .print = read_print,
};

const struct cg_op_type cg_readall_type = {
    .name = "readall",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = readall_process,
    .run = readall_run,
    .cancel = read_cancel,
    .finish = read_finish,
    .print = read_print,
};

const struct cg_op_type cg_readline_type = {
    .name = "readline",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = readline_process,
    .run = readline_run,
    .cancel = read_cancel,
    .finish = read_finish,
    .print = read_print,
};
