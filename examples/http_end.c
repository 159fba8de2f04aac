/* SPDX-License-Identifier: MIT */
/* See http_end.h. */
#include "http_end.h"

#include <signal.h>

#include <cogen.h>

struct ending {
    struct cg_http_server *server;
    int64_t grace;
};

static ssize_t end(void *arg)
{
    const struct ending *ending = arg;
    ssize_t n =
        cg_yield(cg_any((cg_wait_os_signal(SIGINT), cg_wait_os_signal(SIGTERM))));

    if (n < 0)
        return n;
    return cg_yield(cg_any((cg_http_shutdown(ending->server, .timeout = ending->grace),
                            cg_wait_os_signal(SIGINT), cg_wait_os_signal(SIGTERM))));
}

ssize_t http_serve_to_end(struct cg_http_server *server, struct cg_sock *listener,
                          int64_t grace)
{
    struct ending ending = {server, grace};
    struct cg_op *serving = cg_http_serve(server, listener);
    ssize_t n = cg_yield(cg_any((serving, cg_call(end, &ending))));

    n = n == 0 ? cg_op_result(serving) : 0;
    cg_sock_close(listener);
    return n;
}
