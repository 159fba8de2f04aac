/* SPDX-License-Identifier: MIT */
/* cg_connect: the addresses of the text, one after the other, until one answers. The socket
 * exists from the start, so that a connection that comes too late has an owner who closes
 * it. */
#include "config.h"

#include "sockets/plain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cg_connect_op *of(struct cg_op *op)
{
    return (struct cg_connect_op *)op;
}

static bool connect_take(struct cg_sock *sock, struct cg_op *op)
{
    struct cg__addrs *addrs = sock->state;

    if (!addrs->connected)
        return false;
    free(addrs);
    sock->state = NULL;
    *of(op)->conn = sock;
    op->result = 0;
    return true;
}

static int connect_ask(struct cg_sock *sock, struct cg_op *op, struct cg_io *io)
{
    struct cg__addrs *addrs = sock->state;

    (void)op;
    if (sock->fd >= 0) {
        cg__close_fd(sock->reactor, sock->fd);
        sock->fd = -1;
    }
    while (addrs->next < addrs->count) {
        struct cg__addr *addr = &addrs->list[addrs->next++];
        int fd = cg__socket(sock->reactor, addr);

        if (fd >= 0) {
            sock->fd = fd;
            io->code = CG_IO_CONNECT;
            io->addr = &addr->base;
            io->addrlen = addr->size;
            return 0;
        }
        addrs->error = fd;
    }
    return addrs->error;
}

static int connect_got(struct cg_sock *sock, struct cg_op *op, ssize_t result)
{
    struct cg__addrs *addrs = sock->state;

    (void)op;
    addrs->connected = result >= 0;
    addrs->error = result < 0 ? (int)result : 0;
    return addrs->next < addrs->count ? 0 : addrs->error;
}

static void connect_ended(struct cg_sock *sock, struct cg_op *op)
{
    of(op)->sock = NULL;
    if (sock->state != NULL)
        cg_close(sock);
}

static const struct cg__work connect_work = {
    .take = connect_take,
    .ask = connect_ask,
    .got = connect_got,
    .ended = connect_ended,
};

static enum cg_verdict connect_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg__addr list[CG__ADDRS_MOST];
    int count = cg__addr_parse(of(op)->addr, false, list, CG__ADDRS_MOST);
    struct cg_sock *sock;
    struct cg__addrs *addrs;
    enum cg_verdict verdict;

    op->result = count;
    if (count < 0)
        return CG_DONE;
    op->result = -ENOMEM;
    addrs = malloc(sizeof *addrs + (size_t)count * sizeof list[0]);
    if (addrs == NULL)
        return CG_DONE;
    *addrs = (struct cg__addrs){.count = count};
    memcpy(addrs->list, list, (size_t)count * sizeof list[0]);
    sock = cg_sock_new(sched, &cg__plain_transport, addrs, -1);
    if (sock == NULL) {
        free(addrs);
        return CG_DONE;
    }
    of(op)->sock = sock;
    verdict = cg__begin(op, sock, CG__TX, &connect_work);
    if (verdict == CG_DONE)
        connect_ended(sock, op);
    return verdict;
}

static enum cg_verdict connect_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_sock *sock = of(op)->sock;

    (void)sched;
    of(op)->sock = NULL;
    cg__take_back(op, sock, CG__TX);
    cg_close(sock); /* a connection that comes yet is closed there */
    return CG_DONE;
}

static int connect_print(const struct cg_op *op, char *buf, size_t size)
{
    const char *addr = ((const struct cg_connect_op *)op)->addr;

    return snprintf(buf, size, "%s", addr != NULL ? addr : "nowhere");
}

const struct cg_op_type cg_connect_type = {
    .name = "connect",
    .process = connect_process,
    .cancel = connect_cancel,
    .print = connect_print,
};
