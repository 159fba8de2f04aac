/* SPDX-License-Identifier: MIT */
/* An echo server with blocking calls, in a thread for each connection, without cogen, for
 * comparison (blast.sh).
 *
 *     ./echothread             on any free port of 127.0.0.1, until it is killed
 *     ./echothread 25000 1     on that port, for one client
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../output.h"
#include "number.h"

static void *echo(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char data[16 * 1024];
    ssize_t got, sent;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    while ((got = recv(fd, data, sizeof data, 0)) > 0)
        for (ssize_t at = 0; at < got; at += sent)
            if ((sent = send(fd, data + at, got - at, MSG_NOSIGNAL)) < 0)
                goto out;
out:
    close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    unsigned long clients = number(argc, argv, 2, 0, UINT32_MAX);
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
    socklen_t size = sizeof addr;
    pthread_attr_t attr;
    pthread_t thread;

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    addr.sin_port = htons((uint16_t)number(argc, argv, 1, 0, UINT16_MAX));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&addr, size) < 0 ||
        listen(listener, 1024) < 0 ||
        getsockname(listener, (struct sockaddr *)&addr, &size) < 0) {
        perror("listen");
        return 1;
    }
    printf("listening on 127.0.0.1:%d\n", ntohs(addr.sin_port));
    if (!output_flush())
        return 1;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 64 * 1024); /* as much as a coroutine has */
    for (unsigned long n = 0; clients == 0 || n < clients; n++) {
        if ((fd = accept(listener, NULL, NULL)) < 0 ||
            pthread_create(&thread, &attr, echo, (void *)(intptr_t)fd) != 0) {
            perror("client");
            return 1;
        }
        if (n + 1 == clients)
            pthread_join(thread, NULL);
        else
            pthread_detach(thread);
    }
    return 0;
}
