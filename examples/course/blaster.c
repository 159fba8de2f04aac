/* SPDX-License-Identifier: MIT */
/* Blasts an echo server. Many connections at the same time send random messages of 1,024
 * bytes, as fast as they come back, and check them. blast.sh uses it to compare servers.
 *
 *     ./blaster 127.0.0.1:25000                  300 connections for 5 seconds
 *     ./blaster --connections 1000 --seconds 1 --processes 4 127.0.0.1:25000
 */
#include <cogen.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common.h"

enum {
    MESSAGE = 1024
};

/* Shared by all processes: each counts in its own element. */
struct count {
    long messages, connected, failed;
};

static const char *address;
static long connections = 300, processes = 1;
static int64_t length; /* ns */
static struct count *counts, *mine;

static void fill(unsigned char *message, uint64_t *chance)
{
    for (size_t i = 0; i < MESSAGE; i += sizeof *chance) {
        *chance ^= *chance << 13;
        *chance ^= *chance >> 7;
        *chance ^= *chance << 17;
        memcpy(message + i, chance, sizeof *chance);
    }
}

static ssize_t blast(void *arg)
{
    uint64_t chance = 88172645463325252u + (uintptr_t)arg;
    unsigned char message[MESSAGE], echo[MESSAGE];
    struct cg_sock *conn;
    ssize_t rc = cg_yield(cg_connect(address, &conn));

    if (rc < 0) {
        mine->failed++;
        return rc;
    }
    mine->connected++;
    for (;;) {
        fill(message, &chance);
        if ((rc = cg_yield(cg_writeall(conn, message, MESSAGE))) < 0 ||
            (rc = cg_yield(cg_readall(conn, echo, MESSAGE))) < 0)
            break;
        if (memcmp(message, echo, MESSAGE) != 0) {
            rc = -EBADMSG;
            break;
        }
        mine->messages++;
    }
    cg_sock_close(conn);
    mine->failed += rc != -ECANCELED;
    return 0;
}

static ssize_t blast_all(void *arg)
{
    struct cg_sched *sched = arg;
    ssize_t rc = 0;

    for (intptr_t i = 0; i < connections && rc >= 0; i++)
        rc = cg_sched_start(sched, blast, (void *)(i * 7919), .name = "blast");
    if (rc < 0)
        example_fail("start", rc);
    cg_yield(cg_sleep(length));
    cg_sched_stop(sched); /* cancels the coroutines that send */
    return rc;
}

/* Starts the child processes, each with its own scheduler, on the same kind of reactor. */
static int blast_in_children(const char *reactor_name)
{
    int status, failed = 0;

    for (long i = 0; i < processes; i++) {
        struct cg_reactor *reactor;
        struct cg_sched *sched;
        pid_t pid;

        mine = &counts[i];
        if ((pid = fork()) < 0) {
            example_fail("fork", -errno);
            failed = 1;
        }
        if (pid != 0)
            continue;
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        if (cg_reactor_open(reactor_name, &reactor) < 0 ||
            !(sched = cg_sched_new(reactor)) ||
            cg_sched_start(sched, blast_all, sched) < 0) {
            example_complain("process", "its scheduler cannot start");
            _exit(1);
        }
        _exit(cg_sched_run(sched) != 0);
    }
    while (wait(&status) > 0)
        failed |= status;
    return failed != 0;
}

int main(int argc, char **argv)
{
    const char *count = "300", *seconds = "5", *children = "1";
    const struct example_option options[] = {
        {"connections", "N", "at the same time, in each process", &count, 0},
        {"seconds", "SECONDS", "how long", &seconds, 0},
        {"processes", "N", "the number of processes that send", &children, 0},
        {0},
    };
    struct example ex = {
        .name = "blaster",
        .about = "Many connections send random messages and expect them back",
        .operands = "ADDRESS",
        .options = options,
        .network = true,
    };
    static const char wrong[] = "give an address, and numbers above 0";
    struct count sum = {0};
    int code, failed = 0;

    example_open(&ex, argc, argv);
    connections = (long)example_number(&ex, count, 1, INT_MAX, wrong);
    processes = (long)example_number(&ex, children, 1, 1000, wrong);
    length = example_seconds(&ex, seconds);
    if (ex.argc != 1)
        example_usage(&ex, wrong);
    address = ex.argv[0];
    counts = mine = mmap(NULL, processes * sizeof *counts, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED)
        example_usage(&ex, "no memory");
    if (processes > 1)
        failed = blast_in_children(cg_reactor_name(ex.reactor));
    else if ((code = cg_sched_start(ex.sched, blast_all, ex.sched, .name = "all")) < 0)
        example_fail("start", code);
    code = example_run(&ex);
    for (long i = 0; i < processes; i++) {
        sum.messages += counts[i].messages;
        sum.connected += counts[i].connected;
        sum.failed += counts[i].failed;
    }
    printf("%ld connections, %.0f messages a second, %ld failed\n", sum.connected,
           sum.messages * 1e9 / length, sum.failed);
    return code || failed || sum.failed > 0;
}
