/* SPDX-License-Identifier: MIT */
/* See datagrams.h. */
#include "config.h"

#include "tests/sockets/datagrams.h"

#include <string.h>

struct cg_sock *talk_open_one(enum test_link kind, char addr[static CG_ADDR_SIZE])
{
    struct cg_sock *sock;

    strcpy(addr, kind == OVER_TCP6 ? "[::1]:0" : "127.0.0.1:0");
    if (kind == OVER_UNIX)
        test_unix_path(addr);
    OK(cg_datagram_open(cg_sched_self(), addr, &sock));
    OK(cg_sock_local_addr(sock, addr, CG_ADDR_SIZE));
    return sock;
}

bool talk_open(enum test_link kind, struct talk *talk)
{
    char addr[CG_ADDR_SIZE] = "";

    *talk = (struct talk){.kind = kind};
    if (kind == OVER_TCP6 && cg_datagram_open(cg_sched_self(), "[::1]:0", &talk->server) < 0)
        return false;
    cg_sock_close(talk->server);
    talk->server = talk_open_one(kind, talk->server_addr);
    if (kind == OVER_UNIX)
        test_unix_path(addr);
    OK(cg_datagram_open(cg_sched_self(), *addr ? addr : NULL, &talk->client,
                        .peer = talk->server_addr));
    OK(cg_sock_local_addr(talk->client, talk->client_addr, CG_ADDR_SIZE));
    return true;
}

void talk_close(struct talk *talk)
{
    cg_sock_close(talk->client);
    cg_sock_close(talk->server);
}

void talk_say(struct talk *talk, const char *text)
{
    IS(cg_yield(cg_send_to(talk->client, text, strlen(text), NULL)), (ssize_t)strlen(text));
}

void talk_hear(struct cg_sock *sock, const char *text, struct cg_addr *from)
{
    char buf[256];

    IS(cg_yield(cg_receive_from(sock, buf, sizeof buf, from)), (ssize_t)strlen(text));
    ck_assert_int_eq(memcmp(buf, text, strlen(text)), 0);
}

void talk_over_all(void (*fn)(struct talk *talk))
{
    static const enum test_link kinds[] = {OVER_TCP, OVER_TCP6, OVER_UNIX};
    static const char *const names[] = {"over UDP", "over UDP6", "over UNIX"};
    struct talk talk;

    for (size_t i = 0; i < COUNT(kinds); i++) {
        test_label(names[i]);
        if (!talk_open(kinds[i], &talk))
            continue;
        fn(&talk);
        talk_close(&talk);
    }
    test_label("");
}
