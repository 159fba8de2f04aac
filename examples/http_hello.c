/* SPDX-License-Identifier: MIT */
/* The smallest web server: one handler, mounted on one path. This file needs no other:
 *
 *     cc http_hello.c $(pkg-config --cflags --libs cogen-http)
 *     ./http_hello --listen 127.0.0.1:8080
 *     curl -i http://127.0.0.1:8080/              in another terminal
 *     wrk -c 64 http://127.0.0.1:8080/            how fast it is
 *
 * With --protocols h1,h2c it speaks HTTP/2, too, to clients that know it does (curl
 * --http2-prior-knowledge).
 *
 * With --workers N it uses N processors (0: all of them): each has a server and a listener of
 * its own on the same port, and the kernel shares the connections out.
 */
#include <cogen.h>
#include <cogen/http_server.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 1000 }; /* workers */

static const char *reactor, *address = "127.0.0.1:8080", *workers = "1";
static struct cg_ports *ports; /* one for each worker; on a UNIX socket they share one */
static uint8_t protocols; /* 0: those of the library */

static ssize_t failed(const char *what, ssize_t code)
{
    fprintf(stderr, "http_hello: %s: %s\n", what, cg_strerror(code));
    return code;
}

static void stop(int number)
{
    (void)number;
    cg_crew_stop();
}

static ssize_t hello(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, "Hello, world!\n"));
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
    struct cg_http_server *server = cg_http_server_new(.protocols = protocols);
    ssize_t n;

    if (server == NULL)
        return failed("server", -ENOMEM);
    n = cg_http_server_mount(server, "GET /", hello, NULL);
    if (n == 0)
        n = cg_yield(cg_http_serve(server, listener));
    cg_http_server_free(server);
    return n < 0 && n != -ECANCELED ? failed(address, n) : 0;
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

/* "h1", "h2c" or both: HTTP/2 in the clear begins without a word about it. */
static bool choose_protocols(char *list)
{
    for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ",")) {
        if (strcmp(name, "h1") != 0 && strcmp(name, "h2c") != 0)
            return false;
        protocols |= strcmp(name, "h1") == 0 ? CG_HTTP_H1 : CG_HTTP_H2C;
    }
    return protocols != 0;
}

int main(int argc, char **argv)
{
    const char usage[] = "usage: http_hello [--listen ADDR] [--reactor NAME] [--workers N]\n"
                         "                  [--protocols h1,h2c]";
    static const struct option options[] = {{"reactor", required_argument, NULL, 'r'},
                                            {"listen", required_argument, NULL, 'l'},
                                            {"workers", required_argument, NULL, 'w'},
                                            {"protocols", required_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    unsigned long count;
    ssize_t n;
    char *end;
    int c;

    if (fcntl(STDOUT_FILENO, F_GETFD) < 0) /* the first socket would get its number */
        return failed("stdout", -errno) < 0;
    while ((c = getopt_long(argc, argv, "r:l:w:p:h", options, NULL)) != -1 && c != '?') {
        if (c == 'h')
            return (puts(usage) < 0 || fflush(stdout) != 0) && failed("stdout", -errno);
        if (c == 'p' && !choose_protocols(optarg))
            return fprintf(stderr, "http_hello: --protocols takes h1, h2c or both\n"), 2;
        if (c != 'p')
            *(c == 'r' ? &reactor : c == 'w' ? &workers : &address) = optarg;
    }
    count = strtoul(workers, &end, 10);
    if (c == '?' || optind < argc || *end != '\0' || end == workers || count > MOST)
        return fprintf(stderr, "%s\n", usage), 2;
    count = count > 0 ? count : cg_cpus();
    n = cg_ports_open(address, &ports, .name = "http", .members = (unsigned)count,
                      .take_over = true);
    if (n < 0)
        return failed(address, n) < 0;
    n = cg_crew_main(run, NULL, .reactor = reactor, .workers = (unsigned)count);
    cg_ports_close(ports);
    return n == CG_EREACTOR ? 2 : n < 0;
}
