/* SPDX-License-Identifier: MIT */
/* Hosts of a simulated world that are killed, paused, or cut off from others; messages that do
 * not arrive because of that; and what a world lacks. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <cogen/sched.h>

#include "reactors/sim/sim.h"

/* As in Linux: how long a sender waits before it sends again, twice as long each time, and
 * how often it waits: 924.6 s in all, for a connect 127 s. */
#define CG_SIM_RESEND (200 * CG_MILLISECOND)
#define CG_SIM_RECONNECT CG_SECOND
#define CG_SIM_RESEND_MOST (120 * CG_SECOND)

enum {
    RESENDS = 16,
    RECONNECTS = 7,
};

/* A socket that other hosts share stays in the network. */
static void cut_off(struct cg_sim *sim, struct cg_sim_handle *handle)
{
    struct cg_sim_sock *sock = handle->sock;

    for (struct cg_sim_handle *other = sock->handles; other; other = other->next)
        if (!other->host->dead)
            sock = NULL;
    if (sock) {
        cg__sim_leave(sim, sock, true);
        sock->reset = true;
        sock->error = ENETDOWN;
    }
    cg__sim_touch_handle(handle);
}

/* Its requests complete when it waits next. Its sockets stay, without a network, until its
 * coroutines close them. */
void cg_sim_kill(struct cg_reactor *reactor)
{
    struct cg_sim_host *host = cg__sim_host_of(reactor);
    struct cg_sim *sim = host->sim;

    assert(!host->program);
    cg__sim_note(sim, -1, "host %u is killed", host->number);
    if (!host->base.sched) {
        cg__sim_close_host(reactor);
        return;
    }
    host->dead = true;
    host->paused = false;
    host->begun = host->running; /* if its run has ended, it begins again, to clean up */
    for (size_t i = 0; i < sim->handle_count; i++) {
        struct cg_sim_handle *handle = sim->handles[i];

        if (handle && handle->host == host)
            cut_off(sim, handle);
    }
    cg_sched_stop(host->base.sched);
}

void cg_sim_set_paused(struct cg_reactor *reactor, bool paused)
{
    struct cg_sim_host *host = cg__sim_host_of(reactor);

    if (host->paused == paused)
        return;
    cg__sim_note(host->sim, -1, "host %u %s", host->number, paused ? "is paused" : "goes on");
    host->paused = paused;
}

void cg_sim_set_link(struct cg_reactor *from, struct cg_reactor *to, bool up)
{
    struct cg_sim_host *sender = cg__sim_host_of(from), *receiver = cg__sim_host_of(to);
    uint64_t bit = UINT64_C(1) << sender->number;

    assert(sender->sim == receiver->sim);
    if (sender == receiver || !(receiver->deaf & bit) == up)
        return;
    cg__sim_note(sender->sim, -1, "the link from host %u to host %u is %s", sender->number,
                 receiver->number, up ? "up" : "down");
    receiver->deaf ^= bit;
}

void cg_sim_set_delay(struct cg_reactor *from, struct cg_reactor *to, int64_t delay)
{
    struct cg_sim_host *sender = cg__sim_host_of(from), *receiver = cg__sim_host_of(to);

    assert(sender->sim == receiver->sim && delay >= 0 && delay < CG_NEVER / 8);
    if (sender == receiver || receiver->delays[sender->number] == delay)
        return;
    cg__sim_note(sender->sim, -1, "a message from host %u to host %u takes %lld ns more",
                 sender->number, receiver->number, (long long)delay);
    receiver->delays[sender->number] = delay;
}

void cg_sim_set_handles(struct cg_reactor *world, unsigned most)
{
    struct cg_sim *sim = cg__sim_of(world);

    cg__sim_note(sim, -1, "at most %u handles may be open (0: no limit)", most);
    sim->opt.handles = most;
    if (sim->starved)
        cg__sim_feed(sim);
    sim->starved = false;
}

void cg_sim_set_lack(struct cg_reactor *world, enum cg_lack what, unsigned permille)
{
    static const char *const names[] = {"memory", "threads", "names"};
    struct cg_sim *sim = cg__sim_of(world);

    assert(what <= CG_LACKS_NAMES && permille <= 1000);
    cg__sim_note(sim, -1, "%s may be lacking, %u of 1,000 times", names[what], permille);
    sim->lacks[what] = permille;
}

bool cg__sim_lacks(struct cg_reactor *reactor, enum cg_lack what)
{
    struct cg_sim *sim = cg__sim_of(reactor);

    return cg__sim_chance(sim, sim->lacks[what]);
}

bool cg__sim_slow(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_msg *msg,
                  int64_t delay)
{
    if (msg->slowed || delay == 0) {
        msg->slowed = false;
        return false;
    }
    msg->slowed = true;
    cg__sim_repost(sim, sock, msg, sim->now + delay);
    return true;
}

bool cg__sim_is_cut(const struct cg_sim_host *host, unsigned from)
{
    return host->deaf >> from & 1;
}

static bool is_of_connect(const struct cg_sim_msg *msg)
{
    return msg->kind == CG_SIM_SYN || msg->kind == CG_SIM_SYNACK;
}

/* Drops what is in flight to a socket. What has arrived can still be read. */
static void drop_in_flight(struct cg_sim *sim, struct cg_sim_sock *sock)
{
    struct cg_sim_msgs arrived = sock->input;

    sock->input = (struct cg_sim_msgs){.head = NULL};
    cg__sim_drop(sim, sock);
    sock->input = arrived;
}

/* Whether acknowledgements are in flight to a socket, or anything else. */
static bool is_in_flight(const struct cg_sim_sock *sock, bool acks)
{
    for (const struct cg_sim_msg *msg = sock->incoming.head; msg; msg = msg->next)
        if ((msg->kind == CG_SIM_ACK) == acks)
            return true;
    return false;
}

static void give_up(struct cg_sim *sim, struct cg_sim_sock *sock)
{
    cg__sim_note(sim, sock->fd, "has sent in vain, and gives up");
    drop_in_flight(sim, sock);
    sock->reset = true;
    sock->error = ETIMEDOUT;
    cg__sim_touch(sock);
}

/* Parts both ends, one of which cannot be reached. An end gives up if it waits for an
 * acknowledgement: what it has sent has not arrived, or the acknowledgement itself has not. It
 * cannot tell the other one. */
static void time_out(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_msg *msg)
{
    struct cg_sim_sock *peer = sock->peer;
    bool connects = is_of_connect(msg), ack = msg->kind == CG_SIM_ACK;
    bool waits = ack || is_in_flight(sock, true) || (peer && is_in_flight(peer, false));
    bool peer_waits = peer && ((!ack && !connects) || is_in_flight(sock, false) ||
                               is_in_flight(peer, true));

    if (peer)
        sock->peer = peer->peer = NULL;
    if (msg->data)
        free(msg);
    drop_in_flight(sim, sock);
    if (connects) {
        cg__sim_note(sim, sock->fd, "has connected in vain, and gives up");
        cg__sim_connect_failed(sock, ETIMEDOUT);
        cg__sim_touch(sock);
    } else if (waits) {
        give_up(sim, sock);
    }
    if (peer_waits)
        give_up(sim, peer);
}

static void send_again(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_msg *msg)
{
    int64_t delay = is_of_connect(msg) ? CG_SIM_RECONNECT : CG_SIM_RESEND;
    int most = is_of_connect(msg) ? RECONNECTS : RESENDS;

    delay <<= msg->tries;
    if (msg->tries++ < most)
        cg__sim_repost(sim, sock, msg,
                       sim->now + (delay < CG_SIM_RESEND_MOST ? delay : CG_SIM_RESEND_MOST));
    else
        time_out(sim, sock, msg);
}

void cg__sim_miss(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_msg *msg)
{
    cg__sim_note(sim, sock->fd, "does not get a message: the link is down");
    if (sock->datagram)
        free(msg);
    else if (msg->kind == CG_SIM_RST)
        msg->posted = false; /* not sent again, but the answer to whatever comes */
    else
        send_again(sim, sock, msg);
}
