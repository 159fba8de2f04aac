/* SPDX-License-Identifier: MIT */
/* Replaces the running program by a new one without refusing a connection:
 *     ./handover 127.0.0.1:7000
 *     kill -HUP PID           starts the program anew, which takes the listener over */
#include <cogen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static ssize_t echo(void *arg)
{
    struct cg_sock *conn = arg;
    char line[256], text[300];
    ssize_t n;

    while ((n = cg_yield(cg_readline(conn, line, sizeof line, .timeout = CG_MINUTE))) > 0) {
        n = snprintf(text, sizeof text, "%ld: %s", (long)getpid(), line);
        if ((n = cg_yield(cg_writeall(conn, text, (size_t)n, .timeout = CG_MINUTE))) < 0)
            break;
    }
    cg_sock_close(conn);
    return n;
}

/* Starts the new program with the listener as its standard input. Until the new program
 * accepts, the kernel keeps new connections in the backlog. If the new program cannot be
 * started, the old one goes on. */
static ssize_t hand_over(struct cg_sock **listener, char *program)
{
    char *argv[] = {program, "-", NULL};
    struct cg_process *process;
    void *unread;
    size_t size;
    int fd = cg_sock_detach(*listener, &unread, &size); /* nothing is unread */
    ssize_t rc;

    if (fd < 0)
        return fd;
    *listener = NULL; /* the socket was freed */
    if (cg_yield(cg_spawn(argv, &process, .in = fd)) >= 0) {
        cg_process_release(process); /* it must go on when this program ends */
        rc = 1;
    } else if ((rc = cg_sock_attach(cg_sched_self(), fd, listener)) == 0) {
        return 0;
    }
    close(fd);
    return rc;
}

/* Accepts clients until the listener is handed over (returns 1) or fails. */
static ssize_t accept_clients(struct cg_sock **listener, struct cg_group *clients,
                              char *program)
{
    struct cg_os_signals *hangup;
    ssize_t rc = cg_os_signals_open(cg_sched_self(), SIGHUP, &hangup);

    while (rc == 0) {
        struct cg_sock *conn;
        struct cg_op *accepting = cg_accept(*listener, &conn);

        rc = cg_yield(cg_any((accepting, cg_get_os_signal(hangup))));
        if (rc == 1)
            rc = hand_over(listener, program);
        else if (rc == 0 && (rc = cg_op_result(accepting)) == 0 &&
                 cg_yield(cg_add_to_group(clients, echo, conn, .name = "client")) < 0)
            cg_sock_close(conn);
    }
    cg_os_signals_close(hangup);
    return rc;
}

static ssize_t server(void *arg)
{
    char **argv = arg;
    struct cg_sock *listener;
    struct cg_group clients;
    ssize_t rc = strcmp(argv[1], "-") == 0
                     ? cg_sock_attach(cg_sched_self(), STDIN_FILENO, &listener)
                     : cg_sock_listen(cg_sched_self(), argv[1], &listener);

    if (rc < 0)
        return rc;
    cg_group_open(&clients, .keep_going = true);
    rc = accept_clients(&listener, &clients, argv[0]);
    cg_yield(cg_wait_group(&clients)); /* the clients of the old program stay with it */
    cg_sock_close(listener); /* NULL, if it was handed over */
    return rc;
}

int main(int argc, char **argv)
{
    ssize_t rc;

    if (argc != 2)
        return fprintf(stderr, "usage: %s ADDRESS\n", argv[0]), 2;
    rc = cg_main(NULL, server, argv);
    if (rc < 0)
        fprintf(stderr, "server: %s\n", cg_strerror(rc));
    return rc < 0;
}
