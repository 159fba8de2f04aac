/* SPDX-License-Identifier: MIT */
/* Looks for faults of a program in many simulated worlds (cogen/sim.h): each seed gives
 * another order of ready coroutines, another network and other faults. What fails is made as
 * small as possible and shown. See cg_sim_explore(3). A test program in ten lines:
 *
 *     static ssize_t program(void *arg)
 *     {
 *         ... starts coroutines, uses sockets, and returns 0; a negative code is a failure,
 *         and so are a failed assertion, a crash, and coroutines that wait for ever
 *     }
 *
 *     int main(int argc, char **argv)
 *     {
 *         return cg_sim_explore_main(argc, argv, program, NULL, .seeds = 10000);
 *     }
 *
 * Each world runs fn(arg) as a coroutine on its first host. Worlds follow one another in the
 * same process, so a program sets the variables that it uses at its beginning. No thread runs
 * the functions of cg_offload: the world calls them itself, after a time that the seed chooses. */
#ifndef COGEN_EXPLORE_H
#define COGEN_EXPLORE_H

#include <cogen/coro.h>
#include <cogen/sim.h>

/* What may go wrong, for .faults. Latency, transfers that are cut short, requests that never
 * complete at once, and cancelled requests that complete late are no faults: they happen in
 * every world. */
enum {
    CG_SIM_RESETS = 1 << 0,  /* connections are refused, and reset */
    CG_SIM_LOSS = 1 << 1,    /* datagrams are lost, doubled and reordered */
    CG_SIM_CUTS = 1 << 2,    /* for some time nothing arrives from one host at another */
    CG_SIM_PAUSES = 1 << 3,  /* a host stands still for some time */
    CG_SIM_KILLS = 1 << 4,   /* a host is killed, and later its program starts anew; only
                              * hosts of .programs */
    CG_SIM_SLOWNESS = 1 << 5,/* for some time messages between two hosts take long */
    CG_SIM_HANDLES = 1 << 6, /* for some time no handle can be opened (-EMFILE) */
    CG_SIM_JUMPS = 1 << 7,   /* the clock jumps forward */
    CG_SIM_MEMORY = 1 << 8,  /* for some time there is not always memory for coroutines, sockets
                              * and buffers (-ENOMEM, -ENOBUFS) */
    CG_SIM_THREADS = 1 << 9, /* for some time cg_offload fails now and then (-EAGAIN) */
    CG_SIM_NAMES = 1 << 10,  /* for some time look-ups fail, take long, or return wrong answers */
    CG_SIM_ALL_FAULTS = (1 << 11) - 1,
};

enum {
    CG_SIM_PLAN_SIZE = 2048, /* bytes of the longest plan */
    CG_SIM_WHY_SIZE = 256,
};

/* A program that has a host of its own, in every world, and is started again on a new host
 * after its own was killed. What it keeps in arg survives that, as files do. The world's end
 * cancels it. */
struct cg_sim_program {
    const char *name;
    cg_fn *fn;
    void *arg;
};

struct cg_sim_explore_options {
    uint64_t first; /* the first seed */
    uint64_t seeds; /* how many to try; 0: 1,000 */
    unsigned jobs;  /* processes; 0: cg_cpus() */
    /* CG_ORDER_USUAL: random and PCT by turns. Otherwise all worlds have this order. */
    enum cg_order_kind order;
    unsigned faults; /* a set of CG_SIM_RESETS and so on */
    const struct cg_sim_program *programs; /* on further hosts; a NULL name ends them */
    /* A zone, see cg_sim_serve_names: one more host, the last one, runs a name server for it,
     * which all other hosts ask. Faults hit that host as they hit those of programs. NULL:
     * none. */
    const char *names;
    const struct cg_sim_options *world;    /* properties of all worlds; the seed, and what it
                                            * chooses, are added to them. NULL: all zero */
    int64_t storm; /* faults happen in the first so many ns of a world, and are over then; 0:
                    * 10 s */
    int64_t time_limit;  /* of the world's clock, ns: if it shows more, the world has failed;
                          * 0: a day */
    uint64_t turn_limit; /* the same for the waits of all hosts; 0: 1,000,000 */
    int64_t patience;    /* the same for the CPU time that a world takes, and ten times as much
                          * real time; 0: 10 s */
    const char *plan; /* only this world: the plan of an earlier failure; NULL: by .seeds */
    bool trace;       /* prints the trace of each world; for few of them */
    bool quiet;       /* prints nothing, also no trace */
    void *reserved;
};

enum cg_sim_failure {
    CG_SIM_NO_FAILURE,
    CG_SIM_FAILED,   /* fn returned a negative code */
    CG_SIM_STUCK,    /* coroutines can never go on */
    CG_SIM_LEFT,     /* handles are open at the end */
    CG_SIM_TOO_LONG, /* .time_limit or .turn_limit was exceeded */
    CG_SIM_HANGS,    /* .patience was exceeded */
    CG_SIM_CRASHED,  /* the process was ended by a signal, such as abort()'s */
    CG_SIM_EXITED,   /* the process called exit, as sanitizers do */
};

/* What was found. */
struct cg_sim_found {
    enum cg_sim_failure failure;
    uint64_t seed;   /* the smallest that fails */
    uint64_t worlds; /* how many were tried, not counting those that only reduced the failure */
    char why[CG_SIM_WHY_SIZE];
    char plan[CG_SIM_PLAN_SIZE]; /* for .plan and --replay */
};

CG_EXTERN_C_BEGIN

/* Runs worlds of fn(arg), in child processes. At the first failure the worlds with smaller
 * seeds are finished; then the smallest failing seed's faults and order are reduced to those
 * that are needed. All that is printed on stderr, with the trace of the last world. Returns 1
 * and *found if a world failed; 0: none did; -EINVAL: invalid options, or an invalid plan;
 * -EINTR: ended by SIGINT or SIGTERM; -EBUSY: called in a coroutine; -ENOMEM; or the error of a
 * process or a temporary file that could not be made. `found` may be NULL. */
CG_API int cg_sim_explore_with(cg_fn *fn, void *arg,
                               const struct cg_sim_explore_options *options,
                               struct cg_sim_found *found);
#define cg_sim_explore(...) cg__sim_explore(__VA_ARGS__, )
#define cg__sim_explore(fn, arg, found, ...)                                               \
    cg_sim_explore_with(                                                                   \
        fn, arg, CG__OPTIONS(struct cg_sim_explore_options, __VA_ARGS__), found)

/* The same for a program's main function, with a command line on top of the options: --help
 * lists it. Returns the exit status: 0: no world failed; 1: one did; 2: it could not begin,
 * or stdout cannot be written; 130: interrupted. */
CG_API int cg_sim_explore_main_with(int argc, char **argv, cg_fn *fn, void *arg,
                                    const struct cg_sim_explore_options *options);
#define cg_sim_explore_main(...) cg__sim_explore_main(__VA_ARGS__, )
#define cg__sim_explore_main(argc, argv, fn, arg, ...)                                     \
    cg_sim_explore_main_with(                                                              \
        argc, argv, fn, arg, CG__OPTIONS(struct cg_sim_explore_options, __VA_ARGS__))

CG_EXTERN_C_END
#endif
