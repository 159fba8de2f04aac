/* SPDX-License-Identifier: MIT */
/* See http_small.h. Strict on purpose: what two readers could understand differently (a
 * bare LF, a folded line, a second Content-Length) is refused, not guessed at. */
#include "http_small.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_token(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

/* May stand in a URL: printable ASCII, and no space. */
static bool is_visible(char c)
{
    return c > ' ' && c < '\x7f';
}

/* The length of a line without its CR LF; -1 if it does not end so, or if it has
 * control characters inside. */
static int line_length(const char *line, size_t length)
{
    if (length < 2 || length >= HTTP_LINE_SIZE ||
        memcmp(line + length - 2, "\r\n", 2) != 0)
        return -1;
    length -= 2;
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == '\x7f')
            return -1;
    return (int)length;
}

/* "HTTP/1.1": 0, or the status that refuses it. */
static int version(struct http_head *head, const char *text)
{
    if (strncmp(text, "HTTP/", 5) != 0 || !is_digit(text[5]) || text[6] != '.' ||
        !is_digit(text[7]))
        return 400;
    head->minor = text[7] - '0';
    return text[5] == '1' ? 0 : 505;
}

/* "GET /path HTTP/1.1", or with the target in the form for proxies, "http://host/path".
 */
int http_request_line(struct http_head *head, const char *line, size_t length)
{
    int end = line_length(line, length), method = 0, size = 0;
    const char *target;

    if (end < 0)
        return 400;
    while (is_token(line[method]))
        method++;
    if (method == 0 || method >= (int)sizeof head->method || line[method] != ' ')
        return 400;
    target = line + method + 1;
    while (is_visible(target[size]) && target[size] != '#')
        size++;
    if (size == 0 || target[size] != ' ' || target + size + 9 != line + end)
        return 400;
    if (strncasecmp(target, "http://", 7) == 0) {
        int host = 7 + (int)strcspn(target + 7, "/? ");

        target += host;
        size -= host;
    } else if (*target != '/') {
        return 400;
    }
    head->size = length;
    snprintf(head->method, sizeof head->method, "%.*s", method, line);
    snprintf(head->target, sizeof head->target, "%s%.*s", *target == '/' ? "" : "/",
             size, target);
    return version(head, target + size + 1);
}

/* "HTTP/1.1 200 OK"; the text at the end may be missing. */
int http_status_line(struct http_head *head, const char *line, size_t length)
{
    int end = line_length(line, length), refused;

    if (end < 12)
        return 400;
    refused = version(head, line);
    if (refused)
        return refused;
    if (line[8] != ' ' || line[9] < '1' || line[9] > '5' || !is_digit(line[10]) ||
        !is_digit(line[11]) || (end > 12 && line[12] != ' '))
        return 400;
    head->size = length;
    head->status = atoi(line + 9);
    return 0;
}

/* ---- Header fields ----------------------------------------------------------------
 */

static bool is_field(const char *line, const char *name)
{
    size_t length = strlen(name);

    return strncasecmp(line, name, length) == 0 && line[length] == ':';
}

/* Whether a comma-separated list has this word. */
static bool has_word(const char *value, int size, const char *word)
{
    const char *end = value + size;

    while (value < end) {
        int skip = (int)strspn(value, ", \t"), length;

        value += skip;
        length = (int)strcspn(value, ", \t\r");
        if (length == (int)strlen(word) && strncasecmp(value, word, length) == 0)
            return true;
        value += length + (length == 0);
    }
    return false;
}

static int content_length(struct http_head *head, const char *value, int size)
{
    if (head->has_length || size == 0 || size > 18)
        return 400;
    for (int i = 0; i < size; i++) {
        if (!is_digit(value[i]))
            return 400;
        head->length = 10 * head->length + (value[i] - '0');
    }
    head->has_length = true;
    return HTTP_MORE;
}

static int known_field(struct http_head *head, const char *line, const char *value,
                       int size)
{
    if (is_field(line, "Content-Length"))
        return content_length(head, value, size);
    if (is_field(line, "Transfer-Encoding"))
        return 501;
    if (is_field(line, "Connection")) {
        head->close |= has_word(value, size, "close");
        head->keep_alive |= has_word(value, size, "keep-alive");
    } else if (is_field(line, "Host")) {
        if (head->has_host)
            return 400;
        head->has_host = true;
    } else if (is_field(line, "Location")) {
        snprintf(head->location, sizeof head->location, "%.*s", size, value);
    }
    return HTTP_MORE;
}

int http_field(struct http_head *head, const char *line, size_t length)
{
    int end = line_length(line, length), name = 0, start;

    if (end < 0)
        return 400;
    if (end == 0) /* every HTTP/1.1 request names its host */
        return head->method[0] && head->minor > 0 && !head->has_host ? 400 : HTTP_END;
    head->size += length;
    if (++head->fields > HTTP_FIELDS_MAX || head->size > HTTP_HEAD_SIZE)
        return 431;
    while (is_token(line[name]))
        name++;
    if (name == 0 || line[name] != ':')
        return 400;
    start = name + 1;
    while (start < end && (line[start] == ' ' || line[start] == '\t'))
        start++;
    while (end > start && (line[end - 1] == ' ' || line[end - 1] == '\t'))
        end--;
    return known_field(head, line, line + start, end - start);
}

bool http_keeps_alive(const struct http_head *head)
{
    return !head->close && (head->minor > 0 || head->keep_alive);
}

/* ---- Paths and URLs ---------------------------------------------------------------
 */

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *at;

    if (c >= 'A' && c <= 'F')
        c += 'a' - 'A';
    at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

bool http_path(const char *target, char *path, size_t size)
{
    char *out = path, *end = path + size - 1;

    for (; *target && *target != '?'; target++) {
        int c = *target;

        if (c == '%') {
            int high = hex(target[1]), low = high < 0 ? -1 : hex(target[2]);

            if (low < 0 || (c = 16 * high + low) == 0)
                return false;
            target += 2;
        }
        if (out == end)
            return false;
        *out++ = (char)c;
    }
    *out = '\0';
    return path[0] == '/';
}

const char *http_url(struct http_url *url, const char *text)
{
    const char *host = text + 7, *port, *rest, *end;
    int length, digits;

    for (const char *c = text; *c; c++)
        if (!is_visible(*c))
            return "a URL has no spaces or control characters, and only ASCII";
    if (strncasecmp(text, "https://", 8) == 0)
        return "https needs TLS, which this small client does not know";
    if (strncasecmp(text, "http://", 7) != 0)
        return "not a URL that begins with http://";
    rest = host + strcspn(host, "/?#");
    if (memchr(host, '@', rest - host))
        return "user names in URLs are not supported";
    end = *host == '[' ? memchr(host, ']', rest - host) : NULL;
    if (*host == '[' && !end)
        return "the address has no closing bracket";
    port = (end ? end : host) + strcspn(end ? end : host, ":/?#");
    length = (int)(port - host);
    if (length == 0 || length > 255 || (end && port != end + 1))
        return "the host is missing or no host";
    digits = *port == ':' ? (int)(rest - port - 1) : 0;
    if (digits > 5 || (digits > 0 && (int)strspn(port + 1, "0123456789") < digits) ||
        (digits > 0 && (atoi(port + 1) < 1 || atoi(port + 1) > 65535)))
        return "the port is not a number from 1 to 65535";
    end = rest + strcspn(rest, "#");
    if (end - rest >= HTTP_LINE_SIZE - 64)
        return "too long";
    snprintf(url->addr, sizeof url->addr, "%.*s:%.*s", length, host,
             digits ? digits : 2, digits ? port + 1 : "80");
    snprintf(url->host, sizeof url->host, "%.*s", digits ? length + 1 + digits : length,
             host);
    snprintf(url->target, sizeof url->target, "%s%.*s", *rest == '/' ? "" : "/",
             (int)(end - rest), rest);
    return NULL;
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } known[] = {
        {200, "OK"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {414, "URI Too Long"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == status)
            return known[i].reason;
    return "(an unusual status)";
}
