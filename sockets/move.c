/* SPDX-License-Identifier: MIT */
/* cg_sock_move: a connection goes to another worker. It leaves its scheduler as a descriptor
 * with unread bytes and, over it, the state of its transport (TLS) with more of them. It is
 * made a socket again in the other's thread. */
#include "config.h"

#include "lib/threads/crew.h"
#include "sockets/attach.h"
#include "sockets/move.h"
#include "sockets/plain.h"

#include <cogen/serve.h>
#include <cogen/sock.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a socket has besides its transport. */
struct layer {
    void *rest; /* the unread bytes */
    size_t len;
    char *told;
    int64_t timeout;
    int error, lost;
    bool eof;
};

/* What is on its way. */
struct parcel {
    struct cg__post post; /* must be first */
    struct cg_sched *sched;
    cg_handler *fn;
    void (*lost)(void *arg);
    void *arg;
    struct cg_sock *conn; /* once it has arrived */
    int fd;               /* -1: the socket that has arrived owns it */
    const struct cg_transport_type *transport; /* over the descriptor; NULL: none */
    void *state;                               /* packed; NULL: a socket owns it */
    struct layer bottom, top;
};

/* In the place of a transport whose state is on its way. */
static const struct cg_transport_type moving = {.name = "moving"};

/* The descriptor is closed by the reactor: a handle of the simulator is not the kernel's. */
static void free_parcel(struct parcel *parcel)
{
    struct cg_io io = {.code = CG_IO_CLOSE, .fd = parcel->fd};

    if (parcel->fd >= 0)
        cg_reactor_submit(parcel->sched->reactor, &io);
    if (parcel->state != NULL)
        parcel->transport->move->drop(parcel->state);
    free(parcel->bottom.rest);
    free(parcel->bottom.told);
    free(parcel->top.rest);
    free(parcel->top.told);
    free(parcel);
}

static void lose(struct parcel *parcel)
{
    if (parcel->lost != NULL)
        parcel->lost(parcel->arg);
    free_parcel(parcel);
}

static ssize_t handle(void *arg)
{
    struct parcel *parcel = arg;
    cg_handler *fn = parcel->fn;
    struct cg_sock *conn = parcel->conn;

    arg = parcel->arg;
    free_parcel(parcel);
    return fn(conn, arg);
}

static void restore(struct cg_sock *sock, struct layer *layer)
{
    sock->told = layer->told;
    layer->told = NULL;
    sock->object.timeout = layer->timeout;
    sock->error = layer->error;
    sock->lost = layer->lost;
    sock->eof = layer->eof;
}

/* Makes the socket over the one that has the descriptor. */
static int open_top(struct parcel *parcel, struct cg_sock *below)
{
    struct cg_sock *sock = cg_sock_open(parcel->sched, &moving, NULL, -1);
    struct layer *layer = &parcel->top;
    int rc = -ENOMEM;

    if (sock == NULL)
        return rc;
    if (cg__input_push(sock->reactor, &sock->input, layer->rest, layer->len) == layer->len)
        rc = parcel->transport->move->unpack(parcel->state, below);
    if (rc < 0) {
        cg_sock_close(sock);
        return rc;
    }
    sock->transport = parcel->transport;
    sock->state = parcel->state;
    restore(sock, layer);
    parcel->state = NULL;
    parcel->conn = sock;
    return 0;
}

static int open_all(struct parcel *parcel)
{
    const struct cg_attach_options options = {.unread = parcel->bottom.rest,
                                              .len = parcel->bottom.len};
    struct cg_sock *sock;
    int rc = cg_sock_attach_with(parcel->sched, parcel->fd, &options, &sock);

    if (rc < 0)
        return rc;
    parcel->fd = -1;
    restore(sock, &parcel->bottom);
    parcel->conn = sock;
    if (parcel->transport != NULL)
        rc = open_top(parcel, sock);
    if (rc < 0)
        cg_sock_close(sock);
    return rc;
}

/* In the other worker's thread. Without memory the connection is closed, as by accept. */
static void arrived(struct cg__post *post, bool dropped)
{
    struct parcel *parcel = (struct parcel *)post;

    if (dropped || parcel->sched->stopping || open_all(parcel) < 0) {
        lose(parcel);
        return;
    }
    if (cg_sched_start(parcel->sched, handle, parcel, .name = "moved") < 0) {
        cg_sock_close(parcel->conn);
        lose(parcel);
    }
}

static int describe(const struct cg_sock *sock, struct layer *layer)
{
    if (sock->told != NULL && (layer->told = strdup(sock->told)) == NULL)
        return -ENOMEM;
    layer->timeout = sock->object.timeout;
    layer->error = sock->error;
    layer->lost = sock->lost;
    layer->eof = sock->eof;
    return cg__attach_copy(sock, &layer->rest, &layer->len);
}

/* Fills in the parcel. Nothing of the sockets changes if that fails. */
static int pack(struct parcel *parcel, struct cg_sock *sock, struct cg_sock *bottom)
{
    int rc = cg__attach_is_free(sock) ? cg__attach_prepare(bottom) : -EBUSY;

    if (rc == 0)
        rc = describe(bottom, &parcel->bottom);
    if (rc < 0 || sock == bottom)
        return rc;
    rc = describe(sock, &parcel->top);
    if (rc == 0)
        rc = sock->transport->move->pack(sock->state);
    if (rc < 0)
        return rc;
    parcel->transport = sock->transport;
    parcel->state = sock->state;
    return 0;
}

/* The socket with the descriptor; NULL: the socket cannot be moved. */
static struct cg_sock *bottom_of(struct cg_sock *sock)
{
    struct cg_sock *bottom = sock;

    if (sock->transport->move != NULL)
        bottom = sock->transport->below(sock);
    return bottom->listener || bottom->datagrams ||
                   bottom->transport != &cg__plain_transport
               ? NULL
               : bottom;
}

int cg_sock_move(struct cg_sock *sock, struct cg_worker *worker, cg_handler *fn, void *arg)
{
    return cg__move_to(sock, worker, fn, arg, NULL);
}

int cg__move_to(struct cg_sock *sock, struct cg_worker *worker, cg_handler *fn, void *arg,
                void (*lost)(void *arg))
{
    struct cg_sock *bottom;
    struct parcel *parcel;
    int rc;

    if (worker == NULL || fn == NULL)
        return -EINVAL;
    if (atomic_load(&worker->sched->refuses))
        return -ESRCH;
    if (sock->closing)
        return -EBADF;
    if ((bottom = bottom_of(sock)) == NULL)
        return -EOPNOTSUPP;
    if ((parcel = malloc(sizeof *parcel)) == NULL)
        return -ENOMEM;
    *parcel = (struct parcel){
        .post.run = arrived, .sched = worker->sched, .fn = fn, .arg = arg, .fd = -1, .lost = lost};
    if ((rc = pack(parcel, sock, bottom)) < 0) {
        free_parcel(parcel);
        return rc;
    }
    parcel->fd = cg__attach_let_go(bottom);
    if (sock != bottom) {
        sock->transport = &moving;
        sock->state = NULL;
        cg_sock_close(sock);
    }
    cg__post(worker->sched, &parcel->post);
    return 0;
}
