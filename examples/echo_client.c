/* SPDX-License-Identifier: MIT */
/* Sends what it reads on stdin, and prints what comes back; a coroutine for each
 * direction, both on one connection.
 *
 *     ./echo_client 127.0.0.1:7007             type lines, Ctrl-D ends
 *     ./echo_client --count 3 127.0.0.1:7007   three messages instead, in turn
 */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

static const char *address;
static int messages; /* to send; 0: what comes on stdin */

static void print(const void *data, size_t size)
{
    if (fwrite(data, 1, size, stdout) < size || fflush(stdout) != 0)
        example_fail("stdout", -errno);
}

/* Stdin is not made non-blocking, which a terminal would pass on to stdout: it is read
 * when it has something. */
static ssize_t send_stdin(void *arg)
{
    struct cg_sock *conn = arg;
    char buf[4096];
    ssize_t n;

    while ((n = cg_yield(cg_poll(STDIN_FILENO, CG_IN))) >= 0) {
        n = read(STDIN_FILENO, buf, sizeof buf);
        if (n < 0)
            example_fail("stdin", -errno);
        if (n <= 0)
            return cg_yield(cg_shutdown(conn, SHUT_WR));
        if ((n = cg_yield(cg_writeall(conn, buf, n))) < 0)
            break;
    }
    if (n != -ECANCELED) { /* by chat */
        example_fail("sending", n);
        cg_yield(cg_shutdown(conn, SHUT_RDWR)); /* nobody need wait for a reply */
    }
    return n;
}

static ssize_t print_replies(struct cg_sock *conn)
{
    struct cg_view view;
    ssize_t n;

    while ((n = cg_yield(cg_borrow(conn, &view))) > 0) {
        print(view.data, view.size);
        cg_view_release(&view, view.size);
    }
    return n;
}

/* Both directions until the other end closes; then nobody needs stdin any more. */
static ssize_t chat(struct cg_sock *conn)
{
    struct cg_coro *sender;
    ssize_t n = cg_yield(cg_add(send_stdin, conn, .name = "send", .coro = &sender));

    if (n < 0)
        return n;
    n = print_replies(conn);
    cg_yield(cg_cancel(sender));
    cg_yield(cg_join(sender));
    cg_coro_unref(sender);
    return n;
}

static ssize_t exchange(struct cg_sock *conn)
{
    ssize_t n = 0;

    for (int i = 1; i <= messages; i++) {
        char text[32], reply[32];
        int length = snprintf(text, sizeof text, "message %d\n", i);

        if ((n = cg_yield(cg_writeall(conn, text, length))) < 0)
            break;
        n = cg_yield(cg_readall(conn, reply, length, .timeout = 10 * CG_SECOND));
        if (n < 0)
            break;
        print(reply, length);
    }
    return n;
}

static ssize_t client(void *arg)
{
    struct cg_sock *conn;
    ssize_t n = cg_yield(cg_connect(address, &conn, .timeout = 30 * CG_SECOND));

    (void)arg;
    if (n < 0) {
        example_fail(address, n);
        return 0; /* it has been said, and main knows */
    }
    n = messages ? exchange(conn) : chat(conn);
    if (n < 0)
        example_fail(address, n);
    cg_sock_close(conn);
    return 0;
}

int main(int argc, char **argv)
{
    const char *count = NULL;
    const struct example_option options[] = {
        {"count", "N", "send N messages instead, each after the reply to the last",
         &count, 'n'},
        {0},
    };
    struct example ex = {
        .name = "echo_client",
        .about = "Sends what it reads on stdin, and prints what comes back",
        .operands = "ADDR",
        .network = true,
        .options = options,
    };
    int code;

    example_open(&ex, argc, argv);
    if (ex.argc != 1)
        example_usage(&ex, "it takes one address, such as 127.0.0.1:7007");
    address = ex.argv[0];
    if (count && (messages = atoi(count)) < 1)
        example_usage(&ex, "N is a number above 0");
    if ((code = cg_sched_start(ex.sched, client, NULL, .name = "client")) < 0)
        example_fail("start", code);
    return example_run(&ex);
}
