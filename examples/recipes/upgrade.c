/* SPDX-License-Identifier: MIT */
/* HTTP's Upgrade: a connection begins with HTTP and goes on with a protocol of its own.
 *     ./upgrade 127.0.0.1:7000
 *     (printf 'GET /lines HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n'
 *      echo hello; sleep 1) | echo_client 127.0.0.1:7000 */
#include <cogen.h>
#include <cogen/http_server.h>
#include <errno.h>
#include <stdio.h>

/* After the 101 response the connection is a plain socket. The handler is still the
 * coroutine of this connection, so it serves the new protocol to its end. */
static ssize_t lines(struct cg_http_request *req, void *arg)
{
    struct cg_sock *conn;
    char line[256];
    ssize_t n;

    (void)arg;
    if (!cg_http_request_header(req, "Upgrade"))
        return cg_yield(cg_http_send_text(req, 426, "Ask with Upgrade: lines\n"));
    if ((n = cg_http_response_set_header(req, "Upgrade", "lines")) < 0 ||
        (n = cg_yield(cg_http_upgrade(req, 101, &conn))) < 0)
        return n; /* the client gets a suitable response, for example 400 */
    while ((n = cg_yield(cg_readline(conn, line, sizeof line, .timeout = CG_MINUTE))) > 0)
        if ((n = cg_yield(cg_writeall(conn, line, (size_t)n, .timeout = CG_MINUTE))) < 0)
            break;
    cg_sock_close(conn);
    return n;
}

static ssize_t program(void *addr)
{
    struct cg_http_server *server = cg_http_server_new();
    struct cg_sock *listener;
    ssize_t rc = -ENOMEM;

    if (server)
        rc = cg_http_server_mount(server, "GET /lines", lines, NULL);
    if (rc == 0)
        rc = cg_sock_listen(cg_sched_self(), addr, &listener);
    if (rc >= 0) {
        rc = cg_yield(cg_http_serve(server, listener));
        cg_sock_close(listener);
    }
    cg_http_server_free(server);
    return rc;
}

int main(int argc, char **argv)
{
    ssize_t rc = cg_main(NULL, program, argc > 1 ? argv[1] : "127.0.0.1:7000");

    fprintf(stderr, "upgrade: %s\n", cg_strerror(rc));
    return 1;
}
