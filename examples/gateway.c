/* SPDX-License-Identifier: MIT */
/* A reverse proxy. It forwards the requests of its clients to several web servers.
 *
 *     ./http_server --listen 127.0.0.1:8081 &
 *     ./http_server --listen 127.0.0.1:8082 &
 *     ./gateway --listen 127.0.0.1:8080 http://127.0.0.1:8081 http://127.0.0.1:8082
 *     curl -i http://127.0.0.1:8080/                         in another terminal
 *     ./gateway --health /health --balance client URL...     asks each server for /health
 *     ./gateway --tls-cert cert.pem --tls-key key.pem URL... over TLS
 *     ./gateway 'http://127.0.0.1:8081#proxy=2' URL...       tells the first one the clients by
 *                                                            the PROXY protocol
 *
 * It is a service: see service.h for what it does with signals and the service manager. */
#include <cogen.h>
#include <cogen/http_gateway.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "http_client_tls.h"
#include "http_server_tls.h"
#include "service.h"

static struct example ex;
static const char *cert, *key, *cacert, *workers, *health, *balance, *access_log, *trusted, *h2c,
    *told, *tell, *own_host, *seconds = "60", *grace = "10", *patience = "60", *most = "1000";
static unsigned limit;                /* of the requests to each upstream */
static const struct cg_http_tls *tls; /* for upstreams; NULL: there is no TLS */
static struct cg_http_upstreams_options options; /* of each worker's upstreams */
static char name[32]; /* for Via: unique, so that loops are found */

static _Thread_local struct {
    struct cg_http_client *client;
    struct cg_http_upstreams *upstreams;
    struct cg_coro *watcher;
} part;

static ssize_t watch(void *arg)
{
    return cg_yield(cg_http_watch_upstreams(arg));
}

static void close_server(struct cg_http_server *server)
{
    if (part.watcher != NULL) {
        cg_coro_cancel(part.watcher);
        cg_yield(cg_join(part.watcher, .shield = true));
        cg_coro_unref(part.watcher);
        part.watcher = NULL;
    }
    cg_http_server_free(server);
    cg_http_upstreams_free(part.upstreams);
    cg_http_client_free(part.client);
    part.upstreams = NULL;
    part.client = NULL;
}

/* The version of the PROXY protocol that an upstream has behind its URL: "#proxy=1" or "#proxy=2",
 * or "#proxy=0" for none. -1: something else stands there. */
static int version_of(const char *url)
{
    const char *mark = strchr(url, '#');

    if (mark == NULL)
        return 0;
    if (strlen(mark) != sizeof "#proxy=0" - 1 || strncmp(mark, "#proxy=", 7) != 0 ||
        mark[7] < '0' || mark[7] > '2')
        return -1;
    return mark[7] > '0' ? mark[7] - '0' : CG_HTTP_NO_PROXY_PROTOCOL;
}

static int add_upstreams(void)
{
    int rc = 0;

    for (int i = 0; i < ex.argc && rc == 0; i++) {
        char *url = strndup(ex.argv[i], strcspn(ex.argv[i], "#"));

        rc = -ENOMEM;
        if (url != NULL)
            rc = cg_http_upstreams_add(part.upstreams, url,
                                       .proxy_protocol = (uint8_t)version_of(ex.argv[i]));
        free(url);
        if (rc < 0)
            example_fail(ex.argv[i], rc);
    }
    return rc;
}

/* Makes what one worker needs. */
static struct cg_http_server *open_server(void)
{
    int64_t time = example_seconds(&ex, seconds);
    struct cg_http_server *server =
        cg_http_server_new(.body_timeout = time, .write_timeout = time, .idle_timeout = time,
                           .body_limit = CG_HTTP_UNLIMITED, .compress_above = CG_HTTP_UNLIMITED,
                           .name = "", .access_log = access_log != NULL ? stderr : NULL,
                           .access_format = access_log != NULL && strcmp(access_log, "json") == 0
                                                ? CG_HTTP_LOG_JSON
                                                : CG_HTTP_LOG_COMBINED,
                           .proxy_protocol = told,
                           .address_connections = told != NULL ? UINT32_MAX : 0,
                           .protocols = CG_HTTP_H1 | CG_HTTP_H2 | CG_HTTP_H2C,
                           .wrap = cert != NULL ? server_tls_wrap : NULL);
    ssize_t n = -ENOMEM;

    part.client = cg_http_client_new(
        .tls = tls, .connect_timeout = time < 5 * CG_SECOND ? time : 5 * CG_SECOND,
        .send_timeout = time, .response_timeout = time, .idle_timeout = time,
        .per_origin = limit, .connections = limit * (unsigned)ex.argc, .keep = limit,
        .protocols = h2c != NULL ? CG_HTTP_H1 | CG_HTTP_H2 | CG_HTTP_H2C : 0,
        .no_environment = true);
    part.upstreams = cg_http_upstreams_new_with(part.client, &options);
    if (server != NULL && part.client != NULL && part.upstreams != NULL)
        n = cg_http_server_mount(server, "*", cg_http_forward_handler, part.upstreams);
    if (n < 0)
        example_fail("server", n);
    if (n == 0)
        n = add_upstreams();
    if (n == 0 && health != NULL)
        n = cg_yield(cg_add(watch, part.upstreams, .name = "health", .coro = &part.watcher));
    if (n >= 0)
        return server;
    close_server(server);
    return NULL;
}

/* The certificate and the key are read anew. */
static ssize_t reload(void)
{
    return cert != NULL ? server_tls_reload() : 0;
}

static void read_balance(void)
{
    static const char *const names[] = {"least", "path", "client"};
    size_t i = 0;

    if (balance == NULL)
        return;
    if (strncmp(balance, "header:", 7) == 0 && balance[7] != '\0') {
        options.balance = CG_HTTP_HASH_HEADER;
        options.hash_header = balance + 7;
        return;
    }
    if (strcmp(balance, "hash") == 0)
        balance = "client";
    while (i < 3 && strcmp(names[i], balance) != 0)
        i++;
    if (i == 3)
        example_usage(&ex, "--balance is least, hash, client, path or header:NAME");
    options.balance = (uint8_t)i;
}

static void read_options(void)
{
    struct timespec now;

    limit = (unsigned)example_number(&ex, most, 1, 100000,
                                     "N of --requests is a number from 1 to 100000");
    if (ex.argc == 0)
        example_usage(&ex, "name at least one upstream, such as http://127.0.0.1:8081");
    for (int i = 0; i < ex.argc; i++)
        if (version_of(ex.argv[i]) < 0)
            example_usage(&ex, "behind the URL of an upstream is #proxy=0, #proxy=1 or #proxy=2");
    if (key != NULL && cert == NULL)
        example_usage(&ex, "--tls-key needs --tls-cert");
    if (access_log != NULL && strcmp(access_log, "combined") != 0 &&
        strcmp(access_log, "json") != 0)
        example_usage(&ex, "--access-log is combined or json");
    if (tell != NULL && strcmp(tell, "1") != 0 && strcmp(tell, "2") != 0)
        example_usage(&ex, "--upstream-proxy-protocol is 1 or 2");
    if (health != NULL && *health != '/')
        example_usage(&ex, "--health needs a path, such as /health");
    read_balance();
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(name, sizeof name, "cogen-%08x", (unsigned)now.tv_nsec ^ (unsigned)getpid() << 12);
    options.hop = (struct cg_http_hop){
        .name = name, .reveal = true, .trusted = trusted, .own_host = own_host != NULL,
        .proxy_protocol = tell != NULL ? (uint8_t)(*tell - '0') : 0};
    options.probe = health;
    options.requests = limit;
}

/* Sets TLS up on both sides. False: failed. */
static bool use_tls(void)
{
    char words[CG_HTTP_WHY_SIZE] = "";
    const char *why = words;

    tls = download_tls(cacert, NULL, false, words);
    if (tls == NULL && *words != '\0') {
        example_complain("TLS", words);
        return false;
    }
    if (cert == NULL || server_tls_open(cert, key, "h2,http/1.1", &why) == 0)
        return true;
    example_complain("--tls-cert", why);
    return false;
}

int main(int argc, char **argv)
{
    const struct example_option list[] = {
        {"health", "PATH", "ask each upstream for PATH every 5 seconds", &health, 0},
        {"balance", "HOW", "least (the fewest requests), hash or client (the same address, the "
                           "same upstream), path, or header:NAME (least)",
         &balance, 0},
        {"requests", "N", "requests at a time to one upstream, each worker (1000)", &most, 0},
        {"timeout", "SECONDS", "the limit for silent clients and upstreams (60)", &seconds, 0},
        {"trust", "LIST", "addresses and networks whose X-Forwarded-For is believed", &trusted,
         0},
        {"proxy-protocol", "LIST", "proxies that begin connections with the PROXY protocol", &told,
         0},
        {"upstream-proxy-protocol", "VERSION",
         "begin connections to upstreams with the PROXY protocol, version 1 or 2; #proxy=VERSION "
         "behind the URL of an upstream is for that one, #proxy=0 for none",
         &tell, 0},
        {"own-host", NULL, "send the host of the upstream's URL, not the client's", &own_host, 0},
        {"h2c", NULL, "speak HTTP/2 with upstreams without TLS", &h2c, 0},
        {"cacert", "FILE", "the certificates that https upstreams are checked by", &cacert, 0},
        {"tls-cert", "FILE", "serve https with this certificate (PEM)", &cert, 0},
        {"tls-key", "FILE", "its key, if that is in a separate file", &key, 0},
        {"workers", "N", "threads that serve (1); 0: one for each processor", &workers, 0},
        {"access-log", "FORMAT", "write a line for each request to standard error: combined or "
                                 "json",
         &access_log, 0},
        {"grace", "SECONDS", "let requests finish after Ctrl-C (10)", &grace, 0},
        {"restart-timeout", "SECONDS", "the limit for a successor to start (60)", &patience, 0},
        {0},
    };
    struct service service = {.open = open_server, .close = close_server, .reload = reload};

    ex = (struct example){
        .name = "gateway",
        .about = "Forwards HTTP requests to the web servers behind it",
        .operands = "UPSTREAM...",
        .listen = "127.0.0.1:8080",
        .network = true,
        .options = list,
    };
    service_prepare(argv);
    example_begin(&ex, argc, argv);
    read_options();
    service.grace = example_seconds(&ex, grace);
    service.workers = workers;
    service.patience = example_seconds(&ex, patience);
    if (!use_tls())
        return example_status();
    service_run(&ex, &service);
    server_tls_close();
    download_tls_end();
    return example_status();
}
