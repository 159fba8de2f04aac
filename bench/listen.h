/* SPDX-License-Identifier: MIT */
/* The start of every server of the bench that does not use libcogen, so that all have the
 * same listener and are started in the same way. */
#ifndef COGEN_BENCH_LISTEN_H
#define COGEN_BENCH_LISTEN_H

enum {
    BENCH_BUFFER = 4096,      /* the size of a server's input buffer */
    BENCH_CONNECTIONS = 20000 /* a server must be able to have so many */
};

/* Opens a listening TCP socket on 127.0.0.1 and the port argv[1], or a free port; its
 * connections have TCP_NODELAY. `flags` are added to the type for socket(2). Prints
 * "listening on ADDRESS". Also raises the limit on descriptors and ignores SIGPIPE. */
int bench_listen(char **argv, int flags);

/* The same for a UDP socket. */
int bench_open_udp(char **argv, int flags);

/* Prints what failed and why, and exits. */
_Noreturn void bench_die(const char *what);

#endif
