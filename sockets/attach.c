/* SPDX-License-Identifier: MIT */
/* cg_sock_attach and cg_sock_detach: take over a descriptor that was made elsewhere,
 * and hand one over. */
#include "config.h"

#include "sockets/attach.h"
#include "sockets/end/gone.h"
#include "sockets/listen/unix_path.h"
#include "sockets/plain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A listening descriptor, for instance an inherited one, becomes a listener. */
static bool is_listening(struct cg_reactor *reactor, int fd)
{
    int listening = 0;

    return cg__plain_get(reactor, fd, SOL_SOCKET, SO_ACCEPTCONN, &listening) == 0 && listening;
}

/* Returns the family of a datagram socket; AF_UNSPEC: it is not one. */
static sa_family_t datagrams_of(struct cg_reactor *reactor, int fd)
{
    struct cg_addr name = {.len = 0};
    int type = 0;

    if (cg__plain_get(reactor, fd, SOL_SOCKET, SO_TYPE, &type) < 0 || type != SOCK_DGRAM ||
        cg__plain_name(reactor, fd, CG_IO_SOCKNAME, &name) < 0)
        return AF_UNSPEC;
    return name.base.sa_family;
}

/* On failure the descriptor stays the caller's. */
static int give_up(struct cg_sock *made, int error)
{
    cg__sock_set_fd(made, -1);
    cg_sock_close(made);
    return error;
}

int cg_sock_attach_with(struct cg_sched *sched, int fd,
                        const struct cg_attach_options *options, struct cg_sock **sock)
{
    size_t len = options != NULL ? options->len : 0;
    struct cg_io io = {.code = CG_IO_ATTACH, .fd = fd};
    struct cg_sock *made;
    ssize_t result;

    if (fd < 0)
        return -EBADF;
    made = cg_sock_open(sched, &cg__plain_transport, NULL, fd);
    if (made == NULL)
        return -ENOMEM;
    result = cg__plain_call(cg_sched_reactor(sched), &io);
    if (result < 0)
        return give_up(made, (int)result);
    made->datagrams = (uint8_t)datagrams_of(made->reactor, fd);
    made->listener = is_listening(made->reactor, fd);
    if ((made->listener || made->datagrams != 0) && len > 0)
        return give_up(made, -EINVAL);
    if (len > 0 && cg__input_push(made->reactor, &made->input, options->unread, len) < len)
        return give_up(made, -ENOMEM);
    if (made->listener)
        cg__plain_set_nodelay(made->reactor, fd);
    *sock = made;
    return 0;
}

static bool is_idle(const struct cg_sock *sock)
{
    return sock->side[CG__RX].io.state == CG_IO_IDLE &&
           sock->side[CG__TX].io.state == CG_IO_IDLE && !cg__gone_in_use(sock);
}

/* A multishot receive may be armed although nobody reads. Cancelling it takes a few
 * waits of the reactor; their completions only make coroutines ready. */
static bool disarm(struct cg_sock *sock)
{
    enum { LOOKS = 64 };
    struct cg_reactor *reactor = sock->reactor;
    const struct cg_io *rx = &sock->side[CG__RX].io;

    if (rx->state == CG_IO_PENDING)
        sock->transport->cancel(sock, &sock->side[CG__RX].io);
    for (int i = 0; i < LOOKS; i++) {
        if (is_idle(sock))
            return true;
        if (reactor->type->wait(reactor, i < LOOKS / 2 ? 0 : CG_MILLISECOND) < 0)
            break;
    }
    return is_idle(sock);
}

int cg__attach_prepare(struct cg_sock *sock)
{
    if (sock->closing)
        return -EBADF;
    if (sock->transport != &cg__plain_transport || cg__sock_fd(sock) < 0)
        return -EOPNOTSUPP;
    return cg__attach_is_free(sock) && disarm(sock) ? 0 : -EBUSY;
}

bool cg__attach_is_free(const struct cg_sock *sock)
{
    return sock->side[CG__RX].op == NULL && sock->side[CG__TX].op == NULL &&
           !cg__gone_is_awaited(sock) && sock->object.unheard == NULL &&
           !cg__sock_is_lent(sock);
}

int cg__attach_copy(const struct cg_sock *sock, void **rest, size_t *len)
{
    size_t done = 0;

    *rest = NULL;
    *len = sock->input.unread;
    if (*len == 0)
        return 0;
    *rest = malloc(*len);
    if (*rest == NULL)
        return -ENOMEM;
    for (const struct cg_chunk *chunk = sock->input.first; chunk != NULL;
         chunk = chunk->next) {
        memcpy((char *)*rest + done, chunk->data + chunk->start,
               chunk->end - chunk->start);
        done += chunk->end - chunk->start;
    }
    return 0;
}

int cg__attach_let_go(struct cg_sock *sock)
{
    int fd = cg__sock_fd(sock);

    sock->reactor->type->forget(sock->reactor, fd);
    cg__sock_set_fd(sock, -1);
    cg__unix_path_free(sock->state); /* the file of a UNIX path stays, for the
                                      * descriptor's new owner */
    sock->state = NULL;
    cg_sock_close(sock);
    return fd;
}

int cg_sock_detach(struct cg_sock *sock, void **rest, size_t *len)
{
    int rc = cg__attach_prepare(sock);

    if (rc == 0)
        rc = cg__attach_copy(sock, rest, len);
    return rc < 0 ? rc : cg__attach_let_go(sock);
}
