/* SPDX-License-Identifier: MIT */
/* An API in JSON that pushes to WebSockets, and stops gracefully:
 *     ./api 127.0.0.1:7000
 *     http_client ws://127.0.0.1:7000/watch          in another terminal
 *     curl -X POST http://127.0.0.1:7000/count       in a third one */
#include <cogen.h>
#include <cogen/websocket.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>

static unsigned count;

static void print_count(char text[static 32])
{
    snprintf(text, 32, "{\"count\": %u}", count);
}

static ssize_t show(struct cg_http_request *req, void *arg)
{
    char text[32];

    (void)arg;
    print_count(text);
    return cg_yield(cg_http_send_text(req, 200, text, .mime = "application/json"));
}

static ssize_t increment(struct cg_http_request *req, void *arg)
{
    count++;
    cg_yield(cg_signal("count", NULL));
    return show(req, arg);
}

/* Sends the count whenever it has changed. A client that reads slowly misses some values, but
 * not the last one. Nothing else runs between the check and the wait, so no signal is lost. */
static ssize_t push(void *ws)
{
    unsigned sent = count - 1;
    char text[32];
    ssize_t n = 0;

    while (n >= 0) {
        if (sent == count) {
            n = cg_yield(cg_wait_signal("count", NULL));
            continue;
        }
        sent = count;
        print_count(text);
        n = cg_yield(cg_ws_send_text(ws, text));
    }
    return n;
}

/* Somebody must read, also where no messages are expected: only so the WebSocket answers pings, and
 * notices that the client closes it or that the server is shut down. */
static ssize_t read_all(void *ws)
{
    struct cg_ws_message message;
    ssize_t n;

    while ((n = cg_yield(cg_ws_read(ws, &message))) > 0)
        ;
    return n;
}

static ssize_t watch(struct cg_http_request *req, void *arg)
{
    struct cg_ws *ws;
    ssize_t n = cg_yield(cg_ws_accept(req, &ws));

    (void)arg;
    if (n != 0)
        return n;
    cg_yield(cg_any((cg_call(read_all, ws), cg_call(push, ws))));
    cg_ws_free(ws);
    return 0;
}

static ssize_t api(void *addr)
{
    struct cg_http_server *server = cg_http_server_new();
    struct cg_sock *listener;
    ssize_t n;

    if (!server)
        return -ENOMEM;
    n = cg_http_server_mount(server, "GET /count", show, NULL);
    if (n == 0)
        n = cg_http_server_mount(server, "POST /count", increment, NULL);
    if (n == 0)
        n = cg_http_server_mount(server, "GET /watch", watch, NULL);
    if (n == 0 && (n = cg_sock_listen(cg_sched_self(), addr, &listener)) >= 0) {
        struct cg_op *serving = cg_http_serve(server, listener, .grace = 10 * CG_SECOND);

        /* A signal wins the race, which cancels the server: it accepts no more connections, and
         * requests in progress have 10 s to end. The race completes when all have ended. */
        n = cg_yield(cg_any((serving, cg_wait_os_signal(SIGTERM), cg_wait_os_signal(SIGINT))));
        if (n == 0)
            n = cg_op_result(serving);
        cg_sock_close(listener);
    }
    cg_http_server_free(server);
    return n;
}

int main(int argc, char **argv)
{
    ssize_t rc = cg_main(NULL, api, argc > 1 ? argv[1] : "127.0.0.1:7000");

    if (rc < 0)
        fprintf(stderr, "api: %s\n", cg_strerror(rc));
    return rc < 0;
}
