/* SPDX-License-Identifier: MIT */
/* The forward proxy of the examples: requests through it, and tunnels to an echo. What holds
 * for the subject http holds through the proxy, too, and so does what holds for an echo, except
 * that a failure of the far connection is an end of the near one. */
#include "config.h"

#include "tests/worlds/http_worlds.h"

int proxy_main(int argc, char **argv);
#define main proxy_main
#include "examples/proxy.c"
#undef main

static const char near[] = "10.0.0.9:3128", far[] = "10.0.0.2:443";

/* The example has its server and its client in static variables. So a proxy that was started
 * again waits until the one that was killed has cleaned up. */
static ssize_t proxy_host(void *addr)
{
    static bool runs;
    struct cg_sock *listener;
    ssize_t n = 0;

    while (runs && n >= 0)
        n = cg_yield(cg_sleep(CG_MILLISECOND));
    if (n < 0 || (n = listen_at(addr, &listener)) < 0)
        return n;
    runs = true;
    MUST(make());
    n = cg_yield(cg_http_serve(server, listener));
    cg_sock_close(listener);
    cg_http_client_free(proxy.client);
    cg_http_server_free(server);
    runs = false;
    return n;
}

/* Asks for a tunnel. */
static ssize_t open_tunnel(void *arg)
{
    char line[1024];
    bool opened = false;
    int len = snprintf(line, sizeof line, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", far, far);
    ssize_t n = cg_yield(cg_writeall(arg, line, (size_t)len));

    for (int i = 0; n >= 0; i++) {
        n = cg_yield(cg_readline(arg, line, sizeof line));
        if (n <= 0 || line[n - 1] != '\n')
            return n < 0 ? n : -EPIPE;
        if (i == 0)
            opened = strncmp(line, "HTTP/1.1 200", 12) == 0;
        else if (line[0] == '\r')
            return opened ? 0 : -ECONNREFUSED;
    }
    return n;
}

static ssize_t tunnel_once(unsigned id)
{
    struct cg_sock *conn;
    ssize_t n = cg_yield(cg_connect(near, &conn, .timeout = 10 * CG_SECOND));

    if (n < 0)
        return n;
    n = cg_yield(cg_call(open_tunnel, conn, .timeout = 10 * CG_SECOND));
    if (n == 0)
        return worlds_converse(conn, id, true);
    cg_sock_close(conn);
    return n;
}

static ssize_t digger(void *arg)
{
    unsigned tries = 0;

    (void)arg;
    for (unsigned i = 0; i < 3; i++) {
        dawdle();
        tunnel_once(i);
    }
    while (stormy())
        cg_yield(cg_sleep(CG_SECOND));
    while (tunnel_once(7) < 0) {
        MUST(++tries < 50);
        cg_yield(cg_sleep(CG_SECOND));
    }
    return 0;
}

static ssize_t clients(void *arg)
{
    struct cg_group group;
    ssize_t n, m;

    (void)arg;
    cg_group_open(&group);
    cg_group_start(&group, digger, NULL, NULL, .name = "digger");
    n = worlds_talk(cg_http_client_new(.http_proxy = "http://10.0.0.9:3128",
                                       .keep_timeout = (1 + chance(10)) * CG_SECOND),
                    "http://10.0.0.1");
    m = cg_yield(cg_wait_group(&group));
    return n < 0 ? n : m;
}

static ssize_t origin(void *addr)
{
    return worlds_serve(cg_http_server_new(), addr);
}

static const struct cg_sim_program programs[] = {
    {"proxy", proxy_host, (void *)near},
    {"origin", origin, (void *)"10.0.0.1:80"},
    {"echo", worlds_echo_server, (void *)far},
    {NULL, NULL, NULL},
};

const struct subject proxy_subject = {
    .name = "proxy",
    .fn = clients,
    .programs = programs,
    .faults = CG_SIM_ALL_FAULTS,
    .share = 10,
};
