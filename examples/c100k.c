/* SPDX-License-Identifier: MIT */
/* 100,000 connections at the same time. All of them stay open until the last one has sent
 * a word and received it back. The limit on descriptors decides how many processes are
 * needed: half of them are servers, each on its own address, the others are clients.
 * Prints how many connections were open.
 *
 *     ./c100k                          100,000
 *     ./c100k --connections 1000
 */
#include <cogen.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

enum {
    PAIRS = 64,          /* the most servers, and the most clients */
    PER_ADDRESS = 12000, /* connections to one address: each needs a port of the client */
    SPARE = 64,          /* descriptors that a process needs for other purposes */
    PATIENCE = 60,       /* seconds, for everything */
};

/* What the processes tell each other. */
static struct shared {
    char addr[PAIRS][CG_ADDR_SIZE];
    volatile int listening[PAIRS];
    long accepted[PAIRS], reached[PAIRS], kilobytes[PAIRS];
    volatile int counted[PAIRS], over;
} * shared;

static const char *reactor_name;
static int pairs, me;
static long total, share; /* connections of all pairs, and of this pair */

static ssize_t echo(void *arg)
{
    struct cg_sock *conn = arg;
    char word[8];
    ssize_t n;

    while ((n = cg_yield(cg_read(conn, word, sizeof word))) > 0)
        if (cg_yield(cg_writeall(conn, word, n)) < 0)
            break;
    cg_sock_close(conn);
    return 0;
}

static ssize_t serve(void *arg)
{
    struct cg_sock *listener, *conn;
    ssize_t rc;
    char addr[32];

    (void)arg;
    snprintf(addr, sizeof addr, "127.0.1.%d:0", me + 1);
    if ((rc = cg_sock_listen(cg_sched_self(), addr, &listener, .backlog = 4096)) < 0)
        return rc;
    cg_sock_local_addr(listener, shared->addr[me], CG_ADDR_SIZE);
    shared->listening[me] = 1;
    while ((rc = cg_yield(cg_accept(listener, &conn))) >= 0) {
        shared->accepted[me]++;
        if ((rc = cg_yield(cg_add(echo, conn, .name = "echo"))) < 0)
            cg_sock_close(conn);
    }
    cg_sock_close(listener);
    return rc;
}

static long waiting; /* clients that have their word back, or failed */

static ssize_t client(void *arg)
{
    struct cg_sock *conn = NULL;
    char word[4];
    ssize_t rc = cg_yield(cg_connect(shared->addr[me], &conn));

    (void)arg;
    if (rc >= 0 && (rc = cg_yield(cg_writeall(conn, "word", 4))) >= 0)
        rc = cg_yield(cg_readall(conn, word, 4));
    waiting++;
    shared->reached[me] += rc >= 0;
    cg_yield(cg_wait_signal("over", NULL, .timeout = CG_NEVER));
    cg_sock_close(conn);
    return 0;
}

static ssize_t connect_all(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    struct rusage usage;
    ssize_t rc = 0;

    (void)arg;
    while (!shared->listening[me] && rc >= 0)
        rc = cg_yield(cg_sleep(CG_MILLISECOND));
    for (long i = 0; i < share && rc >= 0; i++) {
        rc = cg_sched_start(sched, client, NULL, .name = "client",
                            .stack_size = 16 * 1024);
        if (i - waiting >= 512) /* so that the listener's backlog does not overflow */
            rc = cg_yield(cg_sleep(CG_MILLISECOND));
    }
    while (waiting < share && rc >= 0)
        rc = cg_yield(cg_sleep(CG_MILLISECOND));
    getrusage(RUSAGE_SELF, &usage);
    shared->kilobytes[me] = usage.ru_maxrss;
    shared->counted[me] = 1;
    while (!shared->over && rc >= 0)
        rc = cg_yield(cg_sleep(CG_MILLISECOND));
    cg_yield(cg_signal("over", NULL));
    return rc;
}

/* Runs fn in a new process with its own scheduler. */
static pid_t start(cg_fn *fn)
{
    struct cg_reactor *reactor;
    struct cg_sched *sched;
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    alarm(PATIENCE);
    if (cg_reactor_open(reactor_name, &reactor) < 0 ||
        !(sched = cg_sched_new(reactor, .stack_size = 16 * 1024)) ||
        cg_sched_start(sched, fn, NULL) < 0) {
        example_complain("process", "its scheduler cannot start");
        _exit(1);
    }
    _exit(cg_sched_run(sched) != 0);
}

static void fork_all(pid_t *servers, pid_t *clients)
{
    for (me = 0; me < pairs; me++) {
        share = total / pairs + (me < total % pairs);
        servers[me] = start(serve);
        clients[me] = servers[me] < 0 ? -1 : start(connect_all);
        if (clients[me] < 0)
            example_fail("fork", -errno);
    }
}

/* Whether the process has ended, or could not be made; then *pid becomes -1. */
static bool has_ended(pid_t *pid)
{
    if (*pid > 0 && waitpid(*pid, NULL, WNOHANG) != 0)
        *pid = -1;
    return *pid < 0;
}

/* Waits until every client process has reported its number, or has lost its server or itself. */
static void await_all(pid_t *servers, pid_t *clients)
{
    for (int i = 0; i < pairs; i++)
        while (!shared->counted[i] && !has_ended(&servers[i]) && !has_ended(&clients[i]))
            usleep(1000);
}

/* A negative pid means that no process was started: kill(-1) would signal all of the user's. */
static void end(pid_t pid, int sig)
{
    if (pid < 0)
        return;
    kill(pid, sig);
    waitpid(pid, NULL, 0);
}

static bool manage(void)
{
    pid_t servers[PAIRS], clients[PAIRS];
    long reached = 0, kilobytes = 0;

    fork_all(servers, clients);
    await_all(servers, clients);
    for (int i = 0; i < pairs; i++) {
        reached += shared->reached[i];
        kilobytes += shared->kilobytes[i];
    }
    printf("%ld of %ld connections open at the same time, %d + %d processes, "
           "%.1f KiB a client\n",
           reached, total, pairs, pairs, reached ? (double)kilobytes / reached : 0.0);
    shared->over = 1;
    for (int i = 0; i < pairs; i++) {
        end(clients[i], shared->counted[i] ? 0 : SIGKILL);
        end(servers[i], SIGKILL); /* it may not have set its handler of SIGTERM yet */
    }
    if (reached < total && example_status() == 0)
        example_complain("connections", "not all of them could be opened");
    return reached == total;
}

int main(int argc, char **argv)
{
    const char *count = "100000";
    const struct example_option options[] = {
        {"connections", "N", "how many", &count, 0},
        {0},
    };
    struct example ex = {
        .name = "c100k",
        .about = "A hundred thousand connections at the same time",
        .options = options,
        .network = true,
    };
    struct rlimit limit;
    long wanted, most;
    bool failed;

    example_open(&ex, argc, argv);
    wanted = (long)example_number(&ex, count, 1, INT_MAX, "N must be a number above 0");
    reactor_name = cg_reactor_name(ex.reactor);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    most = limit.rlim_cur > PER_ADDRESS + SPARE ? PER_ADDRESS
                                                : (long)limit.rlim_cur - SPARE;
    if (most < 1 || wanted > PAIRS * most)
        example_usage(&ex, "this system does not allow so many");
    pairs = (int)((wanted + most - 1) / most);
    total = wanted;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        example_usage(&ex, "no memory");
    fflush(stdout);
    failed = !manage();
    return example_run(&ex) || failed;
}
