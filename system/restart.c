/* SPDX-License-Identifier: MIT */
/* cg_restart and cg_ready. The successor has a pipe to its predecessor. A byte in the pipe
 * means that the successor serves; the end of the pipe means that the successor has ended.
 * Until the byte has come nothing changes in the predecessor. So if a restart fails, the
 * predecessor only has to end the successor. */
#include "config.h"

#include "lib/base/pipe.h"
#include "lib/core/sched.h"
#include "sockets/listen/inherited.h"
#include "sockets/listen/ports.h"
#include "system/handover.h"

#include <cogen/any.h>
#include <cogen/os_signal.h>
#include <cogen/process.h>
#include <cogen/restart.h>
#include <cogen/sched.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

enum { FDS_MOST = 1024 };

/* The state of this process's restart. */
enum { IDLE, UNDER_WAY, HANDED_OVER };
static atomic_int state;

/* Whether a variable must not be passed to the successor: it names descriptors that the
 * successor does not have, or (WATCHDOG_PID) this process. */
static bool is_ours(const char *variable)
{
    static const char *const names[] = {
        CG__INHERITED_ENV "=", "LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES=",
        "WATCHDOG_PID=",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* Makes an environment with one more variable. The caller frees the array and the
 * variable. */
static char **make_env(char *variable)
{
    size_t count = 0, used = 0;
    char **env;

    while (environ != NULL && environ[count] != NULL)
        count++;
    env = calloc(count + 2, sizeof *env);
    if (env == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (!is_ours(environ[i]))
            env[used++] = environ[i];
    env[used] = variable;
    return env;
}

static char *make_variable(int pipe_end, const char *names)
{
    struct stat found;
    char *text;
    size_t size;

    if (fstat(pipe_end, &found) < 0)
        return NULL;
    size = sizeof CG__INHERITED_ENV + 24 + strlen(names);
    text = malloc(size);
    if (text != NULL)
        snprintf(text, size, CG__INHERITED_ENV "=%" PRIuMAX "%s", (uintmax_t)found.st_ino,
                 names);
    return text;
}

/* Starts the successor with fds[0], the pipe, and the descriptors that have these
 * names. */
static int spawn(char *const *argv, const int *fds, int count, const char *names,
                 struct cg_process **process)
{
    char *variable = make_variable(fds[0], names);
    char **env = variable != NULL ? make_env(variable) : NULL;
    int rc = -ENOMEM;

    if (env != NULL)
        rc = cg_process_spawn(cg_sched_self(), argv, process, .env = env, .fds = fds,
                              .nfds = (unsigned)count);
    free(env);
    free(variable);
    return rc;
}

static int start(char *const *argv, int pipe_end, struct cg_process **process)
{
    int *fds = malloc(FDS_MOST * sizeof *fds);
    char *names;
    int count, rc;

    if (fds == NULL)
        return -ENOMEM;
    fds[0] = pipe_end;
    count = cg__ports_collect(fds + 1, FDS_MOST - 1, &names);
    rc = count;
    if (count >= 0) {
        rc = cg__handover_collect(fds + 1, count, FDS_MOST - 1, &names);
        if (rc >= 0) {
            count = rc;
            rc = spawn(argv, fds, count + 1, names, process);
        }
        for (int i = 1; i <= count; i++)
            close(fds[i]);
        free(names);
    }
    free(fds);
    return rc;
}

/* Waits for the byte. If the wait is cancelled, checks whether the byte has come. */
static ssize_t wait_ready(struct cg_sock *sock, struct cg_process *process)
{
    char byte;
    struct cg_op *reading = cg_read(sock, &byte, 1, .timeout = CG_NEVER);
    struct cg_op *ending = cg_wait_process(process, .timeout = CG_NEVER);
    ssize_t rc = cg_yield(cg_any((reading, ending))), n;

    n = rc == 0 ? cg_op_result(reading)
                : cg_yield(cg_read(sock, &byte, 1, .timeout = CG_NOWAIT, .shield = true));
    if (n == 1)
        return 0;
    if (rc >= 0)
        rc = cg_op_result(rc == 0 ? reading : ending);
    return rc < 0 ? rc : -EPIPE; /* it has ended, or closed the pipe */
}

/* Makes the successor the main process. The service manager accepts this message only from
 * the current main process. */
static void hand_over(struct cg_process *process)
{
    char text[64];
    pid_t pid;

    cg__ports_hand_over();
    pid = cg_process_release(process);
    if (pid < 0) /* the successor has ended already */
        return;
    snprintf(text, sizeof text, "MAINPID=%jd", (intmax_t)pid);
    cg_notify(text, NULL, 0);
}

static void roll_back(struct cg_process *process)
{
    cg_process_kill(process, SIGKILL);
    cg_yield(cg_wait_process(process, .timeout = CG_PROCESS_GRACE, .shield = true));
    cg_process_close(process);
}

static ssize_t supervise(char *const *argv, struct cg_sock *sock, int pipe_end)
{
    struct cg_process *process;
    ssize_t rc = start(argv, pipe_end, &process);

    close(pipe_end);
    if (rc < 0)
        return rc;
    rc = wait_ready(sock, process);
    if (rc == 0)
        hand_over(process);
    else
        roll_back(process);
    return rc;
}

static ssize_t restart(char *const *argv)
{
    struct cg_sock *sock;
    int ends[2];
    ssize_t rc = cg__pipe_open(ends);

    if (rc < 0)
        return rc;
    rc = cg_sock_attach(cg_sched_self(), ends[0], &sock);
    if (rc < 0) {
        close(ends[0]);
        close(ends[1]);
        return rc;
    }
    rc = supervise(argv, sock, ends[1]);
    cg_sock_close(sock);
    return rc;
}

static enum cg_verdict restart_process(struct cg_op *op, struct cg_sched *sched)
{
    ((struct cg_restart_op *)op)->done = false;
    if (op->timeout == 0 && op->deadline == 0)
        cg_op_expire_at(op, cg__sched_clock(sched) + CG_RESTART_TIMEOUT);
    return CG_RUN;
}

static ssize_t restart_run(struct cg_op *op)
{
    struct cg_restart_op *mine = (struct cg_restart_op *)op;
    int idle = IDLE;
    ssize_t rc;

    if (mine->argv == NULL || mine->argv[0] == NULL)
        return -EINVAL;
    if (!atomic_compare_exchange_strong(&state, &idle, UNDER_WAY))
        return -EBUSY;
    rc = restart(mine->argv);
    mine->done = rc == 0;
    atomic_store(&state, rc == 0 ? HANDED_OVER : IDLE);
    return rc;
}

/* If the ports have been handed over, the op completes with 0, even if it was cancelled at
 * that moment. */
static ssize_t restart_finish(struct cg_op *op)
{
    return ((struct cg_restart_op *)op)->done ? 0 : op->result;
}

static int restart_print(const struct cg_op *op, char *buf, size_t size)
{
    char *const *argv = ((const struct cg_restart_op *)op)->argv;

    return snprintf(buf, size, "%s", argv && argv[0] ? argv[0] : "nothing");
}

const struct cg_op_type cg_restart_type = {
    .name = "restart",
    .process = restart_process,
    .run = restart_run,
    .finish = restart_finish,
    .print = restart_print,
};

static int tell_predecessor(int fd)
{
    int before = cg_sigpipe_block(), rc = 0;

    if (write(fd, "R", 1) != 1)
        rc = -errno;
    cg_sigpipe_unblock(before, rc < 0);
    close(fd);
    return rc;
}

int cg_ready(void)
{
    int fd = cg__inherited_take_pipe();
    int rc = fd >= 0 ? tell_predecessor(fd) : 0;
    int told;

    cg__ports_take_over();
    cg__inherited_close_rest();
    told = cg_notify("READY=1", NULL, 0);
    return rc < 0 ? rc : told < 0 ? told : 0;
}
