/* SPDX-License-Identifier: MIT */
/* See proxy_header.h. The format is HAProxy's proxy-protocol.txt. */
#include "config.h"

#include "http/http1/proxy_header.h"
#include "lib/base/ascii.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum {
    LINE_LIMIT = 107,  /* bytes of a header of version 1, with its CRLF */
    V2_HEAD = 16,      /* bytes of version 2 before the addresses */
    V2_LOCAL = 0x20,   /* version and command */
    V2_PROXY = 0x21,
    V2_UNSPEC = 0x00,  /* address family and protocol */
    V2_TCP4 = 0x11,
    V2_TCP6 = 0x21,
    V2_UNIX = 0x31,
};

static const char line_start[] = "PROXY ";
static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

/* Cuts the next word off a line: it ends at one blank, or at the end of the line. */
static const char *next_word(char **line)
{
    char *word = *line, *blank = word != NULL ? strchr(word, ' ') : NULL;

    *line = blank != NULL ? blank + 1 : NULL;
    if (blank != NULL)
        *blank = '\0';
    return word;
}

static bool is_port(const char *word)
{
    uint64_t number;

    return cg__ascii_is_number(word, &number) && number <= 65535 &&
           (word[0] != '0' || word[1] == '\0');
}

static bool is_address(int family, const char *word)
{
    unsigned char bytes[16];

    return word != NULL && inet_pton(family, word, bytes) == 1;
}

/* Parses "TCP4 192.0.2.1 192.0.2.2 56324 443", which it changes. */
static bool parse_line(char *line, char *client)
{
    const char *kind = next_word(&line), *from, *to, *from_port, *to_port;
    int family = kind != NULL && strcmp(kind, "TCP6") == 0 ? AF_INET6 : AF_INET;

    if (kind != NULL && strcmp(kind, "UNKNOWN") == 0)
        return true; /* what follows means nothing */
    if (kind == NULL || (family == AF_INET && strcmp(kind, "TCP4") != 0))
        return false;
    from = next_word(&line);
    to = next_word(&line);
    from_port = next_word(&line);
    to_port = next_word(&line);
    if (!is_address(family, from) || !is_address(family, to) || !is_port(from_port) ||
        !is_port(to_port) || line != NULL)
        return false;
    strcpy(client, from);
    return true;
}

static ssize_t parse_v1(const char *data, size_t len, char *client)
{
    size_t most = len < LINE_LIMIT ? len : LINE_LIMIT, start = sizeof line_start - 1;
    const char *end = memchr(data, '\n', most);
    char line[LINE_LIMIT];

    if (end == NULL)
        return len < LINE_LIMIT ? 0 : -EPROTO;
    if (end[-1] != '\r' || memchr(data, '\0', (size_t)(end - data)) != NULL)
        return -EPROTO;
    memcpy(line, data + start, (size_t)(end - 1 - data) - start);
    line[(size_t)(end - 1 - data) - start] = '\0';
    return parse_line(line, client) ? end + 1 - data : -EPROTO;
}

static ssize_t parse_v2(const char *data, size_t len, char *client)
{
    const unsigned char *head = (const unsigned char *)data;
    size_t rest, need;

    if (len < V2_HEAD)
        return 0;
    rest = (size_t)head[14] << 8 | head[15];
    if ((head[12] != V2_LOCAL && head[12] != V2_PROXY) ||
        V2_HEAD + rest > CG__PROXY_HEADER_LIMIT)
        return -EPROTO;
    need = head[12] == V2_LOCAL ? 0
           : head[13] == V2_TCP4 ? 12
           : head[13] == V2_TCP6 ? 36
           : head[13] == V2_UNIX ? 216
                                 : 0;
    if (rest < need || (need == 0 && head[12] == V2_PROXY && head[13] != V2_UNSPEC))
        return -EPROTO;
    if (len < V2_HEAD + rest)
        return 0;
    if (need == 216)
        strcpy(client, "unix");
    else if (need > 0)
        inet_ntop(need == 12 ? AF_INET : AF_INET6, data + V2_HEAD, client,
                  CG__PROXY_HEADER_CLIENT);
    return (ssize_t)(V2_HEAD + rest);
}

/* Whether the bytes begin as a text does, as far as they have come. */
static bool begins(const char *data, size_t len, const char *text, size_t text_len)
{
    return memcmp(data, text, len < text_len ? len : text_len) == 0;
}

ssize_t cg__http_proxy_header_parse(const char *data, size_t len,
                                    char client[static CG__PROXY_HEADER_CLIENT])
{
    *client = '\0';
    if (len == 0)
        return 0;
    if (begins(data, len, line_start, sizeof line_start - 1))
        return parse_v1(data, len, client);
    if (begins(data, len, signature, sizeof signature - 1))
        return parse_v2(data, len, client);
    return -EPROTO;
}
