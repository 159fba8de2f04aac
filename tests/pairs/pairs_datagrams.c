/* SPDX-License-Identifier: MIT */
/* Subjects that receive and send datagrams. Each event is one datagram with a number. */
#include "tests/pairs/pairs.h"

enum { FILL = 12 }; /* datagrams for which a UNIX receiver has no room */

struct datagrams {
    struct world w;
    struct cg_sock *sock, *peer;
    struct cg_datagram list[2];
    char bufs[2][EVENT + 1];
    struct cg_addr from;
    size_t moved, filled;
};

/* Receiving */

static void open_ends(struct world *w)
{
    struct datagrams *d = (struct datagrams *)w;
    char addr[CG_ADDR_SIZE] = "127.0.0.1:0";

    if (w->subject->link == OVER_UNIX)
        test_unix_path(addr);
    OK(cg_datagram_open(cg_sched_self(), addr, &d->sock));
    OK(cg_sock_local_addr(d->sock, addr, sizeof addr));
    OK(cg_datagram_open(cg_sched_self(), NULL, &d->peer, .peer = addr));
}

static void close_ends(struct world *w)
{
    struct datagrams *d = (struct datagrams *)w;

    cg_sock_close(d->sock);
    cg_sock_close(d->peer);
}

static void shut(struct world *w)
{
    struct datagrams *d = (struct datagrams *)w;

    cg_sock_close(d->sock);
    d->sock = NULL;
}

static void cause(struct world *w)
{
    struct datagrams *d = (struct datagrams *)w;
    char text[EVENT + 1];

    pairs_event(text, w->caused);
    IS(cg_yield(cg_send_to(d->peer, text, EVENT, NULL)), EVENT);
}

static struct cg_op *receive_from_op(struct world *w)
{
    struct datagrams *d = (struct datagrams *)w;

    d->from.len = 99;
    return KEEP(w, cg_receive_from_op,
                cg_receive_from(d->sock, d->bufs[0], sizeof d->bufs[0], &d->from));
}

static void receive_from_got(struct world *w, ssize_t answer)
{
    struct datagrams *d = (struct datagrams *)w;

    IS(answer, EVENT);
    HOLDS(d->from.len != 99);
    pairs_is_event(d->bufs[0], w->seen);
}

static void receive_from_lost(struct world *w)
{
    HOLDS(((struct datagrams *)w)->from.len == 99);
}

static struct cg_op *receive_many_op(struct world *w)
{
    struct datagrams *d = (struct datagrams *)w;

    for (int i = 0; i < 2; i++)
        d->list[i] = (struct cg_datagram){.buf = d->bufs[i], .size = sizeof d->bufs[i]};
    return KEEP(w, cg_datagrams_op, cg_receive_datagrams(d->sock, d->list, 2));
}

static void receive_many_got(struct world *w, ssize_t answer)
{
    struct datagrams *d = (struct datagrams *)w;

    IS(answer, 1);
    HOLDS(d->list[0].len == EVENT);
    pairs_is_event(d->bufs[0], w->seen);
}

/* Sending to a receiver that has no room */

static void full_open(struct world *w)
{
    struct datagrams *d = (struct datagrams *)w;

    open_ends(w);
    while (cg_yield(cg_send_to(d->peer, "fill", 4, NULL, .timeout = MS / 5)) == 4)
        HOLDS(++d->filled < 1000);
    HOLDS(d->filled >= FILL / 2);
}

/* Takes what came before, so that there is room. */
static void full_cause(struct world *w)
{
    struct datagrams *d = (struct datagrams *)w;
    char buf[EVENT];

    for (; d->filled > 0; d->filled--)
        IS(cg_yield(cg_receive_from(d->sock, buf, sizeof buf, NULL)), 4);
}

static struct cg_op *send_to_op(struct world *w)
{
    struct datagrams *d = (struct datagrams *)w;

    return KEEP(w, cg_send_to_op, cg_send_to(d->peer, "last", 4, NULL));
}

/* The datagram arrives if and only if the op says so. */
static void send_to_check(struct world *w, ssize_t answer)
{
    struct datagrams *d = (struct datagrams *)w;
    char buf[EVENT];

    if (!pairs_lost(answer))
        IS(answer, 4);
    full_cause(w);
    if (!pairs_lost(answer))
        IS(cg_yield(cg_receive_from(d->sock, buf, sizeof buf, NULL)), 4);
    IS(cg_yield(cg_send_to(d->peer, "end", 3, NULL)), 3);
    IS(cg_yield(cg_receive_from(d->sock, buf, sizeof buf, NULL)), 3);
}

static struct cg_op *send_many_op(struct world *w)
{
    struct datagrams *d = (struct datagrams *)w;

    d->moved = 99;
    for (int i = 0; i < 2; i++)
        d->list[i] = (struct cg_datagram){.buf = "many", .len = 4};
    return KEEP(w, cg_datagrams_op,
                cg_send_datagrams(d->peer, d->list, 2, .moved = &d->moved));
}

/* Partial: as many arrive as .moved says. */
static void send_many_check(struct world *w, ssize_t answer)
{
    struct datagrams *d = (struct datagrams *)w;
    char buf[EVENT];

    if (!pairs_lost(answer))
        IS(answer, 2);
    HOLDS(d->moved <= 2 && (pairs_lost(answer) || d->moved == 2));
    full_cause(w);
    for (; d->moved > 0; d->moved--)
        IS(cg_yield(cg_receive_from(d->sock, buf, sizeof buf, NULL)), 4);
    IS(cg_yield(cg_send_to(d->peer, "end", 3, NULL)), 3);
    IS(cg_yield(cg_receive_from(d->sock, buf, sizeof buf, NULL)), 3);
}

#define ENDS .size = sizeof(struct datagrams), .close = close_ends
#define RECEIVES ENDS, .open = open_ends, .cause = cause, .shut = shut
#define SENDS ENDS, .link = OVER_UNIX, .flags = SELDOM, .open = full_open, .cause = full_cause

static const struct subject subjects[] = {
    {"receive_from", RECEIVES, .link = OVER_TCP, .op = receive_from_op,
     .got = receive_from_got, .lost = receive_from_lost},
    {"receive_from_unix", RECEIVES, .link = OVER_UNIX, .op = receive_from_op,
     .got = receive_from_got, .lost = receive_from_lost},
    {"receive_datagrams", RECEIVES, .link = OVER_TCP, .op = receive_many_op,
     .got = receive_many_got},
    {"send_to", SENDS, .op = send_to_op, .check = send_to_check},
    {"send_datagrams", SENDS, .op = send_many_op, .check = send_many_check},
};

const struct family pairs_datagrams = {subjects, COUNT(subjects)};
