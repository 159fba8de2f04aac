/* SPDX-License-Identifier: MIT */
/* What every server of the bench begins with that is not libcogen's, so that all have the
 * same listener and are started in the same way. */
#ifndef COGEN_BENCH_LISTEN_H
#define COGEN_BENCH_LISTEN_H

enum {
    BENCH_BUFFER = 4096,      /* what a server reads into */
    BENCH_CONNECTIONS = 20000 /* as many as it must be able to have */
};

/* A listening TCP socket of 127.0.0.1, on the port argv[1] or else a free one, whose
 * connections have TCP_NODELAY; `flags` as socket(2) takes them beside the type. Prints
 * "listening on ADDRESS". Also raises the limit on descriptors and ignores SIGPIPE. */
int bench_listen(char **argv, int flags);

/* Says what failed and why, and ends the program. */
_Noreturn void bench_die(const char *what);

#endif
