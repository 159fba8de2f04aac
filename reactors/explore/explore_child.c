/* SPDX-License-Identifier: MIT */
/* The processes in which worlds run. A child takes one seed after the other until there are
 * no more, or until a world fails, which ends it. The parent notices that a child has ended by
 * a pipe, and learns from the child's slot in the shared memory, and from how it ended, what
 * has happened. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reactors/explore/explore.h"

enum {
    SAID = 4096,           /* so many bytes at the end of a world's output are searched */
    SAID_MOST = 1 << 20,   /* a file of output starts anew when it is as long */
    LOOK = 200,            /* how often interrupts are looked for at least, ms */
    BROKEN = 3,            /* exit status: the child could not begin */
};

struct child {
    pid_t pid; /* 0: there is none */
    int pipe;
    FILE *said; /* its output; NULL: its parent's */
    struct cg__explore_slot *slot;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

struct handlers {
    struct sigaction interrupt, terminate;
};

static void handle(struct handlers *old)
{
    struct sigaction action = {.sa_handler = interrupt};

    interrupted = 0;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &old->interrupt);
    sigaction(SIGTERM, &action, &old->terminate);
}

static void unhandle(const struct handlers *old)
{
    sigaction(SIGINT, &old->interrupt, NULL);
    sigaction(SIGTERM, &old->terminate, NULL);
}

static void set_alarm(int which, int64_t ns)
{
    struct itimerval timer = {
        .it_value = {.tv_sec = (time_t)(ns / CG_SECOND),
                     .tv_usec = (suseconds_t)(ns % CG_SECOND / CG_MICROSECOND)}};

    setitimer(which, &timer, NULL);
}

/* A world that takes longer is ended by a signal: it may use so much CPU time, and ten times
 * as much real time, since the machine may be busy. */
static void set_alarms(int64_t patience)
{
    set_alarm(ITIMER_PROF, patience);
    set_alarm(ITIMER_REAL, 10 * patience);
}

static void run_world(const struct cg__explore *explore, const struct cg__plan *plan,
                      struct child *child, bool trace, bool record)
{
    struct cg__explore_slot *slot = child->slot;

    slot->seed = plan->seed;
    slot->said = child->said ? lseek(STDERR_FILENO, 0, SEEK_END) : 0;
    if (slot->said > SAID_MOST && ftruncate(STDERR_FILENO, 0) == 0)
        slot->said = lseek(STDERR_FILENO, 0, SEEK_SET);
    set_alarms(explore->options.patience);
    slot->running = true;
    cg__explore_world(explore, plan, slot, trace, record);
    slot->running = false;
    slot->worlds++;
}

static void run_worlds(struct cg__explore *explore, struct child *child, pid_t parent)
{
    struct cg__explore_shared *shared = explore->shared;
    uint64_t seed;

    while ((seed = atomic_fetch_add(&shared->next, 1)) < atomic_load(&shared->limit) &&
           getppid() == parent) {
        if (cg__plan_draw(&explore->plan, seed, &explore->options, explore->hosts) < 0)
            _exit(BROKEN);
        run_world(explore, &explore->plan, child, explore->options.trace, false);
    }
}

/* Forks. Returns 0 in the child, its number in the parent, or a negative code. */
static pid_t begin(struct child *child)
{
    int ends[2];

    fflush(NULL);
    child->slot->running = false;
    child->slot->failure = CG_SIM_NO_FAILURE;
    if (pipe(ends) < 0)
        return -errno;
    if ((child->pid = fork()) < 0) {
        int error = errno;

        child->pid = 0;
        close(ends[0]);
        close(ends[1]);
        return -error;
    }
    if (child->pid > 0) {
        close(ends[1]);
        fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        child->pipe = ends[0];
        return child->pid;
    }
    close(ends[0]); /* the other end is closed when the child has ended */
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGALRM, SIG_DFL);
    signal(SIGPROF, SIG_DFL);
    if (child->said) { /* it may fail many times; only the world that is shown leaves a core */
        setrlimit(RLIMIT_CORE, &(struct rlimit){.rlim_cur = 0});
        dup2(fileno(child->said), STDOUT_FILENO);
        dup2(fileno(child->said), STDERR_FILENO);
    }
    return 0;
}

/* Finds the line that says best why a process has ended: an assertion's or a sanitizer's, or
 * else the last one. */
static void find_line(char *said, char *line, size_t size)
{
    static const char *const signs[] = {"Assertion", "ERROR: ", "runtime error", "WARNING: "};
    char *best = NULL, *rest = NULL;
    bool sure = false;

    for (char *at = strtok_r(said, "\n", &rest); at && !sure; at = strtok_r(NULL, "\n", &rest)) {
        for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
            sure |= strstr(at, signs[i]) != NULL;
        best = at;
    }
    snprintf(line, size, "%s%s", best ? ": " : "", best ? best : "");
}

static void read_said(const struct child *child, char *line, size_t size)
{
    char said[SAID + 1];
    ssize_t n = -1;
    off_t from, end;

    line[0] = '\0';
    if (child->said) {
        end = lseek(fileno(child->said), 0, SEEK_END);
        from = end - child->slot->said > SAID ? end - SAID : child->slot->said;
        n = pread(fileno(child->said), said, SAID, from);
    }
    if (n <= 0)
        return;
    said[n] = '\0';
    find_line(said, line, size);
}

static void explain(const struct child *child, int status, int64_t patience,
                    struct cg__explore_end *end)
{
    char line[CG_SIM_WHY_SIZE - 64];

    read_said(child, line, sizeof line);
    if (WIFSIGNALED(status) &&
        (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGPROF)) {
        end->failure = CG_SIM_HANGS;
        snprintf(end->why, sizeof end->why, "it takes more than %lld ms",
                 (long long)(patience / CG_MILLISECOND));
    } else if (WIFSIGNALED(status)) {
        end->failure = CG_SIM_CRASHED;
        snprintf(end->why, sizeof end->why, "ended by %s%s", strsignal(WTERMSIG(status)), line);
    } else {
        end->failure = CG_SIM_EXITED;
        snprintf(end->why, sizeof end->why, "exit status %d%s", WEXITSTATUS(status), line);
    }
}

/* Waits until the child has ended, and says how. Returns 0, or -EAGAIN if it could not
 * begin. */
static int finish(struct child *child, int64_t patience, struct cg__explore_end *end)
{
    const struct cg__explore_slot *slot = child->slot;
    int status = 0;

    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close(child->pipe);
    child->pid = 0;
    *end = (struct cg__explore_end){.failure = slot->failure, .seed = slot->seed};
    if (slot->failure != CG_SIM_NO_FAILURE)
        memcpy(end->why, slot->why, sizeof end->why);
    else if (slot->running)
        explain(child, status, patience, end);
    else if (status != 0)
        return -EAGAIN;
    return 0;
}

static void end_all(struct child *children, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (children[i].pid > 0) {
            kill(children[i].pid, SIGKILL);
            while (waitpid(children[i].pid, NULL, 0) < 0 && errno == EINTR)
                continue;
            close(children[i].pipe);
        }
        if (children[i].said)
            fclose(children[i].said);
    }
}

/* Returns the place of a child that has ended, `count` if there is none, -EINTR if we were
 * interrupted. */
static int wait_for_any(const struct child *children, unsigned count)
{
    struct pollfd fds[CG__EXPLORE_JOBS];
    bool any = false;

    for (unsigned i = 0; i < count; i++) {
        fds[i] = (struct pollfd){.fd = children[i].pid ? children[i].pipe : -1};
        any |= children[i].pid > 0;
    }
    while (any && !interrupted)
        if (poll(fds, count, LOOK) > 0 && !interrupted) /* children get Ctrl-C's signal, too */
            for (unsigned i = 0; i < count; i++)
                if (fds[i].revents)
                    return (int)i;
    return interrupted ? -EINTR : (int)count;
}

static int begin_worlds(struct cg__explore *explore, struct child *child)
{
    pid_t parent = getpid(), pid = begin(child);

    if (pid != 0)
        return pid < 0 ? (int)pid : 0;
    run_worlds(explore, child, parent);
    _exit(0);
}

/* Runs until no child is left. A job whose child has failed goes on with another child, as
 * long as there are smaller seeds. */
static int supervise(struct cg__explore *explore, struct child *children, unsigned jobs,
                     struct cg__explore_end *first)
{
    struct cg__explore_shared *shared = explore->shared;
    struct cg__explore_end end;
    int place, rc = 0;

    for (unsigned i = 0; i < jobs && rc == 0; i++)
        rc = begin_worlds(explore, &children[i]);
    while (rc == 0 && (place = wait_for_any(children, jobs)) != (int)jobs) {
        if (place < 0)
            return place;
        if ((rc = finish(&children[place], explore->options.patience, &end)) < 0)
            break;
        if (end.failure == CG_SIM_NO_FAILURE)
            continue;
        if (first->failure == CG_SIM_NO_FAILURE || end.seed < first->seed)
            *first = end;
        if (end.seed < atomic_load(&shared->limit))
            atomic_store(&shared->limit, end.seed);
        if (atomic_load(&shared->next) < atomic_load(&shared->limit))
            rc = begin_worlds(explore, &children[place]);
    }
    return rc;
}

int cg__explore_search(struct cg__explore *explore, struct cg__explore_end *end,
                       uint64_t *worlds)
{
    unsigned jobs = explore->options.jobs;
    struct child *children = calloc(jobs, sizeof *children);
    struct handlers old;
    int rc = 0;

    *end = (struct cg__explore_end){.failure = CG_SIM_NO_FAILURE};
    if (children == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < jobs; i++) {
        children[i].slot = &explore->shared->slots[i];
        *children[i].slot = (struct cg__explore_slot){.worlds = 0};
        if (!explore->options.trace && !(children[i].said = tmpfile()))
            rc = -errno;
    }
    handle(&old);
    if (rc == 0)
        rc = supervise(explore, children, jobs, end);
    unhandle(&old);
    end_all(children, jobs);
    *worlds = end->failure != CG_SIM_NO_FAILURE;
    for (unsigned i = 0; i < jobs; i++)
        *worlds += explore->shared->slots[i].worlds;
    free(children);
    return rc;
}

int cg__explore_try(struct cg__explore *explore, const struct cg__plan *plan, bool trace,
                    bool record, struct cg__explore_end *end)
{
    struct child child = {.slot = &explore->shared->slots[0]};
    struct handlers old;
    pid_t pid;
    int rc;

    if (record) {
        explore->shared->record.count = 0;
        explore->shared->record.full = false;
    }
    if (!trace && !(child.said = tmpfile()))
        return -errno;
    handle(&old);
    if ((pid = begin(&child)) == 0) {
        run_world(explore, plan, &child, trace, record);
        fflush(NULL);
        _exit(0);
    }
    rc = pid > 0 ? wait_for_any(&child, 1) : (int)pid;
    if (rc == 0)
        rc = finish(&child, explore->options.patience, end);
    unhandle(&old);
    end_all(&child, 1);
    return rc;
}
