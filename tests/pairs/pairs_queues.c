/* SPDX-License-Identifier: MIT */
/* Subjects that pass words: queues, published messages, producers. */
#include "tests/pairs/pairs.h"

struct words {
    struct world w;
    struct cg_queue *queue;
    struct cg_pubsub *pubsub;
    struct cg_subscriber subscriber;
    struct cg_iterator iterate;
    struct cg_event event;
    struct cg_coro *coro;
    intptr_t word;    /* the word that was taken last */
    intptr_t in, out; /* how many words went in and came out */
};

static void new_queue(struct world *w)
{
    ((struct words *)w)->queue = cg_queue_new();
}

static void queue_close(struct world *w)
{
    struct words *q = (struct words *)w;

    HOLDS(q->queue == NULL || cg_queue_empty(q->queue));
    cg_queue_free(q->queue);
}

static void queue_shut(struct world *w)
{
    struct words *q = (struct words *)w;

    cg_queue_free(q->queue);
    q->queue = NULL;
}

static void put_number(struct world *w)
{
    IS(cg_queue_try_put(((struct words *)w)->queue, (void *)w->caused), 0);
}

static struct cg_op *get_op(struct world *w)
{
    struct words *q = (struct words *)w;

    q->word = -1;
    return KEEP(w, cg_get_op, cg_get(q->queue, &q->word));
}

static void got_number(struct world *w, ssize_t answer)
{
    IS(answer, 0);
    IS(((struct words *)w)->word, (intptr_t)w->seen);
}

static void no_number(struct world *w)
{
    IS(((struct words *)w)->word, -1);
}

/* A full queue: what went in comes out, in order, and nothing else */

static void full_queue(struct world *w)
{
    struct words *q = (struct words *)w;

    q->queue = cg_queue_new(.limit = 1);
    IS(cg_queue_try_put(q->queue, (void *)q->in++), 0);
}

static void take_one(struct words *q)
{
    intptr_t item;

    IS(cg_queue_try_get(q->queue, &item), 0);
    IS(item, q->out++);
}

static void put_cause(struct world *w)
{
    take_one((struct words *)w);
}

static struct cg_op *put_op(struct world *w)
{
    struct words *q = (struct words *)w;

    return KEEP(w, cg_put_op, cg_put(q->queue, q->in));
}

static void put_check(struct world *w, ssize_t answer)
{
    struct words *q = (struct words *)w;

    if (!pairs_lost(answer)) {
        IS(answer, 0);
        q->in++;
    }
    while (q->out < q->in)
        take_one(q);
    HOLDS(cg_queue_empty(q->queue));
    IS(cg_yield(put_op(w)), 0);
    q->in++;
    take_one(q);
}

/* Waiting until all work is done */

static void task_open(struct world *w)
{
    struct words *q = (struct words *)w;

    new_queue(w);
    q->in++;
    IS(cg_queue_try_put(q->queue, NULL), 0);
    IS(cg_queue_try_get(q->queue, &q->word), 0);
}

static struct cg_op *join_queue_op(struct world *w)
{
    return KEEP(w, cg_join_queue_op, cg_join_queue(((struct words *)w)->queue));
}

static void task_cause(struct world *w)
{
    IS(cg_queue_task_done(((struct words *)w)->queue), 0);
}

static void task_got(struct world *w, ssize_t answer)
{
    IS(answer, 0);
    cg_queue_free(((struct words *)w)->queue);
    task_open(w);
}

/* Messages */

static void fetch_open(struct world *w)
{
    struct words *q = (struct words *)w;

    q->pubsub = cg_pubsub_new();
    cg_pubsub_subscribe(q->pubsub, &q->subscriber, CG_SINCE_NOW);
}

static void pubsub_close(struct world *w)
{
    struct words *q = (struct words *)w;

    if (q->pubsub == NULL && q->coro)
        IS(test_end(q->coro), 0);
    cg_pubsub_free(q->pubsub);
}

static void pubsub_shut(struct world *w)
{
    struct words *q = (struct words *)w;

    cg_pubsub_free(q->pubsub);
    q->pubsub = NULL;
}

static void unsubscribe(struct world *w)
{
    cg_pubsub_unsubscribe(&((struct words *)w)->subscriber);
}

static struct cg_op *fetch_op(struct world *w)
{
    struct words *q = (struct words *)w;

    q->word = -1;
    return KEEP(w, cg_fetch_op, cg_fetch(&q->subscriber, &q->word, 1));
}

static void fetch_cause(struct world *w)
{
    IS(cg_yield(cg_publish(((struct words *)w)->pubsub, w->caused)), 0);
}

static void fetch_got(struct world *w, ssize_t answer)
{
    IS(answer, 1);
    got_number(w, 0);
}

/* The limit is reached: a subscriber has to release the oldest message first. */
static void publish_open(struct world *w)
{
    struct words *q = (struct words *)w;

    q->pubsub = cg_pubsub_new(.limit = 1);
    cg_pubsub_subscribe(q->pubsub, &q->subscriber, CG_SINCE_NOW);
    IS(cg_yield(cg_publish(q->pubsub, q->in++)), 0);
}

static struct cg_op *publish_op(struct world *w)
{
    struct words *q = (struct words *)w;

    return KEEP(w, cg_publish_op, cg_publish(q->pubsub, q->in));
}

static ssize_t fetches(void *arg)
{
    struct words *q = arg;
    intptr_t message;
    ssize_t n;

    while ((n = cg_yield(cg_fetch(&q->subscriber, &message, 1))) == 1)
        IS(message, q->out++);
    IS(n, q->pubsub ? CG_EOF : -EBADF);
    return 0;
}

static void publish_cause(struct world *w)
{
    struct words *q = (struct words *)w;

    if (!q->coro)
        q->coro = test_start(fetches, q);
}

static void publish_check(struct world *w, ssize_t answer)
{
    struct words *q = (struct words *)w;

    if (!pairs_lost(answer)) {
        IS(answer, 0);
        q->in++;
    }
    publish_cause(w);
    IS(cg_yield(publish_op(w)), 0);
    q->in++;
    cg_pubsub_close(q->pubsub);
    IS(test_end(q->coro), 0);
    IS(q->out, q->in);
}

/* A producer, which waits itself */

static ssize_t produces(void *arg)
{
    struct words *q = arg;
    intptr_t item;
    ssize_t rc;

    while ((rc = cg_yield(cg_get(q->queue, &item))) == 0)
        if ((rc = cg_yield(cg_produce(item))) < 0)
            break;
    cg_yield(cg_wait_event(&q->event, .shield = true));
    return rc;
}

static void next_open(struct world *w)
{
    struct words *q = (struct words *)w;

    new_queue(w);
    q->iterate = cg_iterator(produces, q);
}

static struct cg_op *next_op(struct world *w)
{
    struct words *q = (struct words *)w;

    q->word = -1;
    return KEEP(w, cg_get_next_op, cg_get_next(&q->iterate, &q->word));
}

static void next_got(struct world *w, ssize_t answer)
{
    IS(answer, 1);
    got_number(w, 0);
}

static void next_close(struct world *w)
{
    struct words *q = (struct words *)w;

    cg_event_set(&q->event);
    IS(cg_yield(cg_stop_producer(&q->iterate)), 0);
    queue_close(w);
}

static void stop_open(struct world *w)
{
    struct words *q = (struct words *)w;

    next_open(w);
    IS(cg_queue_try_put(q->queue, (void *)7), 0);
    IS(cg_yield(next_op(w)), 1);
    IS(q->word, 7);
}

static struct cg_op *stop_op(struct world *w)
{
    return KEEP(w, cg_stop_producer_op,
                cg_stop_producer(&((struct words *)w)->iterate));
}

static void stop_cause(struct world *w)
{
    cg_event_set(&((struct words *)w)->event);
}

/* If the op has completed, the producer has ended. If not, it can be stopped again. */
static void stop_check(struct world *w, ssize_t answer)
{
    struct words *q = (struct words *)w;

    if (!pairs_lost(answer))
        IS(answer, 0);
    cg_event_set(&q->event);
    IS(cg_yield(stop_op(w)), 0);
    IS(cg_yield(next_op(w)), 0);
}

/* The racing coroutine is a producer */

/* Takes each item, and waits for the next. */
static ssize_t takes(void *arg)
{
    struct words *q = arg;
    intptr_t word;
    ssize_t n;

    while ((n = cg_yield(cg_get_next(q->w.producer, &word))) == 1) {
        q->out++;
        IS(word, q->out);
    }
    return n;
}

static struct cg_op *produce_op(struct world *w)
{
    struct words *q = (struct words *)w;

    return KEEP(w, cg_produce_op, cg_produce((intptr_t)(q->in + 1)));
}

static void no_taker(struct world *w)
{
    (void)w;
}

static void produce_cause(struct world *w)
{
    struct words *q = (struct words *)w;

    if (!q->coro)
        q->coro = test_start(takes, q);
}

/* Exactly the items that the op reports as taken were taken. */
static void produce_check(struct world *w, ssize_t answer)
{
    struct words *q = (struct words *)w;

    if (!pairs_lost(answer)) {
        IS(answer, 0);
        q->in++;
    }
    produce_cause(w);
    for (int i = 0; i < 2; i++) {
        IS(cg_yield(produce_op(w)), 0);
        q->in++;
    }
    IS(q->out, q->in);
}

static void produce_close(struct world *w)
{
    struct words *q = (struct words *)w;

    IS(cg_yield(cg_cancel(q->coro)), 0);
    IS(test_end(q->coro), -ECANCELED);
}

#define WORDS .size = sizeof(struct words)

static const struct subject subjects[] = {
    {"get", WORDS, .open = new_queue, .op = get_op, .cause = put_number,
     .got = got_number, .lost = no_number, .shut = queue_shut, .close = queue_close},
    {"put", WORDS, .open = full_queue, .op = put_op, .cause = put_cause,
     .check = put_check, .shut = queue_shut, .close = queue_close},
    {"join_queue", WORDS, .open = task_open, .op = join_queue_op, .cause = task_cause,
     .got = task_got, .shut = queue_shut, .close = queue_close},
    {"fetch", WORDS, .open = fetch_open, .op = fetch_op, .cause = fetch_cause,
     .got = fetch_got, .lost = no_number, .shut = unsubscribe, .close = pubsub_close},
    {"publish", WORDS, .open = publish_open, .op = publish_op, .cause = publish_cause,
     .check = publish_check, .shut = pubsub_shut, .close = pubsub_close},
    {"get_next", WORDS, .open = next_open, .op = next_op, .cause = put_number,
     .got = next_got, .lost = no_number, .close = next_close},
    {"produce", WORDS, .flags = PRODUCES | ONCE | EVEN_SO, .open = no_taker,
     .op = produce_op, .cause = produce_cause, .check = produce_check,
     .close = produce_close},
    {"stop_producer", WORDS, .open = stop_open, .op = stop_op, .cause = stop_cause,
     .check = stop_check, .close = queue_close},
};

const struct family pairs_queues = {subjects, COUNT(subjects)};
