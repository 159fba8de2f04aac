/* SPDX-License-Identifier: MIT */
/* Sends back whatever comes, as it comes; a coroutine for each connection.
 *
 *     ./echo_server --listen 127.0.0.1:7007
 *     ./echo_client 127.0.0.1:7007             in another terminal
 *
 * Reading with cg_borrow names no buffer: the bytes are lent by the reactor while there
 * are any, and a connection that is quiet holds nothing but a stack.
 */
#include <cogen.h>

#include "common.h"

static ssize_t echo(struct cg_sock *conn, void *arg)
{
    struct cg_view view;
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_borrow(conn, &view))) > 0) {
        /* A client may take long to read, but not a minute without reading anything. */
        n = cg_yield(cg_writeall(conn, view.data, view.size, .timeout = CG_MINUTE,
                                 .weak_timeout = true));
        cg_view_release(&view, view.size);
        if (n < 0)
            break;
    }
    cg_sock_close(conn);
    return n;
}

static ssize_t serve(void *listener)
{
    ssize_t n = cg_yield(cg_serve(listener, echo, .name = "echo"));

    cg_sock_close(listener);
    return n;
}

int main(int argc, char **argv)
{
    struct example ex = {
        .name = "echo_server",
        .about = "Sends back whatever comes, as it comes",
        .listen = "127.0.0.1:7007",
        .network = true,
    };

    example_open(&ex, argc, argv);
    example_serve(&ex, serve);
    return example_run(&ex);
}
