/* SPDX-License-Identifier: MIT */
/* See files_ask.h. */
#include "config.h"

#include "tests/http/files/files_ask.h"
#include "tests/http/http2/h2_text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char got[256 * 1024];

static char root[64];
static struct cg_http_server *server;
static struct cg_sock *listener;
static char addr[CG_ADDR_SIZE];

void files_put(const char *name, const char *text)
{
    test_put_file(root, name, text);
}

void files_date(const char *name, time_t moment)
{
    struct timespec times[2] = {{.tv_sec = moment}, {.tv_sec = moment}};
    char path[128];

    snprintf(path, sizeof path, "%s/%s", root, name);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void in_root(int (*call)(const char *path, mode_t mode), const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", root, name);
    ck_assert_int_eq(call(path, 0755), 0);
}

void files_put_folder(const char *name)
{
    in_root(mkdir, name);
}

static void link_to(const char *target, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", root, name);
    ck_assert_int_eq(symlink(target, path), 0);
}

void files_make_root(char *path, size_t size)
{
    strcpy(root, "/tmp/cogen-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    files_put_folder("www");
    files_put_folder("www/sub");
    files_put_folder("www/bare");
    files_put_folder("www/.well-known");
    files_put_folder("www/.git");
    in_root(mkfifo, "www/fifo");
    files_put("secret", "secret");
    files_put("www/a.txt", "0123456789");
    files_put("www/a b&.html", "escaped");
    files_put("www/c.css", "plain");
    files_put("www/c.css.gz", "gzipped");
    files_put("www/c.css.br", "brotlied");
    files_put("www/sub/index.html", "index");
    files_put("www/sub/100%", "all");
    files_put("www/sub/a%2Fb", "percent");
    files_put("www/bare/<x>", "x");
    files_put("www/bare/.dot", "x");
    files_put("www/.git/config", "config");
    files_put("www/.well-known/x", "known");
    files_put("www/.well-known/.x", "x");
    link_to("a.txt", "www/inside");
    link_to("../secret", "www/outside");
    link_to("..", "www/up");
    link_to("/etc", "www/etc");
    link_to("loop", "www/loop");
    link_to("../a.txt", "www/bare/in");
    link_to("../sub", "www/bare/folder");
    link_to("../../secret", "www/bare/out");
    link_to("/etc", "www/bare/etc");
    snprintf(path, size, "%s/www", root);
}

static ssize_t serve(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_serve(server, listener));
}

int ask(const char *method, const char *path, const char *fields)
{
    struct cg_sock *sock;
    char text[1024];
    size_t size = 0;
    ssize_t n = snprintf(text, sizeof text,
                         "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", method,
                         path, fields);
    int status = 0;

    if (h2_text_on) {
        h2_text_ask(addr, text, got, sizeof got);
    } else {
        OK(cg_yield(cg_connect(addr, &sock)));
        OK(cg_yield(cg_writeall(sock, text, n)));
        while ((n = OK(cg_yield(cg_read(sock, got + size, sizeof got - 1 - size)))) > 0)
            size += (size_t)n;
        got[size] = '\0';
        cg_sock_close(sock);
    }
    sscanf(got, "HTTP/1.1 %d", &status);
    return status;
}

int get(const char *path)
{
    return ask("GET", path, "");
}

const char *body(void)
{
    return strstr(got, "\r\n\r\n") + 4;
}

const char *field(const char *name)
{
    static char values[4][256];
    static unsigned turn;
    char *value = values[turn++ % 4], line[64], *at;

    snprintf(line, sizeof line, "\r\n%s: ", name);
    at = strstr(got, line);
    snprintf(value, sizeof values[0], "%.*s", at ? (int)strcspn(at + strlen(line), "\r") : 6,
             at ? at + strlen(line) : "(none)");
    return value;
}

/* A layer whose responses depend on another field, too. */
static ssize_t by_origin(struct cg_http_request *req, const struct cg_http_layer *next, void *arg)
{
    (void)arg;
    if (cg_http_request_header(req, "Origin") != NULL)
        OK(cg_http_response_set_header(req, "Vary", "Origin"));
    return cg_http_layer_run(next, req);
}

void files_serve(cg_fn *check, const char *path, const struct cg_http_files_options *options)
{
    struct cg_http_files *files;
    struct cg_coro *serving;

    OK(cg_http_files_open(path, options, &files));
    server = cg_http_server_new(.protocols = CG_HTTP_H1 | CG_HTTP_H2C);
    OK(cg_http_server_add_layer(server, by_origin, NULL));
    OK(cg_http_server_mount(server, "/", cg_http_files_handler, files));
    OK(cg_http_server_mount(server, "GET /pre/", cg_http_files_handler, files));
    listener = test_listen(addr);
    serving = test_start(serve, NULL);
    check(NULL);
    IS(cg_yield(cg_http_shutdown(server, .timeout = CG_SECOND)), 0);
    IS(test_end(serving), 0);
    cg_http_server_free(server);
    cg_http_files_close(files);
    cg_sock_close(listener);
}

void files_remove_root(void)
{
    char path[128];

    snprintf(path, sizeof path, "rm -r %s", root);
    ck_assert_int_eq(system(path), 0);
}

ssize_t files_with(cg_fn *check, const struct cg_http_files_options *options)
{
    char path[128];

    files_make_root(path, sizeof path);
    files_serve(check, path, options);
    files_remove_root();
    return 0;
}
