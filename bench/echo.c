/* SPDX-License-Identifier: MIT */
/* What an echo request costs the server: 64 bytes there and back over TCP loopback, the load
 * in a process of its own. Prints "name value unit": requests, CPU time and allocations a
 * request, after a warm-up.
 *     bench/echo [--reactor NAME | --bare] [--connections N] [--requests N]
 *                [--timeout SECONDS]
 * --bare serves with a hand-written epoll loop instead. Server and load are pinned to a
 * processor each. bench/ratio.sh compares, bench/syscalls.sh counts the system calls. */
#include "config.h"

#include "bench/bare/bare.h"

#include <cogen.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 64 };

static int connections = 64;
static long requests = 200000;
static int64_t timeout; /* of each read */

static long answered, allocations;
static long allocations_before;
static double cpu_before;
static long counted_from;

/* Ours are found before the C library's: every allocation is counted. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    allocations++;
    return __libc_realloc(old, size);
}

static double cpu(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Counts a request; the first tenth is the warm-up. */
static void count(void)
{
    if (++answered == requests / 10) {
        counted_from = answered;
        allocations_before = allocations;
        cpu_before = cpu();
    }
}

static ssize_t echo(void *arg)
{
    struct cg_sock *conn = arg;
    char buf[16 * SIZE]; /* a read that fills its buffer could not tell a drained socket */
    ssize_t n;

    while ((n = cg_yield(cg_read(conn, buf, sizeof buf, .timeout = timeout))) > 0 &&
           (n = cg_yield(cg_writeall(conn, buf, n))) > 0)
        count();
    cg_close(conn);
    return n;
}

static ssize_t server(void *arg)
{
    struct cg_sock *conn;
    ssize_t rc = 0;

    for (int i = 0; rc >= 0 && i < connections; i++)
        if ((rc = cg_yield(cg_accept(arg, &conn))) >= 0)
            rc = cg_yield(cg_add(echo, conn));
    cg_close(arg);
    return rc;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* The load: every connection sends its next request when it has the answer to the last. */
static void load(const char *text)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                               .sin_port = htons(atoi(strrchr(text, ':') + 1))};
    struct epoll_event *events = calloc(connections, sizeof *events);
    char buf[SIZE] = "";
    int ep = epoll_create1(0), one = 1;
    long sent = 0, back = 0;

    if (ep < 0 || events == NULL)
        die("load");
    for (int i = 0; i < connections; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

        if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0 ||
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
            epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) < 0)
            die("load");
    }
    for (int i = 0; i < connections; i++, sent++)
        if (send(ep + 1 + i, buf, SIZE, 0) != SIZE)
            die("load: send");
    while (back < sent) {
        int n = epoll_wait(ep, events, connections, -1);

        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;

            if (recv(fd, buf, SIZE, MSG_WAITALL) != SIZE)
                die("load: recv");
            back++;
            if (sent < requests && sent++ >= 0 && send(fd, buf, SIZE, 0) != SIZE)
                die("load: send");
        }
    }
    _exit(0);
}

/* The last processor but `which`; on a machine with one there is nothing to choose. */
static void pin(int which)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((n - 1 - which % n + n) % n, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void serve_bare(struct cg_sock *listener)
{
    int fd = cg_sock_fd(listener), flags = fcntl(fd, F_GETFL);

    fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    bare_epoll_echo(fd, connections, count);
}

static int usage(void)
{
    fprintf(stderr, "usage: echo [--reactor NAME | --bare] [--connections N] "
                    "[--requests N] [--timeout SECONDS]\n");
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"reactor", 1, NULL, 'r'},
                                            {"connections", 1, NULL, 'c'},
                                            {"requests", 1, NULL, 'n'},
                                            {"timeout", 1, NULL, 't'},
                                            {"bare", 0, NULL, 'b'},
                                            {NULL, 0, NULL, 0}};
    struct cg_reactor *reactor;
    struct cg_sched *sched;
    struct cg_sock *listener;
    const char *name = NULL;
    bool bare = false;
    char addr[CG_ADDR_SIZE];
    int rc, option;
    pid_t child;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (option) {
        case 'r':
            name = optarg;
            break;
        case 'c':
            connections = atoi(optarg);
            break;
        case 'n':
            requests = atol(optarg);
            break;
        case 'b':
            bare = true;
            break;
        case 't':
            timeout = atoi(optarg) * CG_SECOND;
            break;
        default:
            return usage();
        }
    if (optind < argc || connections < 1 || requests < 10 * connections)
        return usage();
    if ((rc = cg_reactor_open(name, &reactor)) < 0 ||
        (sched = cg_sched_new(reactor)) == NULL ||
        (rc = cg_listen(sched, "127.0.0.1:0", &listener)) < 0 ||
        (rc = cg_local_addr(listener, addr, sizeof addr)) < 0) {
        fprintf(stderr, "echo: %s\n", cg_strerror(rc));
        return 1;
    }
    if ((child = fork()) == 0) {
        closefrom(3);
        pin(1);
        load(addr);
    }
    pin(0);
    if (bare) {
        serve_bare(listener);
        cg_close(listener);
    } else {
        cg_start(sched, server, listener);
    }
    rc = cg_run(sched);
    printf("requests %ld\n", answered);
    printf("cpu_per_request %.2f us\n",
           (cpu() - cpu_before) / (answered - counted_from) * 1e6);
    printf("allocations_per_request %.6f\n",
           (double)(allocations - allocations_before) / (answered - counted_from));
    cg_sched_free(sched);
    cg_reactor_close(reactor);
    waitpid(child, NULL, 0);
    return rc != 0;
}
