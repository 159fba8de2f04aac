/* SPDX-License-Identifier: MIT */
/* Starts a process with fork and exec: for what posix_spawn cannot do. The child changes one
 * thing after the other and tells by a pipe, which exec closes, what has failed. Between fork
 * and exec it calls only functions that are safe after a fork from a program with threads, so
 * all that needs memory is prepared before. */
#include "config.h"

#include "lib/base/pipe.h"
#include "system/process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct failure {
    int error; /* errno's */
    unsigned step;
};

/* The child's work */

struct child {
    const struct cg__stdio *stdio;
    const struct cg_spawn_options *options;
    char *const *argv, *const *env;
    const char *paths; /* of the program, to be tried one after the other, each with its
                        * NUL; an empty one ends them */
    int report;
};

static int reset_signals(const struct child *child)
{
    sigset_t none;

    (void)child;
    for (int signo = 1; signo < NSIG; signo++)
        if (signo != SIGKILL && signo != SIGSTOP)
            signal(signo, SIG_DFL); /* fails for those of the C library */
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

static int set_session(const struct child *child)
{
    const struct cg_spawn_options *options = child->options;

    if (options->session || options->terminal)
        return setsid() < 0 ? -1 : 0;
    return options->group ? setpgid(0, 0) : 0;
}

static int place_descriptors(const struct child *child)
{
    const struct cg__stdio *stdio = child->stdio;
    int rc = 0;

    for (int i = 0; i < 3 && rc >= 0; i++)
        if (stdio->child[i] >= 0)
            rc = dup2(stdio->child[i], i);
    for (unsigned i = 0; i < stdio->ncopies && rc >= 0; i++)
        rc = dup2(stdio->copies[i], 3 + (int)i);
    if (rc >= 0)
        cg__spawn_mark_others(3 + (int)stdio->ncopies);
    return rc < 0 ? -1 : 0;
}

static int take_terminal(const struct child *child)
{
    return child->options->terminal ? ioctl(STDIN_FILENO, TIOCSCTTY, 0) : 0;
}

static rlim_t limit_of(uint64_t limit)
{
    return limit >= (uint64_t)RLIM_INFINITY ? RLIM_INFINITY : (rlim_t)limit;
}

static int set_limits(const struct child *child)
{
    const struct cg_spawn_limit *limits = child->options->limits;

    for (unsigned i = 0; i < child->options->nlimits; i++) {
        struct rlimit limit = {limit_of(limits[i].soft), limit_of(limits[i].hard)};

        if (setrlimit(limits[i].resource, &limit) < 0)
            return -1;
    }
    return 0;
}

/* The groups first: without privileges they cannot be changed. */
static int set_groups(const struct child *child)
{
    const struct cg_spawn_user *user = child->options->user;

    return user != NULL ? setgroups(user->ngroups, user->groups) : 0;
}

static int set_gid(const struct child *child)
{
    const struct cg_spawn_user *user = child->options->user;

    return user != NULL ? setgid(user->gid) : 0;
}

static int set_uid(const struct child *child)
{
    const struct cg_spawn_user *user = child->options->user;

    return user != NULL ? setuid(user->uid) : 0;
}

static int change_dir(const struct child *child)
{
    return child->options->dir != NULL ? chdir(child->options->dir) : 0;
}

/* Like execvp: a path that is not there, or not permitted, is passed over. */
static int execute(const struct child *child)
{
    int error = ENOENT;

    for (const char *path = child->paths; *path != '\0'; path += strlen(path) + 1) {
        execve(path, child->argv, child->env);
        if (errno == EACCES)
            error = EACCES;
        else if (errno != ENOENT && errno != ENOTDIR)
            return -1;
    }
    errno = error;
    return -1;
}

static const struct {
    const char *name;
    int (*take)(const struct child *child);
} steps[] = {
    {"signals", reset_signals}, {"session", set_session},
    {"descriptors", place_descriptors}, {"terminal", take_terminal},
    {"limits", set_limits}, {"groups", set_groups},
    {"gid", set_gid}, {"uid", set_uid},
    {"dir", change_dir}, {"program", execute},
};

static void work(const struct child *child)
{
    struct failure failure = {.step = 0};

    while (steps[failure.step].take(child) == 0)
        failure.step++;
    failure.error = errno;
    while (write(child->report, &failure, sizeof failure) < 0 && errno == EINTR)
        continue;
    _exit(127);
}

/* The parent's work */

/* Returns the paths of the program, allocated; NULL: no memory. An empty part of PATH is the
 * working directory. */
static char *paths_of(const char *program)
{
    bool plain = strchr(program, '/') != NULL;
    const char *path = plain ? "" : getenv("PATH");
    size_t count = 1;
    char *paths, *to;

    if (path == NULL)
        path = "/bin:/usr/bin";
    for (const char *at = path; (at = strchr(at, ':')) != NULL; at++)
        count++;
    if ((to = paths = malloc(strlen(path) + count * (strlen(program) + 2) + 1)) == NULL)
        return NULL;
    while (count-- > 0) {
        size_t len = strcspn(path, ":");

        memcpy(to, path, len);
        to += len;
        if (len > 0)
            *to++ = '/';
        to = stpcpy(to, program) + 1;
        path += len + 1;
    }
    *to = '\0';
    return paths;
}

/* No signal is handled in the child, which has a copy of our handlers. */
static pid_t fork_quietly(const struct child *child)
{
    sigset_t all, before;
    pid_t pid;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        work(child);
    error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return pid;
}

/* Waits until the program runs, or its process has failed. Returns 0 or -errno. */
static int listen_to(int report, pid_t pid, const char **failed)
{
    struct failure failure;
    ssize_t n;

    do
        n = read(report, &failure, sizeof failure);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return 0;
    if (n != (ssize_t)sizeof failure) /* the program may run, and would then not end by itself */
        kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (n != (ssize_t)sizeof failure)
        return -EIO;
    if (failed != NULL)
        *failed = steps[failure.step].name;
    return -failure.error;
}

/* Moves the child's end above all places of descriptors. */
static int lift_report(int ends[2], unsigned copies)
{
    int lifted = fcntl(ends[1], F_DUPFD_CLOEXEC, 3 + (int)copies);

    if (lifted < 0)
        return -errno;
    close(ends[1]);
    ends[1] = lifted;
    return 0;
}

int cg__spawn_fork(char *const *argv, char *const *env, const struct cg__stdio *stdio,
                   const struct cg_spawn_options *options, pid_t *pid)
{
    struct child child = {.stdio = stdio, .options = options, .argv = argv, .env = env};
    char *paths = paths_of(argv[0]);
    int ends[2], rc;

    if (paths == NULL)
        return -ENOMEM;
    if ((rc = cg__pipe_open(ends)) < 0)
        goto free_paths;
    rc = lift_report(ends, stdio->ncopies);
    child.report = ends[1];
    child.paths = paths;
    if (rc == 0 && (*pid = fork_quietly(&child)) < 0)
        rc = -errno;
    close(ends[1]);
    if (rc == 0)
        rc = listen_to(ends[0], *pid, options->failed);
    close(ends[0]);
free_paths:
    free(paths);
    return rc;
}
