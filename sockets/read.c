/* SPDX-License-Identifier: MIT */
/* cg_read, cg_readall, cg_readline, cg_read_to_end, cg_readlines. */
#include "config.h"

#include "sockets/slots.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static struct cg_read_op *of(struct cg_op *op)
{
    return (struct cg_read_op *)op;
}

/* Lets the request fill the rest of the op's buffer directly, unless the reactor is
 * known to deliver chunks (multishot). */
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

static void fill(struct cg_sock *sock, struct cg_read_op *read)
{
    if (sock->input.first != NULL)
        read->done +=
            cg__input_read(sock->reactor, &sock->input, (char *)read->buf + read->done,
                           read->len - read->done);
}

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

static const struct cg__work read_work = {
    .direction = CG__RX,
    .take = read_take,
    .ask = ask_into_buffer,
    .got = read_got,
};

static enum cg_verdict read_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    of(op)->done = 0;
    return cg__slots_process_here(op, &read_work);
}

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
    .direction = CG__RX,
    .take = readall_take,
    .ask = ask_into_buffer,
    .got = got_into_buffer,
    .partial = true,
};

/* Lines are searched in the input, so requests must fill the input and not the op's
 * buffer. */
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
            return true; /* a truncated line must not look like a whole one */
        if (!sock->eof)
            return false;
        line = unread;
    }
    op->result = -EMSGSIZE;
    if (line >= read->len || line > CG_INPUT_LIMIT)
        return true; /* however its bytes came: more than the limit may be here by now */
    read->done = cg__input_read(sock->reactor, &sock->input, text, line);
    text[line] = '\0';
    op->result = (ssize_t)line;
    return true;
}

static const struct cg__work readline_work = {
    .direction = CG__RX,
    .take = readline_take,
    .ask = cg__slots_ask_input,
};

/* Once the buffer is full, one more request finds out whether the stream ends there; what it
 * brings stays unread. */
static int to_end_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    if (of(op)->done < of(op)->len)
        return ask_into_buffer(sock, op, io);
    return cg__slots_ask_input(sock, op, io);
}

static bool to_end_take(struct cg_sock *sock, struct cg_op *op)
{
    fill(sock, of(op));
    op->result = -EMSGSIZE;
    if (sock->input.first != NULL)
        return true;
    op->result = sock->error != 0 ? sock->error : (ssize_t)of(op)->done;
    return sock->error != 0 || sock->eof;
}

static const struct cg__work to_end_work = {
    .direction = CG__RX,
    .take = to_end_take,
    .ask = to_end_ask,
    .got = got_into_buffer,
    .partial = true,
};

/* A readlines is a read_to_end, and at its end a search. */
_Static_assert(offsetof(struct cg_readlines_op, buf) == offsetof(struct cg_read_op, buf),
               "a readlines begins like a read");

static bool readlines_take(struct cg_sock *sock, struct cg_op *op)
{
    struct cg_readlines_op *read = (struct cg_readlines_op *)op;
    char *at = read->buf, *end;
    size_t count = 0;

    if (!to_end_take(sock, op))
        return false;
    if (op->result < 0)
        return true;
    for (end = at + op->result; at < end && count < read->most; count++) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *next = newline != NULL ? newline + 1 : end;

        read->lines[count] = (struct cg_line){.text = at, .len = (size_t)(next - at)};
        at = next;
    }
    op->result = at < end ? -EMSGSIZE : (ssize_t)count;
    return true;
}

static const struct cg__work readlines_work = {
    .direction = CG__RX,
    .take = readlines_take,
    .ask = to_end_ask,
    .got = got_into_buffer,
    .partial = true,
};

const struct cg_op_type cg_read_type =
    CG__SLOTS_BYTES_BY(read_process, "read", read_work);
const struct cg_op_type cg_readall_type = CG__SLOTS_BYTES("readall", readall_work);
const struct cg_op_type cg_readline_type = CG__SLOTS_BYTES("readline", readline_work);
const struct cg_op_type cg_read_to_end_type = CG__SLOTS_BYTES("read_to_end", to_end_work);
const struct cg_op_type cg_readlines_type = CG__SLOTS_BYTES("readlines", readlines_work);
