/* SPDX-License-Identifier: MIT */
/* See load_websocket.h. */
#include "bench/load_websocket.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const char handshake[] = "GET / HTTP/1.1\r\n"
                                "Host: 127.0.0.1:18080\r\n"
                                "Connection: Upgrade\r\n"
                                "Upgrade: websocket\r\n"
                                "Sec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

bool load_websocket_open(int fd)
{
    char head[1024];
    size_t got = 0;

    if (send(fd, handshake, sizeof handshake - 1, MSG_NOSIGNAL) < 0)
        return false;
    do {
        if (got + 1 == sizeof head || recv(fd, head + got, 1, 0) != 1)
            return false;
        head[++got] = '\0';
    } while (strstr(head, "\r\n\r\n") == NULL);
    return strncmp(head, "HTTP/1.1 101 ", 13) == 0;
}

/* The key is always the same: what it is makes no difference to a server. */
char *load_websocket_frames(size_t len, int count, size_t *size)
{
    static const unsigned char key[4] = {0x12, 0x34, 0x56, 0x78};
    size_t one = 2 + sizeof key + len;
    unsigned char *frames, *frame;

    if (len > LOAD_WEBSOCKET_LIMIT || (frames = malloc(one * (size_t)count)) == NULL)
        return NULL;
    for (frame = frames; frame < frames + one * (size_t)count; frame += one) {
        frame[0] = 0x82; /* a whole binary message */
        frame[1] = (unsigned char)(0x80 | len);
        memcpy(frame + 2, key, sizeof key);
        for (size_t i = 0; i < len; i++)
            frame[2 + sizeof key + i] = 'x' ^ key[i % sizeof key];
    }
    *size = one;
    return (char *)frames;
}
