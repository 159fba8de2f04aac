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
    struct cg_op *interrupt = cg_wait_os_signal(SIGINT);
    struct cg_op *terminate = cg_wait_os_signal(SIGTERM);
    ssize_t n = cg_yield(cg_any((interrupt, terminate)));

    if (n >= 0)
        n = cg_op_result(n == 0 ? interrupt : terminate);
    if (n < 0) /* it could not wait */
        return n;
    return cg_yield(cg_any((cg_http_shutdown(ending->server, .timeout = ending->grace),
                            cg_wait_os_signal(SIGINT), cg_wait_os_signal(SIGTERM))));
}

ssize_t http_serve_to_end(struct cg_http_server *server, struct cg_sock *listener,
                          int64_t grace)
{
    struct ending ending = {server, grace};
    struct cg_op *serving = cg_http_serve(server, listener);
    struct cg_op *waiting = cg_call(end, &ending);
    ssize_t n = cg_yield(cg_any((serving, waiting)));

    if (n >= 0)
        n = cg_op_result(n == 0 ? serving : waiting);
    cg_sock_close(listener);
    return n < 0 ? n : 0;
}
