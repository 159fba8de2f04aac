/* SPDX-License-Identifier: MIT */
/* The simulated world: a reactor with a virtual clock and a network in memory. A program
 * runs in it without real waiting, in a fixed order, and with as many faults as requested.
 * See cg_sim(3) and cg_sim_host(3).
 *
 * A program that takes a reactor needs no change: give it cg_reactor_open("sim") (no
 * latency, no faults) or a world with options:
 *
 *     struct cg_reactor *world;
 *
 *     cg_sim_open(&(struct cg_sim_options){.seed = 7, .latency = 20 * CG_MILLISECOND,
 *                                          .short_permille = 200, .late_cancel = true},
 *                 &world);
 *     cg_sim_trace(world, cg_sim_print, stderr);
 *
 * The clock starts at 1 s and stands still while the program computes; a wait moves it
 * directly to the next event. Nothing depends on the machine, its clock or its load:
 * the same program with the same seed produces the same events, and byte for byte the
 * same trace. So a fault found with one seed can be reproduced with it.
 *
 * The network has stream and datagram sockets over IPv4, IPv6 and UNIX addresses, and
 * multicast. A world has one host, or several (cg_sim_host), which share all addresses:
 * the same program may serve both 10.0.0.1 and 10.0.0.2, and only one host can listen
 * at an address. UNIX paths do not touch the file system; a name is free again when its
 * socket is closed. The ports of connecting sockets are assigned in a circle and repeat
 * after some 28,000 connections, even if the first is still open. Handles start at
 * CG_SIM_HANDLE and are not descriptors of the kernel. Those are invalid in this world
 * (-EBADF; -EOPNOTSUPP to attach one), except the file that sendfile reads and those that
 * cg_send_fds passes on.
 *
 * If a backlog is full, further connects wait, as in TCP. Closing a socket with unread
 * data, or with SO_LINGER on and 0 s, resets the connection. A wait without limit fails
 * with -EDEADLK if nothing is in flight and nobody can wake it. */
#ifndef COGEN_SIM_H
#define COGEN_SIM_H

#include <cogen/reactor.h>

#define CG_SIM_NAME_SERVER "10.0.0.53:53" /* where cg_sim_serve_names listens */

enum {
    CG_SIM_HANDLE = 1000000,   /* the first handle */
    CG_SIM_WINDOW = 64 * 1024, /* the default of .window */
};

/* Properties of a world. All zero: no latency, no faults. */
struct cg_sim_options {
    uint64_t seed;   /* of the random numbers; 0 is a seed like any other */
    int64_t latency; /* one way, ns: of data, ends and resets; a connect takes two */
    int64_t jitter;  /* 0 to this many ns on top of it; never reorders a stream */
    size_t window;   /* most bytes in one direction that are sent but not read; 0: 64 KiB */
    int64_t cost; /* time of each request and each wait, ns; with 0 a program that never waits
                      * stays at one moment for ever */
    /* Most open handles of all hosts: beyond that sockets cannot be made (-EMFILE), and
     * accepts wait until a handle is closed. 0: no limit. */
    unsigned handles;
    /* Probabilities in permille. */
    unsigned short_permille;  /* a transfer is cut short (at least 1 byte is moved) */
    unsigned reset_permille;  /* a transfer fails because the connection is reset */
    unsigned refuse_permille; /* a connect is refused */
    unsigned abort_permille;  /* a connection is reset before it is accepted */
    /* Of UDP datagrams, which jitter reorders too. */
    unsigned lose_permille;    /* a datagram is lost */
    unsigned double_permille;  /* it arrives twice */
    unsigned reorder_permille; /* it overtakes others that are in flight to its receiver */
    /* Behaviour of real kernels that programs must handle. */
    bool completion; /* requests that may wait never complete at once, as with io_uring */
    bool multishot;  /* a receive fills chunks of the pool and stays armed */
    /* A cancelled request completes in the next wait: with -ECANCELED or, at random, with
     * its true result. */
    bool late_cancel;
    /* Other threads will wake this reactor: if nothing is in flight, a wait without limit
     * sleeps in real time instead of failing with -EDEADLK. */
    bool threads;
    /* In which order ready coroutines run, by the seed. .depth and .steps are of CG_ORDER_PCT:
     * how many steps a fault needs in a certain order (0: 3; at most CG_ORDER_DEPTH), and how
     * many times a run resumes coroutines, about (0: 1000). */
    enum cg_order_kind order;
    unsigned depth;
    uint64_t steps;
    /* The address of a name server: schedulers without a resolver of their own ask it (the
     * resolver "world"). NULL: there is none. Must live as long as the world. */
    const char *name_server;
    void *reserved;
};

/* Receives one line of the trace, without newline: the time in s, the handle, the event.
 * The line is valid during the call, which must not use the reactor. */
typedef void cg_sim_tracer(void *arg, const char *line);

CG_EXTERN_C_BEGIN

/* Opens a world with one host. The options are copied (NULL: all zero). Returns 0 and the
 * reactor, to be closed with cg_reactor_close; -EINVAL: a time that is negative or above
 * CG_NEVER / 8, a probability above 1000, an unknown order, or a .depth above CG_ORDER_DEPTH;
 * -ENOMEM; -ENOSYS: .threads, and this system has no semaphores. */
CG_API int cg_sim_open(const struct cg_sim_options *options,
                       struct cg_reactor **reactor);

/* Adds a host to a world: a reactor, for a scheduler of its own. `world` is any host of it.
 * The hosts of a world share its clock, its network with all addresses, and its handles; a
 * connection that was detached on one may be attached on another. The world ends when its
 * last reactor is closed. Close a host with cg_reactor_close, not within its own run.
 * Returns 0; -EMFILE: the world has 64 hosts; -ENOMEM. */
CG_API int cg_sim_host(struct cg_reactor *world, struct cg_reactor **reactor);

/* Runs the schedulers of all hosts, instead of cg_sched_run, in the calling thread. Each
 * host runs until its reactor waits; then the seed picks one of those that can go on. The
 * clock moves only when none can. A host that has nothing to do stays available to the
 * others, which may post to it; so may coroutines add hosts, and schedulers for them.
 * Returns when no host can ever go on: 0, the number of coroutines left on all hosts, or
 * the first failure of a scheduler; -EBUSY: called within a run; -ENOMEM. */
CG_API ssize_t cg_sim_run(struct cg_reactor *world);

/* Ways in which a host may fail. They may be called in coroutines of any host, and
 * have effect at once.
 *
 * kill: its connections are reset, its addresses are free, and its coroutines are cancelled;
 * whatever they do with the network meanwhile fails with -ENETDOWN and reaches nobody. When
 * they have ended, within cg_sim_run, its scheduler and its reactor are freed. From the call
 * on neither may be used. It is started again as a new host. Not for a worker of a crew.
 *
 * set_paused: no coroutine of it runs until it is resumed; its connections stay. When
 * nothing else can happen, cg_sim_run resumes it.
 *
 * set_link: with `up` false nothing that `from` sends by IPv4 and IPv6 arrives at `to`.
 * Datagrams are lost. Streams send again, at longer and longer intervals, and fail with
 * -ETIMEDOUT, as in Linux: a connect after 127 s, a connection after some 15 minutes.
 *
 * set_delay: the link from `from` to `to` is slow: each message on it takes `delay` ns, 0 or
 * more, on top of the world's latency, and those of a connection one after the other.
 *
 * set_handles: sets the limit .handles of the world.
 *
 * set_lack: how often something is lacking, of a thousand times; 0, as at first: never. Without
 * memory coroutines are not started and sockets not made (-ENOMEM), and reads fail that need a
 * buffer (-ENOBUFS). Without threads cg_offload fails (-EAGAIN). A look-up that lacks a good
 * answer fails at once (CG_ELOOKUP), says that the host is unknown, has the address 192.0.2.1,
 * takes up to 30 s, or fails after that time. If the world has a name server, its answers are
 * spoilt in the same ways, or do not come. */
CG_API void cg_sim_kill(struct cg_reactor *host);
CG_API void cg_sim_set_paused(struct cg_reactor *host, bool paused);
CG_API void cg_sim_set_link(struct cg_reactor *from, struct cg_reactor *to, bool up);

CG_API void cg_sim_set_delay(struct cg_reactor *from, struct cg_reactor *to, int64_t delay);
CG_API void cg_sim_set_handles(struct cg_reactor *world, unsigned most);
CG_API void cg_sim_set_lack(struct cg_reactor *world, enum cg_lack what, unsigned permille);

/* A program for a host of a world: a name server, which answers queries of DNS for addresses
 * with datagrams, at CG_SIM_NAME_SERVER, until it is cancelled. `zone` is a text, a host a line:
 * its name, for how many seconds an answer may be remembered, and its addresses, if any:
 * "www.test 60 10.0.0.1 2001:db8::1\nempty.test 5". Other hosts are unknown; a line that cannot
 * be read counts as another host. Returns -ECANCELED; -EOPNOTSUPP: this is no world. */
CG_API ssize_t cg_sim_serve_names(void *zone);

/* Moves the clock of a world by ns >= 0, as if the program had computed for that long. The
 * next wait handles what has become due. */
CG_API void cg_sim_advance(struct cg_reactor *reactor, int64_t ns);

/* Calls tracer(arg, line) for every event of a world from now on; NULL: stops that. */
CG_API void cg_sim_trace(struct cg_reactor *reactor, cg_sim_tracer *tracer, void *arg);

/* A tracer that prints to arg, a FILE *. */
CG_API void cg_sim_print(void *stdio_file, const char *line);

/* The number of open handles in a world: 0 after a program that has closed all. */
CG_API size_t cg_sim_handles(const struct cg_reactor *reactor);

/* A random number of the world, 0 to below - 1 (below > 0), for test programs that should
 * depend on the seed, too. */
CG_API uint64_t cg_sim_random(struct cg_reactor *reactor, uint64_t below);

CG_EXTERN_C_END
#endif
