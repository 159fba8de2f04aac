/* SPDX-License-Identifier: MIT */
/* A site: forms with files, cookies, a password, limits and counts.
 *     ./site 127.0.0.1:7000 /tmp
 *     curl -F title=cat -F picture=@cat.png http://127.0.0.1:7000/pictures
 *     curl -u ann:secret http://127.0.0.1:7000/admin/metrics */
#include <cogen.h>
#include <cogen/http_clients.h>
#include <cogen/http_cookie.h>
#include <cogen/http_form.h>
#include <cogen/http_layers.h>
#include <cogen/http_metrics.h>
#include <errno.h>
#include <stdio.h>

static const char *folder = "/tmp";

/* Shows a form, and how often this browser has seen it. */
static ssize_t show(struct cg_http_request *req, void *arg)
{
    static const char page[] = "<!doctype html><title>Pictures</title>"
                               "<form method=post enctype=multipart/form-data>"
                               "<input name=title> <input type=file name=picture>"
                               "<button>Send</button></form><p>Visit number %u\n";
    char count[16] = "0", text[512];
    unsigned visits = 0;

    (void)arg;
    cg_http_request_cookie(req, "visits", count, sizeof count);
    sscanf(count, "%5u", &visits);
    snprintf(count, sizeof count, "%u", visits + 1);
    cg_http_response_set_cookie(req, "visits", count, .max_age = 30 * 24 * 60 * CG_MINUTE);
    snprintf(text, sizeof text, page, visits + 1);
    return cg_yield(cg_http_send_text(req, 200, text, .mime = "text/html; charset=utf-8"));
}

/* Keeps the picture of a form that was sent in. The file is on disk when the form has been
 * read, but has no name yet: whatever fails, nothing is left of it. */
static ssize_t take(struct cg_http_request *req, void *arg)
{
    const struct cg_http_form_limits limits = {.files = 1, .file = 10 * 1024 * 1024};
    const struct cg_http_part *picture;
    struct cg_http_form *form;
    char path[256];
    ssize_t n = cg_yield(cg_http_read_form(req, &form, .folder = folder, .limits = &limits));

    (void)arg;
    if (n < 0)
        return n; /* the client gets a suitable response, for example 413 */
    picture = cg_http_form_file(form, "picture");
    if (picture == NULL) {
        n = cg_yield(cg_http_send_text(req, 422, "Choose a picture.\n"));
    } else {
        snprintf(path, sizeof path, "%s/picture-%s", folder,
                 cg_http_request_param(req, "request-id"));
        n = cg_http_form_keep(form, picture, path);
        if (n == 0) /* with 303 a reload of the page does not send the form again */
            n = cg_yield(cg_http_send_redirect(req, 303, "/pictures"));
    }
    cg_http_form_free(form);
    return n;
}

/* Layers stand around handlers: around all of the server, or around those of one pattern. */
static int mount(struct cg_http_server *server, struct cg_http_metrics *metrics,
                 struct cg_http_limiter *limiter)
{
    static const struct cg_http_user users[] = {{"ann", "secret"}, {NULL, NULL}};
    static struct cg_http_auth auth = {.realm = "admin", .users = users};
    static struct cg_http_forwarded forwarded = {.trusted = "10.0.0.0/8"};
    static struct cg_http_layer admin[] = {
        {.around = cg_http_basic_layer, .arg = &auth},
        {.handler = cg_http_metrics_handler},
    };
    int rc = cg_http_server_add_layer(server, cg_http_request_id_layer, NULL);

    admin[1].arg = metrics;
    if (rc == 0)
        rc = cg_http_server_add_layer(server, cg_http_forwarded_layer, &forwarded);
    if (rc == 0)
        rc = cg_http_server_add_layer(server, cg_http_limit_layer, limiter);
    if (rc == 0)
        rc = cg_http_server_mount(server, "GET /pictures", show, NULL);
    if (rc == 0)
        rc = cg_http_server_mount(server, "POST /pictures", take, NULL);
    if (rc == 0)
        rc = cg_http_server_mount(server, "GET /admin/metrics", cg_http_layers_handler, admin);
    return rc;
}

static ssize_t program(void *addr)
{
    struct cg_http_metrics *metrics = cg_http_metrics_new();
    struct cg_http_limiter *limiter = cg_http_limiter_new(.rate = 20, .burst = 100);
    struct cg_http_server *server = cg_http_server_new(
        .body_limit = 11 * 1024 * 1024, .metrics = metrics, .access_log = stdout,
        .access_format = CG_HTTP_LOG_JSON);
    struct cg_sock *listener;
    ssize_t rc = -ENOMEM;

    if (metrics != NULL && limiter != NULL && server != NULL)
        rc = mount(server, metrics, limiter);
    if (rc == 0)
        rc = cg_sock_listen(cg_sched_self(), addr, &listener);
    if (rc >= 0) {
        rc = cg_yield(cg_http_serve(server, listener));
        cg_sock_close(listener);
    }
    cg_http_server_free(server);
    cg_http_limiter_free(limiter);
    cg_http_metrics_free(metrics);
    return rc;
}

int main(int argc, char **argv)
{
    ssize_t rc;

    if (argc > 2)
        folder = argv[2];
    rc = cg_main(NULL, program, argc > 1 ? argv[1] : "127.0.0.1:7000");
    fprintf(stderr, "site: %s\n", cg_strerror(rc));
    return 1;
}
