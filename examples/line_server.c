/* SPDX-License-Identifier: MIT */
/* Greets, sends every line back, and ends at the line "exit"; a coroutine for each
 * connection. Shows lines with a limit, and timeouts.
 *
 *     ./line_server --listen 127.0.0.1:7008
 *     ./echo_client 127.0.0.1:7008             in another terminal
 */
#include <cogen.h>
#include <errno.h>
#include <string.h>

#include "common.h"

enum {
    LINE_SIZE = 1024, /* longest line, with its end and a NUL */
};

static int64_t idle = 2 * CG_MINUTE;

static ssize_t say(struct cg_sock *conn, const char *text)
{
    return cg_yield(cg_writeall(conn, text, strlen(text), .timeout = CG_MINUTE));
}

/* A line that is too long is still unread, all of it: take it away as it comes. */
static ssize_t skip_line(struct cg_sock *conn)
{
    const char *end = NULL;
    struct cg_view view;
    ssize_t n;

    while (!end && (n = cg_yield(cg_borrow(conn, &view, .timeout = idle))) > 0) {
        end = memchr(view.data, '\n', view.size);
        cg_view_release(&view, end ? (size_t)(end + 1 - view.data) : view.size);
    }
    return end ? say(conn, "error: the line is too long\r\n") : n;
}

static bool is_exit(const char *line)
{
    return strncmp(line, "exit", 4) == 0 && line[4 + strspn(line + 4, "\r\n")] == '\0';
}

static ssize_t talk(struct cg_sock *conn, void *arg)
{
    char line[LINE_SIZE];
    ssize_t n = say(conn, "welcome to the line server, \"exit\" ends it\r\n");

    (void)arg;
    while (n >= 0) {
        n = cg_yield(cg_readline(conn, line, sizeof line, .timeout = idle));
        if (n == 0 || (n > 0 && is_exit(line)))
            break;
        if (n > 0)
            n = cg_yield(cg_writeall(conn, line, n, .timeout = CG_MINUTE));
        else if (n == -EMSGSIZE)
            n = skip_line(conn);
    }
    if (n > 0)
        n = say(conn, "goodbye\r\n");
    else if (n == -ETIMEDOUT)
        say(conn, "error: nothing was said for too long\r\n");
    cg_sock_close(conn);
    return n;
}

static ssize_t serve(void *listener)
{
    ssize_t n = cg_yield(cg_serve(listener, talk, .name = "talk"));

    cg_sock_close(listener);
    return n;
}

int main(int argc, char **argv)
{
    const char *seconds = "120";
    const struct example_option options[] = {
        {"idle", "SECONDS", "who says nothing for so long is sent away (120)", &seconds,
         0},
        {0},
    };
    struct example ex = {
        .name = "line_server",
        .about = "Greets, sends every line back, and ends at the line \"exit\"",
        .listen = "127.0.0.1:7008",
        .network = true,
        .options = options,
    };

    example_open(&ex, argc, argv);
    idle = example_seconds(&ex, seconds);
    example_serve(&ex, serve);
    return example_run(&ex);
}
