/* SPDX-License-Identifier: MIT */
/* cg_listen_on and cg_accept. A connection that comes too late for its accept stays with
 * the listener, for the next one. */
#include "config.h"

#include "sockets/plain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int set_flag(struct cg_reactor *reactor, int fd, int level, int name, int value)
{
    struct cg_io io = {.code = CG_IO_SETOPT, .fd = fd};

    io.level = level;
    io.name = name;
    io.value = &value;
    io.size = sizeof value;
    return (int)cg__call_reactor(reactor, &io);
}

static int set_options(struct cg_reactor *reactor, int fd, int family,
                       const struct cg_listen_options *options)
{
    int rc = 0;

    if (family == AF_UNIX)
        return options->reuse_port || options->v6only ? -EINVAL : 0;
    set_flag(reactor, fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (options->reuse_port)
        rc = set_flag(reactor, fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (rc >= 0 && family == AF_INET6)
        rc = set_flag(reactor, fd, IPPROTO_IPV6, IPV6_V6ONLY, options->v6only);
    return rc;
}

/* A bound and listening descriptor, or -errno. */
static int open_listener(struct cg_reactor *reactor, const struct cg__addr *addr,
                         const struct cg_listen_options *options)
{
    struct cg_io io = {.code = CG_IO_BIND};
    int fd = cg__socket(reactor, addr);
    int rc;

    if (fd < 0)
        return fd;
    rc = set_options(reactor, fd, addr->base.sa_family, options);
    if (rc < 0)
        goto close_fd;
    io.fd = fd;
    io.addr = &addr->base;
    io.addrlen = addr->size;
    rc = (int)cg__call_reactor(reactor, &io);
    if (rc < 0)
        goto close_fd;
    io = (struct cg_io){.code = CG_IO_LISTEN, .fd = fd};
    io.backlog = options->backlog > 0 ? options->backlog : CG_BACKLOG;
    rc = (int)cg__call_reactor(reactor, &io);
    if (rc < 0)
        goto close_fd;
    return fd;

close_fd:
    cg__close_fd(reactor, fd);
    return rc;
}

/* Whether the bind made this path is seen from its not having been there before: a reactor
 * may keep names of its own, and then a file of the same name is nobody's business. */
static void remember_path(struct cg__path *path, bool was_there)
{
    struct stat made;

    if (was_there || lstat(path->text, &made) < 0 || !S_ISSOCK(made.st_mode))
        return;
    path->dev = made.st_dev;
    path->ino = made.st_ino;
}

int cg_listen_on(struct cg_sched *sched, const char *addr, struct cg_sock **sock,
                 const struct cg_listen_options *options)
{
    static const struct cg_listen_options defaults;
    struct cg_reactor *reactor = cg_sched_reactor(sched);
    struct cg__addr list[CG__ADDRS_MOST];
    struct cg_sock *listener;
    struct cg__path *path = NULL;
    struct stat before;
    bool was_there = false;
    int fd = CG_EADDR, count = cg__addr_parse(addr, true, list, CG__ADDRS_MOST);

    if (count < 0)
        return count;
    if (options == NULL)
        options = &defaults;
    listener = cg_sock_new(sched, &cg__plain_transport, NULL, -1);
    if (listener == NULL)
        return -ENOMEM;
    listener->listener = true;
    if (list[0].base.sa_family == AF_UNIX && list[0].un.sun_path[0] != '\0') {
        path = listener->state = calloc(1, sizeof *path);
        if (path == NULL) {
            cg_close(listener);
            return -ENOMEM;
        }
        was_there = lstat(list[0].un.sun_path, &before) == 0;
    }
    for (int i = 0; i < count; i++) {
        fd = open_listener(reactor, &list[i], options);
        if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL)
            break;
    }
    if (fd < 0) {
        cg_close(listener);
        return fd;
    }
    cg__sock_set_fd(listener, fd);
    if (path != NULL) {
        strcpy(path->text, list[0].un.sun_path); /* the parser has left room for its NUL */
        remember_path(path, was_there);
    }
    *sock = listener;
    return 0;
}

/* ---- the operation ---- */

static bool accept_take(struct cg_sock *listener, struct cg_op *op)
{
    struct cg_sock *conn;
    int fd = listener->spare;

    if (fd < 0)
        return false;
    conn = cg_sock_new(listener->sched, &cg__plain_transport, NULL, fd);
    op->result = -ENOMEM; /* the connection is still there for the next accept */
    if (conn == NULL)
        return true;
    listener->spare = -1;
    *((struct cg_accept_op *)op)->conn = conn;
    op->result = 0;
    return true;
}

static int accept_ask(struct cg_sock *listener, struct cg_op *op, struct cg_io *io)
{
    (void)op;
    io->code = CG_IO_ACCEPT;
    return listener->listener ? 0 : -EINVAL;
}

bool cg__accept_undo(struct cg_sock *listener, struct cg_sock *conn)
{
    void *rest;
    size_t size;
    int fd;

    if (listener->closing || listener->spare >= 0 || listener->side[CG__RX].op != NULL)
        return false;
    fd = cg_detach(conn, &rest, &size);
    listener->spare = fd < 0 ? -1 : fd;
    return fd >= 0;
}

static const struct cg__work accept_work = {
    .direction = CG__RX, .take = accept_take, .ask = accept_ask};

const struct cg_op_type cg_accept_type = {
    .name = "accept",
    .process = cg__slots_process,
    .cancel = cg__slots_cancel,
    .print = cg__slots_print,
    .detail = &accept_work,
};
