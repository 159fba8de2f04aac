/* SPDX-License-Identifier: MIT */
/* See http_serve.h. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <stdio.h>
#include <string.h>

struct cg_http_server *server;
struct cg_sock *listener;
char addr[CG_ADDR_SIZE];
char logged[512];
unsigned handled;
char got[64 * 1024];
unsigned dates;
struct cg_coro *serving;

void log_line(void *arg, const char *line)
{
    (void)arg;
    snprintf(logged, sizeof logged, "%s", line);
}

static ssize_t serve(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_serve(server, listener));
}

static void begin(struct cg_sock *on, const struct cg_http_server_options *options,
                  void (*mount)(struct cg_http_server *server))
{
    struct cg_http_server_options all = {.log = log_line};

    if (options != NULL) {
        all = *options;
        all.log = log_line;
    }
    if (h2_text_on && all.protocols == 0)
        all.protocols = CG_HTTP_H1 | CG_HTTP_H2C;
    handled = 0;
    logged[0] = '\0';
    server = cg_http_server_new_with(&all);
    mount(server);
    listener = on;
    OK(cg_sock_local_addr(listener, addr, sizeof addr));
    serving = test_start(serve, NULL);
}

void serve_begin(const struct cg_http_server_options *options)
{
    begin(test_listen(addr), options, handlers_mount);
}

void serve_begin_on(struct cg_sock *on, const struct cg_http_server_options *options)
{
    begin(on, options, handlers_mount);
}

void serve_begin_with(void (*mount)(struct cg_http_server *server),
                      const struct cg_http_server_options *options)
{
    begin(test_listen(addr), options, mount);
}

void serve_end(void)
{
    IS(cg_yield(cg_http_shutdown(server, .idle = CG_NOWAIT, .timeout = CG_SECOND)), 0);
    IS(test_end(serving), 0);
    ck_assert_uint_eq(cg_http_server_connections(server), 0);
    cg_http_server_free(server);
    cg_sock_close(listener);
}

struct cg_sock *serve_client(void)
{
    struct cg_sock *sock;

    OK(cg_yield(cg_connect(addr, &sock)));
    return sock;
}

void send_text(struct cg_sock *sock, const char *text)
{
    OK(cg_yield(cg_writeall(sock, text, strlen(text))));
}

static const char *strip(void)
{
    char *at;

    dates = 0;
    while ((at = strstr(got, "Server: cogen/")) != NULL ||
           (at = strstr(got, "Date: ")) != NULL) {
        char *next = strchr(at, '\n') + 1;

        dates += *at == 'D';
        memmove(at, next, strlen(next) + 1);
    }
    return got;
}

const char *receive(struct cg_sock *sock, const char *stop)
{
    size_t size = 0;
    ssize_t n = 1;

    got[0] = '\0';
    while (n > 0 && !(stop && strstr(got, stop))) {
        n = OK(cg_yield(cg_read(sock, got + size, sizeof got - 1 - size,
                                .timeout = 100 * CG_SECOND)));
        size += (size_t)n;
        got[size] = '\0';
    }
    return strip();
}

const char *ask(const char *text)
{
    struct cg_sock *sock;

    if (h2_text_on) {
        h2_text_ask(addr, text, got, sizeof got);
        return strip();
    }
    sock = serve_client();
    send_text(sock, text);
    receive(sock, NULL);
    cg_sock_close(sock);
    return got;
}

int status_of(const char *text)
{
    int status = 0;

    ask(text);
    sscanf(got, "HTTP/1.1 %d ", &status);
    return status;
}

void until_handled(unsigned count)
{
    while (handled < count)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
}
