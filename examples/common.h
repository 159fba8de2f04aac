/* SPDX-License-Identifier: MIT */
/* What the larger examples share around their coroutines: the command line, a reactor, a
 * scheduler, an end on SIGINT and SIGTERM, errors in words. cogen does not need it:
 * echo_server.c, line_server.c, echo_client.c and http_hello.c are one file each. */
#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#include <cogen.h>

/* An option of one example: the address of its value, which becomes the argument or,
 * for an option without one (arg NULL), "yes". */
struct example_option {
    const char *name, *arg, *help;
    const char **value;
    char letter; /* its short form; 0: none */
};

struct example {
    const char *name;     /* of the program */
    const char *about;    /* one line for --help */
    const char *operands; /* for --help: "URL..."; NULL: it takes none */
    const char *listen;   /* a server: where, unless --listen says */
    bool network;         /* talks with other processes: not for sim */
    const struct example_option *options; /* ends with an empty one; NULL: none */
    /* Told each option in its turn, for those that may be given several times, if set. */
    void (*each)(const struct example_option *option);
    /* Filled in by example_open. */
    struct cg_reactor *reactor;
    struct cg_sched *sched;
    char **argv; /* the operands, ends with NULL */
    int argc;
};

/* Reads the command line, opens the reactor and the scheduler, makes SIGINT and SIGTERM
 * end the run. Does not return if there is nothing to run: --help and --list-reactors
 * exit with 0, a wrong command line and a reactor that cannot be had with 2. */
void example_open(struct example *ex, int argc, char **argv);

/* Runs the scheduler to its end, reports coroutines that can never wake, frees all that
 * example_open opened. Answers what main should return: 0, or 1 after an error. */
int example_run(struct example *ex);

/* Listens where the command line says, announces it on stdout as "listening on ADDR",
 * and starts fn(listener), which closes it. What goes wrong is reported, and so is an fn
 * that returns an error without having been cancelled. Once a program. */
void example_serve(struct example *ex, cg_fn *fn);

/* A number of seconds from the command line, more than 0, in ns. */
int64_t example_seconds(const struct example *ex, const char *text);

/* Reports that the command line is wrong and exits with 2. */
_Noreturn void example_usage(const struct example *ex, const char *why);

/* Report "PROGRAM: what: why" on stderr, why as words or as a code. After a failure,
 * unlike a warning, the exit status is 1. A cancelled operation is no news and not
 * printed. */
void example_warn(const char *what, ssize_t code);
void example_fail(const char *what, ssize_t code);
void example_complain(const char *what, const char *why);

/* Prints a text that somebody else may have chosen on stderr: what is not printable ASCII
 * as "\x1b". */
void example_put_plain(const char *text);

/* The failure of an address that was connected to or listened on. */
void example_fail(const char *addr, ssize_t code);

#endif
