/* SPDX-License-Identifier: MIT */
/* See http_script.h. */
#include "config.h"

#include "tests/http/http_script.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static bool is_last(const struct turn *turn)
{
    return turn->says == NULL && !turn->close && !turn->reset && !turn->pause &&
           !turn->fresh && !turn->body;
}

/* Reads a request: its head, and body more bytes. Returns false if the client has closed
 * the connection. */
static bool hear(struct script *script, struct cg_sock *conn, size_t body)
{
    size_t from = script->used, missing = 0;
    bool whole = false;

    script->seen[from] = '\0';
    while (!whole || missing > 0) {
        struct cg_view view;
        ssize_t n = cg_yield(cg_borrow(conn, &view));
        const char *end;
        size_t take;

        if (n <= 0)
            return false;
        take = view.len;
        ck_assert_uint_lt(script->used + take, sizeof script->seen);
        memcpy(script->seen + script->used, view.data, take);
        script->seen[script->used + take] = '\0';
        if (!whole && (end = strstr(script->seen + from, "\r\n\r\n")) != NULL) {
            whole = true;
            take = (size_t)(end + 4 - script->seen) - script->used;
            missing = body;
        } else if (whole) {
            take = take < missing ? take : missing;
            missing -= take;
        }
        script->used += take;
        script->seen[script->used] = '\0';
        cg_view_release(&view, take);
    }
    return true;
}

/* Sends the response of a turn. If the client has closed the connection, it is dropped. */
static void say(struct cg_sock *conn, const struct turn *turn)
{
    size_t size = turn->size ? turn->size : turn->says ? strlen(turn->says) : 0;
    ssize_t n = 0;

    for (unsigned i = 0; n >= 0 && i <= turn->again; i++) {
        for (size_t at = 0; n >= 0 && turn->drip && at < size; at++) {
            cg_yield(cg_sleep(turn->drip));
            n = cg_yield(cg_writeall(conn, turn->says + at, 1));
        }
        if (!turn->drip && size > 0)
            n = cg_yield(cg_writeall(conn, turn->says, size));
    }
}

static void hang_up(struct cg_sock **conn, bool reset)
{
    struct linger now = {.l_onoff = 1};

    if (*conn != NULL && reset)
        OK(cg_sock_setopt(*conn, SOL_SOCKET, SO_LINGER, &now, sizeof now));
    cg_sock_close(*conn);
    *conn = NULL;
}

static ssize_t play(void *arg)
{
    struct script *script = arg;
    struct cg_sock *conn = NULL;

    for (const struct turn *turn = script->turns; !is_last(turn); turn++) {
        if (turn->fresh)
            hang_up(&conn, false);
        do {
            if (conn == NULL) {
                if (cg_yield(cg_accept(script->listener, &conn)) < 0)
                    return -ECANCELED;
                script->connections++;
            }
            if (!turn->deaf && !hear(script, conn, turn->body))
                hang_up(&conn, false); /* the request comes on another connection, then */
        } while (conn == NULL);
        if (turn->pause)
            cg_yield(cg_sleep(turn->pause));
        say(conn, turn);
        if (turn->half)
            cg_yield(cg_shutdown(conn, SHUT_WR));
        if (turn->close || turn->reset)
            hang_up(&conn, turn->reset);
    }
    cg_sock_close(script->listener); /* no other connection is expected */
    script->listener = NULL;
    if (conn != NULL) { /* the client closes the connection */
        struct cg_view view;

        while (cg_yield(cg_borrow(conn, &view)) > 0)
            cg_view_release(&view, view.len);
    }
    hang_up(&conn, false);
    return 0;
}

void script_start(struct script *script, const struct turn *turns)
{
    script->turns = turns;
    script->connections = 0;
    script->used = script->from = 0;
    script->seen[0] = '\0';
    script->listener = test_listen(script->addr);
    snprintf(script->url, sizeof script->url, "http://%s", script->addr);
    script->coro = test_start(play, script);
}

void script_end(struct script *script)
{
    IS(test_end(script->coro), 0);
}

const char *script_last(const struct script *script)
{
    const char *last = script->seen, *next;

    while ((next = strstr(last, "\r\n\r\n")) != NULL &&
           strstr(next + 4, " HTTP/1.1\r\n"))
        last = next + 4;
    return last;
}

const char *script_url(const struct script *script, const char *path)
{
    static char urls[4][256];
    static unsigned turn;
    char *url = urls[turn++ % COUNT(urls)];

    snprintf(url, sizeof urls[0], "%s%s", script->url, path);
    return url;
}
