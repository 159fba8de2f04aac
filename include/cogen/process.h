/* SPDX-License-Identifier: MIT */
/* Processes: started, written to and read from through pipes that are sockets, waited for,
 * ended. See cg_process(3). */
#ifndef COGEN_PROCESS_H
#define COGEN_PROCESS_H

#include <cogen/coro.h>
#include <cogen/sock.h>

/* A process that this program has started. It belongs to the scheduler; whoever started it
 * closes it. */
struct cg_process;

/* Standard input, output or error of a process: one of these, or a descriptor above 0,
 * which is borrowed during the call. */
enum cg_stdio {
    CG_STDIO_INHERIT = 0, /* the same as this process's */
    CG_STDIO_NULL = -1,   /* /dev/null (-ENODEV where there is none) */
    CG_STDIO_PIPE = -2,   /* a pipe, whose other end is a socket: cg_process_sock */
    CG_STDIO_OUT = -3,    /* for standard error: the same as standard output */
};

enum {
    CG_EXIT_SIGNAL = 256, /* plus the signal: the result of a process that a signal ended */
    CG_OUTPUT_LIMIT = 1024 * 1024, /* default limit of an output in cg_communicate */
};

#define CG_PROCESS_GRACE (5 * CG_SECOND) /* default time from SIGTERM to SIGKILL */

/* The user and the groups with which a process runs. It has no other supplementary groups: by
 * default none, and so none of this process's. */
struct cg_spawn_user {
    uid_t uid;
    gid_t gid;
    unsigned ngroups; /* number of groups */
    const gid_t *groups;
};

/* A resource limit of a process. */
struct cg_spawn_limit {
    int resource;        /* RLIMIT_NOFILE ... of sys/resource.h */
    uint64_t soft, hard; /* UINT64_MAX: none */
};

#define CG__SPAWN_FIELDS                                                                   \
    int in, out, err; /* enum cg_stdio, or descriptors */                                  \
    const char *dir;  /* working directory; NULL: this process's */                        \
    char *const *env; /* environment, ends with NULL; NULL: this process's */              \
    bool group;       /* becomes leader of a process group, which is killed as a whole */  \
    unsigned nfds;    /* number of fds */                                                  \
    const int *fds;   /* descriptors that it gets as 3, 4 ..., as they are. Borrowed */    \
    bool session;     /* becomes leader of a new session, without a terminal */            \
    bool terminal;    /* likewise, and `in` becomes the session's terminal */              \
    const struct cg_spawn_user *user; /* NULL: this process's. Borrowed */                 \
    unsigned nlimits;                 /* number of limits */                               \
    const struct cg_spawn_limit *limits; /* Borrowed */                                    \
    const char **failed; /* where to store the step that failed; NULL: nowhere */          \
    void *reserved;

struct cg_spawn_options {
    CG__SPAWN_FIELDS
};

/* The output of a process, as cg_communicate collects it. */
struct cg_output {
    char *data;   /* with a NUL after it; the caller frees it (NULL: nothing collected) */
    size_t len;   /* bytes, without the NUL */
    size_t limit; /* set before the call: most bytes; 0: CG_OUTPUT_LIMIT */
};

#ifndef __cplusplus

struct cg_spawn_op {
    CG_OP_HEAD;
    char *const *argv;
    struct cg_process **process;
    union {
        struct cg_spawn_options options;
        struct {
            CG__SPAWN_FIELDS
        };
    };
};

struct cg_wait_process_op {
    CG_OP_HEAD;
    struct cg_process *process;
    struct cg_op *next, *prev;
};

struct cg_end_process_op {
    CG_OP_HEAD;
    struct cg_process *process;
    int64_t grace;
};

struct cg_call_with_process_op {
    CG_OP_HEAD;
    struct cg_process *process;
    cg_fn *fn;
    void *arg;
    int64_t grace;
};

struct cg_communicate_op {
    CG_OP_HEAD;
    struct cg_process *process;
    const void *in;
    size_t len;
    struct cg_output *out, *err;
    int64_t grace;
};

/* cg_spawn(argv, &process): starts a program, see cg_process_spawn_with. The keywords are
 * the fields of struct cg_spawn_options, as in .out = CG_STDIO_PIPE, .err = CG_STDIO_OUT,
 * .dir = "/". Completes without waiting. */
#define cg_spawn(...) cg__spawn(__VA_ARGS__, )
#define cg__spawn(a, out, ...) CG_OP(cg_spawn, .argv = (a), .process = (out), __VA_ARGS__)

/* Macro form of cg_process_spawn_with that takes the options as keywords, as in
 * cg_process_spawn(sched, argv, &process, .out = CG_STDIO_PIPE). */
#define cg_process_spawn(...) cg__process_spawn(__VA_ARGS__, )
#define cg__process_spawn(sched, argv, out, ...)                                           \
    cg_process_spawn_with(sched, argv, CG__OPTIONS(struct cg_spawn_options, __VA_ARGS__),  \
                          out)

/* cg_wait_process(process): waits for the end of a process and completes with its exit
 * code, 0 to 255, or CG_EXIT_SIGNAL plus the signal that ended it. Any number of
 * coroutines may wait, also after the end. Holds the run open. -ECHILD: the child was
 * already reaped elsewhere; -EBADF: closed meanwhile. Traceless. */
#define cg_wait_process(...) cg__wait_process(__VA_ARGS__, )
#define cg__wait_process(p, ...) CG_OP(cg_wait_process, .process = (p), __VA_ARGS__)

/* cg_end_process(process): sends a process SIGTERM, and SIGKILL if it has not ended within
 * .grace ns (0: CG_PROCESS_GRACE), or if the op is cancelled or times out. Completes like
 * cg_wait_process when the process has ended. In clean-up use .shield = true.
 *   -EPERM      (at once) it runs as another user and may not be signalled
 *   -ETIMEDOUT  it has not ended CG_PROCESS_GRACE after SIGKILL
 * In both cases it still runs, may be waited for again, and must still be closed. */
#define cg_end_process(...) cg__end_process(__VA_ARGS__, )
#define cg__end_process(p, ...) CG_OP(cg_end_process, .process = (p), __VA_ARGS__)

/* cg_call_with_process(process, fn, arg): runs fn(arg) as cg_call does, and then, however
 * fn ends (also by cancellation or timeout), ends the process as cg_end_process does,
 * shielded. So the process does not outlive the call. Completes with what fn returned; if
 * that is not negative but the process could not be ended, with -EPERM or -ETIMEDOUT. */
#define cg_call_with_process(...) cg__call_with_process(__VA_ARGS__, )
#define cg__call_with_process(p, f, a, ...)                                                \
    CG_OP(cg_call_with_process, .process = (p), .fn = (f), .arg = (a), __VA_ARGS__)

/* cg_communicate(process, in, len): at the same time writes len bytes to the standard input
 * of a process and closes it, reads its outputs up to their ends, and waits for its end;
 * completes like cg_wait_process. What is not a pipe is skipped. The pipes are closed. A
 * process that does not read all of its input is no error. Keywords .out and .err, a struct
 * cg_output each (NULL: the output is discarded), and .grace. -EMSGSIZE: an output exceeds
 * its limit; -ENOMEM. If the result is negative, the process was ended as by cg_end_process
 * (if that failed, cg_process_result returns -EBUSY), and the outputs contain what had
 * arrived. Partial. */
#define cg_communicate(...) cg__communicate(__VA_ARGS__, )
#define cg__communicate(p, i, n, ...)                                                      \
    CG_OP(cg_communicate, .process = (p), .in = (i), .len = (n), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_spawn_type, cg_wait_process_type, cg_end_process_type,
    cg_call_with_process_type, cg_communicate_type;

/* Starts a program: argv[0], searched for in this process's PATH if it has no slash, with
 * the arguments argv, which end with NULL. The caller closes *process. The thread is
 * blocked until the program has started, a fraction of a millisecond. The program has the
 * descriptors 0, 1, 2 and those of .fds only, no blocked signal, and every signal at its
 * default action.
 * Its three descriptors are blocking, even if they are the same pipe or terminal that the
 * loop uses; a socket given to it becomes blocking for the caller, too.
 *
 * posix_spawn starts the program. Only for .session, .terminal, .user, .limits and .failed
 * does fork, which takes longer the more memory this process has. .failed tells in which
 * step the child failed, in this order: "signals", "session", "descriptors", "terminal",
 * "limits", "groups", "gid", "uid", "dir" (as the user), "program"; NULL: before them.
 * Returns 0 or
 *   -EPERM                          .user or .limits without the privilege; with .terminal,
 *                                   .in is the terminal of another session
 *   -ENOTTY                         with .terminal, .in is not a terminal
 *   -ENOENT, -EACCES, -ENOEXEC ...  errors of exec
 *   -EINVAL, -EMFILE, -EAGAIN, -ENOMEM
 *   -ENODEV                         there is no /dev/null
 *   -EOPNOTSUPP                     a simulated world has no processes */
CG_API int cg_process_spawn_with(struct cg_sched *sched, char *const *argv,
                                 const struct cg_spawn_options *options,
                                 struct cg_process **process);

/* Closes the pipes and frees the process. Operations that wait for it complete with -EBADF,
 * also those that have completed but whose coroutines have not run since. If it still runs
 * it is killed (SIGKILL), and the run is held open until it has ended. If it may not be
 * killed, the run is not held open: a thread waits for it, so that it does not become a
 * zombie. Never waits. NULL is ignored. Must be called before the scheduler is freed. */
CG_API void cg_process_close(struct cg_process *process);

/* Like cg_process_close, but lets the process run: the caller must then reap it with
 * waitpid. Returns its pid; -ESRCH: it has ended; -EBUSY: an operation waits for it, and
 * nothing has changed. */
CG_API pid_t cg_process_release(struct cg_process *process);

/* Sends a signal to the process, or to its group if it leads one. Returns 0; -ESRCH: it has
 * ended; -EINVAL ... */
CG_API int cg_process_kill(struct cg_process *process, int signo);

/* The socket of its standard input (0), output (1) or error (2), borrowed. NULL: that is no
 * pipe, or was closed. */
CG_API struct cg_sock *cg_process_sock(const struct cg_process *process, int number);

/* Closes such a socket before the process is closed, for example to end its standard
 * input. */
CG_API void cg_process_close_sock(struct cg_process *process, int number);

CG_API pid_t cg_process_pid(const struct cg_process *process);

/* How the process ended, like the result of cg_wait_process; -EBUSY: it has not been reaped
 * yet. */
CG_API ssize_t cg_process_result(const struct cg_process *process);

CG_EXTERN_C_END
#endif
