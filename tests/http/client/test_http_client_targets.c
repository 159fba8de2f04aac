/* SPDX-License-Identifier: MIT */
/* The HTTP client through proxies of SOCKS5, and at addresses that its options name. */
#include "config.h"

#include "tests/http/http_ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT(text) text, sizeof(text) - 1

/* A proxy of SOCKS5, which is also the server behind itself. It checks what it reads, and
 * sends each of its bytes alone. */
struct socks {
    struct {
        const char *want;
        size_t want_len;
        const char *says;
        size_t says_len;
    } steps[4];
    bool leaves;   /* closes the connection after its last step, without a response */
    bool is_quiet; /* does not close it either */
};

static struct cg_sock *listener;
static char addr[CG_ADDR_SIZE];
static char wanted[512]; /* the request that the server wants */

static ssize_t talk_socks(const struct socks *socks, struct cg_sock *conn)
{
    char buf[512];
    ssize_t n = 0;

    for (size_t i = 0; i < COUNT(socks->steps) && socks->steps[i].want && n >= 0; i++) {
        n = cg_yield(cg_readall(conn, buf, socks->steps[i].want_len));
        if (n < 0)
            break;
        ck_assert_msg(memcmp(buf, socks->steps[i].want, (size_t)n) == 0, "step %zu", i);
        for (size_t k = 0; k < socks->steps[i].says_len && n >= 0; k++)
            n = cg_yield(cg_writeall(conn, socks->steps[i].says + k, 1));
    }
    return n;
}

static ssize_t be_proxy(void *arg)
{
    const struct socks *socks = arg;
    struct cg_sock *conn;
    char line[512];
    ssize_t n;

    OK(cg_yield(cg_accept(listener, &conn)));
    n = talk_socks(socks, conn);
    while (n >= 0 && !socks->leaves && !socks->is_quiet &&
           (n = cg_yield(cg_readline(conn, line, sizeof line))) > 2)
        ck_assert_msg(strstr(wanted, line) != NULL || strncmp(line, "Accept-", 7) == 0,
                      "%s", line);
    if (n > 0 && !socks->leaves && !socks->is_quiet)
        n = cg_yield(cg_writeall(conn, OK_200(2, "ok"), sizeof(OK_200(2, "ok")) - 1));
    if (!socks->leaves)
        n = cg_yield(cg_read(conn, line, 1)); /* until the client leaves */
    cg_sock_close(conn);
    return 0;
}

/* Fetches a URL through a proxy of this scheme, with this user. */
static ssize_t fetch_by(const char *scheme, const char *user, const char *url,
                        const struct socks *socks)
{
    struct cg_coro *proxy = test_start(be_proxy, (void *)socks);
    char text[512];
    ssize_t n;

    snprintf(text, sizeof text, "%s://%s%s", scheme, user, addr);
    client = CLIENT(.http_proxy = text, .no_proxy = "direct.test");
    n = cg_yield(cg_http_get(client, url, &reply, .why = why));
    cg_http_reply_free(n < 0 ? NULL : reply);
    cg_http_client_free(client);
    test_end(proxy);
    return n;
}

#define SAID "its reply has an unknown type of address"
#define IPV4_REPLY TEXT("\5\0\0\1\1\2\3\4\0\0")

/* Names are the proxy's with socks5h, ours with socks5. Addresses are sent as such. Each
 * form of the proxy's own address is skipped. */
static ssize_t asks_proxies(void *arg)
{
    static const struct {
        const char *scheme, *user, *url;
        struct socks socks;
    } cases[] = {
        {"socks5h",
         "",
         "http://a.invalid/x",
         {.steps = {{TEXT("\5\1\0"), TEXT("\5\0")},
                    {TEXT("\5\1\0\3\x09"
                          "a.invalid\0\x50"),
                     IPV4_REPLY}}}},
        {"socks5h",
         "",
         "http://10.0.0.1:8080/",
         {.steps = {{TEXT("\5\1\0"), TEXT("\5\0")},
                    {TEXT("\5\1\0\1\x0a\0\0\1\x1f\x90"), TEXT("\5\0\0\3\4abcd\0\1")}}}},
        {"socks5",
         "",
         "http://localhost/",
         {.steps = {{TEXT("\5\1\0"), TEXT("\5\0")},
                    {TEXT("\5\1\0\1\x7f\0\0\1\0\x50"), IPV4_REPLY}}}},
        {"socks5",
         "m%3ae:p%3a%40w@",
         "http://[::1]:81/",
         {.steps = {{TEXT("\5\2\0\2"), TEXT("\5\2")},
                    {TEXT("\1\3m:e\4p:@w"), TEXT("\1\0")},
                    {TEXT("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\x51"),
                     TEXT("\5\0\0\4"
                          "0123456789abcdef\0\1")}}}},
        {"SOCKS5H",
         "me@",
         "http://a.invalid/",
         {.steps = {{TEXT("\5\2\0\2"), TEXT("\5\2")},
                    {TEXT("\1\2me\0"), TEXT("\1\0")},
                    {TEXT("\5\1\0\3\x09"
                          "a.invalid\0\x50"),
                     IPV4_REPLY}}}},
        {"socks5h",
         "me:pw@",
         "http://a.invalid/", /* the proxy wants no password */
         {.steps = {{TEXT("\5\2\0\2"), TEXT("\5\0")},
                    {TEXT("\5\1\0\3\x09"
                          "a.invalid\0\x50"),
                     IPV4_REPLY}}}},
    };

    (void)arg;
    listener = test_listen(addr);
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(wanted, sizeof wanted,
                 "GET /x HTTP/1.1\r\nGET / HTTP/1.1\r\nUser-Agent: cogen/%s\r\nAccept: "
                 "*/*\r\n"
                 "Host: a.invalid\r\n"
                 "Host: 10.0.0.1:8080\r\nHost: localhost\r\nHost: [::1]:81\r\n\r\n",
                 cg_version());
        test_label(cases[i].url);
        IS(fetch_by(cases[i].scheme, cases[i].user, cases[i].url, &cases[i].socks),
           200);
    }
    cg_sock_close(listener);
    return 0;
}

/* What a proxy may say wrong. */
static ssize_t is_refused(void *arg)
{
#define HELLO TEXT("\5\1\0"), TEXT("\5\0")
#define LOCAL TEXT("\5\1\0\1\x0a\0\0\1\0\x50")
    static const struct {
        const char *user, *why;
        struct socks socks;
    } cases[] = {
        {"",
         "it does not speak SOCKS5",
         {.steps = {{TEXT("\5\1\0"), TEXT("\4\0")}}, .is_quiet = true}},
        {"",
         "it does not speak SOCKS5",
         {.steps = {{TEXT("\5\1\0"), TEXT("HTTP")}}, .is_quiet = true}},
        {"",
         "it wants a user and a password",
         {.steps = {{TEXT("\5\1\0"), TEXT("\5\xff")}}, .is_quiet = true}},
        {"",
         "it wants a user and a password",
         {.steps = {{TEXT("\5\1\0"), TEXT("\5\2")}}, .is_quiet = true}},
        {"me@",
         "it accepts no user and password",
         {.steps = {{TEXT("\5\2\0\2"), TEXT("\5\1")}}, .is_quiet = true}},
        {"me@",
         "it refuses the user or the password",
         {.steps = {{TEXT("\5\2\0\2"), TEXT("\5\2")}, {TEXT("\1\2me\0"), TEXT("\1\1")}},
          .is_quiet = true}},
        {"me@",
         "it refuses the user or the password",
         {.steps = {{TEXT("\5\2\0\2"), TEXT("\5\2")}, {TEXT("\1\2me\0"), TEXT("\5\0")}},
          .is_quiet = true}},
        {"",
         "the server refused the connection",
         {.steps = {{HELLO}, {LOCAL, TEXT("\5\5\0\1")}}, .is_quiet = true}},
        {"",
         "it refuses for an unknown reason",
         {.steps = {{HELLO}, {LOCAL, TEXT("\5\x09\0\1")}}, .is_quiet = true}},
        {"",
         "its reply has an unknown type of address",
         {.steps = {{HELLO}, {LOCAL, TEXT("\5\0\0\2")}}, .is_quiet = true}},
        {"",
         "it does not speak SOCKS5",
         {.steps = {{HELLO}, {LOCAL, TEXT("\4\0\0\1")}}, .is_quiet = true}},
    };
    char want[CG_HTTP_WHY_SIZE];

    (void)arg;
    listener = test_listen(addr);
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(want, sizeof want, "the proxy %s: %s", addr, cases[i].why);
        IS(fetch_by("socks5", cases[i].user, "http://10.0.0.1/", &cases[i].socks),
           CG_EHTTP_PROXY);
        ck_assert_str_eq(why, want);
    }
    cg_sock_close(listener);
    return 0;
}

/* A proxy that leaves after any byte of its replies is an error, and one that then says no
 * more costs the time to connect. */
static ssize_t is_left(void *arg)
{
    struct socks whole = {.steps = {{TEXT("\5\2\0\2"), TEXT("\5\2")},
                                    {TEXT("\1\2me\2pw"), TEXT("\1\0")},
                                    {LOCAL, TEXT("\5\0\0\3\2ab\0\1")}}};

    (void)arg;
    listener = test_listen(addr);
    for (size_t step = 0; step < 3; step++)
        for (size_t len = 0; len < whole.steps[step].says_len; len++) {
            struct socks cut = whole;

            cut.steps[step].says_len = len;
            if (step + 1 < COUNT(cut.steps))
                cut.steps[step + 1].want = NULL;
            cut.leaves = true;
            IS(fetch_by("socks5", "me:pw@", "http://10.0.0.1/", &cut), CG_EHTTP_PROXY);
            ck_assert_ptr_nonnull(strstr(why, "it closed the connection"));
            cut.leaves = false;
            cut.is_quiet = true;
            if (!test_on_sim())
                continue;
            IS(fetch_by("socks5", "me:pw@", "http://10.0.0.1/", &cut), -ETIMEDOUT);
            ck_assert_ptr_nonnull(strstr(why, "it takes too long to respond"));
        }
    cg_sock_close(listener);
    return 0;
}

/* Exceptions from proxies hold for SOCKS, too, and long passwords are refused. */
static ssize_t keeps_exceptions(void *arg)
{
    char user[300], text[400];

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(1, "1"))));
    client = CLIENT(.http_proxy = "socks5h://127.0.0.1:1", .no_proxy = "127.0.0.1");
    IS(GET("/"), 200);
    has_body("1");
    IS(cg_yield(cg_http_get(client, "http://a.invalid/", &reply, .why = why)),
       -ECONNREFUSED);
    done();
    listener = test_listen(addr);
    memset(user, 'x', sizeof user);
    snprintf(text, sizeof text, "%.256s@", user);
    IS(fetch_by("socks5", text, "http://10.0.0.1/",
                &(struct socks){.steps = {{TEXT("\5\2\0\2"), TEXT("\5\2")}},
                                .is_quiet = true}),
       CG_EHTTP_PROXY);
    ck_assert_ptr_nonnull(strstr(why, "longer than 255 bytes"));
    cg_sock_close(listener);
    return 0;
}

static ssize_t get_from(const char *url)
{
    ssize_t n = cg_yield(cg_http_get(client, url, &reply, .why = why));

    if (n >= 0)
        cg_http_reply_free(reply);
    return n;
}

/* A target replaces a host's address and nothing else: Host stays. The first one that fits
 * counts, also before a proxy. */
static ssize_t goes_to_targets(void *arg)
{
    const char *port;
    char any_host[64];

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(0, "")), SAYS(OK_200(0, ""), .fresh = true),
                                SAYS(OK_200(0, ""), .fresh = true)));
    port = strrchr(server.addr, ':') + 1;
    snprintf(any_host, sizeof any_host, "*:%s", port);
    client = CLIENT(.targets = ((const struct cg_http_target[]){
                        {"a.invalid:81", server.addr},
                        {"a.invalid:82", "127.0.0.1:1"},
                        {"*:82", server.addr},
                        {"127.0.0.1", any_host},
                        {"[::1]:*", "non sense"},
                        {NULL, NULL},
                    }),
                    .http_proxy = "http://127.0.0.1:1");
    IS(get_from("http://A.invalid:81/"), 200);
    heard("GET / HTTP/1.1\r\nHost: a.invalid:81\r\n");
    IS(get_from("http://a.invalid:82/"), -ECONNREFUSED);
    ck_assert_str_eq(why, "127.0.0.1:1: Connection refused");
    IS(get_from("http://b.invalid:82/"), 200);
    heard("Host: b.invalid:82\r\n");
    IS(get_from("http://127.0.0.1:3/"), 200);
    heard("Host: 127.0.0.1:3\r\n");
    IS(get_from("http://[::1]:3/"), CG_EADDR);
    ck_assert_str_eq(why, "non sense:3: not a valid address, or its port is missing");
    IS(get_from("http://c.invalid/"), -ECONNREFUSED); /* the proxy's */
    done();
    return 0;
}

/* Connections are counted by host and port, and idle ones closed. */
static ssize_t counts_connections(void *arg)
{
    struct cg_http_reply *open;

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(2, "ok")), SAYS(OK_200(2, "ok"), .fresh = true)));
    script_start(&other, TURNS(SAYS(OK_200(2, "ok"))));
    client = CLIENT();
    IS(cg_http_client_connections_to(client, server.url), 0);
    IS(cg_http_client_close_idle(client, server.url), 0);
    IS(cg_http_client_connections_to(client, "ftp://a/"), CG_EHTTP_URL);
    IS(get_from(server.url), 200);
    IS(FETCH(.url = other.url, .stream = true), 200);
    open = reply;
    IS(cg_http_client_connections_to(client, server.url), 1);
    IS(cg_http_client_connections_to(client, other.url), 1);
    IS(cg_http_client_close_idle(client, other.url), 0); /* it is in use */
    IS(cg_http_client_close_idle(client, script_url(&server, "/any")), 1);
    IS(cg_http_client_connections_to(client, server.url), 0);
    IS((ssize_t)cg_http_client_connections(client), 1);
    IS(get_from(server.url), 200);
    cg_http_reply_free(open);
    done();
    script_end(&other);
    client = CLIENT(.http_proxy = "ftp://a/");
    IS(cg_http_client_connections_to(client, "http://a/"), CG_EHTTP_PROXY);
    cg_http_client_free(client);
    return 0;
}

static ssize_t serve_unix(void *arg)
{
    struct cg_sock *conn;
    char line[512];

    (void)arg;
    OK(cg_yield(cg_accept(listener, &conn)));
    for (int i = 0; i < 2; i++) {
        while (OK(cg_yield(cg_readline(conn, line, sizeof line))) > 2)
            ;
        OK(cg_yield(cg_writeall(conn, OK_200(1, "u"), sizeof(OK_200(1, "u")) - 1)));
    }
    IS(cg_yield(cg_read(conn, line, 1)), 0);
    cg_sock_close(conn);
    return 0;
}

/* UNIX sockets are targets like others; their connections are kept. */
static ssize_t goes_to_unix_sockets(void *arg)
{
    char path[64];
    struct cg_coro *serving;

    (void)arg;
    snprintf(path, sizeof path, "unix:/tmp/cogen-http-%d.sock", (int)getpid());
    unlink(path + 5);
    OK(cg_sock_listen(cg_sched_self(), path, &listener));
    serving = test_start(serve_unix, NULL);
    client =
        CLIENT(.targets = ((const struct cg_http_target[]){{"*", path}, {NULL, NULL}}));
    IS(get_from("http://a.invalid/"), 200);
    IS(get_from("http://a.invalid/"), 200);
    cg_http_client_free(client);
    test_end(serving);
    cg_sock_close(listener);
    unlink(path + 5);
    return 0;
}

static const struct test_case cases[] = {
    CORO(asks_proxies),     CORO(is_refused),      CORO(is_left),
    CORO(keeps_exceptions), CORO(goes_to_targets), CORO(goes_to_unix_sockets),
    CORO(counts_connections),
};

int main(void)
{
    return test_main("http client targets", cases, COUNT(cases));
}
