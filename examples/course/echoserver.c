/* SPDX-License-Identifier: MIT */
/* The echo server again. With subroutines that yield (step 8), the handler looks like that
 * of a blocking server. Compare echogood, and sockwrap, where the subroutines have become
 * methods of a socket.
 *
 *     ./echoserver                   on 127.0.0.1:25000, until Ctrl-C
 *     ./echoserver --port 0 --clients 1
 */
#include <cogen.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os_net.h"

struct transfer {
    int fd;
    char *data;
    size_t size;
};

/* The subroutines: each waits for the descriptor, then makes the call of its name. */
static ssize_t accept_client(void *arg)
{
    const int *listener = arg;
    ssize_t fd = -1, rc;

    while (fd < 0 && (rc = cg_yield(os_read_wait(*listener))) >= 0)
        fd = os_accept(*listener);
    return fd < 0 ? rc : fd;
}

static ssize_t receive(void *arg)
{
    const struct transfer *t = arg;
    ssize_t rc = cg_yield(os_read_wait(t->fd));

    return rc < 0 ? rc : recv(t->fd, t->data, t->size, 0);
}

static ssize_t send_all(void *arg)
{
    const struct transfer *t = arg;
    ssize_t sent;

    for (size_t at = 0; at < t->size; at += sent)
        if ((sent = cg_yield(os_write_wait(t->fd))) < 0 ||
            (sent = send(t->fd, t->data + at, t->size - at, MSG_NOSIGNAL)) < 0)
            return -1;
    return (ssize_t)t->size;
}

static ssize_t handle_client(void *arg)
{
    struct transfer in = {(int)(intptr_t)arg, malloc(OS_MESSAGE), OS_MESSAGE};
    ssize_t n;

    while (in.data && (n = cg_yield(os_call(receive, &in))) > 0)
        if (cg_yield(os_call(send_all, (&(struct transfer){in.fd, in.data, n}))) < 0)
            break;
    close(in.fd);
    free(in.data);
    return 0;
}

static ssize_t server(void *arg)
{
    struct os_server *server = arg;
    ssize_t fd, tid = 0;

    for (long n = 0; server->clients == 0 || n < server->clients; n++) {
        if ((fd = cg_yield(os_call(accept_client, &server->fd))) < 0) {
            os_accept_failed(fd);
            break;
        }
        tid = cg_yield(os_new_task(handle_client, (void *)fd));
    }
    cg_yield(os_wait_task(tid));
    return 0;
}

int main(int argc, char **argv)
{
    return os_serve("echoserver", "An echo server with subroutines that yield", server,
                    argc, argv);
}
