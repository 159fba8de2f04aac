/* SPDX-License-Identifier: MIT */
/* cg_read_proxy_header and cg_write_proxy_header. What a proxy has told stays with the socket. */
#include "config.h"

#include "lib/base/network.h"
#include "sockets/proxied/proxy_header.h"
#include "sockets/sock.h"

#include <cogen/proxied.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cg_read_proxy_header_op *reader(struct cg_op *op)
{
    return (struct cg_read_proxy_header_op *)op;
}

static bool is_usable(struct cg_op *op, const struct cg_sock *sock)
{
    op->result = sock == NULL || sock->closing ? -EBADF
                 : sock->listener              ? -EINVAL
                 : sock->datagrams             ? -EOPNOTSUPP
                                               : 0;
    return op->result == 0;
}

/* 1: the peer is one of these proxies; 0; or a negative code. */
static int is_from(struct cg_sock *sock, const char *proxies)
{
    char peer[CG_ADDR_SIZE];

    if (cg_sock_peer_addr(sock, peer, sizeof peer) < 0)
        return 0;
    return cg__network_trusts(proxies, cg__network_host(peer));
}

static enum cg_verdict read_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_sock *sock = reader(op)->sock;

    (void)sched;
    if (!is_usable(op, sock))
        return CG_DONE;
    if (sock->told != NULL) {
        op->result = *sock->told != '\0';
        return CG_DONE;
    }
    if (reader(op)->from != NULL && (op->result = is_from(sock, reader(op)->from)) <= 0)
        return CG_DONE;
    cg_sock_keep(sock);
    reader(op)->kept = true;
    return CG_RUN;
}

static ssize_t tell(struct cg_sock *sock, const char *client)
{
    sock->told = strdup(client);
    return sock->told == NULL ? -ENOMEM : *client != '\0';
}

/* The header stays unread until all of it has come. */
static ssize_t read_run(struct cg_op *op)
{
    struct cg_sock *sock = reader(op)->sock;
    char client[CG_ADDR_SIZE];
    size_t have = 0;

    for (;;) {
        struct cg_view view;
        ssize_t n = cg_yield(cg_borrow(sock, &view, .least = have + 1, .timeout = CG_NEVER));

        if (n <= 0)
            return n < 0 ? n : CG_EOF;
        if (view.len <= have) { /* no more will come */
            cg_view_release(&view, 0);
            return sock->error < 0 ? sock->error : CG_EOF;
        }
        have = view.len;
        n = cg__proxy_header_parse(view.data, view.len, client);
        if (n <= 0) {
            cg_view_release(&view, 0);
            if (n < 0)
                return n;
            continue;
        }
        have = (size_t)n;
        n = tell(sock, client);
        cg_view_release(&view, n < 0 ? 0 : have);
        return n;
    }
}

static ssize_t release(struct cg_op *op, struct cg_sock *sock, bool *kept)
{
    if (*kept && cg_sock_unkeep(sock) < 0)
        op->result = -EBADF; /* another coroutine has closed it */
    *kept = false;
    return op->result;
}

static ssize_t read_finish(struct cg_op *op)
{
    return release(op, reader(op)->sock, &reader(op)->kept);
}

static int read_print(const struct cg_op *op, char *buf, size_t size)
{
    return cg__sock_print(((const struct cg_read_proxy_header_op *)op)->sock, buf, size);
}

const struct cg_op_type cg_read_proxy_header_type = {
    .name = "read_proxy_header",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = read_process,
    .run = read_run,
    .finish = read_finish,
    .print = read_print,
};

static struct cg_write_proxy_header_op *writer(struct cg_op *op)
{
    return (struct cg_write_proxy_header_op *)op;
}

static enum cg_verdict write_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    if (!is_usable(op, writer(op)->sock))
        return CG_DONE;
    op->result = -EINVAL;
    if (writer(op)->version > 2)
        return CG_DONE;
    cg_sock_keep(writer(op)->sock);
    writer(op)->kept = true;
    return CG_RUN;
}

static ssize_t write_run(struct cg_op *op)
{
    const struct cg_write_proxy_header_op *write = writer(op);
    char header[CG__PROXY_HEADER_MADE];
    size_t len = cg__proxy_header_make(header, write->version == 1 ? 1 : 2, write->client,
                                       write->server);
    ssize_t n = cg_yield(cg_writeall(write->sock, header, len, .timeout = CG_NEVER));

    return n < 0 ? n : 0;
}

static ssize_t write_finish(struct cg_op *op)
{
    return release(op, writer(op)->sock, &writer(op)->kept);
}

static int write_print(const struct cg_op *op, char *buf, size_t size)
{
    return cg__sock_print(((const struct cg_write_proxy_header_op *)op)->sock, buf, size);
}

const struct cg_op_type cg_write_proxy_header_type = {
    .name = "write_proxy_header",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = write_process,
    .run = write_run,
    .finish = write_finish,
    .print = write_print,
};
