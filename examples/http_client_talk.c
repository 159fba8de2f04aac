/* SPDX-License-Identifier: MIT */
/* Talks over a WebSocket. One coroutine prints what comes, another sends what is typed; when
 * the input ends it sends a Close, and the first one prints the rest. Standard input is
 * polled and read with read(2): made a socket of, it would become non-blocking, and so would
 * the standard output on the same terminal. */
#include "http_client_talk.h"

#include <cogen.h>
#include <cogen/websocket.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common.h"

enum { LINE_MOST = 64 * 1024 };

struct talk {
    struct cg_ws *ws;
    char line[LINE_MOST];
    size_t len;
};

bool talk_is_for(const char *url)
{
    return strncasecmp(url, "ws://", 5) == 0 || strncasecmp(url, "wss://", 6) == 0;
}

/* Sends the complete lines; at the end of the input, and if the buffer is full, also the
 * incomplete one. */
static ssize_t send_lines(struct talk *talk, bool all)
{
    char *at = talk->line, *end = talk->line + talk->len, *newline;
    ssize_t n = 0;

    while (n >= 0 && at < end) {
        newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL && !all && talk->len < LINE_MOST)
            break;
        if (newline == NULL)
            newline = end;
        n = cg_yield(cg_ws_write(talk->ws, CG_WS_TEXT, at, (size_t)(newline - at)));
        if (n == -EILSEQ) {
            example_complain("standard input", "a line is not UTF-8, and is not sent");
            n = 0;
        }
        at = newline < end ? newline + 1 : end;
    }
    talk->len = (size_t)(end - at);
    memmove(talk->line, at, talk->len);
    return n;
}

/* A file cannot be polled, and is always ready. */
static ssize_t read_input(struct talk *talk)
{
    ssize_t n = cg_yield(cg_poll(STDIN_FILENO, CG_IN, .timeout = CG_NEVER));

    if (n < 0 && n != -EPERM)
        return n;
    n = read(STDIN_FILENO, talk->line + talk->len, LINE_MOST - talk->len);
    return n < 0 ? -errno : n;
}

static ssize_t type(void *arg)
{
    struct talk *talk = arg;
    ssize_t n;

    while ((n = read_input(talk)) > 0 || n == -EAGAIN || n == -EINTR) {
        talk->len += n > 0 ? (size_t)n : 0;
        if ((n = send_lines(talk, false)) < 0)
            return n;
    }
    if (n == 0)
        n = send_lines(talk, true);
    return n < 0 ? n : cg_yield(cg_ws_end(talk->ws, CG_WS_NORMAL));
}

static ssize_t print(void *arg)
{
    const struct talk *talk = arg;
    struct cg_ws_message message;
    ssize_t n;

    while ((n = cg_yield(cg_ws_read(talk->ws, &message))) > 0) {
        fwrite(message.data, 1, message.len, stdout);
        putchar('\n');
        if (fflush(stdout) != 0)
            return -errno;
    }
    return n;
}

/* The Close with which it has ended, unless that is the usual one. */
static void report(const struct talk *talk, bool verbose)
{
    int code = cg_ws_code(talk->ws);

    if (code == CG_WS_NORMAL && !verbose)
        return;
    fprintf(stderr, "http_client: closed with %d%s", code, *cg_ws_reason(talk->ws) ? " " : "");
    example_put_plain(cg_ws_reason(talk->ws));
    fputc('\n', stderr);
}

static ssize_t converse(struct talk *talk, bool verbose, char *why)
{
    struct cg_op *printing = cg_call(print, talk), *typing = cg_call(type, talk);
    ssize_t n = cg_yield(cg_any((printing, typing)));

    if (n >= 0)
        n = cg_op_result(n == 0 ? printing : typing);
    if (n == 0)
        n = print(talk); /* the rest, if the input has ended first */
    if (n < 0) /* Ctrl-C, or the input fails */
        cg_yield(cg_ws_end(talk->ws, CG_WS_GOING_AWAY, .shield = true, .timeout = CG_SECOND));
    if (n == 0)
        report(talk, verbose);
    else if (n != -ECANCELED)
        snprintf(why, CG_HTTP_WHY_SIZE, "%s%s%.120s", cg_strerror(n),
                 *cg_ws_reason(talk->ws) ? ": " : "", cg_ws_reason(talk->ws));
    return n;
}

ssize_t talk_to(struct cg_http_client *client, const char *url,
                const struct cg_http_field *fields, bool verbose, char *why)
{
    struct talk *talk = malloc(sizeof *talk);
    ssize_t n = -ENOMEM;

    if (talk != NULL) {
        talk->len = 0;
        n = cg_yield(cg_ws_connect(client, url, &talk->ws, .fields = fields, .why = why,
                                   .deflate = true, .limit = CG_HTTP_BODY_LIMIT));
    }
    if (n == 0) {
        if (verbose)
            fprintf(stderr, "http_client: connected to %s\n", url);
        n = converse(talk, verbose, why);
        cg_ws_free(talk->ws);
    }
    free(talk);
    return n;
}
