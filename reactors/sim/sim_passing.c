/* SPDX-License-Identifier: MIT */
/* Handles that are passed over UNIX streams of the simulated world, and descriptors of the
 * kernel. A message has duplicates of them. The duplicate of a handle belongs to the host
 * that will receive it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactors/sim/sim.h"

static void close_one(struct cg_sim *sim, int fd)
{
    struct cg_sim_handle *handle = cg__sim_handle(sim, fd);

    if (fd < CG_SIM_HANDLE)
        close(fd);
    else if (handle) /* it may be closed already, if its world ends */
        cg__sim_handle_close(sim, handle);
}

/* Returns the duplicate, or -errno. */
static int duplicate(struct cg_sim *sim, int fd, struct cg_sim_host *host)
{
    struct cg_sim_sock *sock = cg__sim_find(sim, fd);
    int made;

    if (!sock) {
        made = fd < CG_SIM_HANDLE ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -EBADF;
        return made == -1 ? -errno : made;
    }
    made = cg__sim_handle_add(sim, sock, host);
    if (made >= 0)
        cg__sim_handle(sim, made)->in_flight = true;
    return made;
}

static void close_passed(struct cg_sim *sim, struct cg_sim_msg *msg)
{
    while (msg->npassed > 0)
        close_one(sim, msg->passed[--msg->npassed]);
}

int cg__sim_take_passed(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_msg *msg,
                        struct cg_fds *into)
{
    bool fits = cg__sim_handle_fits(sim, 0); /* those in flight are counted already */

    if (msg->npassed == 0)
        return 0;
    if (into && fits) {
        into->count = msg->npassed;
        memcpy(into->fds, msg->passed, (size_t)msg->npassed * sizeof(int));
        for (; msg->npassed > 0; msg->npassed--) {
            struct cg_sim_handle *handle = cg__sim_handle(sim, msg->passed[msg->npassed - 1]);

            if (!handle)
                continue;
            handle->in_flight = false;
            cg__sim_handle_move(handle, sock->host);
        }
        return 0;
    }
    close_passed(sim, msg);
    return into ? -EMFILE : 0;
}

bool cg__sim_send_passed(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                         ssize_t *result)
{
    const struct cg_io_passed *passed = io->passed;
    struct cg_io probe = {.code = CG_IO_SEND, .fd = io->fd};
    size_t room = passed->len < CG_SIM_SEGMENT ? passed->len : CG_SIM_SEGMENT;
    struct cg_sim_msg *msg;

    /* An empty send tells whether anything can be sent, now or ever. */
    if (sock->state != CG_SIM_CONNECTED || !sock->peer || sock->error || sock->wr_shut ||
        sock->peer->rd_shut)
        return cg__sim_send(sim, sock, &probe, result);
    if (sock->unacked >= sim->opt.window)
        return false;
    msg = cg__sim_msg_new(room, passed->count);
    if (!msg) {
        *result = -ENOBUFS;
        return true;
    }
    for (; msg->npassed < passed->count; msg->npassed++) {
        int fd = duplicate(sim, passed->fds[msg->npassed], sock->peer->host);

        if (fd < 0) {
            close_passed(sim, msg);
            free(msg);
            *result = fd;
            return true;
        }
        msg->passed[msg->npassed] = fd;
    }
    memcpy(msg->data, passed->buf, room);
    sock->unacked += room;
    cg__sim_post(sim, sock->peer, msg, CG_SIM_DATA, sim->now);
    *result = (ssize_t)room;
    return true;
}

bool cg__sim_recv_passed(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                         ssize_t *result)
{
    const struct cg_io_passed *passed = io->passed;

    passed->into->count = 0;
    return cg__sim_recv_into(sim, sock, passed->buf, passed->len, passed->into, result);
}
