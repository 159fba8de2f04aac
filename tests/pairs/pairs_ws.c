/* SPDX-License-Identifier: MIT */
/* Subjects that use WebSocket: two ends over a pair of sockets. */
#include "tests/pairs/pairs.h"

#include <cogen/websocket.h>

struct talk {
    struct world w;
    struct cg_ws *a, *b;
    struct cg_coro *reader;
    struct cg_ws_message message;
    char text[EVENT + 1];
};

static void talk_open(struct world *w)
{
    struct talk *t = (struct talk *)w;
    struct cg_sock *a, *b;

    OK(cg_sock_pair(cg_sched_self(), &a, &b));
    OK(cg_ws_new(a, &t->a));
    OK(cg_ws_new(b, &t->b, .client = true));
}

static void talk_shut(struct world *w)
{
    struct talk *t = (struct talk *)w;

    cg_ws_free(t->a);
    t->a = NULL;
}

static void talk_close(struct world *w)
{
    struct talk *t = (struct talk *)w;

    cg_ws_free(t->a);
    cg_ws_free(t->b);
}

static struct cg_op *read_op(struct world *w)
{
    struct talk *t = (struct talk *)w;

    return KEEP(w, cg_ws_read_op, cg_ws_read(t->a, &t->message));
}

static void read_cause(struct world *w)
{
    struct talk *t = (struct talk *)w;
    char text[EVENT + 1];

    pairs_event(text, w->caused);
    IS(cg_yield(cg_ws_write(t->b, CG_WS_TEXT, text, EVENT)), EVENT);
}

static void read_got(struct world *w, ssize_t answer)
{
    struct talk *t = (struct talk *)w;
    char text[EVENT + 1] = "";

    IS(answer, CG_WS_TEXT);
    IS((ssize_t)t->message.len, EVENT);
    memcpy(text, t->message.data, EVENT);
    pairs_is_event(text, w->seen);
}

static struct cg_op *write_op(struct world *w)
{
    struct talk *t = (struct talk *)w;

    pairs_event(t->text, 1);
    return KEEP(w, cg_ws_write_op, cg_ws_write(t->a, CG_WS_TEXT, t->text, EVENT));
}

/* Partial: the message comes whole, or not at all if the op has lost. */
static void write_check(struct world *w, ssize_t answer)
{
    struct talk *t = (struct talk *)w;

    if (t->a == NULL)
        return;
    if (!pairs_lost(answer))
        IS(answer, EVENT);
    IS(cg_yield(cg_ws_write(t->a, CG_WS_BINARY, "", 0)), 0);
    IS(cg_yield(cg_ws_read(t->b, &t->message)) == CG_WS_TEXT,
       t->message.len > 0 || !pairs_lost(answer));
}

static ssize_t reads_to_end(void *arg)
{
    struct talk *t = arg;
    struct cg_ws_message message;

    while (cg_yield(cg_ws_read(t->b, &message)) > 0)
        continue;
    return 0;
}

static void end_open(struct world *w)
{
    struct talk *t = (struct talk *)w;

    talk_open(w);
    t->reader = test_start(reads_to_end, t);
}

static struct cg_op *end_op(struct world *w)
{
    return KEEP(w, cg_ws_end_op, cg_ws_end(((struct talk *)w)->a, CG_WS_NORMAL));
}

/* However it has gone, it can be ended once more. */
static void end_check(struct world *w, ssize_t answer)
{
    struct talk *t = (struct talk *)w;

    if (!pairs_lost(answer))
        IS(answer, 0);
    if (t->a != NULL)
        IS(cg_yield(cg_ws_end(t->a, CG_WS_NORMAL)), 0);
}

static void end_close(struct world *w)
{
    struct talk *t = (struct talk *)w;

    cg_ws_free(t->a);
    IS(test_end(t->reader), 0);
    cg_ws_free(t->b);
}

static void nothing(struct world *w)
{
    (void)w;
}

#define TALK .size = sizeof(struct talk)

static const struct subject subjects[] = {
    {"ws_read", TALK, .flags = SLOW, .open = talk_open, .op = read_op, .cause = read_cause,
     .got = read_got, .shut = talk_shut, .close = talk_close},
    {"ws_write", TALK, .flags = SLOW | ITSELF, .open = talk_open, .op = write_op,
     .cause = nothing, .check = write_check, .close = talk_close},
    {"ws_end", TALK, .flags = SLOW | ITSELF, .open = end_open, .op = end_op, .cause = nothing,
     .check = end_check, .close = end_close},
};

const struct family pairs_ws = {subjects, COUNT(subjects)};
