/* SPDX-License-Identifier: MIT */
/* A name server on the loopback, in a thread. It knows these names:
 * v4.* has 127.0.0.4
 * v6.* has 2001:db8::6
 * both.* has both addresses
 * many.* has twenty addresses
 * empty.* has no address
 * *.corp.example is like v4.*
 * fail.* is a server failure
 * mute.* gets no response
 * held.* is like v4.*, but the response waits for name_server_release
 * cut.* is like v4.*, but over TCP only
 * half.* is like v4.*, but AAAA queries get no response
 * alias.* is another name of v4.test, for 0 seconds
 * srv.* has four servers of a service: b.test (priority 10, weight 0, port 81) and
 *       a.test (5, 60, 80) twice, once by an invalid name, and the root
 * not.* says that a service is not offered
 * txt.* and *.corp.example have the texts "one" and "two parts"
 * the address 127.0.0.4 has the name v4.test, 2001:db8::6 v6.test
 * All other names do not exist. */
#ifndef COGEN_TESTS_SOCKETS_NAME_SERVER_H
#define COGEN_TESTS_SOCKETS_NAME_SERVER_H

struct name_server;

/* Starts a name server, and writes its address as text. */
struct name_server *name_server_start(char addr[static 128]);

/* Like name_server_start, but returns the address, in a static buffer. */
const char *name_server_addr(struct name_server **server);

/* Sends the responses that are held back. No response is held back after that. */
void name_server_release(struct name_server *server);

/* How many queries have come by UDP, and from how many ports. */
unsigned name_server_questions(struct name_server *server);
unsigned name_server_ports(struct name_server *server);

/* Stops the server and frees it. */
void name_server_stop(struct name_server *server);

#endif
