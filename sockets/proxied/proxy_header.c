/* SPDX-License-Identifier: MIT */
/* See proxy_header.h. The format is HAProxy's proxy-protocol.txt. */
#include "config.h"

#include "sockets/proxied/proxy_header.h"

#include "lib/base/ascii.h"
#include "lib/base/network.h"
#include "sockets/resolve/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    LINE_LIMIT = 107,  /* bytes of a header of version 1, with its CRLF */
    V2_HEAD = CG__PROXY_HEADER_V2, /* bytes of version 2 before the addresses */
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

static bool read_address(int family, const char *word, unsigned char bytes[16])
{
    return word != NULL && inet_pton(family, word, bytes) == 1;
}

/* Writes the client as cg_sock_peer_addr does: a spelling of one's own is nobody else. The port is
 * in network byte order. */
static void print_client(char *client, int family, const unsigned char *bytes, in_port_t port)
{
    struct cg_addr addr = {.len = sizeof addr.in};

    if (family == AF_INET) {
        addr.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
        memcpy(&addr.in.sin_addr, bytes, sizeof addr.in.sin_addr);
    } else {
        addr.len = sizeof addr.in6;
        addr.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
        memcpy(&addr.in6.sin6_addr, bytes, sizeof addr.in6.sin6_addr);
    }
    cg__addr_print(&addr.base, addr.len, client, CG_ADDR_SIZE);
}

/* Parses "TCP4 192.0.2.1 192.0.2.2 56324 443", which it changes. */
static bool parse_line(char *line, char *client)
{
    const char *kind = next_word(&line), *from, *to, *from_port, *to_port;
    int family = kind != NULL && strcmp(kind, "TCP6") == 0 ? AF_INET6 : AF_INET;
    unsigned char client_bytes[16], server_bytes[16];
    uint64_t port = 0;

    if (kind != NULL && strcmp(kind, "UNKNOWN") == 0)
        return true; /* what follows means nothing */
    if (kind == NULL || (family == AF_INET && strcmp(kind, "TCP4") != 0))
        return false;
    from = next_word(&line);
    to = next_word(&line);
    from_port = next_word(&line);
    to_port = next_word(&line);
    if (!read_address(family, from, client_bytes) || !read_address(family, to, server_bytes) ||
        !is_port(from_port) || !is_port(to_port) || line != NULL)
        return false;
    cg__ascii_is_number(from_port, &port);
    print_client(client, family, client_bytes, htons((in_port_t)port));
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

/* The client of the addresses and ports in version 2. */
static void print_ends(char *client, const unsigned char *ends, bool v6)
{
    in_port_t port;

    memcpy(&port, ends + (v6 ? 32 : 8), sizeof port);
    print_client(client, v6 ? AF_INET6 : AF_INET, ends, port);
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
        strcpy(client, "unix:");
    else if (need > 0)
        print_ends(client, head + V2_HEAD, need == 36);
    return (ssize_t)(V2_HEAD + rest);
}

/* Whether the bytes begin as a text does, as far as they have come. */
static bool begins(const char *data, size_t len, const char *text, size_t text_len)
{
    return memcmp(data, text, len < text_len ? len : text_len) == 0;
}

ssize_t cg__proxy_header_parse(const char *data, size_t len,
                                    char client[static CG_ADDR_SIZE])
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

/* One end of a connection. */
struct end {
    struct cg__network_address addr;
    unsigned port;
};

/* Reads "192.0.2.1:443" or "[2001:db8::1]:443". False: it is another address, or NULL. */
static bool read_end(struct end *end, const char *text)
{
    const char *port = text != NULL ? strrchr(text, ':') : NULL;
    char host[CG_ADDR_SIZE];
    uint64_t number;

    if (port == NULL || strlen(text) >= sizeof host || strncmp(text, "unix:", 5) == 0 ||
        !cg__ascii_is_number(port + 1, &number) || number > 65535)
        return false;
    end->port = (unsigned)number;
    cg__network_host(strcpy(host, text));
    return cg__network_address(&end->addr, host, strlen(host));
}

/* Makes an IPv4 address the IPv6 address that stands for it. */
static void map(struct cg__network_address *addr)
{
    static const unsigned char prefix[12] = {[10] = 0xff, [11] = 0xff};

    if (addr->bits == 128)
        return;
    memmove(addr->bytes + sizeof prefix, addr->bytes, 4);
    memcpy(addr->bytes, prefix, sizeof prefix);
    addr->bits = 128;
}

static size_t make_v1(char *header, const struct end ends[2], bool known)
{
    char hosts[2][INET6_ADDRSTRLEN];
    bool v6 = known && ends[0].addr.bits == 128;

    if (!known)
        return (size_t)snprintf(header, CG__PROXY_HEADER_MADE, "PROXY UNKNOWN\r\n");
    for (int i = 0; i < 2; i++)
        inet_ntop(v6 ? AF_INET6 : AF_INET, ends[i].addr.bytes, hosts[i], sizeof hosts[i]);
    return (size_t)snprintf(header, CG__PROXY_HEADER_MADE, "PROXY TCP%d %s %s %u %u\r\n",
                            v6 ? 6 : 4, hosts[0], hosts[1], ends[0].port, ends[1].port);
}

static size_t make_v2(char *header, const struct end ends[2], bool known, bool own)
{
    size_t each = known ? ends[0].addr.bits / 8 : 0, rest = known ? 2 * each + 4 : 0;
    char *to = header + V2_HEAD;

    memcpy(header, signature, sizeof signature - 1);
    header[12] = own ? V2_LOCAL : V2_PROXY;
    header[13] = !known ? V2_UNSPEC : each == 4 ? V2_TCP4 : V2_TCP6;
    header[14] = 0;
    header[15] = (char)rest;
    for (int i = 0; i < 2 && known; i++) {
        memcpy(to + (size_t)i * each, ends[i].addr.bytes, each);
        to[2 * each + 2 * (size_t)i] = (char)(ends[i].port >> 8);
        to[2 * each + 2 * (size_t)i + 1] = (char)(ends[i].port & 0xff);
    }
    return V2_HEAD + rest;
}

size_t cg__proxy_header_make(char header[static CG__PROXY_HEADER_MADE], unsigned version,
                             const char *client, const char *server)
{
    struct end ends[2];
    bool known = read_end(&ends[0], client) && read_end(&ends[1], server);

    if (known && ends[0].addr.bits != ends[1].addr.bits) {
        map(&ends[0].addr);
        map(&ends[1].addr);
    }
    return version == 1 ? make_v1(header, ends, known)
                        : make_v2(header, ends, known, client == NULL);
}
