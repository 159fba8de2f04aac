/* SPDX-License-Identifier: MIT */
#include <cogen.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct member {
    struct cg_sock *conn;
    struct cg_subscriber heard;
    char name[32];
};

static struct cg_pubsub *room;

static ssize_t tell(struct cg_sock *conn, const char *text)
{
    return cg_yield(cg_writeall(conn, text, strlen(text), .timeout = 10 * CG_SECOND));
}

/* "NAME WHAT\n" in memory of its own, which the room frees. */
static char *message(const char *name, const char *what)
{
    size_t size = strlen(name) + strlen(what) + 2;
    char *line = malloc(size);

    if (line)
        snprintf(line, size, "%s%s\n", name, what);
    return line;
}

/* What the member says goes to the room. */
static ssize_t talk(void *arg)
{
    struct member *me = arg;
    char text[500] = ": ", *line;
    ssize_t n;

    while ((n = cg_yield(cg_readline(me->conn, text + 2, sizeof text - 2,
                                     .timeout = 5 * CG_MINUTE))) > 0) {
        text[strcspn(text, "\r\n")] = '\0';
        if (!(line = message(me->name, text)))
            return -ENOMEM;
        if ((n = cg_yield(cg_publish(room, line))) < 0) {
            free(line);
            break;
        }
    }
    return n;
}

/* What the room says goes to the member. */
static ssize_t hear(void *arg)
{
    struct member *me = arg;
    const char *lines[8];
    ssize_t n;

    while ((n = cg_yield(cg_fetch(&me->heard, lines, 8, .timeout = CG_NEVER))) > 0)
        for (ssize_t i = 0; i < n; i++) {
            ssize_t rc = tell(me->conn, lines[i]);

            if (rc < 0)
                return rc;
        }
    return n;
}

/* Publishes without waiting, so that it works in a cancelled coroutine, too. */
static void announce(const char *name, const char *what)
{
    char *line = message(name, what);

    if (line && cg_pubsub_try_publish(room, line) < 0)
        free(line);
}

static ssize_t serve_member(struct cg_sock *conn, void *arg)
{
    struct member me = {.conn = conn};
    ssize_t n;

    (void)arg;
    n = cg_yield(cg_readline(conn, me.name, sizeof me.name, .timeout = CG_MINUTE));
    if (n > 0) {
        struct cg_op *talking = cg_call(talk, &me), *hearing = cg_call(hear, &me);
        const char *bye = "Good bye.\n";

        me.name[strcspn(me.name, "\r\n")] = '\0';
        cg_pubsub_subscribe(room, &me.heard, CG_SINCE_NOW);
        announce(me.name, " has come");
        cg_yield(cg_any((talking, hearing)));
        cg_pubsub_unsubscribe(&me.heard);
        announce(me.name, " has gone");
        n = cg_op_result(talking);
        if (n == -ETIMEDOUT)
            bye = "You have been silent for five minutes. Good bye.\n";
        cg_yield(cg_writeall(conn, bye, strlen(bye), .timeout = CG_SECOND,
                             .shield = true));
    }
    cg_sock_close(conn);
    return n;
}

static ssize_t chat(void *addr)
{
    struct cg_sock *listener;
    ssize_t rc = cg_sock_listen(cg_sched_self(), addr, &listener);

    if (rc < 0)
        return rc;
    if ((room = cg_pubsub_new(.limit = 100, .drop = free, .name = "room"))) {
        rc = cg_yield(cg_serve(listener, serve_member, .name = "member", .limit = 1000));
        cg_pubsub_free(room);
    } else {
        rc = -ENOMEM;
    }
    cg_sock_close(listener);
    return rc;
}

static ssize_t chat_until_signal(void *addr)
{
    struct cg_op *chatting = cg_call(chat, addr);
    ssize_t winner = cg_yield(cg_any((chatting, cg_wait_os_signal(SIGINT),
                                      cg_wait_os_signal(SIGTERM))));

    return winner > 0 ? 0 : cg_op_result(chatting);
}

int main(int argc, char **argv)
{
    char *addr = argc > 1 ? argv[1] : "127.0.0.1:7000";
    ssize_t rc = cg_main(NULL, chat_until_signal, addr);

    if (rc < 0)
        fprintf(stderr, "chat: %s\n", cg_strerror(rc));
    return rc < 0;
}
