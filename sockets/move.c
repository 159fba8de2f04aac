/* SPDX-License-Identifier: MIT */
/* cg_sock_move: a connection goes to another worker. It leaves its scheduler as a descriptor
 * and unread bytes, and is made a socket again in the other's thread. */
#include "config.h"

#include "lib/threads/crew.h"
#include "sockets/sock.h"

#include <cogen/serve.h>
#include <cogen/sock.h>

#include <errno.h>
#include <stdlib.h>

/* What is on its way. */
struct parcel {
    struct cg__post post; /* must be first */
    struct cg_sched *sched;
    cg_handler *fn;
    void *arg;
    struct cg_sock *conn; /* once it has arrived */
    int fd;
    void *rest; /* the unread bytes */
    size_t len;
    int64_t timeout;
};

static void free_parcel(struct parcel *parcel)
{
    free(parcel->rest);
    free(parcel);
}

static ssize_t handle(void *arg)
{
    struct parcel parcel = *(struct parcel *)arg;

    free(arg);
    return parcel.fn(parcel.conn, parcel.arg);
}

/* By the reactor: a simulated handle is no descriptor of the kernel. */
static void close_parcel(struct parcel *parcel)
{
    struct cg_io io = {.code = CG_IO_CLOSE, .fd = parcel->fd};

    cg_reactor_submit(parcel->sched->reactor, &io);
    free_parcel(parcel);
}

/* In the other worker's thread. Without memory the connection is closed, as by accept. */
static void arrived(struct cg__post *post, bool dropped)
{
    struct parcel *parcel = (struct parcel *)post;
    const struct cg_attach_options options = {.unread = parcel->rest, .len = parcel->len};

    if (dropped || parcel->sched->stopping ||
        cg_sock_attach_with(parcel->sched, parcel->fd, &options, &parcel->conn) < 0) {
        close_parcel(parcel);
        return;
    }
    free(parcel->rest);
    parcel->rest = NULL;
    cg_sock_set_timeout(parcel->conn, parcel->timeout);
    if (cg_sched_start(parcel->sched, handle, parcel, .name = "moved") < 0) {
        cg_sock_close(parcel->conn);
        free_parcel(parcel);
    }
}

int cg_sock_move(struct cg_sock *sock, struct cg_worker *worker, cg_handler *fn, void *arg)
{
    struct parcel *parcel;
    int fd;

    if (worker == NULL || fn == NULL)
        return -EINVAL;
    if (atomic_load(&worker->sched->refuses))
        return -ESRCH;
    if (sock->listener || sock->datagrams)
        return -EOPNOTSUPP;
    if ((parcel = malloc(sizeof *parcel)) == NULL)
        return -ENOMEM;
    *parcel = (struct parcel){.post.run = arrived,
                              .sched = worker->sched,
                              .fn = fn,
                              .arg = arg,
                              .timeout = sock->timeout};
    if ((fd = cg_sock_detach(sock, &parcel->rest, &parcel->len)) < 0) {
        free(parcel);
        return fd;
    }
    parcel->fd = fd;
    cg__post(worker->sched, &parcel->post);
    return 0;
}
