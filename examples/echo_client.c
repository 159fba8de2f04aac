/* SPDX-License-Identifier: MIT */
/* Sends what it reads on stdin, and prints what comes back; one coroutine for each
 * direction, both on one connection. This file needs no other:
 *
 *     cc echo_client.c -o echo_client $(pkg-config --cflags --libs cogen)
 *     ./echo_client 127.0.0.1:7007             type lines, Ctrl-D ends
 *     ./echo_client --count 3 127.0.0.1:7007   three messages instead, one after the other
 */
#include <cogen.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *reactor, *address;
static long messages; /* number of messages to send; 0: copy stdin */

static _Noreturn void fail(const char *what, ssize_t code)
{
    fprintf(stderr, "echo_client: %s: %s\n", what, cg_strerror(code));
    exit(1);
}

static void print(const void *data, size_t len)
{
    if (fwrite(data, 1, len, stdout) < len || fflush(stdout) != 0)
        fail("stdout", -errno);
}

/* Waits until stdin has input, rather than making it non-blocking: on a terminal that
 * would make stdout non-blocking, too. */
static ssize_t send_stdin(void *arg)
{
    struct cg_sock *conn = arg;
    char buf[4096];
    ssize_t n;

    while ((n = cg_yield(cg_poll(STDIN_FILENO, CG_IN))) >= 0) {
        if ((n = read(STDIN_FILENO, buf, sizeof buf)) < 0)
            fail("stdin", -errno);
        if (n == 0 || (n = cg_yield(cg_writeall(conn, buf, n))) < 0)
            break;
    }
    /* At the end of stdin the server may still reply; after an error chat need not wait. */
    cg_yield(cg_shutdown(conn, n == 0 ? SHUT_WR : SHUT_RDWR));
    return n;
}

/* Copies in both directions until the server closes; stdin is then no longer needed. */
static ssize_t chat(struct cg_sock *conn)
{
    struct cg_coro *sender;
    struct cg_view view;
    ssize_t sent, n = cg_yield(cg_add(send_stdin, conn, .name = "send", .coro = &sender));

    if (n < 0)
        return n;
    while ((n = cg_yield(cg_borrow(conn, &view))) > 0) {
        print(view.data, view.len);
        cg_view_release(&view, view.len);
    }
    cg_yield(cg_cancel(sender));
    sent = cg_yield(cg_join(sender));
    cg_coro_unref(sender);
    return n < 0 || sent == -ECANCELED ? n : sent;
}

static ssize_t exchange(struct cg_sock *conn)
{
    char text[32], reply[32];
    ssize_t n = 0;

    for (long i = 1; i <= messages && n >= 0; i++) {
        int len = snprintf(text, sizeof text, "message %ld\n", i);

        n = cg_yield(cg_writeall(conn, text, len));
        if (n >= 0)
            n = cg_yield(cg_readall(conn, reply, len, .timeout = 10 * CG_SECOND));
        if (n >= 0)
            print(reply, len);
    }
    return n;
}

static ssize_t run(void *arg)
{
    struct cg_sock *conn;
    ssize_t n = cg_yield(cg_connect(address, &conn, .timeout = 30 * CG_SECOND));

    (void)arg;
    if (n < 0 || (n = messages ? exchange(conn) : chat(conn)) < 0)
        fail(address, n);
    cg_sock_close(conn);
    return 0;
}

int main(int argc, char **argv)
{
    const char usage[] = "usage: echo_client [--count N] [--reactor NAME] ADDR\n";
    static const struct option options[] = {
        {"count", required_argument, NULL, 'n'}, {"reactor", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'}, {0}};
    const char *count = NULL;
    char *end = NULL;
    ssize_t n;
    int c;

    while ((c = getopt_long(argc, argv, "n:r:h", options, NULL)) != -1 && c != '?') {
        if (c == 'h')
            return print(usage, strlen(usage)), 0;
        *(c == 'r' ? &reactor : &count) = optarg;
    }
    address = argv[optind];
    if (count)
        messages = strtol(count, &end, 10);
    if (c == '?' || optind != argc - 1 || (count && (messages < 1 || *end)))
        return fputs(usage, stderr), 2;
    n = cg_main(reactor, run, NULL);
    return n == CG_EREACTOR ? 2 : n < 0;
}
