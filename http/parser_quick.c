/* SPDX-License-Identifier: MIT */
/* The usual request at one go: a GET or HEAD of a plain path, whole, with nothing in its head
 * that needs thought. Whatever else is there, or is not clearly in order, is llhttp's: what is
 * understood here is a part of what llhttp accepts, and is understood as llhttp does it. That
 * a head costs a fifth of the time is why it is here. */
#include "config.h"

#include "http/parser.h"

enum { NAME = 1, TARGET = 2, HOST = 4 };

/* What a byte may stand in, from the blank on; there are none above ASCII. */
static const unsigned char places[256] = {
    [0x20] = 0, 7, 0, 1, 7, 7, 7, 7, 6, 6, 7, 7, 2, 7, 7, 2,
    [0x30] = 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 0, 6, 0, 2,
    [0x40] = 2, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    [0x50] = 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 4, 0, 4, 5, 7,
    [0x60] = 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    [0x70] = 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 4, 5, 4, 7, 0,
};

struct scan {
    const char *data, *at, *end;
    struct cg__http_parser *parser;
    uint32_t bytes; /* of names and values, for the limit */
    uint32_t hosts;
};

static bool is(char c, int place)
{
    return (places[(unsigned char)c] & place) != 0;
}

static const char *skip(const char *at, const char *end, int place)
{
    while (at < end && is(*at, place))
        at++;
    return at;
}

/* The first byte that may not stand in a value, or only with thought. Eight at a time: the
 * top bit of a byte gets set where it is below ' ', DEL or above; or, which does no harm, of
 * one behind such a byte. */
static const char *skip_value(const char *at, const char *end)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t word;

    for (; end - at >= (ptrdiff_t)sizeof word; at += sizeof word) {
        memcpy(&word, at, sizeof word);
        if (((word - ' ' * ones) | (word + ones) | word) & 0x80 * ones)
            break;
    }
    while (at < end && ((*at >= ' ' && *at < 0x7f) || *at == '\t'))
        at++;
    return at;
}

/* Whether a name is this one, which is in small letters. (Where only letters and "-" are
 * asked for, bytes of a name have no other way to become them.) */
static bool same(const char *name, const char *small, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((name[i] | 0x20) != small[i])
            return false;
    return true;
}

/* The fields that change what the message is. False: llhttp is to judge. */
static bool is_plain(struct scan *scan, const char *name, size_t size, const char *value,
                     const char *end)
{
    switch (size) {
    case 4:
        if (same(name, "host", 4)) {
            scan->hosts++;
            return skip(value, end, HOST) == end;
        }
        return true;
    case 7:
        return !same(name, "upgrade", 7);
    case 10:
        return !same(name, "connection", 10) ||
               (end - value == 10 && same(value, "keep-alive", 10));
    case 14:
        return !same(name, "content-length", 14);
    case 16:
        return !same(name, "proxy-connection", 16);
    case 17:
        return !same(name, "transfer-encoding", 17);
    default:
        return true;
    }
}

/* A line of the head, with its end. */
static bool scan_field(struct scan *scan)
{
    const char *name = scan->at, *colon = skip(name, scan->end, NAME), *value, *end;
    struct cg_http_headers *headers = scan->parser->headers;

    if (colon == name || colon == scan->end || *colon != ':')
        return false;
    value = colon + 1;
    while (value < scan->end && (*value == ' ' || *value == '\t'))
        value++;
    end = skip_value(value, scan->end);
    if (scan->end - end < 2 || end[0] != '\r' || end[1] != '\n')
        return false;
    scan->at = end + 2;
    scan->bytes += (uint32_t)(colon - name + (end - value));
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return is_plain(scan, name, (size_t)(colon - name), value, end) &&
           cg__http_entry_push(headers,
                               (struct cg__http_entry){
                                   .name = (uint32_t)(name - scan->data),
                                   .name_len = (uint32_t)(colon - name),
                                   .value = (uint32_t)(value - scan->data),
                                   .value_len = (uint32_t)(end - value),
                               }) == 0;
}

/* Up to the end of the blank line. */
static bool scan_head(struct scan *scan)
{
    static const char version[] = " HTTP/1.1\r\n";
    struct cg__http_parser *parser = scan->parser;
    const struct cg__http_limits *limits = parser->limits;
    size_t size = sizeof version - 1;
    const char *target;

    if (scan->end - scan->at < 16)
        return false;
    parser->code = memcmp(scan->at, "GET ", 4) == 0 ? HTTP_GET : HTTP_HEAD;
    if (parser->code == HTTP_HEAD && memcmp(scan->at, "HEAD ", 5) != 0)
        return false;
    target = scan->at + (parser->code == HTTP_GET ? 4 : 5);
    scan->at = skip(target, scan->end, TARGET);
    if (*target != '/' || (size_t)(scan->end - scan->at) < size ||
        memcmp(scan->at, version, size) != 0)
        return false;
    parser->text = (uint32_t)(target - scan->data);
    parser->text_size = (uint32_t)(scan->at - target);
    scan->at += size;
    while (scan->at < scan->end && *scan->at != '\r')
        if (!scan_field(scan))
            return false;
    if (scan->end - scan->at < 2 || scan->at[1] != '\n')
        return false;
    scan->at += 2;
    return scan->hosts == 1 && parser->text_size <= limits->target &&
           scan->bytes <= limits->headers && parser->headers->count <= limits->count;
}

/* One copy of the head is all texts at once: each gets its NUL where its end was. */
static bool take_texts(struct cg_http_headers *headers, const char *data, size_t size,
                       uint32_t target_end)
{
    if (cg__http_text(headers, data, size) < 0)
        return false;
    headers->data[target_end] = '\0';
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct cg__http_entry *entry = cg__http_entry(headers, i);

        headers->data[entry->name + entry->name_len] = '\0';
        headers->data[entry->value + entry->value_len] = '\0';
    }
    return true;
}

bool cg__http_parse_quick(struct cg__http_parser *parser, const char *data, size_t size,
                          size_t *used)
{
    struct scan scan = {.data = data, .at = data, .end = data + size, .parser = parser};
    struct cg_http_headers *headers = parser->headers;

    if (headers->used != 0 || headers->count != 0)
        return false;
    if (size > UINT32_MAX / 2 || !scan_head(&scan) ||
        !take_texts(headers, data, (size_t)(scan.at - data),
                    parser->text + parser->text_size)) {
        headers->used = headers->count = 0;
        parser->text = parser->text_size = 0;
        return false;
    }
    parser->method = parser->code == HTTP_GET ? "GET" : "HEAD";
    parser->minor = 1;
    parser->keep_alive = true;
    parser->begun = parser->complete = true;
    *used = (size_t)(scan.at - data);
    return true;
}
