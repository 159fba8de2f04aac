/* SPDX-License-Identifier: MIT */
/* WebSockets that are echoed: messages come back whole and in order, as long as the connection
 * stands, and after the storm of faults a talk ends with a Close from both sides. */
#include "config.h"

#include "tests/worlds/worlds.h"

#include <cogen/websocket.h>

enum { TALKERS = 2, TALKS = 4, MESSAGES = 6, MESSAGE_MOST = 3000 };

static ssize_t echo(struct cg_http_request *req, void *arg)
{
    struct cg_ws_message message;
    struct cg_ws *ws;
    ssize_t n = cg_yield(cg_ws_accept(req, &ws, .deflate = chance(2), .window_bits = 9,
                                      .ping_interval = (1 + chance(5)) * CG_SECOND));

    (void)arg;
    if (n != 0)
        return n;
    while ((n = cg_yield(cg_ws_read(ws, &message))) > 0)
        if (cg_yield(cg_ws_write(ws, n, message.data, message.len,
                                 .more = cg_ws_has_input(ws))) < 0)
            break;
    cg_ws_free(ws);
    return 0;
}

static ssize_t server(void *arg)
{
    struct cg_http_server *http = cg_http_server_new();
    struct cg_sock *listener;
    ssize_t n = listen_at("10.0.0.1:80", &listener);

    (void)arg;
    MUST(http && cg_http_server_mount(http, "GET /", echo, NULL) == 0);
    if (n == 0) {
        n = cg_yield(cg_http_serve(http, listener));
        cg_sock_close(listener);
    }
    cg_http_server_free(http);
    return n;
}

struct talk {
    struct cg_ws *ws;
    unsigned id;
};

static size_t len_of(unsigned id, unsigned number)
{
    return (id * 31 + number * 577) % MESSAGE_MOST;
}

static ssize_t speaks(void *arg)
{
    struct talk *talk = arg;
    char text[MESSAGE_MOST];

    for (unsigned i = 0; i < MESSAGES; i++) {
        size_t len = len_of(talk->id, i);
        ssize_t n;

        fill(text, len, talk->id, i);
        if ((n = cg_yield(cg_ws_write(talk->ws, CG_WS_TEXT, text, len, .more = chance(2)))) < 0)
            return n;
        if (chance(4) == 0 && (n = cg_yield(cg_ws_ping(talk->ws, "hello", 5))) < 0)
            return n;
        if (chance(2))
            dawdle();
    }
    return 0;
}

static ssize_t hears(struct talk *talk)
{
    for (unsigned i = 0; i < MESSAGES; i++) {
        struct cg_ws_message message;
        ssize_t n = cg_yield(cg_ws_read(talk->ws, &message, .timeout = CG_MINUTE));

        if (n <= 0)
            return n < 0 ? n : CG_EOF;
        MUST(n == CG_WS_TEXT && message.len == len_of(talk->id, i));
        verify(message.data, message.len, talk->id, i);
    }
    return 0;
}

static ssize_t talk_once(struct cg_http_client *client, unsigned id)
{
    struct talk talk = {.id = id};
    struct cg_coro *speaker;
    ssize_t n = cg_yield(cg_ws_connect(client, "ws://10.0.0.1/", &talk.ws, .deflate = chance(2),
                                       .window_bits = 9, .timeout = 10 * CG_SECOND));

    if (n < 0)
        return n;
    n = cg_yield(cg_add(speaks, &talk, .coro = &speaker));
    if (n < 0) {
        MUST(stormy());
        cg_ws_free(talk.ws);
        return n;
    }
    n = hears(&talk);
    if (n < 0)
        cg_coro_cancel(speaker);
    cg_yield(cg_join(speaker));
    cg_coro_unref(speaker);
    if (n == 0)
        n = cg_yield(cg_ws_end(talk.ws, CG_WS_NORMAL));
    if (n == 0)
        MUST(cg_ws_code(talk.ws) == CG_WS_NORMAL || cg_ws_code(talk.ws) == CG_WS_GOING_AWAY ||
             stormy());
    cg_ws_free(talk.ws);
    return n;
}

static ssize_t talker(void *arg)
{
    struct cg_http_client *client = cg_http_client_new(.no_environment = true);
    unsigned id = (unsigned)(intptr_t)arg * TALKS, tries = 0;

    for (unsigned i = 0; i < TALKS; i++) {
        dawdle();
        talk_once(client, id + i);
    }
    while (stormy())
        cg_yield(cg_sleep(CG_SECOND));
    while (talk_once(client, id) != 0)
        MUST(++tries < 20);
    cg_http_client_free(client);
    return 0;
}

static ssize_t talkers(void *arg)
{
    struct cg_group group;

    (void)arg;
    cg_group_open(&group);
    for (intptr_t i = 0; i < TALKERS; i++)
        cg_group_start(&group, talker, (void *)i, NULL);
    return cg_yield(cg_wait_group(&group));
}

static const struct cg_sim_program programs[] = {{"server", server, NULL}, {NULL, NULL, NULL}};

const struct subject ws_subject = {
    .name = "ws",
    .fn = talkers,
    .programs = programs,
    .faults = CG_SIM_ALL_FAULTS,
    .share = 10,
};
