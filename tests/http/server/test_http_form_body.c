/* SPDX-License-Identifier: MIT */
/* Forms that the HTTP client sends, and the server reads. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <cogen/http_form.h>
#include <cogen/http_form_body.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Responds with the form: "name=value;" or "name=filename,mime,size,value;". */
static ssize_t tells_form(struct cg_http_request *req, void *arg)
{
    const struct cg_http_part *part;
    struct cg_http_form *form;
    char text[1000] = "";
    size_t at = 0, len = 0;
    ssize_t n = cg_yield(cg_http_read_form(req, &form));

    (void)arg;
    IS(cg_http_request_length(req) > 0, 1);
    if (n < 0)
        return n;
    while ((part = cg_http_form_next(form, &at)) != NULL) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s=", part->name);
        if (part->filename != NULL)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s,%s,%llu,", part->filename,
                                    part->mime, (unsigned long long)part->size);
        len += (size_t)snprintf(text + len, sizeof text - len, "%.50s;", part->value);
    }
    cg_http_form_free(form);
    return cg_yield(cg_http_send_text(req, 200, text));
}

static ssize_t moves(struct cg_http_request *req, void *arg)
{
    (void)arg;
    OK(cg_http_response_set_header(req, "Location", "/form"));
    return cg_yield(cg_http_send_text(req, 307, "moved\n"));
}

/* Sends the items; compares the response, unless want is NULL. Returns the status. */
static ssize_t sends(const char *path, const struct cg_http_form_item *items, const char *want)
{
    struct cg_http_client *client = cg_http_client_new(.no_environment = true);
    struct cg_http_form_body *body;
    struct cg_http_reply *reply;
    struct cg_http_fetch fetch = {.method = "POST"};
    struct cg_http_field fields[2] = {{"Content-Type", NULL}, {NULL, NULL}};
    char url[CG_ADDR_SIZE + 32];
    ssize_t n;

    OK(cg_http_form_body_new(items, &body));
    fields[0].value = cg_http_form_body_type(body);
    fetch.fields = fields;
    fetch.source = cg_http_form_body_source(body);
    snprintf(url, sizeof url, "http://%s%s", addr, path);
    fetch.url = url;
    n = cg_yield(cg_http_fetch(client, &fetch, &reply));
    if (n >= 0 && want != NULL)
        ck_assert_str_eq(cg_http_reply_body(reply, NULL), want);
    cg_http_reply_free(n >= 0 ? reply : NULL);
    cg_http_form_body_free(body);
    cg_http_client_free(client);
    return n;
}

/* What is sent is read, whatever is in it, also after a redirect. */
static ssize_t round_trips(void *arg)
{
    static const char bytes[] = "a\r\n--cogen-\0b";
    int fd = test_file(50000);
    const struct cg_http_form_item items[] = {
        {.name = "title", .value = "a cat\r\n"},
        {.name = "a \"b\"\r\n%", .value = ""},
        {.name = "none"},
        {.name = "bytes", .value = bytes, .len = sizeof bytes - 1, .filename = "x\"y"},
        {.name = "part", .filename = "p", .mime = "image/png", .file = &fd, .len = 10},
        {.name = "all", .filename = "f", .file = &fd, .offset = 1000},
        {.name = "behind", .filename = "g", .file = &fd, .offset = 60000},
        {.name = NULL},
    };
    char want[1000];

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/form", tells_form, NULL));
    OK(cg_http_server_mount(server, "/moves", moves, NULL));
    for (int i = 0; i < 2; i++) {
        char part[11] = "", all[51] = "";

        IS(pread(fd, part, 10, 0), 10);
        IS(pread(fd, all, 50, 1000), 50);
        snprintf(want, sizeof want,
                 "title=a cat\r\n;a \"b\"%%0D%%0A%%=;none=;bytes=x\"y,,13,a\r\n--cogen-;"
                 "part=p,image/png,10,%s;all=f,,49000,%s;behind=g,,0,;", part, all);
        IS(sends(i ? "/moves" : "/form", items, want), 200);
    }
    IS(sends("/form", &items[7], ""), 200);
    close(fd);
    serve_end();
    return 0;
}

/* A file that gets shorter while it is sent ends the request; items that cannot be sent are
 * refused. */
static ssize_t fails(void *arg)
{
    int fd = test_file(100), ends[2];
    const struct cg_http_form_item longer[] = {
        {.name = "a", .file = &fd, .filename = "x", .len = 101}, {.name = NULL}};
    const struct cg_http_form_item before[] = {
        {.name = "a", .file = &fd, .offset = -1}, {.name = NULL}};
    const struct cg_http_form_item from_pipe[] = {{.name = "a", .file = &ends[0]}, {.name = NULL}};
    const struct cg_http_form_item injects[] = {{.name = "a", .mime = "a/b\r\nX: y"},
                                                {.name = NULL}};
    struct cg_http_form_body *body;

    (void)arg;
    IS(pipe(ends), 0);
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/form", tells_form, NULL));
    IS(sends("/form", longer, NULL), CG_EOF);
    IS(cg_http_form_body_new(before, &body), -EINVAL);
    IS(cg_http_form_body_new(from_pipe, &body), -EINVAL);
    ck_assert_ptr_null(body);
    IS(cg_http_form_body_new(injects, &body), -EINVAL);
    close(ends[0]);
    IS(cg_http_form_body_new(from_pipe, &body), -EBADF);
    close(ends[1]);
    close(fd);
    serve_end();
    return 0;
}

static const struct test_case cases[] = {CORO(round_trips), CORO(fails)};

int main(void)
{
    return test_main("http form body", cases, COUNT(cases));
}
