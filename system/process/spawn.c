/* SPDX-License-Identifier: MIT */
/* Starts a process with posix_spawn, which reports exec's error and, unlike fork, costs
 * the same in a small program and in a large one with threads; or with fork, if the options
 * ask for what posix_spawn cannot do. */
#include "config.h"

#include "system/process/process.h"
#include "system/process/spawn.h"
#include "system/process/stdio.h"

#include "sockets/plain.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

/* The functions that run in the child, between fork and exec. */

static int describe(posix_spawn_file_actions_t *actions, const struct cg__stdio *p,
                    const char *dir)
{
    int rc = 0;

    for (int i = 0; i < 3 && rc == 0; i++)
        if (p->child[i] >= 0)
            rc = posix_spawn_file_actions_adddup2(actions, p->child[i], i);
    for (unsigned i = 0; i < p->ncopies && rc == 0; i++)
        rc = posix_spawn_file_actions_adddup2(actions, p->copies[i], 3 + (int)i);
    if (rc == 0)
        rc = dir ? cg__spawn_chdir(actions, dir) : 0;
    return rc ? rc : cg__spawn_close_others(actions, 3 + (int)p->ncopies);
}

static int reset_signals(posix_spawnattr_t *attr, bool group)
{
    sigset_t set;
    int rc;

    sigemptyset(&set);
    rc = posix_spawnattr_setsigmask(attr, &set);
    sigfillset(&set);
    sigdelset(&set, SIGKILL);
    sigdelset(&set, SIGSTOP);
    if (rc == 0)
        rc = posix_spawnattr_setsigdefault(attr, &set);
    if (rc == 0)
        rc = posix_spawnattr_setflags(attr,
                                      POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                          (group ? POSIX_SPAWN_SETPGROUP : 0));
    return rc ? rc : posix_spawnattr_setpgroup(attr, 0);
}

static int start_plain(char *const *argv, char *const *env, const struct cg__stdio *p,
                       const struct cg_spawn_options *options, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int rc;

    if ((rc = posix_spawn_file_actions_init(&actions)))
        return -rc;
    if ((rc = posix_spawnattr_init(&attr)) == 0) {
        if ((rc = describe(&actions, p, options->dir)) == 0 &&
            (rc = reset_signals(&attr, options->group)) == 0)
            rc = posix_spawnp(pid, argv[0], &actions, &attr, argv, env);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&actions);
    return -rc;
}

static bool needs_fork(const struct cg_spawn_options *options)
{
    return options->session || options->terminal || options->user != NULL ||
           options->nlimits > 0 || options->failed != NULL;
}

static int start(char *const *argv, const struct cg__stdio *p,
                 const struct cg_spawn_options *options, pid_t *pid)
{
    char *const *env = options->env != NULL ? options->env : environ;

    return needs_fork(options) ? cg__spawn_fork(argv, env, p, options, pid)
                               : start_plain(argv, env, p, options, pid);
}

/* Whether the reactor uses the kernel's descriptors. We ask with one that does not exist:
 * a simulated world returns -EOPNOTSUPP. */
static int asks_kernel(struct cg_sched *sched)
{
    struct cg_io io = {.code = CG_IO_ATTACH, .fd = -1};

    return cg__plain_call(cg_sched_reactor(sched), &io) == -EOPNOTSUPP ? -EOPNOTSUPP
                                                                       : 0;
}

static int attach_pipes(struct cg_process *process, struct cg__stdio *p)
{
    int rc = 0;

    for (int i = 0; i < 3 && rc == 0; i++) {
        if (p->ours[i] < 0)
            continue;
        rc = cg_sock_attach(process->sched, p->ours[i], &process->socks[i]);
        if (rc == 0)
            p->ours[i] = -1;
    }
    return rc;
}

int cg_process_spawn_with(struct cg_sched *sched, char *const *argv,
                          const struct cg_spawn_options *options,
                          struct cg_process **process)
{
    static const struct cg_spawn_options none;
    struct cg__stdio p;
    struct cg_process *made;
    pid_t pid;
    int rc;

    if (argv == NULL || argv[0] == NULL)
        return -EINVAL;
    if (options == NULL)
        options = &none;
    if (options->failed != NULL)
        *options->failed = NULL;
    if ((rc = asks_kernel(sched)) < 0)
        return rc;
    if ((made = cg__process_new(sched)) == NULL)
        return -ENOMEM;
    if ((rc = cg__stdio_open(&p, options)) == 0 && (rc = attach_pipes(made, &p)) == 0 &&
        (rc = start(argv, &p, options, &pid)) == 0) {
        cg__process_started(made, pid);
        made->group = options->group;
        *process = made;
        made = NULL;
    }
    cg__stdio_close(&p);
    cg_process_close(made); /* not started: only its pipes are closed */
    return rc;
}

static enum cg_verdict spawn_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_spawn_op *spawn = (struct cg_spawn_op *)op;

    op->result = cg_process_spawn_with(sched, spawn->argv, &spawn->options, spawn->process);
    return CG_DONE;
}

static int spawn_print(const struct cg_op *op, char *buf, size_t size)
{
    char *const *argv = ((const struct cg_spawn_op *)op)->argv;

    return snprintf(buf, size, "%s", argv && argv[0] ? argv[0] : "nothing");
}

const struct cg_op_type cg_spawn_type = {
    .name = "spawn",
    .process = spawn_process,
    .print = spawn_print,
};
