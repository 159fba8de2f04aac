/* SPDX-License-Identifier: MIT */
/* The smallest web server: one handler, mounted on one path. This file needs no other:
 *
 *     cc http_hello.c $(pkg-config --cflags --libs cogen-http)
 *     ./http_hello --listen 127.0.0.1:8080
 *     curl -i http://127.0.0.1:8080/              in another terminal
 *     wrk -c 64 http://127.0.0.1:8080/            how fast it is
 */
#include <cogen.h>
#include <cogen/http_server.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const char *reactor, *address = "127.0.0.1:8080";
static struct cg_sched *sched;

static ssize_t failed(const char *what, ssize_t code)
{
    fprintf(stderr, "http_hello: %s: %s\n", what, cg_strerror(code));
    return code;
}

static void stop(int number)
{
    (void)number;
    cg_sched_stop(sched);
}

static ssize_t hello(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, "Hello, world!\n"));
}

/* Serves until a signal ends it, which is no failure. */
static ssize_t serve(struct cg_http_server *server, struct cg_sock *listener)
{
    char addr[CG_ADDR_SIZE];
    ssize_t n = cg_sock_local_addr(listener, addr, sizeof addr);

    if (n == 0 && (printf("listening on %s\n", addr) < 0 || fflush(stdout) != 0))
        return failed("stdout", -errno);
    if (n == 0)
        n = cg_http_server_mount(server, "GET /", hello, NULL);
    if (n == 0)
        n = cg_yield(cg_http_serve(server, listener));
    return n < 0 && n != -ECANCELED ? failed(address, n) : 0;
}

static ssize_t run(void *arg)
{
    struct cg_http_server *server = cg_http_server_new();
    struct cg_sock *listener;
    ssize_t n;

    (void)arg;
    sched = cg_sched_self();
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    if (server == NULL)
        return failed("server", -ENOMEM);
    if ((n = cg_sock_listen(sched, address, &listener)) < 0) {
        failed(address, n);
    } else {
        n = serve(server, listener);
        cg_sock_close(listener);
    }
    cg_http_server_free(server);
    return n;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"reactor", required_argument, NULL, 'r'}, {"listen", required_argument, NULL, 'l'}, {0}};
    int c;

    if (fcntl(STDOUT_FILENO, F_GETFD) < 0) /* the first socket would get its number */
        return failed("stdout", -errno) < 0;
    while ((c = getopt_long(argc, argv, "r:l:", options, NULL)) != -1) {
        if (c != 'r' && c != 'l')
            return 1; /* getopt_long has said why */
        *(c == 'r' ? &reactor : &address) = optarg;
    }
    return cg_main(reactor, run, NULL) < 0;
}
