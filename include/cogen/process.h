/* SPDX-License-Identifier: MIT */
/* Processes: started, fed and read through pipes that are sockets, waited for, ended. See
 * cg_process(3). */
#ifndef COGEN_PROCESS_H
#define COGEN_PROCESS_H

#include <cogen/coro.h>
#include <cogen/sock.h>

/* A process that was started here. It belongs to the scheduler, and whoever started it
 * closes it. */
struct cg_process;

/* What a process has as standard input, output or error: one of these, or a descriptor
 * above 0, which is borrowed during the call. */
enum cg_stdio {
    CG_STDIO_INHERIT = 0, /* ours */
    CG_STDIO_NULL = -1,   /* nothing: /dev/null (-ENODEV where there is none) */
    CG_STDIO_PIPE = -2,   /* a pipe, whose other end is a socket: cg_process_sock */
    CG_STDIO_OUT = -3,    /* as standard error: where standard output goes */
};

enum {
    CG_EXIT_SIGNAL = 256, /* added to the signal that has ended a process */
    CG_OUTPUT_LIMIT = 1024 * 1024, /* default of what cg_communicate keeps of an output */
};

#define CG_PROCESS_GRACE (5 * CG_SECOND) /* default time from SIGTERM to SIGKILL */

#define CG__SPAWN_FIELDS                                                                   \
    int in, out, err; /* enum cg_stdio, or descriptors */                                  \
    const char *dir;  /* working directory; NULL: ours */                                  \
    char *const *env; /* environment, ended by NULL; NULL: ours */                         \
    bool group;       /* leads a process group of its own, which is killed as a whole */   \
    void *reserved;

struct cg_spawn_options {
    CG__SPAWN_FIELDS
};

/* What a process has written, as cg_communicate collects it. */
struct cg_output {
    char *data;   /* with a NUL after it; the caller frees it (NULL: nothing was kept) */
    size_t size;  /* bytes, without the NUL */
    size_t limit; /* set before: most bytes; 0: CG_OUTPUT_LIMIT */
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

/* cg_spawn(argv, &process): starts a program, see cg_process_spawn_with. Keywords are those
 * of struct cg_spawn_options, as in .out = CG_STDIO_PIPE, .err = CG_STDIO_OUT, .dir = "/".
 * Completes at once. */
#define cg_spawn(...) cg__spawn(__VA_ARGS__, )
#define cg__spawn(a, out, ...) CG_OP(cg_spawn, .argv = (a), .process = (out), __VA_ARGS__)

/* cg_process_spawn(sched, argv, &process): the same as a function, also for callbacks
 * outside coroutines: cg_process_spawn_with with keywords. */
#define cg_process_spawn(...) cg__process_spawn(__VA_ARGS__, )
#define cg__process_spawn(sched, argv, out, ...)                                           \
    cg_process_spawn_with(sched, argv, CG__OPTIONS(struct cg_spawn_options, __VA_ARGS__),  \
                          out)

/* cg_wait_process(process): waits for its end and answers how it ended: its exit code, 0 to
 * 255, or CG_EXIT_SIGNAL plus the signal. Any number of coroutines may wait, also after the
 * end. Holds the run open. -ECHILD: somebody else has taken the news; -EBADF: closed
 * meanwhile. Traceless. */
#define cg_wait_process(...) cg__wait_process(__VA_ARGS__, )
#define cg__wait_process(p, ...) CG_OP(cg_wait_process, .process = (p), __VA_ARGS__)

/* cg_end_process(process): sends it SIGTERM, and SIGKILL if that has not ended it within
 * .grace ns (0: CG_PROCESS_GRACE), or if it is itself cancelled or times out; answers how
 * it ended, as cg_wait_process does, once it has. -EPERM, at once: it runs and may not be
 * signalled, because it has become another user; -ETIMEDOUT: it has not ended
 * CG_PROCESS_GRACE after SIGKILL. In both cases it still runs, may be waited for again, and
 * is the caller's to close. In clean-up with .shield = true. */
#define cg_end_process(...) cg__end_process(__VA_ARGS__, )
#define cg__end_process(p, ...) CG_OP(cg_end_process, .process = (p), __VA_ARGS__)

/* cg_call_with_process(process, fn, arg): runs fn(arg), as cg_call does, and sees to it
 * that the process does not outlive it: however fn comes back, cancelled and timed out too,
 * the process is then ended as by cg_end_process, shielded. Answers what fn returns, or if
 * that is not negative and the process could not be ended, -EPERM or -ETIMEDOUT. */
#define cg_call_with_process(...) cg__call_with_process(__VA_ARGS__, )
#define cg__call_with_process(p, f, a, ...)                                                \
    CG_OP(cg_call_with_process, .process = (p), .fn = (f), .arg = (a), __VA_ARGS__)

/* cg_communicate(process, in, len): writes len bytes to its standard input and ends that,
 * reads its outputs to their ends, all at once, and waits for it; answers how it ended.
 * Keywords .out and .err: a struct cg_output each (NULL: read and thrown away); .grace.
 * What was not made a pipe is left out. -EMSGSIZE: an output is larger than its limit. If
 * the answer is negative the process has been ended as by cg_end_process (if it could not
 * be, cg_process_result says -EBUSY), and the outputs have what had come. The pipes are
 * closed. A process that does not read all of its input is no error. Partial. */
#define cg_communicate(...) cg__communicate(__VA_ARGS__, )
#define cg__communicate(p, i, n, ...)                                                      \
    CG_OP(cg_communicate, .process = (p), .in = (i), .len = (n), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_spawn_type, cg_wait_process_type, cg_end_process_type,
    cg_call_with_process_type, cg_communicate_type;

/* Starts a program: argv[0], looked for in our PATH if it has no slash, with these
 * arguments (ended by NULL). The thread waits until the program is there, a fraction of a
 * millisecond. It has no descriptor but 0, 1, 2, no signal blocked, and every signal at its
 * default. Its three descriptors block (O_NONBLOCK is not set), also where the loop uses
 * the same pipe or terminal; a socket that is given to it becomes blocking for the caller
 * too. The caller closes *process. 0; what exec says: -ENOENT, -EACCES, -ENOEXEC ...;
 * -EINVAL; -EMFILE, -EAGAIN, -ENOMEM; -ENODEV: no /dev/null; -EOPNOTSUPP: a simulated world
 * has no processes. */
CG_API int cg_process_spawn_with(struct cg_sched *sched, char *const *argv,
                                 const struct cg_spawn_options *options,
                                 struct cg_process **process);

/* Closes the pipes and frees the process; who waits for it is answered -EBADF, also if
 * its operation has completed and only its coroutine has not run since. If it still
 * runs it is killed (SIGKILL), and the run is held open until it has gone. One that may not
 * be killed holds nothing open: a thread waits for its end, so that it leaves no zombie.
 * Never waits. NULL is ignored. Before the scheduler is freed. */
CG_API void cg_process_close(struct cg_process *process);

/* As cg_process_close, but lets it run: from then on it is for the caller to wait for it
 * with waitpid. Answers its pid, -ESRCH if it has ended, -EBUSY if somebody waits for it
 * (then nothing has happened). */
CG_API pid_t cg_process_release(struct cg_process *process);

/* Sends it a signal, or its group if it leads one. 0; -ESRCH: it has ended; -EINVAL ... */
CG_API int cg_process_kill(struct cg_process *process, int signo);

/* Our end of its standard input (0), output (1) or error (2); NULL: that is no pipe, or
 * closed. Borrowed. */
CG_API struct cg_sock *cg_process_sock(const struct cg_process *process, int number);

/* Closes that end before the process is closed: so ends its standard input. */
CG_API void cg_process_close_sock(struct cg_process *process, int number);

CG_API pid_t cg_process_pid(const struct cg_process *process);

/* How it ended, as cg_wait_process answers; -EBUSY: nobody has waited for its end yet. */
CG_API ssize_t cg_process_result(const struct cg_process *process);

CG_EXTERN_C_END
#endif
