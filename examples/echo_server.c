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
 * */
#include <cogen.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const char *reactor, *address = "127.0.0.1:7007";
static struct cg_sched *sched;

static ssize_t failed(const char *what, ssize_t code)
{
    fprintf(stderr, "echo_server: %s: %s\n", what, cg_strerror(code));
    return code;
}

static void stop(int number)
{
    (void)number;
    cg_sched_stop(sched);
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

/* Serves until a signal ends it, which is not a failure. */
static ssize_t run(void *arg)
{
    char addr[CG_ADDR_SIZE]; /* with the port that the kernel chose, if it was 0 */
    struct cg_sock *listener;
    ssize_t n;

    (void)arg;
    sched = cg_sched_self();
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    if ((n = cg_sock_listen(sched, address, &listener)) < 0)
        return failed(address, n);
    if ((n = cg_sock_local_addr(listener, addr, sizeof addr)) < 0)
        failed(address, n);
    else if (printf("listening on %s\n", addr) < 0 || fflush(stdout) != 0)
        n = failed("stdout", -errno);
    else if ((n = cg_yield(cg_serve(listener, echo, .name = "echo"))) != -ECANCELED)
        failed(address, n);
    cg_sock_close(listener);
    return n == -ECANCELED ? 0 : n;
}

int main(int argc, char **argv)
{
    const char usage[] = "usage: echo_server [--listen ADDR] [--reactor NAME]";
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'}, {"reactor", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'}, {0}};
    int c;

    if (fcntl(STDOUT_FILENO, F_GETFD) < 0) /* the first socket would get its number */
        return failed("stdout", -errno) < 0;
    while ((c = getopt_long(argc, argv, "l:r:h", options, NULL)) != -1 && c != '?') {
        if (c == 'h')
            return (puts(usage) < 0 || fflush(stdout) != 0) && failed("stdout", -errno);
        *(c == 'r' ? &reactor : &address) = optarg;
    }
    if (c == '?' || optind < argc)
        return fprintf(stderr, "%s\n", usage), 1;
    return cg_main(reactor, run, NULL) < 0;
}
