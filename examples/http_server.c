/* SPDX-License-Identifier: MIT */
/* A web server. It serves one built-in page, or the files of a directory: with range and
 * conditional requests, compressed siblings (x.html.gz), and a list of the files where
 * there is no index.html.
 *
 *     ./http_server --listen 127.0.0.1:8080                one page, at /
 *     ./http_server --listen 127.0.0.1:8080 --root site    the files in site/
 *     curl -i http://127.0.0.1:8080/                       in another terminal
 *     ./http_server --tls-cert cert.pem --tls-key key.pem  over TLS
 *     ./http_server --workers 0                            on all processors
 *     kill -USR2 PID                                       a new version takes over
 *
 * It is a service: see service.h for what it does with signals and the service manager.
 */
#include <cogen.h>
#include <cogen/http_server.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common.h"
#include "http_protocols.h"
#include "http_server_tls.h"
#include "service.h"

static struct example ex;
static const char *root, *cert, *key, *workers;
static _Thread_local struct cg_http_files *files; /* each worker opens its own */
static const char *seconds = "15", *grace = "3", *patience = "60", *header_seconds,
                  *body_seconds, *write_seconds, *idle_seconds, *connections, *requests,
                  *log_it, *from_address, *header_rate, *body_rate, *protocol_list;
static uint8_t protocols; /* 0: those of the library */

/* The value of one of the timeout options; without the option, that of --timeout. */
static int64_t time_of(const char *text)
{
    return example_seconds(&ex, text ? text : seconds);
}

/* Reads a limit; text NULL: 0, which means no limit. */
static unsigned number_of(const char *text)
{
    static const char why[] = "N must be a number from 1 to 1000000000";

    return text ? (unsigned)example_number(&ex, text, 1, 1000000000, why) : 0;
}

static ssize_t page(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_text(
        req, 200,
        "<!doctype html>\n<html lang=\"en\">\n<title>cogen</title>\n<h1>It works</h1>\n"
        "<p>This page was served by a coroutine.\n</html>\n",
        .mime = "text/html; charset=utf-8"));
}

static struct cg_http_server *make_server(void)
{
    return cg_http_server_new(.header_timeout = time_of(header_seconds),
                              .body_timeout = time_of(body_seconds),
                              .write_timeout = time_of(write_seconds),
                              .idle_timeout = time_of(idle_seconds),
                              .connections = number_of(connections),
                              .address_connections = number_of(from_address),
                              .header_rate = number_of(header_rate),
                              .body_rate = number_of(body_rate),
                              .requests = number_of(requests),
                              .access_log = log_it ? stderr : NULL,
                              .protocols = protocols,
                              .wrap = cert != NULL ? server_tls_wrap : NULL);
}

/* Sets TLS up, if a certificate is given. False: failed. */
static bool use_certificate(void)
{
    const char *why;

    if (cert == NULL || server_tls_open(cert, key, http_protocols_alpn(protocols), &why) == 0)
        return true;
    example_complain("--tls-cert", why);
    return false;
}

static bool mount(struct cg_http_server *server)
{
    const struct cg_http_files_options options = {.listing = true};
    int code = root != NULL ? cg_http_files_open(root, &options, &files) : 0;

    if (code < 0) {
        example_fail(root, code);
        return false;
    }
    if (root != NULL)
        code = cg_http_server_mount(server, "GET /", cg_http_files_handler, files);
    else
        code = cg_http_server_mount(server, "GET /$", page, NULL);
    if (code < 0)
        example_fail("server", code);
    return code == 0;
}

static void close_server(struct cg_http_server *server)
{
    cg_http_server_free(server);
    cg_http_files_close(files);
    files = NULL;
}

static struct cg_http_server *open_server(void)
{
    struct cg_http_server *server = make_server();

    if (server == NULL) {
        example_fail("server", -ENOMEM);
        return NULL;
    }
    if (mount(server))
        return server;
    close_server(server);
    return NULL;
}

/* The certificate and the key are read anew. */
static ssize_t reload(void)
{
    return cert != NULL ? server_tls_reload() : 0;
}

int main(int argc, char **argv)
{
    const struct example_option options[] = {
        {"root", "DIR", "serve the files in DIR", &root, 0},
        {"tls-cert", "FILE", "serve https with this certificate (PEM)", &cert, 0},
        {"tls-key", "FILE", "its key, if that is in a separate file", &key, 0},
        {"protocols", "LIST", HTTP_PROTOCOLS_HELP, &protocol_list, 0},
        {"workers", "N", "threads that serve (1); 0: one for each processor", &workers,
         0},
        {"timeout", "SECONDS", "the limit for silent and slow clients (15)", &seconds,
         0},
        {"header-timeout", "SECONDS", "the limit for the head of a request, then 408",
         &header_seconds, 0},
        {"body-timeout", "SECONDS", "the limit for the next part of a body, then 408",
         &body_seconds, 0},
        {"write-timeout", "SECONDS", "the limit while the client reads nothing",
         &write_seconds, 0},
        {"idle-timeout", "SECONDS", "the limit between two requests", &idle_seconds, 0},
        {"connections", "N", "the largest number of open connections", &connections, 0},
        {"from-address", "N", "the same for one address (3/4 of --connections)",
         &from_address, 0},
        {"header-rate", "N", "the least bytes a second of a head, after 5 s (240)",
         &header_rate, 0},
        {"body-rate", "N", "the least bytes a second of a body, on average (240)",
         &body_rate, 0},
        {"requests", "N", "the largest number of requests on a connection", &requests,
         0},
        {"grace", "SECONDS", "let requests finish after Ctrl-C (3)", &grace, 0},
        {"restart-timeout", "SECONDS", "the limit for a successor to start (60)",
         &patience, 0},
        {"log", NULL, "write a line for each request to standard error", &log_it, 0},
        {0},
    };
    struct service service = {.open = open_server, .close = close_server, .reload = reload};

    ex = (struct example){
        .name = "http_server",
        .about = "Serves a page, or the files of a directory, over HTTP",
        .listen = "127.0.0.1:8080",
        .network = true,
        .options = options,
    };
    service_prepare(argv);
    example_begin(&ex, argc, argv);
    if (key != NULL && cert == NULL)
        example_usage(&ex, "--tls-key needs --tls-cert");
    protocols = (uint8_t)http_protocols(&ex, protocol_list, cert != NULL);
    service.grace = time_of(grace);
    service.workers = workers;
    service.patience = time_of(patience);
    if (!use_certificate())
        return example_status();
    service_run(&ex, &service);
    server_tls_close();
    return example_status();
}
