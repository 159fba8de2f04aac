/* SPDX-License-Identifier: MIT */
/* What bench/load and bench/load_tls share: the server's address, the phases of a run, the wait
 * for the server, and the options for them. */
#ifndef COGEN_BENCH_LOAD_COMMON_H
#define COGEN_BENCH_LOAD_COMMON_H

#include "bench/measured.h"

#include <getopt.h>
#include <netinet/in.h>

enum { LOAD_EVENTS = 512 };

enum load_phase { LOAD_WARM_UP, LOAD_MEASURES, LOAD_OVER };

struct load {
    const char *name; /* of the program, in messages */
    double seconds, warmup;
    long requests; /* how many to measure; 0: measure for a time */
    struct sockaddr_in address;
    int ep;
    enum load_phase phase;
    int64_t end; /* of the phase */
    struct measured measured;
};

/* Options for getopt_long, and whether it has returned one of them with a valid argument. */
#define LOAD_OPTIONS                                                                       \
    {"seconds", 1, NULL, 's'}, {"warmup", 1, NULL, 'w'}, {"requests", 1, NULL, 'r'},       \
        {"pid", 1, NULL, 'i'}, {"spin", 0, NULL, 'n'}
bool load_option(struct load *load, int option, const char *text);

/* Reads "ADDRESS:PORT", and changes the text. Returns false if it is invalid. */
bool load_address(struct load *load, char *text);

/* Prints "NAME: what: why", by errno, and ends the program. */
_Noreturn void load_die(const struct load *load, const char *what);

/* Begins the warm-up. */
void load_begin(struct load *load);

/* Begins the next phase: the measurement, or the end, which prints what was measured. */
void load_next(struct load *load, int64_t at);

/* Waits for the server. Returns the number of events, at least 1. */
int load_wait(const struct load *load, struct epoll_event events[static LOAD_EVENTS]);

#endif
