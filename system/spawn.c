/* SPDX-License-Identifier: MIT */
/* Starting a process by posix_spawn, which reports what exec says and, unlike a fork, costs
 * the same in a small program and in a large one with threads. */
#include "config.h"

#include "system/process.h"

#include "sockets/sock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

/* The descriptors that take part in the call. Those of the child are kept above 2, so that
 * putting one in its place never overwrites another. */
struct plumbing {
    int child[3];
    int ours[3]; /* of the pipes; -1: none */
};

static void close_all(const int fds[3])
{
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* The same descriptor above 2 and closed on exec; the other is closed if it was ours. */
static int lift(int fd, bool ours)
{
    int lifted = fcntl(fd, F_DUPFD_CLOEXEC, 3), error = errno;

    if (ours)
        close(fd);
    return lifted < 0 ? -error : lifted;
}

static int open_pipe(struct plumbing *p, int number)
{
    int ends[2], mine = number == 0 ? 1 : 0;
#ifdef HAVE_PIPE2
    int rc = pipe2(ends, O_CLOEXEC);
#else
    int rc = pipe(ends);
#endif

    if (rc < 0)
        return -errno;
    if ((rc = lift(ends[mine], true)) < 0) {
        close(ends[1 - mine]);
        return rc;
    }
    p->ours[number] = rc;
    return lift(ends[1 - mine], true);
}

static int open_null(int number)
{
    int fd = open("/dev/null", (number == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);

    return fd < 0 ? -errno : lift(fd, true);
}

/* The child's descriptor of that number, or -errno; -EBADF: it has none. */
static int plumb(struct plumbing *p, int number, int what)
{
    switch (what) {
    case CG_STDIO_INHERIT:
        return lift(number, false);
    case CG_STDIO_NULL:
        return open_null(number);
    case CG_STDIO_PIPE:
        return open_pipe(p, number);
    case CG_STDIO_OUT:
        return number == 2 && p->child[1] >= 0 ? lift(p->child[1], false) : -EINVAL;
    }
    return what > 0 ? lift(what, false) : -EINVAL;
}

static int plumb_all(struct plumbing *p, const struct cg_spawn_options *options)
{
    const int what[3] = {options->in, options->out, options->err};

    for (int i = 0; i < 3; i++) {
        int fd = plumb(p, i, what[i]);

        if (fd < 0 && !(fd == -EBADF && what[i] == CG_STDIO_INHERIT))
            return fd;
        p->child[i] = fd < 0 ? -1 : fd;
    }
    return 0;
}

/* ---- What happens between fork and exec ---------------------------------------------- */

/* Nothing above 2 is for the child. What others have opened may not be closed on exec. */
static int close_others(posix_spawn_file_actions_t *actions)
{
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
    return posix_spawn_file_actions_addclosefrom_np(actions, 3);
#else
    DIR *dir = opendir("/dev/fd");
    struct dirent *entry;
    int rc = 0;

    while (dir && rc == 0 && (entry = readdir(dir))) {
        int fd = atoi(entry->d_name), flags = fd > 2 ? fcntl(fd, F_GETFD) : -1;

        if (flags >= 0 && !(flags & FD_CLOEXEC))
            rc = posix_spawn_file_actions_addclose(actions, fd);
    }
    if (dir)
        closedir(dir);
    return rc;
#endif
}

static int change_dir(posix_spawn_file_actions_t *actions, const char *dir)
{
    if (dir == NULL)
        return 0;
#if defined HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCHDIR
    return posix_spawn_file_actions_addchdir(actions, dir);
#elif defined HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCHDIR_NP
    return posix_spawn_file_actions_addchdir_np(actions, dir);
#else
    (void)actions;
    return ENOSYS;
#endif
}

static int describe(posix_spawn_file_actions_t *actions, const struct plumbing *p,
                    const char *dir)
{
    int rc = 0;

    for (int i = 0; i < 3 && rc == 0; i++)
        if (p->child[i] >= 0)
            rc = posix_spawn_file_actions_adddup2(actions, p->child[i], i);
    if (rc == 0)
        rc = change_dir(actions, dir);
    return rc ? rc : close_others(actions);
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

static int start(char *const *argv, const struct plumbing *p,
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
            rc = posix_spawnp(pid, argv[0], &actions, &attr, argv,
                              options->env ? options->env : environ);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&actions);
    return -rc;
}

/* ---- The call ------------------------------------------------------------------------ */

/* Whether descriptors mean anything to the reactor: a simulated world says no. */
static int asks_kernel(struct cg_sched *sched)
{
    struct cg_io io = {.code = CG_IO_ATTACH};
    ssize_t result;

    if ((io.fd = open_null(0)) < 0)
        return io.fd;
    result = cg__call_reactor(cg_sched_reactor(sched), &io);
    cg_sched_reactor(sched)->type->forget(cg_sched_reactor(sched), io.fd);
    close(io.fd);
    return (int)result;
}

static int attach_pipes(struct cg_process *process, struct plumbing *p)
{
    int rc = 0;

    for (int i = 0; i < 3 && rc == 0; i++) {
        if (p->ours[i] < 0)
            continue;
        rc = cg_attach(process->sched, p->ours[i], &process->socks[i]);
        if (rc == 0)
            p->ours[i] = -1;
    }
    return rc;
}

int cg_spawn_on(struct cg_sched *sched, char *const *argv, struct cg_process **process,
                const struct cg_spawn_options *options)
{
    static const struct cg_spawn_options none;
    struct plumbing p = {{-1, -1, -1}, {-1, -1, -1}};
    struct cg_process *made;
    pid_t pid;
    int rc;

    if (argv == NULL || argv[0] == NULL)
        return -EINVAL;
    if (options == NULL)
        options = &none;
    if ((rc = asks_kernel(sched)) < 0)
        return rc;
    if ((made = cg__process_new(sched)) == NULL)
        return -ENOMEM;
    if ((rc = plumb_all(&p, options)) == 0 && (rc = attach_pipes(made, &p)) == 0 &&
        (rc = start(argv, &p, options, &pid)) == 0) {
        cg__process_started(made, pid);
        made->group = options->group;
        *process = made;
        made = NULL;
    }
    close_all(p.child);
    close_all(p.ours);
    cg_process_close(made); /* of one that was not started only the pipes */
    return rc;
}
