/* SPDX-License-Identifier: MIT */
/* What an item costs that goes from one thread to another, ns: through a channel, taken one
 * by one or as many as there are; through a ring with a mutex and two conditions of the same
 * size; and through a channel within one scheduler. Prints "name value unit", each the median
 * of five rounds.
 *     bench/channel [--reactor NAME] */
#include <cogen.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 5, ITEMS = 500000, ROOM = 1024, MANY = 64 };

static const char *reactor;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ---- A channel ----------------------------------------------------------------------- */

static struct cg_channel *channel;

static ssize_t sends(void *arg)
{
    for (intptr_t i = 0; i < ITEMS; i++)
        cg_yield(cg_send(channel, i));
    cg_channel_close(channel);
    return arg != NULL;
}

static ssize_t receives(void *arg)
{
    intptr_t items[MANY];
    ssize_t rc;

    do
        rc = arg ? cg_yield(cg_receive_many(channel, items, MANY))
                 : cg_yield(cg_receive(channel, items));
    while (rc >= 0);
    return 0;
}

static ssize_t one_each(void *arg)
{
    return cg_worker_id() == 0 ? sends(arg) : receives(arg);
}

static ssize_t both_here(void *arg)
{
    cg_yield(cg_add(sends, arg));
    return receives(arg);
}

static double through_channel(cg_fn *fn, unsigned workers, void *many)
{
    double start = now();

    channel = cg_channel_new(.limit = ROOM);
    if (channel == NULL ||
        cg_crew_main(fn, many, .workers = workers, .reactor = reactor) < 0)
        exit(1);
    cg_channel_unref(channel);
    return (now() - start) / ITEMS;
}

static double channel_threads(void)
{
    return through_channel(one_each, 2, NULL);
}

static double channel_threads_many(void)
{
    return through_channel(one_each, 2, &channel);
}

static double channel_one_scheduler(void)
{
    return through_channel(both_here, 1, NULL);
}

/* ---- A ring -------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t items, room;
    intptr_t ring[ROOM];
    size_t head, count;
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER,
            .items = PTHREAD_COND_INITIALIZER,
            .room = PTHREAD_COND_INITIALIZER};

static void *put_all(void *arg)
{
    for (intptr_t i = 0; i < ITEMS; i++) {
        pthread_mutex_lock(&shared.lock);
        while (shared.count == ROOM)
            pthread_cond_wait(&shared.room, &shared.lock);
        shared.ring[(shared.head + shared.count++) % ROOM] = i;
        if (shared.count == 1)
            pthread_cond_signal(&shared.items);
        pthread_mutex_unlock(&shared.lock);
    }
    return arg;
}

static void get_all(void)
{
    for (intptr_t i = 0; i < ITEMS; i++) {
        pthread_mutex_lock(&shared.lock);
        while (shared.count == 0)
            pthread_cond_wait(&shared.items, &shared.lock);
        shared.head = (shared.head + 1) % ROOM;
        if (shared.count-- == ROOM)
            pthread_cond_signal(&shared.room);
        pthread_mutex_unlock(&shared.lock);
    }
}

static double mutex_and_conditions(void)
{
    double start = now();
    pthread_t thread;

    if (pthread_create(&thread, NULL, put_all, NULL) != 0)
        exit(1);
    get_all();
    pthread_join(thread, NULL);
    return (now() - start) / ITEMS;
}

/* -------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        double (*round)(void);
    } figures[] = {
        {"channel-threads", channel_threads},
        {"channel-threads-many", channel_threads_many},
        {"mutex-and-conditions", mutex_and_conditions},
        {"channel-one-scheduler", channel_one_scheduler},
    };
    double values[4][ROUNDS];

    if (argc == 3 && strcmp(argv[1], "--reactor") == 0)
        reactor = argv[2];
    else if (argc > 1)
        return fprintf(stderr, "usage: channel [--reactor NAME]\n"), 2;
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < 4; i++)
            values[i][round] = figures[i].round();
    for (size_t i = 0; i < 4; i++) {
        qsort(values[i], ROUNDS, sizeof values[i][0], compare);
        printf("%s %.0f ns\n", figures[i].name, values[i][ROUNDS / 2]);
    }
    return 0;
}
