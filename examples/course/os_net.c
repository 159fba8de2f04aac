/* SPDX-License-Identifier: MIT */
/* See os_net.h. */
#include "os_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int os_accept(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd >= 0)
        fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

void os_accept_failed(ssize_t code)
{
    if (code != -ECANCELED)
        example_fail("accept", code);
}

/* Listens on a port of 127.0.0.1. -1: failed, and the reason was printed. */
static int listen_on(uint16_t port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons(port)};
    socklen_t size = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0) {
        example_fail("socket", -errno);
        return -1;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&addr, size) < 0 || listen(fd, 1024) < 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &size) < 0) {
        example_fail("listen", -errno);
        close(fd);
        return -1;
    }
    printf("listening on 127.0.0.1:%d\n", ntohs(addr.sin_port));
    if (fflush(stdout) != 0) {
        example_fail("stdout", -errno);
        close(fd);
        return -1;
    }
    return fd;
}

int os_serve(const char *name, const char *about, cg_fn *task, int argc, char **argv)
{
    const char *port = "25000", *clients = "0", *alive = NULL;
    const struct example_option options[] = {
        {"port", "PORT", "the port on 127.0.0.1; 0: any free port", &port, 0},
        {"clients", "N", "end after so many clients", &clients, 0},
        {"alive", NULL, "another task prints that it is alive", &alive, 0},
        {0},
    };
    struct example ex = {
        .name = name, .about = about, .network = true, .options = options};
    struct os_server server;
    int code;

    example_open(&ex, argc, argv);
    server = (struct os_server){
        .clients = (long)example_number(&ex, clients, 0, LONG_MAX, "N must be a number"),
        .fd = listen_on(
            (uint16_t)example_number(&ex, port, 0, UINT16_MAX, "PORT is a number up to 65535")),
        .alive = alive != NULL};
    if (server.fd >= 0 && (code = os_boot(ex.sched, task, &server)) < 0)
        example_fail("boot", code);
    code = example_run(&ex);
    if (server.fd >= 0)
        close(server.fd);
    return code;
}
