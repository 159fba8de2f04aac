/* SPDX-License-Identifier: MIT */
/* Subjects that move bytes from one connection to another. Each event is eight bytes with a
 * number. The rule: what the op says it has moved can be read at the far end, and the rest
 * of the event where it was. */
#include "tests/pairs/pairs.h"

#include <sys/socket.h>

struct relays {
    struct world w;
    struct cg_sock *source, *from, *to, *sink;
    size_t moved;
    uint64_t there, back;
};

static void relays_open(struct world *w)
{
    struct relays *r = (struct relays *)w;

    HOLDS(test_connect(w->subject->link, &r->from, &r->source));
    HOLDS(test_connect(OVER_PAIR, &r->to, &r->sink));
    if (w->subject->flags & SECURE)
        pairs_secure(&r->from, &r->source);
}

static void relays_close(struct world *w)
{
    struct relays *r = (struct relays *)w;

    pairs_close(r->from, r->source);
    cg_sock_close(r->to);
    cg_sock_close(r->sink);
}

static void relays_shut(struct world *w)
{
    struct relays *r = (struct relays *)w;

    cg_sock_close(r->from);
    r->from = NULL;
}

static void splice_cause(struct world *w)
{
    char text[EVENT + 1];

    pairs_event(text, w->caused);
    IS(cg_yield(cg_writeall(((struct relays *)w)->source, text, EVENT)), EVENT);
}

static struct cg_op *splice_op(struct world *w)
{
    struct relays *r = (struct relays *)w;

    r->moved = 99;
    return KEEP(w, cg_splice_op, cg_splice(r->from, r->to, EVENT, .moved = &r->moved));
}

/* The event is in two pieces: what was moved, and what was not. */
static void event_is_here(struct world *w, size_t moved, size_t number)
{
    struct relays *r = (struct relays *)w;
    char buf[EVENT + 1];

    HOLDS(moved <= EVENT);
    IS(cg_yield(cg_readall(r->sink, buf, moved)), (ssize_t)moved);
    IS(cg_yield(cg_readall(r->from, buf + moved, EVENT - moved)), (ssize_t)(EVENT - moved));
    pairs_is_event(buf, number);
}

static void splice_check(struct world *w, ssize_t answer)
{
    struct relays *r = (struct relays *)w;

    if (!pairs_lost(answer))
        IS(answer, EVENT);
    if (w->caused == 0)
        pairs_cause(w);
    event_is_here(w, r->moved, 1);
    pairs_cause(w);
    IS(cg_yield(splice_op(w)), EVENT);
    HOLDS(r->moved == EVENT);
    event_is_here(w, r->moved, 2);
}

/* Both streams end with the event. */
static void relay_cause(struct world *w)
{
    struct relays *r = (struct relays *)w;

    splice_cause(w);
    IS(cg_yield(cg_shutdown(r->source, SHUT_WR)), 0);
    IS(cg_yield(cg_shutdown(r->sink, SHUT_WR)), 0);
}

static struct cg_op *relay_op(struct world *w)
{
    struct relays *r = (struct relays *)w;

    return KEEP(w, cg_relay_op, cg_relay(r->from, r->to, .a_to_b = &r->there,
                                         .b_to_a = &r->back));
}

static void relay_check(struct world *w, ssize_t answer)
{
    struct relays *r = (struct relays *)w;
    char byte;

    if (!pairs_lost(answer)) {
        IS(answer, 0);
        HOLDS(r->there == EVENT);
    }
    HOLDS(r->back == 0);
    if (w->caused == 0)
        pairs_cause(w);
    event_is_here(w, (size_t)r->there, 1);
    IS(cg_yield(relay_op(w)), 0);
    IS(cg_yield(cg_read(r->sink, &byte, 1)), 0);
    IS(cg_yield(cg_read(r->source, &byte, 1)), 0);
}

#define RELAYS                                                                         \
    .size = sizeof(struct relays), .open = relays_open, .shut = relays_shut,           \
    .close = relays_close

static const struct subject subjects[] = {
    {"splice", RELAYS, .link = OVER_UNIX, .op = splice_op, .cause = splice_cause,
     .check = splice_check},
    {"splice_tls", RELAYS, .link = OVER_PAIR, .flags = SECURE | SELDOM, .op = splice_op,
     .cause = splice_cause, .check = splice_check},
    {"relay", RELAYS, .link = OVER_UNIX, .op = relay_op, .cause = relay_cause,
     .check = relay_check},
};

const struct family pairs_relays = {subjects, COUNT(subjects)};
