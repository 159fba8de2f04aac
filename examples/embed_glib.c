/* SPDX-License-Identifier: MIT */
/* Coroutines in a program whose main loop is that of GLib.
 *
 *     ./embed_glib --reactor epoll       three ticks of the loop
 */
#include <glib-unix.h>
#include <glib.h>

#include "embed.h"

static GMainLoop *loop;
static guint timer; /* for the scheduler's timeout */

static void turn(struct embed *embed);

static gboolean on_timer(gpointer arg)
{
    timer = 0;
    turn(arg);
    return G_SOURCE_REMOVE;
}

static gboolean on_readable(gint fd, GIOCondition what, gpointer arg)
{
    (void)fd, (void)what;
    turn(arg);
    return G_SOURCE_CONTINUE;
}

static void turn(struct embed *embed)
{
    int timeout;

    if (timer)
        g_source_remove(timer);
    timer = 0;
    if (!embed_turn(embed, &timeout))
        g_main_loop_quit(loop);
    else if (timeout >= 0)
        timer = g_timeout_add((guint)timeout, on_timer, embed);
}

static gboolean on_tick(gpointer arg)
{
    embed_tick(arg);
    return G_SOURCE_REMOVE;
}

static bool ask(struct embed *embed)
{
    return g_timeout_add(5, on_tick, embed) > 0;
}

static void run(struct embed *embed)
{
    guint readable = g_unix_fd_add(embed->fd, G_IO_IN, on_readable, embed);

    loop = g_main_loop_new(NULL, FALSE);
    timer = g_idle_add(on_timer, embed); /* the first turn */
    g_main_loop_run(loop);
    g_source_remove(readable);
    g_main_loop_unref(loop);
}

int main(int argc, char **argv)
{
    struct embed embed = {
        .name = "embed_glib",
        .about = "Coroutines in a program whose main loop is GLib's",
        .run = run,
        .ask = ask,
    };

    return embed_main(&embed, argc, argv);
}
