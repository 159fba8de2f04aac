/* SPDX-License-Identifier: MIT */
/* A hello server on libevent's evhttp.
 *     bench/peers/http_evhttp [PORT] */
#include "bench/listen.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <sys/socket.h>

static void hello(struct evhttp_request *req, void *arg)
{
    static const char text[] = "Hello, world!\n";
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

    (void)arg;
    evhttp_add_header(headers, "Content-Type", "text/plain; charset=utf-8");
    evbuffer_add_reference(evhttp_request_get_output_buffer(req), text, sizeof text - 1,
                           NULL, NULL);
    evhttp_send_reply(req, 200, "OK", NULL);
}

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();
    struct evhttp *http = base ? evhttp_new(base) : NULL;

    (void)argc;
    if (http == NULL || evhttp_set_cb(http, "/", hello, NULL) < 0 ||
        evhttp_accept_socket(http, bench_listen(argv, SOCK_NONBLOCK)) < 0)
        bench_die("evhttp");
    evhttp_set_timeout(http, 3600);
    return event_base_dispatch(base) < 0;
}
