/* SPDX-License-Identifier: MIT */
/* The target of a request: its path, decoded, and its query. */
#include "config.h"

#include "http/message/percent.h"
#include "http/message/url.h"
#include "http/server/request/request_target.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The path in an absolute target, "http://host/path". */
static const char *skip_origin(const char *target)
{
    const char *host = strstr(target, "://");

    return host ? host + 3 + strcspn(host + 3, "/?") : NULL;
}

const char *cg__http_request_target_raw_path(const struct cg_http_request *req)
{
    const char *target = cg_http_request_target(req);

    return *target == '/' ? target : skip_origin(target);
}

/* The host of an absolute target replaces the field Host (RFC 9112, 3.2.2). 0, or the
 * status of the response to an invalid one. llhttp accepts anything behind an asterisk. */
static int set_host(struct cg_http_request *req, const char *target)
{
    const char *host = strstr(target, "://");
    size_t size = host ? strcspn(host + 3, "/?") : 0;
    char *copy;
    int rc;

    if (*target == '*' || size == 0 || !cg__http_url_is_host(host + 3, size))
        return 400;
    copy = strndup(host + 3, size);
    rc = copy != NULL ? cg_http_headers_set(&req->in, "Host", copy) : -ENOMEM;
    free(copy);
    return rc == 0 ? 0 : rc == -EINVAL ? 400 : 503;
}

/* Copies the path to the start of `params`. NULL: no memory. */
static char *copy_path(struct cg_http_request *req, const char *path, size_t len)
{
    if (cg__http_message_reserve(&req->params, len + 1) < 0)
        return NULL;
    cg__http_message_text(&req->params, path, len);
    cg__http_message_text(&req->params, "", 1);
    return cg__http_message_at(&req->params, 0);
}

/* Decodes the path of a target into the start of `params`. Not inline: otherwise each request
 * saves the registers that only this needs. */
__attribute__((noinline)) static int decode_path(struct cg_http_request *req, const char *target)
{
    ssize_t length;
    size_t size;
    char *path;

    if (*target != '/' && strcmp(target, "*") != 0 && req->code != HTTP_CONNECT) {
        int status = set_host(req, target);

        if (status != 0)
            return status;
        target = skip_origin(target);
        if (*target == '\0' && req->code == HTTP_OPTIONS)
            target = "*"; /* about the server itself (RFC 9112, 3.2.4) */
    }
    size = strcspn(target, "?");
    path = size > 0 ? copy_path(req, target, size) : copy_path(req, "/", 1);
    req->path = path;
    if (path == NULL)
        return 503;
    length = size > 0 ? cg__http_percent_decode(path, target, size, false, false) : 1;
    if (length < 0)
        return 400;
    if (*path == '/') /* before routing: "/x/../admin" must match the route of /admin */
        length = (ssize_t)cg__http_url_remove_dots(path, (size_t)length);
    path[length] = '\0';
    req->path_len = (size_t)length;
    return 0;
}

/* The length of what certainly belongs to a path that need not be decoded, less its last byte: that
 * may be a slash in front of a dot. */
static size_t plain(const char *target, size_t len)
{
    size_t size = 0;

    for (; len - size >= 16; size += 8) { /* few bytes are faster one by one */
        uint64_t eight = cg__ascii_eight(target + size);

        if ((cg__ascii_eight_has(eight, '?') | cg__ascii_eight_has(eight, '%') |
             cg__ascii_eight_has(eight, '.')) != 0)
            break;
    }
    return size > 0 ? size - 1 : 0;
}

/* Most targets are their own path, or it ends at the query. */
int cg__http_request_target_path(struct cg_http_request *req)
{
    const char *target = cg__http_message_at(&req->line, req->text);
    size_t size = plain(target, req->text_len);

    req->path = target;
    if (*target != '/')
        return decode_path(req, target);
    while (target[size] != '\0' && target[size] != '%' && target[size] != '?' &&
           !(target[size] == '/' && target[size + 1] == '.'))
        size++;
    req->path_len = size;
    if (target[size] == '\0')
        return 0;
    if (target[size] != '?')
        return decode_path(req, target);
    req->path = copy_path(req, target, size);
    return req->path != NULL ? 0 : 503;
}

/* Parses the query, once per request; invalid parts are skipped. */
static void parse_query(struct cg_http_request *req)
{
    const char *at = strchr(cg_http_request_target(req), '?');

    req->has_query = true;
    while (at != NULL && *at != '\0') {
        size_t size = strcspn(++at, "&"), name = strcspn(at, "&=");
        size_t value = name < size ? name + 1 : size;
        struct cg_http_headers *list = &req->query;
        uint32_t used = list->used;
        ssize_t n, m;

        /* Copied undecoded, then decoded in place. */
        if (cg__http_message_text(list, at, size) < 0 ||
            cg__http_message_text(list, "\0", 2) < 0)
            return;
        n = cg__http_percent_decode(cg__http_message_at(list, used + (uint32_t)value + 1),
                                    at + value, size - value, true, true);
        m = cg__http_percent_decode(cg__http_message_at(list, used), at, name, true, true);
        if (n >= 0 && m >= 0) {
            struct cg__http_entry entry = {used, (uint32_t)m, used + (uint32_t)value + 1,
                                           (uint32_t)n};

            list->data[entry.name + entry.name_len] = '\0';
            list->data[entry.value + entry.value_len] = '\0';
            cg__http_message_entry_push(list, entry);
        }
        at += size;
    }
}

const char *cg_http_request_query(struct cg_http_request *req, const char *name)
{
    if (!req->has_query)
        parse_query(req);
    for (uint32_t i = 0; i < req->query.count; i++) {
        const struct cg__http_entry *entry = cg__http_entry(&req->query, i);

        if (strcmp(cg__http_message_at(&req->query, entry->name), name) == 0)
            return cg__http_message_at(&req->query, entry->value);
    }
    return NULL;
}

int cg_http_request_query_number(struct cg_http_request *req, const char *name, int64_t least,
                                 int64_t most, int64_t otherwise, int64_t *number)
{
    const char *text = cg_http_request_query(req, name);
    uint64_t size;
    int64_t value;
    bool minus;

    *number = otherwise;
    if (text == NULL)
        return 0;
    minus = *text == '-';
    if (!cg__ascii_is_number(text + minus, &size))
        return -EINVAL;
    if (size > INT64_MAX)
        return -ERANGE;
    value = minus ? -(int64_t)size : (int64_t)size;
    if (value < least || value > most)
        return -ERANGE;
    *number = value;
    return 0;
}
