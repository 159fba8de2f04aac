/* SPDX-License-Identifier: MIT */
/* cg_sock_listen_with: on one address a listener is a plain socket; on all addresses of a
 * name it is one socket over several descriptors (listen_many.c). Ports open descriptors in
 * the same way. */
#include "config.h"

#include "sockets/listen/listen.h"
#include "sockets/listen/unix_path.h"
#include "sockets/options.h"
#include "sockets/plain.h"

#include <errno.h>
#include <string.h>

enum { PORT_TRIES = 16 }; /* attempts to find a port that is free on all addresses */

static int backlog_of(const struct cg_listen_options *options)
{
    return options->backlog > 0 ? options->backlog : CG_BACKLOG;
}

static int set_options(struct cg_reactor *reactor, int fd, int family,
                       const struct cg_listen_options *options)
{
    const struct cg__stream_options *stream = (const struct cg__stream_options *)options;
    const struct cg__option own[] = {
        {options->reuse_port, SOL_SOCKET, SO_REUSEPORT, 1},
        {family == AF_INET6, IPPROTO_IPV6, IPV6_V6ONLY, options->v6only},
    };
    int rc;

    if (family == AF_UNIX && (options->reuse_port || options->v6only))
        return -EINVAL;
    rc = cg__options_set_stream(reactor, fd, family, stream, backlog_of(options));
    if (rc < 0 || family == AF_UNIX)
        return rc;
    cg__plain_set(reactor, fd, SOL_SOCKET, SO_REUSEADDR, 1);
    return cg__options_set(reactor, fd, own, sizeof own / sizeof own[0]);
}

/* Returns a bound and listening descriptor, or -errno. path: a UNIX socket's, or NULL. */
static int open_listener(struct cg_reactor *reactor, const struct cg_addr *addr,
                         const struct cg_listen_options *options, struct cg__path *path)
{
    struct cg_io io = {.code = CG_IO_BIND};
    int fd, rc;

    if (path == NULL && (options->mode != 0 || options->owner != NULL))
        return -EINVAL; /* also for an abstract name, which everybody may connect to */
    fd = cg__plain_socket(reactor, addr);
    if (fd < 0)
        return fd;
    rc = set_options(reactor, fd, addr->base.sa_family, options);
    if (rc < 0)
        goto close_fd;
    io.fd = fd;
    io.addr = &addr->base;
    io.addrlen = addr->len;
    rc = (int)cg__plain_call(reactor, &io);
    if (rc < 0)
        goto close_fd;
    cg__unix_path_made(path);
    rc = path != NULL ? cg__unix_path_protect(path, options->mode, options->owner) : 0;
    if (rc < 0)
        goto close_fd;
    io = (struct cg_io){.code = CG_IO_LISTEN, .fd = fd};
    io.backlog = backlog_of(options);
    rc = (int)cg__plain_call(reactor, &io);
    if (rc < 0)
        goto close_fd;
    return fd;

close_fd:
    cg__plain_close_fd(reactor, fd);
    return rc;
}

static int open_unix(struct cg_reactor *reactor, const struct cg_addr *addr,
                     const struct cg_listen_options *options, struct cg__path **made)
{
    struct cg__path *path;
    int rc = cg__unix_path_new(addr, &path);

    if (rc < 0)
        return rc;
    rc = options->take_over ? cg__unix_path_clear(path, addr, SOCK_STREAM) : 0;
    if (rc == 0)
        rc = open_listener(reactor, addr, options, path);
    cg__unix_path_unlock(path);
    if (rc < 0)
        cg__unix_path_remove(path);
    else
        *made = path;
    return rc;
}

static int open_one(struct cg_reactor *reactor, const struct cg_addr *list, int count,
                    const struct cg_listen_options *options)
{
    int fd = CG_EADDR;

    for (int i = 0; i < count; i++) {
        fd = open_listener(reactor, &list[i], options, NULL);
        if (!cg__addr_is_absent(fd))
            break;
    }
    return fd;
}

static void close_all(struct cg_reactor *reactor, const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        cg__plain_close_fd(reactor, fds[i]);
}

/* Reads the port, in network byte order, to which a descriptor is bound. Returns 0 or
 * -errno. */
static int read_port(struct cg_reactor *reactor, int fd, in_port_t *port)
{
    struct cg_addr name;
    int rc = cg__plain_name(reactor, fd, CG_IO_SOCKNAME, &name);

    if (rc == 0)
        *port = *cg__addr_port_of(&name);
    return rc;
}

/* Opens a descriptor on each address that this machine has, all with the same port.
 * Returns how many, or -errno. */
static int try_all(struct cg_reactor *reactor, struct cg_addr *list, int count,
                   const struct cg_listen_options *options, int *fds)
{
    in_port_t port = *cg__addr_port_of(&list[0]);
    int opened = 0, error = CG_EADDR;

    for (int i = 0; i < count; i++) {
        int fd;

        *cg__addr_port_of(&list[i]) = port;
        fd = open_listener(reactor, &list[i], options, NULL);
        if (fd < 0) {
            error = fd;
            if (cg__addr_is_absent(fd))
                continue;
            goto close_opened;
        }
        fds[opened++] = fd;
        if (port == 0 && (error = read_port(reactor, fd, &port)) < 0)
            goto close_opened;
    }
    return opened > 0 ? opened : error;

close_opened:
    close_all(reactor, fds, opened);
    return error;
}

static int open_all(struct cg_reactor *reactor, struct cg_addr *list, int count,
                    const struct cg_listen_options *options, int *fds)
{
    struct cg_listen_options apart = *options;
    in_port_t port = *cg__addr_port_of(&list[0]);
    int opened, tries = 0;

    apart.v6only = true; /* [::] would otherwise take the IPv4 addresses of the others */
    do {
        *cg__addr_port_of(&list[0]) = port;
        opened = try_all(reactor, list, count, &apart, fds);
    } while (opened == -EADDRINUSE && port == 0 && ++tries < PORT_TRIES);
    return opened;
}

int cg__listen_open(struct cg_reactor *reactor, const char *addr,
                    const struct cg_listen_options *options, int fds[static CG__ADDRS_MOST],
                    struct cg__path **path)
{
    struct cg_addr list[CG__ADDRS_MOST];
    int count = cg__addr_parse(addr, true, list, CG__ADDRS_MOST);

    *path = NULL;
    if (count < 0)
        return count;
    if (count > 1 && addr[0] != ':') /* the text is a name */
        return open_all(reactor, list, count, options, fds);
    fds[0] = cg__addr_has_path(&list[0]) ? open_unix(reactor, list, options, path)
                                         : open_one(reactor, list, count, options);
    return fds[0] < 0 ? fds[0] : 1;
}

int cg__listen_again(struct cg_reactor *reactor, int fd,
                     const struct cg_listen_options *options)
{
    struct cg_listen_options same = *options;
    struct cg_addr name;
    int rc = cg__plain_name(reactor, fd, CG_IO_SOCKNAME, &name), v6only = 0;

    if (rc < 0)
        return rc;
    if (name.base.sa_family == AF_INET6)
        rc = cg__plain_get(reactor, fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only);
    same.v6only = v6only != 0;
    same.reuse_port = true;
    return rc < 0 ? rc : open_listener(reactor, &name, &same, NULL);
}

struct cg_sock *cg__listen_new(struct cg_sched *sched, const int *fds, int count)
{
    struct cg_sock *listener;

    if (count > 1)
        return cg__listen_many(sched, fds, count);
    listener = cg_sock_open(sched, &cg__plain_transport, NULL, fds[0]);
    if (listener != NULL)
        listener->listener = true;
    return listener;
}

int cg_sock_listen_with(struct cg_sched *sched, const char *addr,
                        const struct cg_listen_options *options, struct cg_sock **sock)
{
    static const struct cg_listen_options defaults;
    struct cg_reactor *reactor = cg_sched_reactor(sched);
    struct cg_sock *listener;
    struct cg__path *path;
    int fds[CG__ADDRS_MOST];
    int count = cg__listen_open(reactor, addr, options ? options : &defaults, fds, &path);

    if (count < 0)
        return count;
    listener = cg__listen_new(sched, fds, count);
    if (listener != NULL) {
        if (path != NULL)
            listener->state = path;
        *sock = listener;
        return 0;
    }
    close_all(reactor, fds, count);
    cg__unix_path_remove(path);
    return -ENOMEM;
}
