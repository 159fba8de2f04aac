/* SPDX-License-Identifier: MIT */
/* Coroutines in a program whose main loop is that of libevent. (Or the other way round:
 * the libevent reactor runs the program's own events.)
 *
 *     ./embed_libevent --reactor epoll       three ticks of the loop
 */
#include <event2/event.h>
#include <stdlib.h>

#include "embed.h"

static struct event_base *base;
static struct event *turns, *ticks;

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    int timeout, rc = 0;

    (void)fd, (void)what;
    if (!embed_turn(arg, &timeout))
        event_base_loopbreak(base);
    else if (timeout >= 0)
        rc = event_add(turns, &(struct timeval){timeout / 1000, timeout % 1000 * 1000});
    else
        rc = event_add(turns, NULL);
    if (rc < 0) {
        embed_fail(arg);
        event_base_loopbreak(base);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    embed_tick(arg);
}

static bool ask(struct embed *embed)
{
    (void)embed;
    return event_add(ticks, &(struct timeval){.tv_usec = 5000}) == 0;
}

static void run(struct embed *embed)
{
    base = event_base_new();
    turns = base ? event_new(base, embed->fd, EV_READ, on_turn, embed) : NULL;
    ticks = base ? event_new(base, -1, 0, on_tick, embed) : NULL;
    if (turns && ticks) {
        event_active(turns, EV_READ, 0);
        event_base_dispatch(base);
    } else {
        embed_fail(embed);
    }
    if (ticks)
        event_free(ticks);
    if (turns)
        event_free(turns);
    if (base)
        event_base_free(base);
}

int main(int argc, char **argv)
{
    struct embed embed = {
        .name = "embed_libevent",
        .about = "Coroutines in a program whose main loop is libevent's",
        .run = run,
        .ask = ask,
    };

    return embed_main(&embed, argc, argv);
}
