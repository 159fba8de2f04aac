/* SPDX-License-Identifier: MIT */
/* Greets, sends every line back, and closes at the line "exit"; one coroutine for each
 * connection. Shows lines with a size limit, and timeouts. This file needs no other:
 *
 *     cc line_server.c -o line_server $(pkg-config --cflags --libs cogen)
 *     ./line_server --listen 127.0.0.1:7008    Ctrl-C ends it
 *     ./echo_client 127.0.0.1:7008             in another terminal
 */
#include <cogen.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *reactor, *address = "127.0.0.1:7008";
static int64_t idle = 2 * CG_MINUTE; /* until a silent client is disconnected */
static struct cg_sched *sched;

static ssize_t failed(const char *what, ssize_t code)
{
    fprintf(stderr, "line_server: %s: %s\n", what, cg_strerror(code));
    return code;
}

static void stop(int number)
{
    (void)number;
    cg_sched_stop(sched);
}

/* A terminal that closes sends SIGHUP; nohup lets it be ignored. */
static void set_handlers(void (*handler)(int))
{
    signal(SIGINT, handler);
    signal(SIGTERM, handler);
    if (signal(SIGHUP, handler) == SIG_IGN)
        signal(SIGHUP, SIG_IGN);
}

static ssize_t say(struct cg_sock *conn, const char *text)
{
    return cg_yield(cg_writeall(conn, text, strlen(text), .timeout = CG_MINUTE));
}

/* Discards a line that is too long: cg_readline has left all of it unread. */
static ssize_t skip_line(struct cg_sock *conn)
{
    const char *end = NULL;
    struct cg_view view;
    ssize_t n;

    while (!end && (n = cg_yield(cg_borrow(conn, &view, .timeout = idle))) > 0) {
        end = memchr(view.data, '\n', view.len);
        cg_view_release(&view, end ? (size_t)(end + 1 - view.data) : view.len);
    }
    return end ? say(conn, "error: the line is too long\r\n") : n;
}

static ssize_t talk(struct cg_sock *conn, void *arg)
{
    char line[1024]; /* the longest line, with its end and a NUL */
    ssize_t n = say(conn, "welcome to the line server, \"exit\" ends it\r\n");

    (void)arg;
    while (n >= 0) {
        n = cg_yield(cg_readline(conn, line, sizeof line, .timeout = idle));
        if (n == 0 || (n > 0 && strcspn(line, "\r\n") == 4 && !strncmp(line, "exit", 4)))
            break;
        if (n > 0)
            n = cg_yield(cg_writeall(conn, line, n, .timeout = CG_MINUTE));
        else if (n == -EMSGSIZE)
            n = skip_line(conn);
    }
    if (n > 0)
        n = say(conn, "goodbye\r\n");
    else if (n == -ETIMEDOUT)
        say(conn, "error: you were silent for too long\r\n");
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
    set_handlers(stop);
    if ((n = cg_sock_listen(sched, address, &listener, .take_over = true)) < 0)
        return failed(address, n);
    if ((n = cg_sock_local_addr(listener, addr, sizeof addr)) < 0)
        failed(address, n);
    else if (printf("listening on %s\n", addr) < 0 || fflush(stdout) != 0)
        n = failed("stdout", -errno);
    else if ((n = cg_yield(cg_serve(listener, talk, .name = "talk"))) != -ECANCELED)
        failed(address, n);
    cg_sock_close(listener);
    set_handlers(SIG_DFL); /* cg_main is about to free the scheduler */
    return n == -ECANCELED ? 0 : n;
}

/* Returns 0 if the text is not a length of time, or one of more than 30 years. */
static int64_t parse_seconds(const char *text, char **end)
{
    double seconds = strtod(text, end);

    return seconds > 0 && seconds < 1e9 ? (int64_t)(seconds * CG_SECOND) : 0;
}

int main(int argc, char **argv)
{
    const char usage[] = "usage: line_server [--listen ADDR] [--idle SEC] [--reactor NAME]";
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'}, {"idle", required_argument, NULL, 'i'},
        {"reactor", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'}, {0}};
    char *end = NULL;
    ssize_t n;
    int c;

    if (fcntl(STDOUT_FILENO, F_GETFD) < 0) /* the first socket would get its number */
        return failed("stdout", -errno) < 0;
    while ((c = getopt_long(argc, argv, "l:i:r:h", options, NULL)) != -1 && c != '?') {
        if (c == 'h')
            return (puts(usage) < 0 || fflush(stdout) != 0) && failed("stdout", -errno);
        if (c == 'i')
            idle = parse_seconds(optarg, &end);
        else
            *(c == 'r' ? &reactor : &address) = optarg;
    }
    if (c == '?' || optind < argc || (end && *end) || idle <= 0)
        return fprintf(stderr, "%s\n", usage), 2;
    n = cg_main(reactor, run, NULL);
    return n == CG_EREACTOR ? 2 : n < 0;
}
