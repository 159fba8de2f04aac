/* SPDX-License-Identifier: MIT */
/* A chat over TCP. A client sends its name in the first line; each further line is a
 * message. Messages are published, and each client has a subscription that it reads at its
 * own pace.
 *
 *     ./chat_lines                       on 127.0.0.1:7010, until Ctrl-C
 *     ./echo_client 127.0.0.1:7010       joins (in as many terminals as you like)
 */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

enum {
    LINE = 512,
    KEPT = 100
};

struct client {
    struct cg_sock *conn;
    struct cg_subscriber heard;
    char name[32];
};

static struct cg_pubsub *room;

/* Publishes "NAME WHAT TEXT". */
static ssize_t say(const char *name, const char *what, const char *text)
{
    size_t size = strlen(name) + strlen(what) + strlen(text) + 2;
    char *line = malloc(size);
    ssize_t rc;

    if (!line)
        return -ENOMEM;
    snprintf(line, size, "%s%s%s\n", name, what, text);
    if ((rc = cg_yield(cg_publish(room, line))) < 0)
        free(line);
    return rc;
}

/* Sends everything that is published to one client. */
static ssize_t listening(void *arg)
{
    struct client *client = arg;
    const char *lines[8];
    ssize_t n;

    while ((n = cg_yield(cg_fetch(&client->heard, lines, 8))) > 0)
        for (ssize_t i = 0; i < n; i++)
            if (cg_yield(cg_writeall(client->conn, lines[i], strlen(lines[i]),
                                     .timeout = 10 * CG_SECOND)) < 0)
                return 0; /* the client has gone, or does not read */
    return n;
}

/* Publishes the lines of one client. */
static ssize_t talking(void *arg)
{
    struct client *client = arg;
    char line[LINE];
    ssize_t n;

    while ((n = cg_yield(cg_readline(client->conn, line, sizeof line))) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if ((n = say(client->name, ": ", line)) < 0)
            break;
    }
    return n;
}

static ssize_t serve_client(void *arg)
{
    struct client client = {.conn = arg};
    ssize_t n = cg_yield(cg_readline(client.conn, client.name, sizeof client.name));

    if (n > 0) {
        client.name[strcspn(client.name, "\r\n")] = '\0';
        cg_pubsub_subscribe(room, &client.heard, CG_SINCE_NOW);
        say(client.name, " has come", "");
        /* Whichever ends first ends the other. */
        cg_yield(cg_any((cg_call(talking, &client), cg_call(listening, &client))));
        cg_pubsub_unsubscribe(&client.heard);
        say(client.name, " has gone", "");
    }
    cg_sock_close(client.conn);
    return n;
}

static ssize_t serve(void *arg)
{
    struct cg_sock *listener = arg, *conn;
    ssize_t rc;

    while ((rc = cg_yield(cg_accept(listener, &conn))) >= 0)
        if ((rc = cg_yield(cg_add(serve_client, conn, .name = "client"))) < 0) {
            example_warn("client", rc);
            cg_sock_close(conn);
        }
    cg_sock_close(listener);
    return rc;
}

int main(int argc, char **argv)
{
    struct example ex = {
        .name = "chat_lines",
        .about = "A chat: lines over TCP, published to everybody in the room",
        .listen = "127.0.0.1:7010",
        .network = true,
    };
    int code;

    example_open(&ex, argc, argv);
    if (!(room = cg_pubsub_new(.limit = KEPT, .drop = free, .name = "room"))) {
        example_fail("room", -ENOMEM);
        return example_run(&ex);
    }
    example_serve(&ex, serve);
    code = example_run(&ex);
    cg_pubsub_free(room);
    return code;
}
