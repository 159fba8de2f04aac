/* SPDX-License-Identifier: MIT */
/* A name server on the loopback, in a thread, with a few names: v4.* has 127.0.0.4, v6.*
 * has 2001:db8::6, both.* both, many.* twenty, empty.* none; *.corp.example is as v4.*;
 * fail.* is a failure, mute.* is not answered, held.* is as v4.* but not answered before it
 * is released; cut.* is as v4.*, but over a stream only; half.* is as v4.*, but questions
 * for AAAA are not answered; the rest does not exist. */
#ifndef COGEN_TESTS_SOCKETS_NAME_SERVER_H
#define COGEN_TESTS_SOCKETS_NAME_SERVER_H

struct name_server;

/* Starts one, and writes its address as text. */
struct name_server *name_server_start(char addr[static 128]);

/* The same in one; the text is static. */
const char *name_server_addr(struct name_server **server);

/* Answers what is held, and holds nothing any more. */
void name_server_release(struct name_server *server);

/* How many questions have come by datagram, and from how many ports. */
unsigned name_server_questions(struct name_server *server);
unsigned name_server_ports(struct name_server *server);

/* Ends it. */
void name_server_stop(struct name_server *server);

#endif
