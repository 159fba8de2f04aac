/* SPDX-License-Identifier: MIT */
/* Crews: one program on all processors. A crew is a number of threads, the workers, each
 * with a reactor and a scheduler of its own. A coroutine belongs to its worker for life;
 * workers share no coroutines, sockets or objects, and talk by channels, signals and
 * cg_run_on. See cg_crew(3). */
#ifndef COGEN_CREW_H
#define COGEN_CREW_H

#include <cogen/coro.h>
#include <cogen/signal.h>

struct cg_reactor;
struct cg_sched;
struct cg_sock;
struct cg_worker;

struct cg_crew_options {
    unsigned workers;    /* 0: as many as cg_cpus() */
    const char *reactor; /* name, as for cg_reactor_open; "sim": hosts of one new world */
    struct cg_reactor *world; /* the workers are new hosts of this simulated world
                               * (cg_sim_open); NULL: see .reactor */
    int64_t grace;       /* of each scheduler, ns: how long a stopped run waits; 0: 5 s */
    int64_t timeout;     /* of each scheduler, as in struct cg_sched_options */
    size_t stack_size;   /* the same */
    int64_t hog;         /* the same */
    unsigned trace;      /* the same */
    bool metrics;        /* the same */
    bool pin;            /* each worker stays on one processor, where the system can do that */
    bool keep_going;     /* a worker that fails does not stop the others */
    bool debug;          /* of each scheduler */
    void *reserved;
};

CG_EXTERN_C_BEGIN

/* Runs fn(arg) as a coroutine on each of n workers, and whatever that starts, until no
 * worker has anything left to do; then frees everything. The calling thread is worker 0.
 * All reactors, schedulers and threads are made before any worker runs, and freed after
 * all have ended. A worker that has nothing to do stays available to the others until all
 * are idle. Returns 0, the first failure of a worker, or why the crew could not start:
 *   -EDEADLK    fn can never continue on some worker
 *   -ECANCELED  fn did not end within the grace period after cg_crew_stop
 *   -EBUSY      the process has a crew already, or the caller is a coroutine
 *   -ENOMEM, -EAGAIN (a thread cannot be made), and those of cg_reactor_open
 * A worker fails if fn returns a negative code other than -ECANCELED there, or if its
 * reactor fails. If there are several, that is reported on stderr with the worker's number,
 * and stops the others as cg_crew_stop does, unless .keep_going is set. Coroutines that
 * can never continue are cancelled and listed on stderr, as by cg_main. The options are
 * copied (NULL: all defaults).
 *
 * Workers in a simulated world all run in the calling thread, by cg_sim_run; the seed
 * decides in which order. Schedulers on other hosts of .world run along. */
CG_API ssize_t cg_crew_main_with(cg_fn *fn, void *arg, const struct cg_crew_options *options);

/* Stops all workers, as cg_sched_stop stops one: a second call ends the grace period. May
 * be called from any thread or signal handler; no effect without a crew. */
CG_API void cg_crew_stop(void);

/* The number of workers, and worker k (0 to cg_crew_size() - 1; otherwise NULL). Without a
 * crew: 0 and NULL. May be called in the crew's coroutines, and in other threads only
 * while the crew runs. */
CG_API unsigned cg_crew_size(void);
CG_API struct cg_worker *cg_crew_worker(unsigned k);

/* The worker of the calling coroutine, and its number; NULL and 0 outside a crew. */
CG_API struct cg_worker *cg_worker_self(void);
CG_API unsigned cg_worker_id(void);

/* A worker's scheduler, for cg_sched_post, cg_sched_post_signal and cg_signal_remote. */
CG_API struct cg_sched *cg_worker_sched(const struct cg_worker *worker);

/* How many processors this process may use: the processors of its affinity, or the quota of
 * its control group (v1 and v2) rounded up if that is less. At least 1. */
CG_API unsigned cg_cpus(void);

/* Signals a name on all workers from any thread, as cg_sched_post_signal does on one.
 * Returns 0, -ENOMEM (then some workers may lack the signal) or -EINVAL: there is no
 * crew. */
CG_API int cg_crew_post_signal_with(struct cg_name name, const void *value);

/* Moves a connection to another worker (or the same one), where fn(the socket, arg) serves
 * it in a coroutine of its own and closes it. Unread input, what TLS knows of the
 * connection, and the socket's timeout go along; the socket itself is gone, as if it had
 * been closed. Does not wait, and does not keep the crew going. If the other worker is
 * stopped meanwhile, or has no memory for it, the connection is closed and fn does not run.
 * A negative result of fn is reported as a failure that nobody takes. Returns 0, or a code
 * and then nothing has changed:
 *   -EBUSY       an operation waits on the socket, or a view is borrowed from it
 *   -EOPNOTSUPP  it has no descriptor (a pair, or TLS over anything but a descriptor), or is
 *                a listener or a datagram socket
 *   -ESRCH       the worker has ended
 *   -EBADF       the socket is being closed
 *   -EINVAL, -ENOMEM */
CG_API int cg_sock_move(struct cg_sock *sock, struct cg_worker *worker,
                        ssize_t (*fn)(struct cg_sock *conn, void *arg), void *arg);

extern CG_API const struct cg_op_type cg_run_on_type, cg_run_on_each_type,
    cg_signal_crew_type;

CG_EXTERN_C_END

#ifndef __cplusplus

struct cg__guest;

struct cg_run_on_op {
    CG_OP_HEAD;
    struct cg_worker *worker;
    cg_fn *fn;
    void *arg;
    struct cg__guest *guest;
};

struct cg_run_on_each_op {
    CG_OP_HEAD;
    cg_fn *fn;
    void *arg;
};

struct cg_signal_crew_op {
    CG_OP_HEAD;
    struct cg_name name;
    const void *value;
};

/* Macro forms that take the options as keywords, as in cg_crew_main(fn, arg, .workers = 4),
 * and any C value as name and value. */
#define cg_crew_main(...) cg__crew_main(__VA_ARGS__, )
#define cg__crew_main(fn, arg, ...)                                                        \
    cg_crew_main_with(fn, arg, CG__OPTIONS(struct cg_crew_options, __VA_ARGS__))
#define cg_crew_post_signal(name, value)                                                   \
    cg_crew_post_signal_with(cg_name(name), (const void *)(intptr_t)(value))

/* cg_run_on(worker, fn, arg): runs fn(arg) in a coroutine of another worker (or of the
 * same one) and completes with its result. If it is cancelled before that coroutine exists, fn
 * does not run (traceless); later the coroutine is cancelled, too, and the op waits for its
 * end. arg must stay valid until the op has completed. -ESRCH: the worker is ending, and fn has
 * not run, or not to its end; -ENOMEM; -EINVAL: worker or fn is NULL. */
#define cg_run_on(...) cg__run_on(__VA_ARGS__, )
#define cg__run_on(w, f, a, ...)                                                           \
    CG_OP(cg_run_on, .worker = (w), .fn = (f), .arg = (a), __VA_ARGS__)

/* cg_run_on_each(fn, arg): runs fn(arg) on all workers at the same time, the caller's
 * included, and completes when all have ended: with 0, or the first failure in the order of
 * the workers. -EINVAL: outside a crew; -ENOMEM. */
#define cg_run_on_each(...) cg__run_on_each(__VA_ARGS__, )
#define cg__run_on_each(f, a, ...)                                                         \
    CG_OP(cg_run_on_each, .fn = (f), .arg = (a), __VA_ARGS__)

/* cg_signal_crew(name, value): signals a name on all workers and completes with the number
 * of coroutines that were woken. Partial: cancelled, it may have reached some workers.
 * -EINVAL: outside a crew; -ENOMEM. */
#define cg_signal_crew(...) cg__signal_crew(__VA_ARGS__, )
#define cg__signal_crew(n, v, ...)                                                         \
    CG_OP(cg_signal_crew, .name = cg_name(n), .value = (const void *)(intptr_t)(v),        \
          __VA_ARGS__)

#endif
#endif
