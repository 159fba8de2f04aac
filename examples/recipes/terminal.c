/* SPDX-License-Identifier: MIT */
/* Types lines to a shell in a terminal of its own, and shows what that terminal shows:
 * ./terminal 'stty size' 'tty' 'exit' */
#define _GNU_SOURCE /* posix_openpt and its like */
#include <cogen.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Opens a pseudo-terminal: *screen is our side, the result the descriptor of the shell's. */
static int open_terminal(struct cg_sock **screen)
{
    int control = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK), terminal = -1, rc;

    if (control >= 0 && grantpt(control) == 0 && unlockpt(control) == 0)
        terminal = open(ptsname(control), O_RDWR | O_NOCTTY | O_CLOEXEC);
    rc = terminal < 0 ? -errno : cg_sock_attach(cg_sched_self(), control, screen);
    if (rc == 0)
        return terminal;
    if (control >= 0)
        close(control);
    if (terminal >= 0)
        close(terminal);
    return rc;
}

static ssize_t type_lines(struct cg_sock *screen, char **lines)
{
    ssize_t n = 0;

    for (; n >= 0 && *lines != NULL; lines++) {
        n = cg_yield(cg_writeall(screen, *lines, strlen(*lines)));
        if (n >= 0)
            n = cg_yield(cg_writeall(screen, "\n", 1));
    }
    return n;
}

/* When the last process has closed the terminal, Linux returns EIO instead of an end. */
static ssize_t show(struct cg_sock *screen)
{
    char buf[1024];
    ssize_t n;

    while ((n = cg_yield(cg_read(screen, buf, sizeof buf, .timeout = CG_MINUTE))) > 0)
        fwrite(buf, 1, (size_t)n, stdout);
    return n == -EIO ? 0 : n;
}

static ssize_t run(void *lines)
{
    char *argv[] = {"/bin/sh", NULL};
    const char *failed;
    struct cg_process *shell;
    struct cg_sock *screen;
    ssize_t n;
    int terminal = open_terminal(&screen);

    if (terminal < 0)
        return terminal;
    n = cg_yield(cg_spawn(argv, &shell, .in = terminal, .out = terminal, .err = terminal,
                          .terminal = true, .failed = &failed));
    close(terminal);
    if (n < 0) {
        fprintf(stderr, "terminal: %s: %s\n", failed ? failed : "spawn", cg_strerror(n));
    } else {
        n = type_lines(screen, lines);
        if (n >= 0)
            n = show(screen);
        cg_sock_close(screen); /* hangs up, which ends a shell that still runs */
        screen = NULL;
        if (n >= 0)
            n = cg_yield(cg_wait_process(shell));
        cg_process_close(shell);
    }
    cg_sock_close(screen);
    return n;
}

int main(int argc, char **argv)
{
    ssize_t n = cg_main(NULL, run, argv + (argc > 0));

    if (n < 0) {
        fprintf(stderr, "terminal: %s\n", cg_strerror(n));
        return 1;
    }
    if (n >= CG_EXIT_SIGNAL) { /* which is more than an exit status can tell */
        fprintf(stderr, "terminal: the shell was ended by a signal: %s\n",
                strsignal((int)n - CG_EXIT_SIGNAL));
        return 1;
    }
    if (n > 0)
        fprintf(stderr, "terminal: the shell ended with %zd\n", n);
    return (int)n;
}
