/* SPDX-License-Identifier: MIT */
/* The simulated world: a reactor with a virtual clock and a network in memory, in which a
 * program runs in no time, in a fixed order, and with as many faults as one asks for.
 * See cg_sim(3).
 *
 * A program that takes a reactor needs no change: give it cg_reactor_open("sim") (no
 * latency, no faults) or a world made to measure:
 *
 *     struct cg_reactor *world;
 *
 *     cg_sim_open(&(struct cg_sim_options){.seed = 7, .latency = 20 * CG_MILLISECOND,
 *                                          .short_permille = 200, .late_cancel = true},
 *                 &world);
 *     cg_sim_trace(world, cg_sim_print, stderr);
 *
 * The clock starts at 1 s and stands still while the program computes; waiting moves it
 * straight to the next thing that happens. Nothing depends on the machine, its clock or its
 * load: the same program with the same seed runs through the same events, byte for byte in
 * the trace. A fault that some seed has found is found again by it.
 *
 * The network has stream sockets over IPv4, IPv6 and UNIX addresses. Every address belongs
 * to the one host that is simulated, so that 10.0.0.1 and 10.0.0.2 may both be served by
 * the same program; UNIX paths do not touch the file system, and a name is free again as
 * soon as its socket is closed. Ports that a connecting socket is given go round in a
 * circle and come back after some 28,000 connections, even while the first still stands.
 * Handles count from CG_SIM_HANDLE on: no kernel's descriptors. Those are unknown in this
 * world (-EBADF, and -EOPNOTSUPP to attach one), but for the file that sendfile reads.
 *
 * A full backlog lets further connects wait, as TCP does. Closing a socket with unread
 * data, or with SO_LINGER on and 0 s, resets the connection. A wait without limit while
 * nothing is under way, and nobody can wake it, answers -EDEADLK. */
#ifndef COGEN_SIM_H
#define COGEN_SIM_H

#include <cogen/reactor.h>

enum {
    CG_SIM_HANDLE = 1000000,   /* the first handle */
    CG_SIM_WINDOW = 64 * 1024, /* the default of .window */
};

/* What the world is like. All zero: a perfect one. */
struct cg_sim_options {
    uint64_t seed;   /* of all chance; 0 is a seed like any other */
    int64_t latency; /* one way, ns: of data, ends and resets; a connect takes two */
    int64_t jitter;  /* on top of it, ns: 0 to this much; never reorders a stream */
    size_t window;   /* most bytes of a direction sent and not yet read; 0: 64 KiB */
    int64_t cost; /* of a request and of a wait, ns; with 0 a program that never waits
                      * stays at one moment for ever */
    /* Most handles open at a time: then sockets cannot be made (-EMFILE), and accepts wait
     * until one is closed. 0: no limit. */
    unsigned handles;
    /* Chances in a thousand. */
    unsigned short_permille;  /* a transfer is cut short (1 byte at least is moved) */
    unsigned reset_permille;  /* a transfer ends in a reset of the connection */
    unsigned refuse_permille; /* a connect is refused */
    unsigned abort_permille;  /* a connection is reset before it is accepted */
    /* Habits of kernels that keep users honest. */
    bool completion; /* what may wait is never done at once, as with io_uring */
    bool multishot;  /* a receive fills chunks of the pool and stays armed */
    /* A request taken back is completed by the next wait: with -ECANCELED or, as chance has
     * it, with its true result. */
    bool late_cancel;
    /* Other threads will wake this reactor: where nothing is under way, a wait without
     * limit sleeps for them, in real time, instead of answering -EDEADLK. */
    bool threads;
    void *reserved[2];
};

/* Gets a line of the trace, without newline: the time in s, the handle, what happened. The
 * line is valid during the call; nothing of the reactor may be called. */
typedef void cg_sim_tracer(void *arg, const char *line);

CG_EXTERN_C_BEGIN

/* Opens a world. The options are copied (NULL: all zero). 0 and the reactor, to be closed
 * with cg_reactor_close; -EINVAL: a negative time or a chance above 1000; -ENOMEM. */
CG_API int cg_sim_open(const struct cg_sim_options *options,
                       struct cg_reactor **reactor);

/* Moves the clock of a world by ns >= 0, as if the program had computed for so long. What
 * has become due is done by the next wait. */
CG_API void cg_sim_advance(struct cg_reactor *reactor, int64_t ns);

/* Has every event of a world told to tracer(arg, line) from now on; NULL: to nobody. */
CG_API void cg_sim_trace(struct cg_reactor *reactor, cg_sim_tracer *tracer, void *arg);

/* A tracer that prints: arg is a FILE *. */
CG_API void cg_sim_print(void *stdio_file, const char *line);

/* How many handles are open in a world: 0 after a program that has closed what it
 * opened. */
CG_API size_t cg_sim_handles(const struct cg_reactor *reactor);

/* A number from the world's chance, 0 to below - 1 (below > 0), for test programs that are
 * to depend on the seed as the world does. */
CG_API uint64_t cg_sim_random(struct cg_reactor *reactor, uint64_t below);

CG_EXTERN_C_END
#endif
