/* SPDX-License-Identifier: MIT */
/* Streams of the simulated world: what a send, a receive and a poll do. Errors come in the
 * kernel's order: bytes that arrived can be read after a reset, then the reset is returned
 * once, then the stream has ended. After the end of a TCP stream no reset is returned; and
 * who sends to a UNIX socket that is gone learns only that (EPIPE). */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactors/sim/sim.h"

void cg__sim_append(struct cg_sim_msgs *list, struct cg_sim_msg *msg)
{
    msg->next = NULL;
    if (list->head)
        list->tail->next = msg;
    else
        list->head = msg;
    list->tail = msg;
}

struct cg_sim_msg *cg__sim_pop(struct cg_sim_msgs *list)
{
    struct cg_sim_msg *msg = list->head;

    if (msg)
        list->head = msg->next;
    return msg;
}

ssize_t cg__sim_take_error(struct cg_sim_sock *sock)
{
    int error = sock->error;

    sock->error = 0;
    return -error;
}

struct cg_sim_msg *cg__sim_msg_new(size_t room, int npassed)
{
    struct cg_sim_msg *msg = malloc(sizeof *msg + (size_t)npassed * sizeof(int) + room);

    if (msg) {
        *msg = (struct cg_sim_msg){.passed = (int *)(msg + 1)};
        msg->data = (char *)(msg->passed + npassed);
        msg->size = room;
    }
    return msg;
}

/* Copies input out. A message that was read completely travels back as an acknowledgement,
 * which gives its sender room. As in Linux, it stops behind a message with descriptors; a
 * receive that does not want them loses them. Returns how many bytes, or -EMFILE. */
static ssize_t copy_input(struct cg_sim *sim, struct cg_sim_sock *sock, char *to, size_t room,
                          struct cg_fds *into)
{
    size_t done = 0;
    bool last = false;
    int error = 0;

    while (done < room && sock->input.head && !last) {
        struct cg_sim_msg *msg = sock->input.head;
        size_t left = msg->size - msg->start;
        size_t n = left < room - done ? left : room - done;

        last = msg->npassed > 0;
        if (last)
            error = cg__sim_take_passed(sim, sock, msg, into);
        memcpy(to + done, msg->data + msg->start, n);
        msg->start += n;
        done += n;
        if (n < left)
            break;
        cg__sim_pop(&sock->input);
        if (sock->peer)
            cg__sim_post(sim, sock->peer, msg, CG_SIM_ACK, sim->now);
        else
            free(msg);
    }
    return error < 0 ? error : (ssize_t)done;
}

static size_t arrived(const struct cg_sim_sock *sock, size_t most)
{
    const struct cg_sim_msg *msg;
    size_t n = 0;

    for (msg = sock->input.head; msg && n < most; msg = msg->next)
        n += msg->size - msg->start;
    return n < most ? n : most;
}

static size_t maybe_short(struct cg_sim *sim, size_t n)
{
    return cg__sim_chance(sim, sim->opt.short_permille) ? 1 + cg__sim_below(sim, n) : n;
}

static bool nothing_arrived(struct cg_sim_sock *sock, ssize_t *result)
{
    if (sock->state != CG_SIM_CONNECTED) {
        *result = sock->domain == AF_UNIX ? -EINVAL : sock->rd_shut ? 0 : -ENOTCONN;
        return sock->state != CG_SIM_CONNECTING;
    }
    *result = 0;
    if (sock->fin && sock->domain != AF_UNIX)
        return true;
    if (sock->error)
        *result = cg__sim_take_error(sock);
    return *result || sock->fin || sock->reset || sock->rd_shut;
}

bool cg__sim_recv_into(struct cg_sim *sim, struct cg_sim_sock *sock, void *buf, size_t size,
                       struct cg_fds *into, ssize_t *result)
{
    if (!sock->input.head)
        return nothing_arrived(sock, result);
    if (cg__sim_chance(sim, sim->opt.reset_permille)) {
        cg__sim_reset(sim, sock);
        *result = cg__sim_take_error(sock);
        return true;
    }
    *result = copy_input(sim, sock, buf, maybe_short(sim, arrived(sock, size)), into);
    return true;
}

bool cg__sim_recv(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                  ssize_t *result)
{
    struct cg_reactor *reactor = &cg__sim_handle(sim, io->fd)->host->base;

    io->chunk = NULL;
    if (!sim->opt.multishot && io->buf && io->len > 0)
        return cg__sim_recv_into(sim, sock, io->buf, io->len, NULL, result);
    if (!sock->input.head)
        return nothing_arrived(sock, result);
    if (!(io->chunk = cg_chunk_get(reactor))) {
        *result = -ENOBUFS;
        return true;
    }
    cg__sim_recv_into(sim, sock, io->chunk->data, io->chunk->size, NULL, result);
    if (*result > 0) {
        io->chunk->end = (uint32_t)*result;
    } else {
        cg_chunk_put(reactor, io->chunk);
        io->chunk = NULL;
    }
    return true;
}

/* How many bytes a request would like to send; may stop counting beyond `enough`. */
static size_t wanted(const struct cg_io *io, size_t enough)
{
    size_t n = 0;
    int i;

    if (io->code == CG_IO_SEND)
        return io->len;
    if (io->code == CG_IO_SENDFILE)
        return io->count;
    for (i = 0; i < io->iovcnt && n <= enough; i++)
        n += io->iov[i].iov_len;
    return n;
}

static size_t gather(const struct cg_io *io, size_t skip, char *to, size_t room)
{
    size_t done = 0;
    int i;

    for (i = 0; i < io->iovcnt && done < room; i++) {
        size_t left = io->iov[i].iov_len, n;

        if (skip >= left) {
            skip -= left;
            continue;
        }
        n = left - skip < room - done ? left - skip : room - done;
        memcpy(to + done, (const char *)io->iov[i].iov_base + skip, n);
        done += n;
        skip = 0;
    }
    return done;
}

/* Fetches a request's bytes from `skip` on. Returns how many; 0: the end of a file;
 * -errno. */
static ssize_t fetch(const struct cg_io *io, size_t skip, char *to, size_t room)
{
    ssize_t n;

    switch (io->code) {
    case CG_IO_SEND:
        memcpy(to, (const char *)io->buf + skip, room);
        return (ssize_t)room;
    case CG_IO_SENDV:
        return (ssize_t)gather(io, skip, to, room);
    }
    do
        n = pread(io->file, to, room, (off_t)(io->offset + (int64_t)skip));
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Sends one message. Returns its bytes, 0 or -errno. If the peer has closed, the bytes are
 * lost, and a reset arrives when the message would have been acknowledged. They still take
 * their part of the window, so that an endless sender must wait for the reset. */
static ssize_t send_segment(struct cg_sim *sim, struct cg_sim_sock *sock,
                            const struct cg_io *io, size_t skip, size_t room)
{
    struct cg_sim_msg *msg = cg__sim_msg_new(room, 0);
    ssize_t n;

    if (!msg)
        return -ENOBUFS;
    n = fetch(io, skip, msg->data, room);
    if (n <= 0 || !sock->peer) {
        free(msg);
        sock->unacked += n > 0 ? (size_t)n : 0;
        if (n > 0 && !sock->rst.posted)
            cg__sim_post(sim, sock, &sock->rst, CG_SIM_RST,
                         sim->now + sim->opt.latency);
        return n;
    }
    msg->size = (size_t)n;
    sock->unacked += (size_t)n;
    cg__sim_post(sim, sock->peer, msg, CG_SIM_DATA, sim->now);
    return n;
}

static size_t room_left(const struct cg_sim *sim, const struct cg_sim_sock *sock)
{
    return sock->unacked < sim->opt.window ? sim->opt.window - sock->unacked : 0;
}

/* Whether nobody takes what is sent. Only a UNIX socket learns that from its peer. */
static bool cannot_write(const struct cg_sim_sock *sock)
{
    return sock->wr_shut ||
           (sock->domain == AF_UNIX && (!sock->peer || sock->peer->rd_shut));
}

static bool has_ended(const struct cg_sim_sock *sock)
{
    return sock->fin || sock->rd_shut;
}

/* Returns true if nothing can be sent, now or later. */
static bool cannot_send(struct cg_sim_sock *sock, ssize_t *result)
{
    *result = 0;
    if (sock->state == CG_SIM_CONNECTING)
        return false;
    if (sock->state != CG_SIM_CONNECTED)
        *result = sock->domain == AF_UNIX ? -ENOTCONN : -EPIPE;
    else if (sock->error && sock->domain != AF_UNIX)
        *result = cg__sim_take_error(sock);
    else if (sock->reset || cannot_write(sock))
        *result = -EPIPE;
    return *result < 0;
}

/* sendfile(2) looks at the file first, and at the socket only if there is something to send. */
static bool file_has_ended(const struct cg_io *io)
{
    char byte;

    return io->code == CG_IO_SENDFILE && io->count > 0 && fetch(io, 0, &byte, 1) == 0;
}

bool cg__sim_send(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                  ssize_t *result)
{
    size_t room = room_left(sim, sock), n, done = 0;
    ssize_t got = 0;

    if (file_has_ended(io)) {
        *result = 0;
        return true;
    }
    if (cannot_send(sock, result))
        return true;
    n = wanted(io, room);
    if (sock->state == CG_SIM_CONNECTING || (n > 0 && room == 0))
        return false;
    if (n > 0 && cg__sim_chance(sim, sim->opt.reset_permille)) {
        cg__sim_reset(sim, sock);
        *result = cg__sim_take_error(sock);
        return true;
    }
    if (n > 0)
        n = maybe_short(sim, n < room ? n : room);
    for (; done < n; done += (size_t)got) {
        size_t part = n - done < CG_SIM_SEGMENT ? n - done : CG_SIM_SEGMENT;

        if ((got = send_segment(sim, sock, io, done, part)) <= 0)
            break;
    }
    *result = done > 0 ? (ssize_t)done : got;
    return true;
}

static unsigned datagram_readiness(const struct cg_sim_sock *sock)
{
    return CG_OUT | (sock->input.head || sock->rd_shut ? CG_IN : 0) |
           (sock->error ? CG_ERR : 0) | (sock->rd_shut && sock->wr_shut ? CG_HUP : 0);
}

static unsigned readiness(const struct cg_sim *sim, const struct cg_sim_sock *sock)
{
    unsigned events = 0;

    if (sock->datagram)
        return datagram_readiness(sock);
    switch (sock->state) {
    case CG_SIM_LISTENING:
        return sock->backlog.head ? CG_IN : 0;
    case CG_SIM_CONNECTING:
        return 0;
    case CG_SIM_CONNECTED:
        break;
    default: /* never connected, or refused */
        return CG_OUT | CG_HUP | (sock->error ? CG_ERR | CG_IN : 0) |
               (sock->rd_shut ? CG_IN : 0);
    }
    if (sock->input.head || has_ended(sock) || sock->reset)
        events |= CG_IN;
    if (room_left(sim, sock) > 0 || sock->reset || cannot_write(sock))
        events |= CG_OUT;
    if (sock->error)
        events |= CG_ERR;
    if (sock->reset || (has_ended(sock) && cannot_write(sock)))
        events |= CG_HUP;
    return events;
}

bool cg__sim_poll(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                  ssize_t *result)
{
    unsigned events = readiness(sim, sock) & (io->events | CG_ERR | CG_HUP);

    if (has_ended(sock) && io->events & (CG_IN | CG_HUP))
        events |= CG_HUP;
    *result = (ssize_t)events;
    return events != 0;
}
