/* SPDX-License-Identifier: MIT */
/* The HTTP client with proxies and with TLS, as far as that can be tested with neither. */
#include "config.h"

#include "tests/http/http_ask.h"

#include <cogen/transport.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A fake TLS: it records the host, and may fail. */
struct fake {
    ssize_t answer;
    char host[64];
    int64_t pause;
};

static ssize_t fake_connect(void *arg, struct cg_sock *inner, const char *host,
                            const char *alpn, struct cg_sock **sock, char *words)
{
    struct fake *fake = arg;

    ck_assert_ptr_nonnull(strstr(alpn, "http/1.1"));
    snprintf(fake->host, sizeof fake->host, "%s", host);
    if (fake->pause && cg_yield(cg_sleep(fake->pause)) < 0)
        return -ECANCELED;
    if (fake->answer < 0)
        snprintf(words, CG_HTTP_WHY_SIZE, "because\x1b[m");
    else
        *sock = inner;
    return fake->answer;
}

static const char *https_url(void)
{
    static char url[256];

    snprintf(url, sizeof url, "https://%s/s", server.addr);
    return url;
}

/* https uses the TLS that the client was given, which gets the host. Its error is the
 * request's error, and it may time out. A redirect from https to http is not followed. */
static ssize_t speaks_tls(void *arg)
{
    struct fake fake = {.answer = 0};
    char moved[256];

    (void)arg;
    script_start(&other, TURNS(SAYS(OK_200(4, "open"))));
    snprintf(moved, sizeof moved, MOVED(302, "http://%s/"), other.addr);
    script_start(&server, TURNS(SAYS(OK_200(2, "ok")), SAYS(OK_200(2, "ok")),
                                SAYS(moved), SAYS(moved, .fresh = true),
                                SAYS(NULL, .fresh = true, .deaf = true, .pause = 1,
                                     .close = true),
                                SAYS(NULL, .fresh = true, .deaf = true,
                                     .pause = CG_MINUTE, .close = true)));
    client = CLIENT(.tls = (&(struct cg_http_tls){fake_connect, &fake}));
    IS(cg_yield(cg_http_get(client, https_url(), &reply)), 200);
    ck_assert_str_eq(cg_http_reply_url(reply), https_url());
    has_body("ok");
    ck_assert_str_eq(fake.host, "127.0.0.1");
    fake.host[0] = '\0';
    IS(cg_yield(cg_http_get(client, https_url(), &reply)), 200);
    has_body("ok");
    ck_assert_str_eq(fake.host, ""); /* the connection was kept */
    IS(cg_yield(cg_http_get(client, https_url(), &reply, .why = why)),
       CG_EHTTP_REDIRECT);
    ck_assert_ptr_nonnull(strstr(why, "which is not secure"));
    IS(FETCH(.url = https_url(), .downgrade = true), 200);
    has_body("open");
    fake.answer = -EPROTO;
    IS(cg_yield(cg_http_get(client, https_url(), &reply, .why = why)), -EPROTO);
    ck_assert_str_eq(why, "because\\x1b[m");
    fake.pause = CG_MINUTE;
    IS(cg_yield(cg_http_get(client, https_url(), &reply, .why = why)), -ETIMEDOUT);
    ck_assert_str_eq(why, "127.0.0.1: the TLS handshake takes too long");
    done();
    script_end(&other);
    return 0;
}

/* What is left of a connection whose server has refused the client's certificate. */
static enum cg_verdict refused_submit(struct cg_sock *sock, struct cg_io *io)
{
    (void)sock;
    io->result = io->code == CG_IO_RECV ? CG_ETLS_REFUSED : -ECONNRESET;
    return CG_DONE;
}

static void refused_close(struct cg_sock *sock)
{
    cg_sock_close(cg_sock_state(sock));
}

static const struct cg_transport_type refused = {
    .name = "refused",
    .submit = refused_submit,
    .close = refused_close,
};

static ssize_t refused_connect(void *arg, struct cg_sock *inner, const char *host,
                               const char *alpn, struct cg_sock **sock, char *words)
{
    (void)arg, (void)host, (void)alpn, (void)words;
    *sock = cg_sock_open(cg_sched_self(), &refused, inner, -1);
    return 0;
}

/* In TLS 1.3 a server refuses the client's certificate after the client's handshake: it sends an
 * alert, and reads nothing. The alert is the reason, and not that the request cannot be sent. */
static ssize_t reads_alerts(void *arg)
{
    struct cg_http_tls tls = {refused_connect, NULL};
    char addr[CG_ADDR_SIZE], url[CG_ADDR_SIZE + 16];
    struct cg_sock *listener;

    (void)arg;
    OK(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &listener));
    OK(cg_sock_local_addr(listener, addr, sizeof addr));
    snprintf(url, sizeof url, "https://%s/", addr);
    client = CLIENT(.tls = &tls);
    IS(FETCH(.url = url), CG_ETLS_REFUSED);
    ck_assert_str_eq(why, "receiving the response failed: the TLS peer refused the handshake");
    IS(FETCH(.url = url, .method = "POST", .body = "body", .len = 4), CG_ETLS_REFUSED);
    cg_http_client_free(client);
    cg_sock_close(listener);
    return 0;
}

/* TLS whose peer ends connections without close_notify. A broken one cannot be written to. */
static bool broken;

static enum cg_verdict rude_submit(struct cg_sock *sock, struct cg_io *io)
{
    (void)sock;
    if (io->code == CG_IO_RECV || io->code == CG_IO_SEND || io->code == CG_IO_POLL)
        return CG_RUN;
    io->result = -EOPNOTSUPP;
    return CG_DONE;
}

static ssize_t rude_receive(struct cg_sock *inner, struct cg_io *io)
{
    struct cg_chunk *chunk = cg_chunk_get(cg_sched_reactor(cg_sched_self()));
    ssize_t n = 0;

    ck_assert_ptr_nonnull(chunk);
    ck_assert_uint_eq(io->len, 0); /* the client borrows what it reads */
    if (!broken)
        n = cg_yield(cg_read(inner, chunk->data, chunk->size, .timeout = CG_NEVER));
    if (n <= 0) {
        cg_chunk_put(cg_sched_reactor(cg_sched_self()), chunk);
        return n == 0 ? CG_ETLS_CUT : n;
    }
    chunk->end = (uint32_t)n;
    io->chunk = chunk;
    return n;
}

static ssize_t rude_run(struct cg_sock *sock, struct cg_io *io)
{
    struct cg_sock *inner = cg_sock_state(sock);

    if (io->code == CG_IO_RECV)
        return rude_receive(inner, io);
    if (io->code == CG_IO_POLL)
        return cg_yield(cg_poll_sock(inner, io->events, .timeout = CG_NEVER));
    if (broken)
        return -EPIPE;
    return cg_yield(cg_write(inner, io->buf, io->len, .timeout = CG_NEVER));
}

static const struct cg_transport_type rude = {
    .name = "rude",
    .submit = rude_submit,
    .run = rude_run,
    .close = refused_close,
};

static ssize_t rude_connect(void *arg, struct cg_sock *inner, const char *host,
                            const char *alpn, struct cg_sock **sock, char *words)
{
    (void)arg, (void)host, (void)alpn, (void)words;
    broken = false;
    *sock = cg_sock_open(cg_sched_self(), &rude, inner, -1);
    return 0;
}

/* A server that closes a kept connection without close_notify has closed it all the same: the
 * request is sent again. So it is with .retries, if a new connection ends like that. */
static ssize_t survives_a_cut(void *arg)
{
    struct cg_http_tls tls = {rude_connect, NULL};

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(1, "1")), SAYS(OK_200(1, "2"), .fresh = true),
                                SAYS(NULL, .close = true), SAYS(OK_200(1, "3"), .fresh = true),
                                SAYS(NULL, .close = true),
                                SAYS(NULL, .fresh = true, .close = true),
                                SAYS(NULL, .fresh = true, .close = true),
                                SAYS(OK_200(1, "4"), .fresh = true)));
    client = CLIENT(.tls = &tls);
    for (char want[] = "1"; *want <= '3'; ++*want) {
        broken = *want == '2';
        IS(FETCH(.url = https_url()), 200);
        has_body(want);
    }
    IS(FETCH(.url = https_url()), CG_ETLS_CUT);
    IS(FETCH(.url = https_url(), .retries = 1), 200);
    has_body("4");
    done();
    return 0;
}

/* Through a proxy an http request has the whole URL as its target, and https uses a tunnel.
 * Both send the proxy's password, which the server never gets. Excepted hosts are contacted
 * directly. */
static ssize_t uses_proxies(void *arg)
{
    struct fake fake = {.answer = 0};
    char proxy[256];

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(1, "1")), SAYS(OK_200(1, "2")),
                                SAYS("HTTP/1.1 200 Connected\r\n\r\n", .fresh = true),
                                SAYS(OK_200(1, "3")), SAYS(OK_200(1, "4")),
                                SAYS("HTTP/1.1 407 Who\x9b?\r\nContent-Length: 0\r\n\r\n",
                                     .fresh = true),
                                SAYS("nonsense\r\n\r\n", .fresh = true),
                                SAYS("HTTP/1.1 103 Soon\r\n\r\n", .fresh = true),
                                SAYS("HTTP/1.1 103 Soon\r\n\r\n", .deaf = true, .again = 200000)));
    script_start(&other, TURNS(SAYS(OK_200(6, "direct"))));
    snprintf(proxy, sizeof proxy, "http://me:pw@%s", server.addr);
    client = CLIENT(.http_proxy = proxy, .https_proxy = proxy, .no_proxy = "127.0.0.1",
                    .tls = (&(struct cg_http_tls){fake_connect, &fake}));
    IS(cg_yield(cg_http_get(client, "http://no.such.host.invalid/a", &reply)), 200);
    has_body("1");
    heard(
        "GET http://no.such.host.invalid/a HTTP/1.1\r\nHost: no.such.host.invalid\r\n");
    heard("Proxy-Authorization: Basic bWU6cHc=\r\n");
    IS(cg_yield(cg_http_get(client, "http://other.invalid:81/", &reply)), 200);
    has_body("2");
    heard("GET http://other.invalid:81/ HTTP/1.1\r\nHost: other.invalid:81\r\n");
    IS(server.connections, 1); /* to the proxy, whatever the host */
    IS(cg_yield(cg_http_get(client, other.url, &reply)), 200);
    has_body("direct");
    server.from = server.used;
    IS(cg_yield(cg_http_get(client, "https://a.invalid/s", &reply)), 200);
    has_body("3");
    heard("CONNECT a.invalid:443 HTTP/1.1\r\nHost: "
          "a.invalid:443\r\nProxy-Authorization: ");
    heard("GET /s HTTP/1.1\r\nHost: a.invalid\r\n");
    IS(count(server.seen + server.from, "Proxy-Authorization"), 1);
    ck_assert_str_eq(fake.host, "a.invalid");
    IS(cg_yield(cg_http_get(client, "https://a.invalid/", &reply)), 200);
    has_body("4");
    IS(server.connections, 2);
    IS(cg_yield(cg_http_get(client, "https://b.invalid/", &reply, .why = why)),
       CG_EHTTP_PROXY);
    ck_assert_str_eq(why, "the proxy responds with 407 Who\\x9b?");
    IS(cg_yield(cg_http_get(client, "https://b.invalid/", &reply, .why = why)), CG_EHTTP_PROXY);
    ck_assert_str_eq(why, "the proxy: the response is not valid HTTP: Expected HTTP/");
    IS(cg_yield(cg_http_get(client, "https://b.invalid/", &reply, .why = why)), CG_EHTTP_PROXY);
    ck_assert_str_eq(why, "the proxy responds with 103 Soon");
    done();
    script_end(&other);
    client = CLIENT(.http_proxy = "socks4://h:1");
    IS(cg_yield(cg_http_get(client, "http://b.invalid/", &reply, .why = why)),
       CG_EHTTP_PROXY);
    ck_assert_str_eq(why,
                     "the proxy socks4://h:1: its scheme is none of http, socks5 and socks5h");
    cg_http_client_free(client);
    return 0;
}

/* OPTIONS of a URL without path and query is about the server: its target is "*". A proxy
 * gets the URL without a path, and makes "*" of it. */
static ssize_t asks_about_the_server(void *arg)
{
    char url[256];

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(1, "1")), SAYS(OK_200(1, "2")),
                                SAYS(OK_200(1, "3")), SAYS(OK_200(1, "4"))));
    snprintf(url, sizeof url, "http://%s", server.addr);
    client = CLIENT();
    IS(FETCH(.url = url, .method = "OPTIONS"), 200);
    heard("OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1");
    has_body("1");
    IS(FETCH(.url = script_url(&server, "/"), .method = "OPTIONS"), 200);
    heard("OPTIONS / HTTP/1.1\r\n");
    has_body("2");
    snprintf(url, sizeof url, "http://%s?q", server.addr);
    IS(FETCH(.url = url, .method = "OPTIONS"), 200);
    heard("OPTIONS /?q HTTP/1.1\r\n");
    has_body("3");
    snprintf(url, sizeof url, "http://%s", server.addr);
    IS(FETCH(.url = url), 200);
    heard("GET / HTTP/1.1\r\n");
    has_body("4");
    done();
    script_start(&server, TURNS(SAYS(OK_200(1, "1")), SAYS(OK_200(1, "2"))));
    client = CLIENT(.http_proxy = server.addr);
    IS(FETCH(.url = "http://a.invalid", .method = "OPTIONS"), 200);
    heard("OPTIONS http://a.invalid HTTP/1.1\r\n");
    has_body("1");
    IS(FETCH(.url = "http://a.invalid/", .method = "OPTIONS"), 200);
    heard("OPTIONS http://a.invalid/ HTTP/1.1\r\n");
    has_body("2");
    done();
    return 0;
}

/* The environment names proxies, unless the client is told not to read it. */
static ssize_t looks_at_the_environment(void *arg)
{
    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(1, "1"))));
    setenv("http_proxy", server.addr, 1);
    setenv("no_proxy", "localhost", 1);
    client = cg_http_client_new();
    IS(cg_yield(cg_http_get(client, "http://a.invalid/", &reply)), 200);
    has_body("1");
    IS(cg_yield(cg_http_get(client, "http://localhost:1/", &reply)), -ECONNREFUSED);
    unsetenv("http_proxy");
    unsetenv("no_proxy");
    done();
    return 0;
}

static const struct test_case cases[] = {
    CORO(speaks_tls, .where = ON_SIM),
    CORO(reads_alerts, .where = ON_SIM),
    CORO(survives_a_cut, .where = ON_SIM),
    CORO(uses_proxies),
    CORO(asks_about_the_server, .where = ON_SIM),
    CORO(looks_at_the_environment, .where = ON_SIM),
};

int main(void)
{
    return test_main("http client proxies", cases, COUNT(cases));
}
