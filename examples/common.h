/* SPDX-License-Identifier: MIT */
/* What the larger examples share: the command line, the reactor, the scheduler, the end on
 * SIGINT, SIGTERM and SIGHUP, error messages. A program that uses cogen does not need it:
 * echo_server.c, line_server.c, echo_client.c and http_hello.c are one file each. */
#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#include <cogen.h>

/* An option of an example. *value becomes the option's argument, or "yes" if it takes none
 * (arg NULL). */
struct example_option {
    const char *name, *arg, *help;
    const char **value;
    char letter; /* the short form; 0: none */
};

struct example {
    const char *name;     /* of the program */
    const char *about;    /* one line for --help */
    const char *operands; /* for --help: "URL..."; NULL: it takes none */
    const char *listen;   /* of a server: the default of --listen */
    bool datagrams;       /* it listens on a datagram socket */
    bool network;         /* communicates with other processes: not on sim */
    const struct example_option *options; /* ends with an empty one; NULL: none */
    /* If set, called for each option, for options that may be given several times. */
    void (*each)(const struct example_option *option);
    /* Filled in by example_open. */
    struct cg_reactor *reactor;
    struct cg_sched *sched;
    char **argv; /* the operands, ends with NULL */
    int argc;
};

/* Reads the command line, opens the reactor and the scheduler, and makes SIGINT,
 * SIGTERM and SIGHUP end the run. Exits with 0 after --help and --list-reactors, and with 2 if the
 * command line is wrong or the reactor is not available. */
void example_open(struct example *ex, int argc, char **argv);

/* The first half of example_open: the command line, and whether the reactor can be had. For
 * programs that open reactors themselves. */
void example_begin(struct example *ex, int argc, char **argv);

/* The name that --reactor gave, or NULL; what main should return so far. */
const char *example_reactor(void);
int example_status(void);

/* Runs the scheduler to its end, reports coroutines that can never wake, and frees what
 * example_open opened. Returns the exit status for main: 0, or 1 after an error. */
int example_run(struct example *ex);

/* Listens on the address of the command line, prints "listening on ADDR" on stdout, and
 * starts fn(listener), which closes the listener. Reports errors, also one that fn
 * returns, unless it was cancelled. Called at most once in a program. */
void example_serve(struct example *ex, cg_fn *fn);

/* Reads a whole number from the command line. If it is not one from `least` to `most`, reports
 * `why` and exits with 2. */
unsigned long example_number(const struct example *ex, const char *text, unsigned long least,
                             unsigned long most, const char *why);

/* Reads a number of seconds above 0 from the command line. Returns it in ns. */
int64_t example_seconds(const struct example *ex, const char *text);

/* Reports that the command line is wrong and exits with 2. */
_Noreturn void example_usage(const struct example *ex, const char *why);

/* Print "PROGRAM: what: why" on stderr; `code` is translated to words. After a failure or a
 * complaint, unlike after a warning or a note, the exit status is 1. A cancelled operation is
 * not reported. */
void example_warn(const char *what, ssize_t code);
void example_fail(const char *what, ssize_t code);
void example_note(const char *what, const char *why);
void example_complain(const char *what, const char *why);

/* After a failure that was reported already: the exit status is 1. */
void example_failed(void);

/* Prints a text from an untrusted source on stderr. Bytes that are not printable ASCII are
 * written as "\x1b", so that they cannot control the terminal. */
void example_put_plain(const char *text);

#endif
