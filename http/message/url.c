/* SPDX-License-Identifier: MIT */
/* See url.h. The texts of a URL are copied unchanged into one block of memory, except the
 * host, which is converted to lower case. */
#include "config.h"

#include "http/message/room.h"
#include "http/message/url.h"
#include "lib/base/ascii.h"

#include <cogen/http_client.h>

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 128 }; /* bytes of the room for a URL */

/* A part of a text that is not ours. */
struct part {
    const char *at;
    size_t len;
};

/* The components of a URL or a reference. */
struct parts {
    struct part scheme, authority, path, query;
    bool has_scheme, has_authority, has_query;
};

static int wrong(const char **why, const char *text)
{
    *why = text;
    return CG_EHTTP_URL;
}

/* The length of the scheme at the start of the text; 0: there is none. */
static size_t scheme_length(const char *text)
{
    size_t n = 0;

    if (!cg__ascii_is_letter(text[0]))
        return 0;
    while (cg__ascii_is_letter(text[n]) || cg__ascii_is_digit(text[n]) ||
           (text[n] != '\0' && strchr("+-.", text[n])))
        n++;
    return text[n] == ':' ? n : 0;
}

static struct part cut(const char **text, const char *ends)
{
    struct part part = {*text, strcspn(*text, ends)};

    *text += part.len;
    return part;
}

static void take_path(struct parts *parts, const char *text)
{
    parts->path = cut(&text, "?#");
    parts->has_query = *text == '?';
    if (parts->has_query)
        text++, parts->query = cut(&text, "#");
}

static struct parts split(const char *text)
{
    struct parts parts = {.has_scheme = scheme_length(text) > 0};

    if (parts.has_scheme)
        parts.scheme = cut(&text, ":"), text++;
    parts.has_authority = strncmp(text, "//", 2) == 0;
    if (parts.has_authority)
        text += 2, parts.authority = cut(&text, "/?#");
    take_path(&parts, text);
    return parts;
}

static bool is(struct part part, const char *word)
{
    return strlen(word) == part.len && cg__ascii_same(part.at, word, part.len);
}

struct scheme {
    const char *name;
    unsigned port; /* the default */
};

/* The schemes of pages and of proxies, and what is said of others. */
struct schemes {
    struct scheme known[3];
    const char *wrong;
};

static const struct schemes of_pages = {
    {{"http", 80}, {"https", 443}},
    "its scheme is neither http nor https",
};
static const struct schemes of_proxies = {
    {{"http", 80}, {"socks5", 1080}, {"socks5h", 1080}},
    "its scheme is none of http, socks5 and socks5h",
};

static const struct scheme *find_scheme(const struct schemes *schemes, struct part name)
{
    for (size_t i = 0; i < sizeof schemes->known / sizeof *schemes->known; i++)
        if (schemes->known[i].name != NULL && is(name, schemes->known[i].name))
            return &schemes->known[i];
    return NULL;
}

struct authority {
    struct part user, host;
    bool has_user, literal;
    unsigned port;
};

static int take_port(struct authority *into, struct part part, const char **why)
{
    unsigned port = 0;

    if (part.len == 0) /* "host:" is allowed: the default port */
        return 0;
    for (size_t i = 0; i < part.len; i++) {
        if (!cg__ascii_is_digit(part.at[i]) ||
            (port = port * 10 + (unsigned)(part.at[i] - '0')) > 65535)
            return wrong(why, "the port is not a number from 1 to 65535");
    }
    if (port == 0)
        return wrong(why, "the port is not a number from 1 to 65535");
    into->port = port;
    return 0;
}

static bool is_ipv6(struct part part)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr addr;

    if (part.len >= sizeof text)
        return false;
    memcpy(text, part.at, part.len);
    text[part.len] = '\0';
    return inet_pton(AF_INET6, text, &addr) == 1;
}

static bool is_name(struct part part)
{
    for (size_t i = 0; i < part.len; i++)
        if (!cg__ascii_is_letter(part.at[i]) && !cg__ascii_is_digit(part.at[i]) &&
            part.at[i] != '.' && !strchr("-_", part.at[i]))
            return false;
    return part.len <= 255;
}

/* A user and a password are texts: they cannot have a NUL. */
static bool has_nul(struct part part)
{
    for (size_t i = 0; i + 3 <= part.len; i++)
        if (memcmp(part.at + i, "%00", 3) == 0)
            return true;
    return false;
}

static int take_authority(struct authority *into, struct part text, const char **why)
{
    struct part rest = text;
    const char *colon;

    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] == '@') { /* the last one: the host follows it */
            into->has_user = true;
            into->user = (struct part){text.at, i};
            rest = (struct part){text.at + i + 1, text.len - i - 1};
        }
    if (has_nul(into->user))
        return wrong(why, "the user or the password has a NUL (%00)");
    into->literal = rest.len > 0 && rest.at[0] == '[';
    if (into->literal) {
        const char *end = memchr(rest.at, ']', rest.len);
        size_t after;

        if (end == NULL)
            return wrong(why, "the bracket of an IPv6 address is not closed");
        into->host = (struct part){rest.at + 1, (size_t)(end - rest.at) - 1};
        after = rest.len - into->host.len - 2;
        if (!is_ipv6(into->host) || (after > 0 && end[1] != ':'))
            return wrong(why, "the text in brackets is not an IPv6 address");
        return after > 0 ? take_port(into, (struct part){end + 2, after - 1}, why) : 0;
    }
    colon = rest.len > 0 ? memchr(rest.at, ':', rest.len) : NULL;
    into->host = (struct part){rest.at, colon ? (size_t)(colon - rest.at) : rest.len};
    if (into->host.len == 0)
        return wrong(why, "it has no host");
    if (!is_name(into->host))
        return wrong(why, "the host has a character that is not allowed");
    if (is(into->host, "unix")) /* cg_connect would take "unix:80" as a path */
        return wrong(why, "the host must not be called unix");
    return colon
               ? take_port(into,
                           (struct part){colon + 1, rest.len - into->host.len - 1}, why)
               : 0;
}

/* Composes texts one after the other in one block of memory. */
struct pen {
    char *at;
};

static char *begin(struct pen *pen)
{
    return pen->at;
}

static void put(struct pen *pen, struct part part)
{
    if (part.len > 0)
        memcpy(pen->at, part.at, part.len);
    pen->at += part.len;
}

static void put_text(struct pen *pen, const char *text)
{
    put(pen, (struct part){text, strlen(text)});
}

static void put_host(struct pen *pen, const struct cg__url *url, bool literal)
{
    put_text(pen, literal ? "[" : "");
    put_text(pen, url->host);
    put_text(pen, literal ? "]" : "");
}

/* Without printf, which would take a quarter of the time of parsing a URL. */
static void put_port(struct pen *pen, unsigned port)
{
    char digits[8];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + port % 10);
    while ((port /= 10) > 0);
    digits[--at] = ':';
    put(pen, (struct part){digits + at, sizeof digits - at});
}

static void end(struct pen *pen)
{
    *pen->at++ = '\0';
}

static void put_target(struct pen *pen, const struct parts *parts)
{
    if (parts->path.len == 0)
        put_text(pen, "/");
    put(pen, parts->path);
    if (parts->has_query) {
        put_text(pen, "?");
        put(pen, parts->query);
    }
}

/* The URL itself, of which the target is the end. */
static void write_url(struct cg__url *url, struct pen *pen, const struct parts *parts)
{
    url->text = begin(pen);
    put_text(pen, url->scheme);
    put_text(pen, "://");
    put_text(pen, url->hostport);
    url->target = begin(pen);
    put_target(pen, parts);
    end(pen);
}

/* Decodes "name:password". Returns the length of the name, which may have colons then. */
static size_t decode_user(char *user)
{
    char *password = strchr(user, ':');
    size_t len, rest;

    if (password == NULL)
        return cg__http_url_decode(user);
    *password++ = '\0';
    len = cg__http_url_decode(user);
    rest = cg__http_url_decode(password);
    user[len] = ':';
    memmove(user + len + 1, password, rest + 1);
    return len;
}

static void write_texts(struct cg__url *url, const struct parts *parts,
                        const struct authority *authority, unsigned default_port)
{
    struct pen pen = {url->memory};
    char *c = begin(&pen);

    url->host = c;
    put(&pen, authority->host);
    end(&pen);
    for (; *c; c++)
        *c = cg__ascii_lower(*c);
    url->hostport = begin(&pen);
    put_host(&pen, url, authority->literal);
    if (url->port != default_port)
        put_port(&pen, url->port);
    end(&pen);
    url->addr = begin(&pen);
    put_host(&pen, url, authority->literal);
    put_port(&pen, url->port);
    end(&pen);
    write_url(url, &pen, parts);
    if (authority->has_user) {
        url->user = c = begin(&pen);
        put(&pen, authority->user);
        end(&pen);
        url->name_len = decode_user(c);
    }
}

static int check_characters(const char *text, size_t limit, const char **why)
{
    size_t len = 0;

    for (; text[len] != '\0'; len++)
        if ((unsigned char)text[len] <= ' ' || (unsigned char)text[len] >= 0x7f)
            return wrong(why, "it has a blank, a control character or one that is not "
                              "ASCII, which must be written as %XX");
    return len > limit ? wrong(why, "it is too long") : 0;
}

static int assemble(struct cg__url *url, const struct parts *parts,
                    const struct schemes *schemes, const char **why)
{
    const struct scheme *scheme = find_scheme(schemes, parts->scheme);
    struct authority authority = {.port = 0};
    int rc;

    if (scheme == NULL)
        return wrong(why, schemes->wrong);
    url->scheme = scheme->name;
    url->https = strcmp(scheme->name, "https") == 0;
    if (!parts->has_authority)
        return wrong(why, "it has no host");
    rc = take_authority(&authority, parts->authority, why);
    if (rc < 0)
        return rc;
    url->no_path = parts->path.len == 0 && !parts->has_query;
    url->port = authority.port ? authority.port : scheme->port;
    /* Room for the host four times, the rest once, and separators. */
    url->memory = malloc(4 * authority.host.len + authority.user.len + parts->path.len +
                         parts->query.len + 80);
    if (url->memory == NULL)
        return -ENOMEM;
    write_texts(url, parts, &authority, scheme->port);
    return 0;
}

static int parse(struct cg__url *url, const char *text, const struct schemes *schemes,
                 const char **why)
{
    struct parts parts;
    size_t scheme;
    char *whole;
    int rc;

    *url = (struct cg__url){.memory = NULL};
    if (text == NULL || *text == '\0')
        return wrong(why, "it is empty");
    rc = check_characters(text, CG__URL_LIMIT, why);
    if (rc < 0)
        return rc;
    /* "localhost:8080/x" has a host and a port, "mailto:x" has a scheme. */
    scheme = scheme_length(text);
    if (strncmp(text + strcspn(text, ":/?#"), "://", 3) != 0) {
        if (scheme > 0 && !cg__ascii_is_digit(text[scheme + 1]))
            return wrong(why, schemes->wrong);
        whole = malloc(strlen(text) + sizeof "http://");
        if (whole == NULL)
            return -ENOMEM;
        strcat(strcpy(whole, "http://"), text);
        parts = split(whole);
        rc = assemble(url, &parts, schemes, why);
        free(whole);
        return rc;
    }
    parts = split(text);
    return assemble(url, &parts, schemes, why);
}

int cg__http_url_parse(struct cg__url *url, const char *text, const char **why)
{
    return parse(url, text, &of_pages, why);
}

int cg__http_url_parse_proxy(struct cg__url *url, const char *text, const char **why)
{
    return parse(url, text, &of_proxies, why);
}

int cg__http_url_parse_rest(struct cg__url *url, const struct cg__url *origin, const char *rest,
                            char **room, size_t *size, const char **why)
{
    size_t begin = strlen(origin->scheme) + 3 + strlen(origin->hostport);
    struct parts parts = {.has_scheme = true, .has_authority = true};
    struct pen pen;
    int rc = check_characters(rest, CG__URL_LIMIT - begin, why);

    *url = *origin;
    url->memory = NULL;
    if (rc < 0)
        return rc;
    take_path(&parts, rest);
    rc = cg__http_room(room, size, FIRST_ROOM,
                       begin + parts.path.len + parts.query.len + sizeof "/?");
    if (rc < 0)
        return rc;
    pen.at = *room;
    url->no_path = parts.path.len == 0 && !parts.has_query;
    write_url(url, &pen, &parts);
    return 0;
}

size_t cg__http_url_remove_dots(char *path, size_t len)
{
    size_t to = 0, from = 0;

    while (from < len) {
        const char *slash = memchr(path + from + 1, '/', len - from - 1);
        size_t next = slash ? (size_t)(slash - path) : len;
        struct part segment = {path + from, next - from};
        bool up = is(segment, "/..");

        if (up || is(segment, "/.")) {
            while (up && to > 0 && path[--to] != '/')
                ;
            if (next == len)
                path[to++] = '/';
        } else {
            memmove(path + to, segment.at, segment.len);
            to += segment.len;
        }
        from = next;
    }
    return to;
}

/* Merges the path of a reference with the directory of the base. */
static struct part merged(char *buf, struct part base, struct part ref)
{
    struct pen pen = {buf};

    if (ref.len == 0 || ref.at[0] != '/') {
        while (base.len > 0 && base.at[base.len - 1] != '/')
            base.len--;
        put_text(&pen, base.len > 0 ? "" : "/");
        put(&pen, base);
    }
    put(&pen, ref);
    return (struct part){buf, cg__http_url_remove_dots(buf, (size_t)(pen.at - buf))};
}

/* Takes what a reference leaves out from the base (RFC 3986, 5.2.2). */
static void complete(struct parts *ref, const struct parts *base)
{
    if (ref->has_scheme)
        return;
    ref->scheme = base->scheme;
    if (ref->has_authority)
        return;
    ref->has_authority = true;
    ref->authority = base->authority;
    if (ref->path.len > 0)
        return;
    ref->path = base->path;
    if (!ref->has_query) {
        ref->has_query = base->has_query;
        ref->query = base->query;
    }
}

/* Copies a reference: trims its ends and encodes bytes that are invalid in a URL. */
static char *encoded(const char *ref)
{
    char *copy, *to;
    size_t len;

    ref += strspn(ref, " \t");
    len = strlen(ref);
    while (len > 0 && strchr(" \t", ref[len - 1]))
        len--;
    copy = to = malloc(3 * len + 1);
    for (size_t i = 0; copy != NULL && i < len; i++) {
        unsigned char c = (unsigned char)ref[i];

        if (c == ' ' || c > 0x7e)
            to += sprintf(to, "%%%02X", c);
        else
            *to++ = (char)c;
    }
    if (copy != NULL)
        *to = '\0';
    return copy;
}

int cg__http_url_resolve(struct cg__url *url, const struct cg__url *base,
                         const char *ref, const char **why)
{
    char *text = encoded(ref), *path = NULL;
    struct parts parts, from = split(base->text);
    int rc = -ENOMEM;

    *url = (struct cg__url){.memory = NULL};
    if (text == NULL)
        return rc;
    rc = check_characters(text, CG__URL_LIMIT, why);
    if (rc < 0)
        goto free_text;
    parts = split(text);
    path = malloc(from.path.len + parts.path.len + 2);
    rc = -ENOMEM;
    if (path == NULL)
        goto free_text;
    if (parts.path.len > 0)
        parts.path = merged(path, from.path, parts.path);
    complete(&parts, &from);
    rc = assemble(url, &parts, &of_pages, why);
    free(path);
free_text:
    free(text);
    return rc;
}

bool cg__http_url_is_host(const char *text, size_t len)
{
    return strcspn(text, " \t,/?#@\\<>\"") >= len;
}

bool cg__http_url_same_origin(const struct cg__url *a, const struct cg__url *b)
{
    return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

void cg__http_url_free(struct cg__url *url)
{
    free(url->memory);
    *url = (struct cg__url){.memory = NULL};
}

size_t cg__http_url_decode(char *text)
{
    char *to = text, *from = text;

    for (; *from != '\0'; to++) {
        int high = *from == '%' ? cg__ascii_hex(from[1]) : -1;
        int low = high >= 0 ? cg__ascii_hex(from[2]) : -1;

        if (low >= 0 && high + low != 0) {
            *to = (char)(high * 16 + low);
            from += 3;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
    return (size_t)(to - text);
}
