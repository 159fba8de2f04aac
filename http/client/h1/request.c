/* SPDX-License-Identifier: MIT */
/* See request.h. The head is composed in the memory of a list of fields, which grows as
 * needed. Each field is laid out when fields.c names it. */
#include "config.h"

#include "http/client/fields.h"
#include "http/client/h1/request.h"
#include "http/http1/framing.h"

#include <errno.h>
#include <string.h>

int cg__http_client_h1_request_field(struct cg_http_headers *text, const char *name,
                                     size_t name_len, const char *value, size_t value_len)
{
    char *to;

    if (cg__http_message_reserve(text, name_len + value_len + 4) < 0)
        return -ENOMEM;
    to = text->data + text->used;
    memcpy(to, name, name_len);
    memcpy(to += name_len, ": ", 2);
    memcpy(to += 2, value, value_len);
    memcpy(to + value_len, "\r\n", 2);
    text->used += (uint32_t)(name_len + value_len + 4);
    return 0;
}

static int put_field(struct cg_http_headers *text, const char *name, const char *value)
{
    return cg__http_client_h1_request_field(text, name, strlen(name), value, strlen(value));
}

/* The framing of the body. Methods that usually have a body send a length of 0 if there is
 * none. */
static int put_framing(struct cg_http_headers *text, const struct cg__asking *ask)
{
    const struct cg_http_source *source = ask->fetch->source;
    char number[24];

    if (!ask->with_body) {
        bool usual = !strcmp(ask->method, "POST") || !strcmp(ask->method, "PUT") ||
                     !strcmp(ask->method, "PATCH");

        return usual ? put_field(text, "Content-Length", "0") : 0;
    }
    if (source != NULL && source->len < 0)
        return put_field(text, "Transfer-Encoding", "chunked");
    number[cg__http_framing_decimal(
        number, source ? (uint64_t)source->len : (uint64_t)ask->fetch->len)] = '\0';
    return put_field(text, "Content-Length", number);
}

/* The target: the path, or the whole URL for a proxy. OPTIONS of a URL without a path is
 * about the server itself (RFC 9112, 3.2.4): its target is "*". A proxy gets the URL
 * without a path, and the last proxy replaces that by "*". */
static const char *target_of(const struct cg__asking *ask, bool to_proxy, size_t *len)
{
    const struct cg__url *url = &ask->url;
    bool server = url->no_path && strcmp(ask->method, "OPTIONS") == 0;
    const char *target = to_proxy ? url->text : server ? "*" : url->target;

    *len = strlen(target) - (to_proxy && server ? 1 : 0);
    return target;
}

static inline char *put(char *to, const char *text, size_t len)
{
    memcpy(to, text, len);
    return to + len;
}

static int put_line(struct cg_http_headers *text, const struct cg__asking *ask, bool to_proxy)
{
    static const char version[] = " HTTP/1.1\r\n";
    size_t method_len = strlen(ask->method), target_len;
    const char *target = target_of(ask, to_proxy, &target_len);
    char *to;

    if (cg__http_message_reserve(text, method_len + 1 + target_len + sizeof version) < 0)
        return -ENOMEM;
    to = put(text->data + text->used, ask->method, method_len);
    *to++ = ' ';
    to = put(put(to, target, target_len), version, sizeof version - 1);
    text->used = (uint32_t)(to - text->data);
    return 0;
}

int cg__http_client_h1_request_put(struct cg_http_headers *text, const struct cg__asking *ask,
                                   bool to_proxy)
{
    int rc = put_line(text, ask, to_proxy);

    if (rc == 0)
        rc = cg__http_client_fields(text, cg__http_client_h1_request_field, ask, to_proxy);
    if (rc == 0 && ask->client->pool.keep == 0 &&
        !cg__http_client_fields_has(ask, "Connection", to_proxy))
        rc = put_field(text, "Connection", "close");
    if (rc == 0)
        rc = put_framing(text, ask);
    return rc < 0 ? rc : cg__http_message_text(text, "\r\n", 2);
}
