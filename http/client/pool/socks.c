/* SPDX-License-Identifier: MIT */
/* See socks.h. Exactly the bytes of each reply are read: those after the last one
 * belong to the server. */
#include "config.h"

#include "http/client/pool/socks.h"
#include "http/client/wait.h"
#include "http/client/why.h"

#include <cogen/resolve.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SOCKS5 = 5,
    AUTH_VERSION = 1,
    OPEN = 0,     /* method: no password */
    PASSWORD = 2, /* method: user and password */
    CONNECT = 1,
    IPV4 = 1,
    NAME = 3,
    IPV6 = 4,
    MOST = 255, /* bytes of a user, a password or a name */
};

struct talk {
    struct cg_sock *sock;
    const struct cg__url *proxy;
    int64_t deadline;
    char *why;
};

static ssize_t failed(const struct talk *talk, ssize_t code)
{
    cg__http_client_because(talk->why, code, "the proxy %s: %s", talk->proxy->addr,
                            code == CG_EOF       ? "it closed the connection"
                            : code == -ETIMEDOUT ? "it takes too long to respond"
                                                 : cg_strerror(code));
    return cg__http_client_why_proxy(code);
}

static ssize_t refused(const struct talk *talk, const char *text)
{
    return cg__http_client_because(talk->why, CG_EHTTP_PROXY, "the proxy %s: %s",
                                   talk->proxy->addr, text);
}

static ssize_t send_bytes(const struct talk *talk, const void *data, size_t len)
{
    ssize_t n = cg_yield(cg_writeall(talk->sock, data, len, .timeout = CG_NEVER,
                                     .deadline = talk->deadline));

    return n < 0 ? failed(talk, n) : 0;
}

static ssize_t read_bytes(const struct talk *talk, void *buf, size_t len)
{
    ssize_t n = cg_yield(cg_readall(talk->sock, buf, len, .timeout = CG_NEVER,
                                    .deadline = talk->deadline));

    return n < 0 ? failed(talk, n) : 0;
}

/* Offers our methods, and stores the one that the proxy chose. */
static ssize_t greet(const struct talk *talk, unsigned char *method)
{
    const unsigned char hello[] = {SOCKS5, talk->proxy->user ? 2 : 1, OPEN, PASSWORD};
    unsigned char reply[2];
    ssize_t n = send_bytes(talk, hello, hello[1] + 2u);

    if (n == 0)
        n = read_bytes(talk, reply, sizeof reply);
    if (n < 0)
        return n;
    if (reply[0] != SOCKS5)
        return refused(talk, "it does not speak SOCKS5");
    *method = reply[1];
    if (*method == OPEN || (*method == PASSWORD && talk->proxy->user != NULL))
        return 0;
    return refused(talk, talk->proxy->user ? "it accepts no user and password"
                                           : "it wants a user and a password");
}

static unsigned char *put_text(unsigned char *to, const char *text, size_t len)
{
    *to = (unsigned char)len;
    memcpy(to + 1, text, len);
    return to + 1 + len;
}

static ssize_t authenticate(const struct talk *talk)
{
    const char *user = talk->proxy->user;
    size_t user_len = talk->proxy->name_len;
    const char *password = user + user_len + (user[user_len] == ':');
    unsigned char message[3 + 2 * MOST] = {AUTH_VERSION}, reply[2];
    ssize_t n;

    if (user_len > MOST || strlen(password) > MOST)
        return refused(talk, "the user or the password is longer than 255 bytes");
    n = send_bytes(talk, message,
                   (size_t)(put_text(put_text(message + 1, user, user_len), password,
                                     strlen(password)) -
                            message));
    if (n == 0)
        n = read_bytes(talk, reply, sizeof reply);
    if (n == 0 && (reply[0] != AUTH_VERSION || reply[1] != 0))
        n = refused(talk, "it refuses the user or the password");
    return n;
}

/* Writes the type and an address of the host. Returns the end; NULL: it is none. */
static unsigned char *put_address(unsigned char *to, const char *host)
{
    if (inet_pton(AF_INET, host, to + 1) == 1) {
        *to = IPV4;
        return to + 1 + sizeof(struct in_addr);
    }
    if (inet_pton(AF_INET6, host, to + 1) == 1) {
        *to = IPV6;
        return to + 1 + sizeof(struct in6_addr);
    }
    return NULL;
}

/* Looks a name up, and writes it as an address into text. The proxy gets one address only:
 * one of IPv4, which more proxies can reach, if there is any. */
static ssize_t resolve(const struct talk *talk, const char *host,
                       char text[INET6_ADDRSTRLEN])
{
    struct cg_addr_list *list = malloc(sizeof *list);
    const struct cg_addr *addr;
    ssize_t n = list != NULL
                    ? cg_yield(cg_resolve(host, NULL, list, .timeout = CG_NEVER,
                                          .deadline = talk->deadline))
                    : -ENOMEM;

    if (n >= 0) {
        addr = &list->addrs[0];
        for (int i = 0; i < list->count && addr->base.sa_family != AF_INET; i++)
            if (list->addrs[i].base.sa_family == AF_INET)
                addr = &list->addrs[i];
        inet_ntop(addr->base.sa_family,
                  addr->base.sa_family == AF_INET6 ? (const void *)&addr->in6.sin6_addr
                                                   : (const void *)&addr->in.sin_addr,
                  text, INET6_ADDRSTRLEN);
    }
    free(list);
    return n < 0 ? cg__http_client_because(talk->why, n, "%s: %s", host, cg_strerror(n))
                 : 0;
}

static ssize_t request(const struct talk *talk, const struct cg__url *to)
{
    unsigned char message[8 + MOST] = {SOCKS5, CONNECT},
                              *end = put_address(message + 3, to->host);
    char text[INET6_ADDRSTRLEN];

    if (end == NULL && strcmp(talk->proxy->scheme, "socks5h") == 0) {
        message[3] = NAME; /* the names of URLs have at most 255 bytes */
        end = put_text(message + 4, to->host, strlen(to->host));
    } else if (end == NULL) {
        ssize_t n = resolve(talk, to->host, text);

        if (n < 0)
            return n;
        end = put_address(message + 3, text);
    }
    *end++ = (unsigned char)(to->port >> 8);
    *end++ = (unsigned char)to->port;
    return send_bytes(talk, message, (size_t)(end - message));
}

static ssize_t read_reply(const struct talk *talk)
{
    static const char *const texts[] = {
        NULL,
        "it failed",
        "its rules do not allow this connection",
        "the network is unreachable",
        "the host is unreachable",
        "the server refused the connection",
        "the time to live has expired",
        "it does not know how to connect",
        "it does not know this type of address",
    };
    unsigned char head[4], rest[MOST + 2];
    ssize_t n = read_bytes(talk, head, sizeof head);
    size_t len = 0;

    if (n < 0)
        return n;
    if (head[0] != SOCKS5)
        return refused(talk, "it does not speak SOCKS5");
    if (head[1] != 0)
        return refused(talk, head[1] < sizeof texts / sizeof *texts
                                 ? texts[head[1]]
                                 : "it refuses for an unknown reason");
    if (head[3] == NAME) {
        n = read_bytes(talk, rest, 1);
        len = rest[0];
    } else if (head[3] == IPV4 || head[3] == IPV6) {
        len = head[3] == IPV4 ? sizeof(struct in_addr) : sizeof(struct in6_addr);
    } else {
        return refused(talk, "its reply has an unknown type of address");
    }
    return n < 0 ? n : read_bytes(talk, rest, len + 2); /* with the port */
}

ssize_t cg__http_client_pool_socks(struct cg_sock *sock, const struct cg__url *proxy,
                                   const struct cg__url *to, struct cg_http_client *client,
                                   char *why)
{
    struct talk talk = {
        .sock = sock,
        .proxy = proxy,
        .deadline = cg__http_client_wait_end(client, client->options.connect_timeout),
        .why = why,
    };
    unsigned char method = OPEN;
    ssize_t n = greet(&talk, &method);

    if (n == 0 && method == PASSWORD)
        n = authenticate(&talk);
    if (n == 0)
        n = request(&talk, to);
    return n < 0 ? n : read_reply(&talk);
}
