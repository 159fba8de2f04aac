/* SPDX-License-Identifier: MIT */
/* See mortal.h. */
#include "config.h"

#include "tests/http/gateway/mortal.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct mortal mortals[3];

static bool has_head(struct cg_sock *conn)
{
    char head[4096];
    size_t len = 0;

    while (len < sizeof head - 1) {
        ssize_t n = cg_yield(cg_read(conn, head + len, sizeof head - 1 - len));

        if (n <= 0)
            return false;
        head[len += (size_t)n] = '\0';
        if (strstr(head, "\r\n\r\n") != NULL)
            return true;
    }
    return false;
}

static ssize_t live(struct cg_sock *conn, void *arg)
{
    struct linger now = {.l_onoff = 1};
    struct mortal *mortal = arg;

    while (has_head(conn)) {
        size_t len = mortal->dies < strlen(mortal->says) ? mortal->dies : strlen(mortal->says);

        mortal->requests++;
        if (mortal->pause > 0 && cg_yield(cg_sleep(mortal->pause)) < 0)
            break;
        if (cg_yield(cg_writeall(conn, mortal->says, len)) < 0 || len < strlen(mortal->says))
            break;
    }
    if (mortal->reset)
        cg_sock_setopt(conn, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    cg_sock_close(conn);
    return 0;
}

static ssize_t lives(void *arg)
{
    struct mortal *mortal = arg;

    return cg_yield(cg_serve(mortal->listener, live, .arg = mortal));
}

void bear(unsigned i, const char *says, size_t dies)
{
    char at[CG_ADDR_SIZE];

    mortals[i] = (struct mortal){.says = says, .dies = dies};
    mortals[i].listener = test_listen(at);
    snprintf(mortals[i].url, sizeof mortals[i].url, "http://%s", at);
    mortals[i].coro = test_start(lives, &mortals[i]);
}

void bury(unsigned i)
{
    cg_coro_cancel(mortals[i].coro);
    test_end(mortals[i].coro);
    cg_sock_close(mortals[i].listener);
}

void mortals_on(unsigned count, struct cg_http_upstreams_options options)
{
    gateway_on(0, options);
    for (unsigned i = 0; i < count; i++)
        OK(cg_http_upstreams_add(upstreams, mortals[i].url));
}

ssize_t ask_slowly(void *arg)
{
    struct cg_sock *sock = serve_client();

    send_text(sock, GET_UP "\r\n");
    cg_yield(cg_read(sock, arg, 64));
    cg_sock_close(sock);
    return 0;
}
