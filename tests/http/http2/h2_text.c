/* SPDX-License-Identifier: MIT */
/* See h2_text.h. */
#include "config.h"

#include "tests/http/http2/h2_text.h"

#include "lib/base/ascii.h"
#include "tests/http/http2/h2_speak.h"

#include <cogen/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MOST = 150 };

/* A request, whose texts are in `copy`. */
struct asked {
    char *copy;
    const char *authority, *path;
    nghttp2_nv fields[FIELDS_MOST];
    size_t count;
    char *body;
    size_t len;
    bool open; /* the body is shorter than its Content-Length says */
    bool closes, chunked;
};

static void add(struct asked *asked, const char *name, const char *value)
{
    ck_assert_uint_lt(asked->count, FIELDS_MOST);
    asked->fields[asked->count++] = (nghttp2_nv){(uint8_t *)name, (uint8_t *)value,
                                                 strlen(name), strlen(value), 0};
}

/* Cuts off what is before `end`, and returns it. */
static char *cut(char **at, const char *end)
{
    char *from = *at, *to = strstr(from, end);

    ck_assert_msg(to != NULL, "no request: %s", from);
    *to = '\0';
    *at = to + strlen(end);
    return from;
}

/* A target in absolute form names the host. Without a path it means "/", or "*" for OPTIONS
 * (RFC 9113, 8.3.1). */
static void set_target(struct asked *asked, const char *method, char *target)
{
    static const char scheme[] = "http://";
    enum { LEN = sizeof scheme - 1 };
    char *path;

    asked->path = target;
    if (strncmp(target, scheme, LEN) != 0)
        return;
    asked->authority = target;
    path = strchr(target + LEN, '/');
    asked->path = path != NULL ? path : strcmp(method, "OPTIONS") == 0 ? "*" : "/";
    if (path == NULL)
        path = target + strlen(target);
    memmove(target, target + LEN, (size_t)(path - target - LEN));
    path[-LEN] = '\0';
}

static bool is_of_connection(const char *name)
{
    return cg__ascii_equal(name, "connection") || cg__ascii_equal(name, "keep-alive") ||
           cg__ascii_equal(name, "transfer-encoding");
}

static void add_field(struct asked *asked, char *line)
{
    char *name = cut(&line, ":"), *value = line + strspn(line, " \t"),
         *end = value + strlen(value);

    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = '\0';
    for (char *c = name; *c != '\0'; c++)
        *c = cg__ascii_lower(*c);
    if (strcmp(name, "host") == 0)
        asked->authority = asked->authority != NULL ? asked->authority : value;
    else if (!is_of_connection(name))
        add(asked, name, value);
    asked->closes |= strcmp(name, "connection") == 0 && strcmp(value, "close") == 0;
    asked->chunked |= strcmp(name, "transfer-encoding") == 0;
    if (strcmp(name, "content-length") == 0)
        asked->len = strtoul(value, NULL, 10);
}

/* Joins the chunks of a body. */
static void unchunk(struct asked *asked, char *at)
{
    size_t len;

    while ((len = strtoul(cut(&at, "\r\n"), NULL, 16)) > 0) {
        memmove(asked->body + asked->len, at, len);
        asked->len += len;
        at += len + 2;
    }
    ck_assert_msg(strcmp(at, "\r\n") == 0, "no trailers are sent: %s", at);
}

static void set_body(struct asked *asked, char *at)
{
    size_t there = strlen(at);

    asked->body = asked->len > 0 || asked->chunked ? at : NULL;
    if (asked->chunked) {
        unchunk(asked, at);
        return;
    }
    ck_assert_msg(there <= asked->len, "more than a request: %s", at + asked->len);
    asked->open = there < asked->len;
    asked->len = there;
}

/* Pseudo-header fields come first, so room is left for them. */
static void translate(struct asked *asked, const char *text)
{
    char *at = asked->copy = strdup(text), *line = cut(&at, "\r\n"),
         *method = cut(&line, " "), *target = cut(&line, " "), *field;
    nghttp2_nv *fields = asked->fields;
    bool connects = strcmp(method, "CONNECT") == 0;

    set_target(asked, method, target);
    asked->closes = strcmp(line, "HTTP/1.0") == 0;
    asked->count = 0;
    add(asked, ":method", method);
    add(asked, ":authority", "");
    if (!connects) {
        add(asked, ":scheme", "http");
        add(asked, ":path", asked->path);
    }
    while (*(field = cut(&at, "\r\n")) != '\0')
        add_field(asked, field);
    if (asked->authority == NULL)
        asked->authority = "x";
    fields[1].value = (uint8_t *)asked->authority;
    fields[1].valuelen = strlen(asked->authority);
    set_body(asked, at);
}

/* A text that grows up to the end of a buffer. */
struct laid {
    char *to;
    size_t size, len;
};

static void lay(struct laid *laid, const void *data, size_t len)
{
    ck_assert_uint_lt(len, laid->size - laid->len);
    memcpy(laid->to + laid->len, data, len);
    laid->len += len;
    laid->to[laid->len] = '\0';
}

static void lay_text(struct laid *laid, const char *text)
{
    lay(laid, text, strlen(text));
}

/* Capitalises the name of a field as HTTP/1 does by habit. */
static void lay_name(struct laid *laid, const char *name)
{
    char *to = laid->to + laid->len;
    bool first = true;

    lay_text(laid, name);
    if (strcmp(name, "etag") == 0)
        memcpy(to, "ETag", 4);
    else if (strcmp(name, "www-authenticate") == 0)
        memcpy(to, "WWW-Authenticate", 16);
    else
        for (; *to != '\0'; first = *to++ == '-')
            *to = first && cg__ascii_is_letter(*to) ? (char)(*to & ~0x20) : *to;
}

static void lay_status(struct laid *laid, int status)
{
    char line[64];

    snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", status, cg_http_status_text(status));
    lay_text(laid, laid->len > 0 ? "\r\n" : ""); /* behind an interim head */
    lay_text(laid, line);
}

static void lay_out(struct laid *laid, struct heard *heard, bool closes)
{
    char *at = heard->fields;

    ck_assert_uint_lt(strlen(at), sizeof heard->fields - 1);
    while (*at != '\0') {
        char *value = cut(&at, "\n"), *name;

        if (*value == ':') {
            lay_status(laid, atoi(value + strlen(":status: ")));
            continue;
        }
        name = cut(&value, ": ");
        lay_name(laid, name);
        lay_text(laid, ": ");
        lay_text(laid, value);
        lay_text(laid, "\r\n");
    }
    lay_text(laid, closes ? "Connection: close\r\n\r\n" : "\r\n");
    ck_assert_uint_lt(heard->len, sizeof heard->body);
    lay(laid, heard->body, heard->len);
}

size_t h2_text_ask(const char *addr, const char *text, char *got, size_t size)
{
    struct laid laid = {got, size, 0};
    struct asked asked = {.len = 0};
    struct speaker speaker;
    struct heard *heard;

    translate(&asked, text);
    speak_open(&speaker, addr, 0);
    heard = speak_hear(&speaker, speak_send(&speaker, asked.fields, asked.count, asked.body,
                                            asked.len, asked.open));
    ck_assert_msg(heard->closed && heard->error == NGHTTP2_NO_ERROR, "closed %d, error %u: %s",
                  heard->closed, heard->error, text);
    lay_out(&laid, heard, asked.closes);
    speak_close(&speaker);
    free(asked.copy);
    return laid.len;
}

bool h2_text_can(void)
{
    return true;
}
