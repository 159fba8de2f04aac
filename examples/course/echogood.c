/* SPDX-License-Identifier: MIT */
/* An echo server on the small operating system: one task for each client, which waits for
 * its descriptor before it reads or writes.
 *
 *     ./echogood                     on 127.0.0.1:25000, until Ctrl-C
 *     ./echogood --alive             another task prints now and then that it still runs
 *     ./echogood --port 0 --clients 1
 *     ./echo_client 127.0.0.1:25000  talks with it
 */
#include <cogen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os_net.h"

static ssize_t handle_client(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char *data = malloc(OS_MESSAGE);
    ssize_t got = data ? 1 : 0, sent;

    while (got > 0 && cg_yield(os_read_wait(fd)) >= 0) {
        got = recv(fd, data, OS_MESSAGE, 0);
        for (ssize_t at = 0; at < got; at += sent) {
            if ((sent = cg_yield(os_write_wait(fd))) < 0 ||
                (sent = send(fd, data + at, got - at, MSG_NOSIGNAL)) < 0) {
                got = 0;
                break;
            }
        }
    }
    close(fd);
    free(data);
    return 0;
}

static ssize_t alive(void *arg)
{
    (void)arg;
    do
        puts("I'm alive!");
    while (cg_yield(cg_sleep(CG_SECOND)) >= 0);
    return 0;
}

static ssize_t server(void *arg)
{
    const struct os_server *server = arg;
    ssize_t watcher = server->alive ? cg_yield(os_new_task(alive, NULL)) : 0, tid = 0;

    for (long n = 0; server->clients == 0 || n < server->clients; n++) {
        ssize_t rc = cg_yield(os_read_wait(server->fd));
        int fd;

        if (rc < 0) {
            os_accept_failed(rc);
            break;
        }
        if ((fd = os_accept(server->fd)) >= 0)
            tid = cg_yield(os_new_task(handle_client, (void *)(intptr_t)fd));
    }
    cg_yield(os_wait_task(tid));
    cg_yield(os_kill_task(watcher));
    return 0;
}

int main(int argc, char **argv)
{
    return os_serve("echogood", "An echo server that waits for its descriptors", server,
                    argc, argv);
}
