/* SPDX-License-Identifier: MIT */
/* A forwarding HTTP proxy. It forwards requests for http; https goes through tunnels
 * (CONNECT).
 *
 *     ./proxy --listen 127.0.0.1:3128 --log
 *     curl -x http://127.0.0.1:3128 http://example.org/      in another terminal
 *     https_proxy=http://127.0.0.1:3128 ./http_client https://example.org/
 *
 * Without --user, everybody who can connect to the proxy can use it, and through it reach
 * whatever this machine can reach. So by default it listens on the loopback interface
 * only, and tunnels lead to port 443 only.
 *
 * The header fields of a response may have 14 KiB, since the library's server writes heads
 * of at most 16 KiB. A larger response is replaced by a 502 that says so. Tunnels have no
 * such limit. */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "http_end.h"
#include "http_protocols.h"
#include "proxy.h"

enum {
    PORTS_MOST = 32,
    WORD_SIZE = 256 /* the limit for the argument of --user */
};

static struct proxy proxy;
static struct example ex;
static struct cg_http_server *server;
static const char *port, *user, *seconds = "60", *grace = "3", *most = "1000", *log_it,
                  *protocols;
static unsigned ports[PORTS_MOST] = {443}, port_count = 1;
static char expected[2 * WORD_SIZE]; /* "Basic ...", if --user is given */

ssize_t proxy_refuse(struct cg_http_request *req, int status, const char *why)
{
    char text[640];

    snprintf(text, sizeof text, "proxy: %s\n", why);
    return cg_yield(cg_http_send_text(req, status, text));
}

static void expect(const char *word)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = (const unsigned char *)word;
    size_t len = strlen(word), i = 0;
    char *to = expected + sprintf(expected, "Basic ");

    for (; i < len; i += 3) {
        unsigned bits = (unsigned)in[i] << 16 | (i + 1 < len ? in[i + 1] << 8 : 0) |
                        (i + 2 < len ? in[i + 2] : 0);

        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        *to++ = i + 1 < len ? digits[bits >> 6 & 63] : '=';
        *to++ = i + 2 < len ? digits[bits & 63] : '=';
    }
    *to = '\0';
}

/* The time of the comparison depends on the length only, so that it does not tell how much
 * of a guess is right. */
static bool may_pass(const struct cg_http_request *req)
{
    const char *got = cg_http_request_header(req, "Proxy-Authorization");
    unsigned differs = 0;

    if (*expected == '\0')
        return true;
    if (got == NULL || strlen(got) != strlen(expected) || strncasecmp(got, "Basic ", 6))
        return false;
    for (size_t i = 6; got[i]; i++)
        differs |= (unsigned)(got[i] ^ expected[i]);
    return differs == 0;
}

/* The port of "host:port"; 0: the target is invalid. */
static unsigned port_of(const char *target)
{
    const char *colon = strrchr(target, ':');
    unsigned long number;
    char *end;

    if (colon == NULL || colon == target || target[strcspn(target, "/@?")] != '\0' ||
        colon[1] < '0' || colon[1] > '9' || strncasecmp(target, "unix:", 5) == 0)
        return 0;
    number = strtoul(colon + 1, &end, 10);
    return *end == '\0' && number <= 65535 ? (unsigned)number : 0;
}

static ssize_t connect_to(struct cg_http_request *req)
{
    unsigned number = port_of(cg_http_request_target(req)), i = 0;
    char why[64];

    if (number == 0)
        return proxy_refuse(req, 400, "the target of CONNECT must be host:port");
    while (i < port_count && ports[i] != number)
        i++;
    if (i < port_count)
        return proxy_tunnel(req, &proxy);
    snprintf(why, sizeof why, "tunnels to port %u are not allowed", number);
    return proxy_refuse(req, 403, why);
}

/* The URL that the client asks for: the target of HTTP/1, or what HTTP/2 has as parts. To be
 * freed; NULL: no memory. */
static char *url_of(const struct cg_http_request *req)
{
    const char *target = cg_http_request_target(req), *scheme = cg_http_request_scheme(req),
               *host = cg_http_request_header(req, "Host");
    size_t size = strlen(target) + sizeof "https://";
    char *url;

    if (*target != '/' || scheme == NULL || host == NULL)
        return strdup(target);
    url = malloc(size += strlen(host));
    if (url != NULL)
        snprintf(url, size, "%s://%s%s", scheme, host, target);
    return url;
}

/* Forwards a request for "http://host/path" to the server that it names. */
static ssize_t forward(struct cg_http_request *req, const char *url)
{
    char why[CG_HTTP_WHY_SIZE];
    enum cg_http_fault fault;
    ssize_t n = cg_yield(cg_http_forward_to(req, proxy.client, url, .hop = &proxy.hop, .why = why,
                                            .fault = &fault));

    if (n >= 0 || cg_http_response_status(req) != 0)
        return n;
    if (n == -EINVAL || n == CG_EHTTP_URL)
        return proxy_refuse(req, 400, why);
    if (fault == CG_HTTP_FAULT_REQUEST) /* the library responds to a broken request itself */
        return n;
    return proxy_refuse(req, n == -ETIMEDOUT ? 504 : 502, why);
}

static ssize_t forward_url(struct cg_http_request *req, const char *url)
{
    if (*url == '/' || *url == '*')
        return proxy_refuse(req, 400, "this is a proxy: the target must be a whole URL");
    if (strncasecmp(url, "http://", 7) != 0)
        return proxy_refuse(req, 400, "only http is forwarded; use CONNECT for https");
    if (memchr(url + 7, '@', strcspn(url + 7, "/?")) != NULL)
        return proxy_refuse(req, 400, "the URL must not contain a user or password");
    return forward(req, url);
}

static ssize_t handle(struct cg_http_request *req, void *arg)
{
    char *url;
    ssize_t n;

    (void)arg;
    if (!may_pass(req)) {
        cg_http_response_set_header(req, "Proxy-Authenticate", "Basic realm=\"proxy\"");
        return proxy_refuse(req, 407, "this proxy requires a name and a password");
    }
    if (strcmp(cg_http_request_method(req), "CONNECT") == 0)
        return connect_to(req);
    url = url_of(req);
    if (url == NULL)
        return -ENOMEM;
    n = forward_url(req, url);
    free(url);
    return n;
}

static ssize_t serve(void *listener)
{
    ssize_t n = http_serve_to_end(server, listener, example_seconds(&ex, grace));

    cg_http_client_free(proxy.client);
    proxy.client = NULL;
    return n;
}

static void each_option(const struct example_option *option)
{
    if (option->value != &port)
        return;
    if (port_count == PORTS_MOST)
        example_usage(&ex, "too many ports");
    ports[port_count++] =
        (unsigned)example_number(&ex, port, 1, 65535, "a port must be a number from 1 to 65535");
}

/* Returns false if there is no memory. */
static bool make(void)
{
    unsigned limit =
        (unsigned)example_number(&ex, most, 1, 1000000, "N must be a number from 1 to 1000000");
    struct timespec now;

    if (user != NULL && (strchr(user, ':') == NULL || strlen(user) >= WORD_SIZE))
        example_usage(&ex, "USER must be NAME:PASSWORD, and not long");
    if (user != NULL)
        expect(user);
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(proxy.name, sizeof proxy.name, "cogen-%08x",
             (unsigned)now.tv_nsec ^ (unsigned)getpid() << 12);
    proxy.hop = (struct cg_http_hop){.name = proxy.name, .upgrades = "", .own_host = true,
                                   .underscores = true};
    proxy.patience = example_seconds(&ex, seconds);
    proxy.client =
        cg_http_client_new(.connect_timeout = proxy.patience,
                           .send_timeout = proxy.patience,
                           .response_timeout = proxy.patience,
                           .idle_timeout = proxy.patience, .per_origin = limit,
                           .connections = limit, .keep = limit < 100 ? limit : 100,
                           .no_environment = true);
    server =
        cg_http_server_new(.header_timeout = proxy.patience,
                           .body_timeout = proxy.patience,
                           .write_timeout = proxy.patience,
                           .idle_timeout = proxy.patience,
                           .body_limit = CG_HTTP_UNLIMITED,
                           .compress_above = CG_HTTP_UNLIMITED, .connections = limit,
                           .protocols = (uint8_t)http_protocols(&ex, protocols, false),
                           .name = "", .access_log = log_it ? stderr : NULL);
    return proxy.client && server &&
           cg_http_server_mount(server, "*", handle, NULL) == 0;
}

int main(int argc, char **argv)
{
    const struct example_option options[] = {
        {"allow-port", "N", "allow tunnels to this port, too (443)", &port, 0},
        {"user", "NAME:PASSWORD", "require this name and password", &user, 0},
        {"protocols", "LIST", "h1, h2c (HTTP/2 without TLS) or both (h1)", &protocols, 0},
        {"timeout", "SECONDS", "the limit for silent peers (60)", &seconds, 0},
        {"connections", "N", "the largest number of clients at a time (1000)", &most, 0},
        {"grace", "SECONDS", "let requests finish after Ctrl-C (3)", &grace, 0},
        {"log", NULL, "write a line for each request to standard error", &log_it, 0},
        {0},
    };
    int status;

    ex = (struct example){
        .name = "proxy",
        .about = "Forwards HTTP requests, and tunnels the rest",
        .listen = "127.0.0.1:3128",
        .network = true,
        .options = options,
        .each = each_option,
    };
    example_open(&ex, argc, argv);
    example_seconds(&ex, grace);
    if (make())
        example_serve(&ex, serve);
    else
        example_fail("memory", -ENOMEM);
    status = example_run(&ex);
    cg_http_client_free(proxy.client); /* not NULL if the server did not start */
    cg_http_server_free(server);
    return status;
}
