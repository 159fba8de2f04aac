/* SPDX-License-Identifier: MIT */
/* A server that stops gracefully on SIGTERM or Ctrl-C: ./stop 127.0.0.1:7000 */
#include <cogen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Takes a name, works for two seconds, and greets. */
static ssize_t greet(struct cg_sock *conn, void *arg)
{
    char name[64], text[80];
    ssize_t n = cg_yield(cg_readline(conn, name, sizeof name, .timeout = CG_MINUTE));

    (void)arg;
    if (n > 0 && (n = cg_yield(cg_sleep(2 * CG_SECOND))) >= 0) {
        snprintf(text, sizeof text, "hello %s", name);
        n = cg_yield(cg_writeall(conn, text, strlen(text), .timeout = CG_MINUTE));
    }
    cg_sock_close(conn);
    return n;
}

static ssize_t server(void *addr)
{
    struct cg_sock *listener;
    struct cg_op *serving;
    ssize_t rc = cg_sock_listen(cg_sched_self(), addr, &listener);

    if (rc < 0)
        return rc;
    /* A signal wins the race, which cancels the server: it accepts no more connections,
     * and gives those that it has 10 s to end. The race completes when they have ended. */
    serving = cg_serve(listener, greet, .name = "greet", .grace = 10 * CG_SECOND);
    rc = cg_yield(cg_any((serving, cg_wait_os_signal(SIGTERM), cg_wait_os_signal(SIGINT))));
    cg_sock_close(listener);
    return rc > 0 ? 0 : cg_op_result(serving);
}

int main(int argc, char **argv)
{
    ssize_t rc = cg_main(NULL, server, argc > 1 ? argv[1] : "127.0.0.1:7000");

    fprintf(stderr, "server: %s\n", rc < 0 ? cg_strerror(rc) : "stopped");
    return rc < 0;
}
