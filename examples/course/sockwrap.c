/* SPDX-License-Identifier: MIT */
/* The echo server with a socket whose methods are operations (accept, recv, send). It is
 * the last step of the course's operating system; cogen's own sockets continue from here.
 *
 *     ./sockwrap                     on 127.0.0.1:25000, until Ctrl-C
 *     ./sockwrap --port 0 --clients 1
 */
#include <cogen.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os_net.h"

/* The methods of a socket: each is an operation that yields os_read_wait or
 * os_write_wait. */

struct wrapped_op {
    CG_OP_HEAD;
    int sock;
    void *data;
    size_t size;
};

static struct wrapped_op *wrapped(struct cg_op *op)
{
    return (struct wrapped_op *)op;
}

static ssize_t accept_run(struct cg_op *op)
{
    int fd, sock = wrapped(op)->sock;
    ssize_t rc;

    do
        if ((rc = cg_yield(os_read_wait(sock))) < 0)
            return rc;
    while ((fd = os_accept(sock)) < 0);
    return fd;
}

static ssize_t recv_run(struct cg_op *op)
{
    ssize_t rc = cg_yield(os_read_wait(wrapped(op)->sock));

    if (rc >= 0)
        rc = recv(wrapped(op)->sock, wrapped(op)->data, wrapped(op)->size, 0);
    return rc == -1 ? -errno : rc;
}

static ssize_t send_run(struct cg_op *op)
{
    ssize_t rc = cg_yield(os_write_wait(wrapped(op)->sock));

    if (rc >= 0)
        rc =
            send(wrapped(op)->sock, wrapped(op)->data, wrapped(op)->size, MSG_NOSIGNAL);
    return rc == -1 ? -errno : rc;
}

static const struct cg_op_type accept_type = {.name = "sock_accept", .run = accept_run};
static const struct cg_op_type recv_type = {.name = "sock_recv", .run = recv_run};
static const struct cg_op_type send_type = {.name = "sock_send", .run = send_run};

/* These take .timeout and the other keywords, like every operation. */
#define wrapped_op(t, s, ...)                                                          \
    (&(struct wrapped_op){.type = &t, .sock = (s), __VA_ARGS__}.op)
#define sock_accept(...) sock__accept(__VA_ARGS__, )
#define sock__accept(s, ...) wrapped_op(accept_type, s, __VA_ARGS__)
#define sock_recv(...) sock__recv(__VA_ARGS__, )
#define sock__recv(s, d, n, ...)                                                       \
    wrapped_op(recv_type, s, .data = d, .size = n, __VA_ARGS__)
#define sock_send(...) sock__send(__VA_ARGS__, )
#define sock__send(s, d, n, ...)                                                       \
    wrapped_op(send_type, s, .data = d, .size = n, __VA_ARGS__)

static ssize_t handle_client(void *arg)
{
    int sock = (int)(intptr_t)arg;
    char *data = malloc(OS_MESSAGE);
    ssize_t n = data ? 1 : 0, sent;

    while (n > 0 &&
           (n = cg_yield(sock_recv(sock, data, OS_MESSAGE, .timeout = CG_MINUTE))) > 0)
        for (ssize_t at = 0; at < n; at += sent)
            if ((sent = cg_yield(sock_send(sock, data + at, n - at))) < 0)
                n = sent;
    close(sock);
    free(data);
    return n;
}

static ssize_t server(void *arg)
{
    const struct os_server *server = arg;
    ssize_t sock, tid = 0;

    for (long n = 0; server->clients == 0 || n < server->clients; n++) {
        if ((sock = cg_yield(sock_accept(server->fd))) < 0) {
            os_accept_failed(sock);
            break;
        }
        tid = cg_yield(os_new_task(handle_client, (void *)sock));
    }
    cg_yield(os_wait_task(tid));
    return 0;
}

int main(int argc, char **argv)
{
    return os_serve("sockwrap",
                    "An echo server on sockets whose methods are operations", server,
                    argc, argv);
}
