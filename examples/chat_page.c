/* SPDX-License-Identifier: MIT */
/* See chat_page.h. The files are in examples/site_chat; examples/programs.am makes an array
 * of each: index_html, chat_css, ... */
#include "chat_page.h"

#include "examples/chat_files.h"

#include <errno.h>

struct file {
    const char *pattern, *mime;
    const void *data;
    size_t size;
};

static const struct file files[] = {
    {"GET /$", "text/html; charset=utf-8", index_html, sizeof index_html},
    {"GET /chat.css", "text/css; charset=utf-8", chat_css, sizeof chat_css},
    {"GET /chat.js", "text/javascript; charset=utf-8", chat_js, sizeof chat_js},
    {"GET /icon.svg", "image/svg+xml", icon_svg, sizeof icon_svg},
};

static ssize_t send_file(struct cg_http_request *req, void *arg)
{
    const struct file *file = arg;

    /* The page shows messages as text only. If that had a fault, this policy would still
     * keep the browser from running scripts in them. */
    if (cg_http_response_set_header(
            req, "Content-Security-Policy",
            "default-src 'self'; base-uri 'none'; frame-ancestors 'none'") < 0 ||
        cg_http_response_set_header(req, "X-Content-Type-Options", "nosniff") < 0 ||
        cg_http_response_set_header(req, "Referrer-Policy", "no-referrer") < 0 ||
        cg_http_response_set_header(req, "Cache-Control", "no-cache") < 0)
        return -ENOMEM;
    return cg_yield(
        cg_http_respond(req, 200, file->data, file->size, .mime = file->mime));
}

int chat_page_mount(struct cg_http_server *server)
{
    int rc = 0;

    for (size_t i = 0; i < sizeof files / sizeof files[0] && rc == 0; i++)
        rc = cg_http_server_mount(server, files[i].pattern, send_file,
                                  (void *)&files[i]);
    return rc;
}
