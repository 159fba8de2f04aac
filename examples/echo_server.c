/* SPDX-License-Identifier: MIT */
/* Sends back whatever it receives; one coroutine for each connection. This file needs no
 * other:
 *
 *     cc echo_server.c -o echo_server $(pkg-config --cflags --libs cogen)
 *     ./echo_server --listen 127.0.0.1:7007    Ctrl-C ends it
 *     ./echo_client 127.0.0.1:7007             in another terminal
 *
 * cg_borrow needs no buffer: it lends the received bytes where they are, in a buffer of
 * the reactor. So an idle connection needs only a stack.
 */
#include <cogen.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST = 1000 }; /* workers */

static const char *reactor, *address = "127.0.0.1:7007";
static const char *workers = "1";
static struct cg_ports *ports; /* one for each worker; on a UNIX socket they share one */

static ssize_t failed(const char *what, ssize_t code)
{
    fprintf(stderr, "echo_server: %s: %s\n", what, cg_strerror(code));
    return code;
}

static void stop(int number)
{
    (void)number;
    cg_crew_stop();
}

static ssize_t echo(struct cg_sock *conn, void *arg)
{
    struct cg_view view;
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_borrow(conn, &view))) > 0) {
        /* A client may read slowly, but it must read something every minute. */
        n = cg_yield(cg_writeall(conn, view.data, view.len, .timeout = CG_MINUTE,
                                 .weak_timeout = true));
        cg_view_release(&view, view.len);
        if (n < 0)
            break;
    }
    cg_sock_close(conn);
    return n;
}

/* A terminal that closes sends SIGHUP; nohup lets it be ignored. */
static void obey_signals(void)
{
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    if (signal(SIGHUP, stop) == SIG_IGN)
        signal(SIGHUP, SIG_IGN);
}

/* Says where it listens: if the port was 0, the kernel has chosen one. */
static ssize_t announce(void)
{
    char addr[CG_ADDR_SIZE];
    ssize_t n = cg_ports_addr(ports, addr, sizeof addr);

    obey_signals();
    if (n < 0)
        return failed(address, n);
    if (printf("listening on %s\n", addr) < 0 || fflush(stdout) != 0)
        return failed("stdout", -errno);
    return 0;
}

/* Serves until a signal ends it, which is no failure. */
static ssize_t serve(struct cg_sock *listener)
{
    ssize_t n = cg_yield(cg_serve(listener, echo, .name = "echo", .spread = "echo"));

    return n != -ECANCELED ? failed(address, n) : 0;
}

/* On each worker. */
static ssize_t run(void *arg)
{
    struct cg_sock *listener;
    ssize_t n = cg_worker_id() == 0 ? announce() : 0;

    (void)arg;
    if (n < 0)
        return n;
    n = cg_ports_listen(ports, cg_worker_id(), cg_sched_self(), &listener);
    if (n < 0)
        return failed(address, n);
    n = serve(listener);
    cg_sock_close(listener);
    return n;
}

int main(int argc, char **argv)
{
    const char usage[] = "usage: echo_server [--listen ADDR] [--reactor NAME] [--workers N]";
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'}, {"reactor", required_argument, NULL, 'r'},
        {"workers", required_argument, NULL, 'w'}, {"help", no_argument, NULL, 'h'}, {0}};
    unsigned long count;
    ssize_t n;
    char *end;
    int c;

    if (fcntl(STDOUT_FILENO, F_GETFD) < 0) /* the first socket would get its number */
        return failed("stdout", -errno) < 0;
    while ((c = getopt_long(argc, argv, "l:r:w:h", options, NULL)) != -1 && c != '?') {
        if (c == 'h')
            return (puts(usage) < 0 || fflush(stdout) != 0) && failed("stdout", -errno);
        *(c == 'r' ? &reactor : c == 'w' ? &workers : &address) = optarg;
    }
    count = strtoul(workers, &end, 10);
    if (c == '?' || optind < argc || *end != '\0' || end == workers || count > MOST)
        return fprintf(stderr, "%s\n", usage), 2;
    count = count > 0 ? count : cg_cpus();
    n = cg_ports_open(address, &ports, .name = "echo", .members = (unsigned)count,
                      .take_over = true);
    if (n < 0)
        return failed(address, n) < 0;
    n = cg_crew_main(run, NULL, .reactor = reactor, .workers = (unsigned)count);
    cg_ports_close(ports);
    return n == CG_EREACTOR ? 2 : n < 0;
}
