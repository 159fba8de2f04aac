/* SPDX-License-Identifier: MIT */
/* Datagram sockets for tests. */
#ifndef COGEN_TESTS_SOCKETS_DATAGRAMS_H
#define COGEN_TESTS_SOCKETS_DATAGRAMS_H

#include "tests/support/support.h"

/* A server, and a client whose peer it is, over UDP, UDP on IPv6 or UNIX datagrams. */
struct talk {
    enum test_link kind; /* OVER_TCP stands for UDP */
    struct cg_sock *server, *client;
    char server_addr[CG_ADDR_SIZE], client_addr[CG_ADDR_SIZE];
};

/* Opens a socket on a free address of the kind, and stores the address. */
struct cg_sock *talk_open_one(enum test_link kind, char addr[static CG_ADDR_SIZE]);

/* Returns false if this machine lacks the kind (IPv6). */
bool talk_open(enum test_link kind, struct talk *talk);
void talk_close(struct talk *talk);

/* Sends text to the server; receives it there, and stores the sender. */
void talk_say(struct talk *talk, const char *text);
void talk_hear(struct cg_sock *sock, const char *text, struct cg_addr *from);

/* Runs a function of a talk over each kind. */
void talk_over_all(void (*fn)(struct talk *talk));

#endif
