/* SPDX-License-Identifier: MIT */
/* A chat in the browser. Each tab has a WebSocket, which is a coroutine that waits for a signal
 * with the name of its room; when a tab sends a message, the signal wakes all coroutines of the
 * room. Where a WebSocket does not get through, the tab has a stream of server-sent events, and
 * a coroutine only while something is sent to it. The page is in examples/site_chat, the rooms
 * are in chat_room.c.
 *
 *     ./chat                          on 127.0.0.1:8090, until Ctrl-C
 *     http://127.0.0.1:8090/          in several tabs of a browser: the room "lobby"
 *     http://127.0.0.1:8090/?room=tea another room
 *     ./chat --tls-cert cert.pem --tls-key key.pem --listen '[::]:8443'
 *     ./chat --workers 0              on all processors
 *
 * A browser opens at most six connections of HTTP/1.1 to a server besides WebSockets, and a
 * stream of events uses one: with six such tabs in one browser, no connection is left to post
 * messages. By HTTP/2 all tabs share one connection.
 *
 * It is a service, see service.h. All workers share the rooms.
 */
#include <cogen.h>
#include <cogen/http_events.h>
#include <cogen/websocket.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "chat_page.h"
#include "chat_room.h"
#include "common.h"
#include "http_protocols.h"
#include "http_server_tls.h"
#include "service.h"

enum { CONNECTIONS = 4000 };

/* A client is sent a comment or a ping after so long without an event. If it has vanished without
 * closing the connection, the write fails sooner or later. */
static int64_t heartbeat = 15 * CG_SECOND;
static const char *cert, *key;
static bool tls;
static uint8_t protocols; /* 0: those of the library */

static ssize_t refuse(struct cg_http_request *req, int status, const char *why)
{
    return cg_yield(cg_http_send_text(req, status, why));
}

/* Whether the request comes from our own page, and not from one of another site. Browsers
 * tell it by one of these two fields; other programs send neither, and are allowed. */
static bool is_ours(const struct cg_http_request *req)
{
    const char *site = cg_http_request_header(req, "Sec-Fetch-Site");
    const char *origin = cg_http_request_header(req, "Origin"),
               *host = cg_http_request_header(req, "Host");

    if (site != NULL)
        return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
    if (origin == NULL)
        return true;
    origin = strstr(origin, "://");
    return origin != NULL && host != NULL && strcasecmp(origin + 3, host) == 0;
}

static bool is_key(const char *key)
{
    return key != NULL && *key != '\0' && strlen(key) <= CHAT_KEY;
}

static const char *name_of(const struct chat_message *message)
{
    static const char *const names[] = {[CHAT_SAID] = "said",
                                        [CHAT_JOINED] = "joined",
                                        [CHAT_LEFT] = "left",
                                        [CHAT_PEOPLE] = "people"};

    return names[message->kind];
}

enum { NUMBER = 24 }; /* room for a number */

static const char *as_text(uint64_t number, char text[NUMBER])
{
    snprintf(text, NUMBER, "%llu", (unsigned long long)number);
    return text;
}

/* A member that hears by a stream of events. The handler has returned: this is what an idle one
 * costs besides its connection. */
struct listener {
    struct chat_member member;
    char missed[NUMBER];
    char key[CHAT_KEY + 1];
};

/* The next event of a listener. If the connection breaks, the browser reconnects after a second;
 * then it is a new listener, which replaces this one. */
static int next(void *arg, uint64_t sent, struct cg_http_event *event)
{
    struct listener *listener = arg;
    const struct chat_message *message;
    uint64_t missed;

    if (sent == 0) {
        event->event = "welcome";
        event->data = listener->member.name;
        event->retry = CG_SECOND;
        return 1;
    }
    message = chat_next(&listener->member, &missed);
    if (listener->member.replaced)
        return -ECANCELED;
    if (message == NULL)
        return 0;
    event->event = missed > 0 ? "missed" : name_of(message);
    event->data = missed > 0 ? as_text(missed, listener->missed) : message->data;
    event->id = missed > 0 ? NULL : message->id;
    return 1;
}

/* The tab was closed, or the server ends: after a restart the browser reconnects to the
 * successor. */
static void ended(void *arg)
{
    struct listener *listener = arg;

    chat_leave(&listener->member);
    free(listener);
}

/* Tells a member by its WebSocket. A message has the lines of an event: its name, its id, its
 * data. */
static ssize_t tell(struct cg_ws *ws, const char *event, const char *id, const char *data)
{
    static const char form[] = "%s\n%s\n%s";
    size_t size = strlen(event) + strlen(id) + strlen(data) + sizeof form;
    char *text = malloc(size);
    ssize_t n = -ENOMEM;

    if (text != NULL) {
        snprintf(text, size, form, event, id, data);
        n = cg_yield(cg_ws_send_text(ws, text));
    }
    free(text);
    return n;
}

/* Sends everything that is new to the member. */
static ssize_t tell_news(struct cg_ws *ws, struct chat_member *member)
{
    const struct chat_message *message;
    char number[NUMBER];
    uint64_t missed;
    ssize_t n = 0;

    while (n >= 0 && (message = chat_next(member, &missed)) != NULL)
        n = missed > 0 ? tell(ws, "missed", "", as_text(missed, number))
                       : tell(ws, name_of(message), message->id, message->data);
    return n;
}

/* A member says something. What is wrong with it is told to it alone. */
static ssize_t hear(struct cg_ws *ws, const struct chat_member *member, const char *room,
                    const struct cg_ws_message *message)
{
    char *text = strndup(message->data, message->len);
    ssize_t n = -ENOMEM;

    if (text == NULL)
        return n;
    if (strlen(text) != message->len || text[strspn(text, " \t\r\n")] == '\0')
        n = tell(ws, "problem", "", "Say something, in text.");
    else
        n = chat_say(room, member->key, text);
    free(text);
    return n;
}

/* Talks until the tab is closed or the server ends: then the WebSocket is told, and reading it
 * completes with 0. A read that loses the race loses no message. */
static ssize_t converse(struct cg_ws *ws, struct chat_member *member, const char *room)
{
    ssize_t n = tell(ws, "welcome", "", member->name);

    while (n >= 0 && !member->replaced) {
        struct cg_ws_message message;
        struct cg_op *read = cg_ws_read(ws, &message);

        n = tell_news(ws, member);
        if (n < 0 || member->replaced)
            continue;
        n = chat_wait(member, read);
        if (n != 1)
            continue;
        n = cg_op_result(read);
        if (n <= 0)
            return n;
        n = hear(ws, member, room, &message);
    }
    return n;
}

static ssize_t sockets(struct cg_http_request *req, void *arg)
{
    const char *name = cg_http_request_query(req, "name"),
               *key = cg_http_request_query(req, "key"),
               *room = cg_http_request_param(req, "room");
    struct chat_member member;
    struct cg_ws *ws;
    ssize_t n;

    (void)arg;
    if (name == NULL || !chat_is_name(name) || !chat_is_name(room) || !is_key(key))
        return refuse(req, 400, "A name of up to 96 bytes, please, and a key.\n");
    n = cg_yield(cg_ws_accept(req, &ws, .limit = CHAT_MESSAGE, .deflate = true,
                              .no_takeover = true, .ping_interval = heartbeat));
    if (n != 0)
        return n;
    n = chat_join(&member, room, name, key, cg_http_request_query(req, "last"));
    if (n == 0) {
        n = converse(ws, &member, room);
        chat_leave(&member);
    }
    if (n < 0)
        cg_yield(cg_ws_end(ws, 1013, .timeout = CG_SECOND)); /* try again later */
    cg_ws_free(ws);
    return 0;
}

static ssize_t events(struct cg_http_request *req, void *arg)
{
    const char *name = cg_http_request_query(req, "name"),
               *key = cg_http_request_query(req, "key");
    const char *room = cg_http_request_param(req, "room");
    const char *last = cg_http_request_header(req, "Last-Event-ID");
    struct listener *listener;
    struct cg_http_events *news;
    ssize_t n;

    (void)arg;
    if (!is_ours(req))
        return refuse(req, 403, "Another site's page may not join.\n");
    if (name == NULL || !chat_is_name(name) || !chat_is_name(room) || !is_key(key))
        return refuse(req, 400, "A name of up to 96 bytes, please, and a key.\n");
    if (strcmp(cg_http_request_method(req), "HEAD") == 0) /* joins no room */
        return cg_yield(cg_http_send_event(req));
    listener = malloc(sizeof *listener);
    if (listener == NULL)
        return -ENOMEM;
    snprintf(listener->key, sizeof listener->key, "%s", key);
    n = chat_join(&listener->member, room, name, listener->key,
                  last ? last : cg_http_request_query(req, "last"));
    if (n < 0) {
        free(listener);
        return refuse(req, 503, "There are too many people here.\n");
    }
    news = chat_listen(&listener->member, heartbeat);
    n = news != NULL ? cg_yield(cg_http_serve_events(req, news, .next = next, .ended = ended,
                                                     .arg = listener))
                     : -ENOMEM;
    if (n < 0)
        ended(listener);
    return n;
}

static ssize_t messages(struct cg_http_request *req, void *arg)
{
    const char *key = cg_http_request_header(req, "Chat-Key");
    char *text;
    ssize_t n;

    (void)arg;
    if (!is_ours(req))
        return refuse(req, 403, "Another site's page may not speak.\n");
    n = cg_yield(cg_http_read_body(req, &text, .len = CHAT_MESSAGE));
    if (n < 0)
        return n;
    if ((size_t)n != strlen(text) || text[strspn(text, " \t\r\n")] == '\0')
        return refuse(req, 400, "Say something, in text.\n");
    n = is_key(key) ? chat_say(cg_http_request_param(req, "room"), key, text) : -EACCES;
    if (n == -EACCES)
        return refuse(req, 403, "Join the room first.\n");
    return n < 0 ? n : cg_yield(cg_http_respond(req, 204, NULL, 0));
}

static void announce(const char *addr)
{
    printf("open http%s://%s/ in several tabs of a browser\n", tls ? "s" : "", addr);
}

static struct cg_http_server *open_server(void)
{
    struct cg_http_server *server =
        cg_http_server_new(.connections = CONNECTIONS, .protocols = protocols,
                           .wrap = tls ? server_tls_wrap : NULL);

    if (server == NULL || chat_page_mount(server) < 0 ||
        cg_http_server_mount(server, "GET /rooms/:room/events", events, NULL) < 0 ||
        cg_http_server_mount(server, "GET /rooms/:room/socket", sockets, NULL) < 0 ||
        cg_http_server_mount(server, "POST /rooms/:room/messages", messages, NULL) <
            0) {
        example_fail("server", -ENOMEM);
        cg_http_server_free(server);
        return NULL;
    }
    return server;
}

/* The certificate and the key are read anew. */
static ssize_t reload(void)
{
    return tls ? server_tls_reload() : 0;
}

int main(int argc, char **argv)
{
    const char *seconds = "15", *workers = NULL, *list = NULL, *why;
    const struct example_option options[] = {
        {"tls-cert", "FILE", "serve https with this certificate (PEM)", &cert, 0},
        {"tls-key", "FILE", "its key, if that is in a separate file", &key, 0},
        {"protocols", "LIST", HTTP_PROTOCOLS_HELP, &list, 0},
        {"heartbeat", "SECONDS", "write to silent streams this often (15)", &seconds, 0},
        {"workers", "N", "threads that serve (1); 0: one for each processor", &workers, 0},
        {0},
    };
    struct example ex = {
        .name = "chat",
        .about = "Serves a web page where the tabs of browsers chat with each other",
        .listen = "127.0.0.1:8090",
        .network = true,
        .options = options,
    };
    struct service service = {
        .open = open_server,
        .close = cg_http_server_free,
        .announce = announce,
        .reload = reload,
        .grace = 3 * CG_SECOND,
        .patience = CG_MINUTE,
    };

    service_prepare(argv);
    example_begin(&ex, argc, argv);
    if (key != NULL && cert == NULL)
        example_usage(&ex, "--tls-key needs --tls-cert");
    heartbeat = example_seconds(&ex, seconds);
    service.workers = workers;
    tls = cert != NULL;
    protocols = (uint8_t)http_protocols(&ex, list, tls);
    if (tls && server_tls_open(cert, key, http_protocols_alpn(protocols), &why) < 0) {
        example_complain("--tls-cert", why);
        return example_status();
    }
    service_run(&ex, &service);
    chat_end();
    server_tls_close();
    return example_status();
}
