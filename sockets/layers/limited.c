/* SPDX-License-Identifier: MIT */
/* cg_sock_limit: a socket that takes a token for each byte. It waits for bytes, or for room,
 * before it takes tokens: one that holds some while it waits would keep them from those who
 * share the bucket. */
#include "config.h"

#include "lib/vocabulary/bucket.h"
#include "sockets/engine.h"
#include "sockets/layers/layer.h"

#include <errno.h>
#include <stdlib.h>

struct limited {
    struct cg__layer layer; /* must be first */
    struct cg_bucket *read, *write;
};

static struct limited *of(const struct cg_sock *sock)
{
    return sock->state;
}

static ssize_t take(struct cg_bucket *bucket, size_t len)
{
    return cg_yield(cg_take(bucket, len, .least = cg__bucket_piece(bucket)));
}

static ssize_t receive(struct limited *limited, struct cg_io *io)
{
    struct cg_sock *inner = limited->layer.inner;
    size_t room = cg__layer_room(io);
    struct cg_view view;
    ssize_t n = cg_yield(cg_borrow(inner, &view, .timeout = CG_NEVER));

    if (n <= 0)
        return n;
    n = take(limited->read, view.len < room ? view.len : room);
    if (n > 0) {
        size_t taken = (size_t)n;

        n = cg__layer_fill(inner->reactor, io, view.data, taken);
        if (n < 0)
            cg_bucket_return(limited->read, taken);
    }
    cg_view_release(&view, n > 0 ? (size_t)n : 0);
    return n;
}

static ssize_t transmit(struct limited *limited, struct cg_io *io)
{
    struct cg_sock *inner = limited->layer.inner;
    ssize_t n = cg_yield(cg_poll_sock(inner, CG_OUT, .timeout = CG_NEVER));
    ssize_t taken;

    if (n < 0)
        return n;
    taken = take(limited->write, cg__engine_at_once(cg__layer_sendable(io)));
    if (taken < 0)
        return taken;
    n = cg__layer_send(inner, io, (size_t)taken);
    if (n < taken)
        cg_bucket_return(limited->write, (size_t)(n < 0 ? taken : taken - n));
    return n;
}

static ssize_t limited_run(struct cg_sock *sock, struct cg_io *io)
{
    struct limited *limited = of(sock);

    switch (io->code) {
    case CG_IO_RECV:
        return limited->read != NULL ? receive(limited, io) : cg__layer_run(sock, io);
    case CG_IO_SEND:
    case CG_IO_SENDV:
    case CG_IO_SENDFILE:
        return limited->write != NULL ? transmit(limited, io) : cg__layer_run(sock, io);
    default:
        return cg__layer_run(sock, io);
    }
}

static void limited_free(struct limited *limited)
{
    cg_bucket_unref(limited->read);
    cg_bucket_unref(limited->write);
    free(limited);
}

static void limited_close(struct cg_sock *sock)
{
    cg__layer_close(sock);
    limited_free(of(sock));
}

static const struct cg_transport_type limited_transport = {
    .name = "limited",
    .submit = cg__layer_submit,
    .run = limited_run,
    .close = limited_close,
    .below = cg__layer_below,
};

int cg_sock_limit_with(struct cg_sock *sock, const struct cg_limit_options *options,
                       struct cg_sock **limited)
{
    static const struct cg_limit_options none;
    struct limited *made = malloc(sizeof *made);
    int rc;

    if (made == NULL)
        return -ENOMEM;
    if (options == NULL)
        options = &none;
    *made = (struct limited){
        .read = cg_bucket_ref(options->read),
        .write = cg_bucket_ref(options->write),
    };
    rc = cg__layer_put(&limited_transport, &made->layer, sock, limited);
    if (rc < 0)
        limited_free(made);
    return rc;
}
