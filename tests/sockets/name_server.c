/* SPDX-License-Identifier: MIT */
/* A name server for tests: see name_server.h. */
#include "config.h"

#include "tests/sockets/name_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEADER = 12,
    TYPE_A = 1,
    TYPE_CNAME = 5,
    TYPE_PTR = 12,
    TYPE_TXT = 16,
    TYPE_AAAA = 28,
    TYPE_SRV = 33,
    SERVFAIL = 2,
    NXDOMAIN = 3,
    HELD_MOST = 512,
};

struct query {
    unsigned char data[512];
    size_t size; /* up to the end of the question */
    int type;
    char name[256];
    struct sockaddr_in from;
};

struct name_server {
    int fd, stream, control[2];
    pthread_t thread;
    pthread_mutex_t lock; /* protects the next two */
    unsigned questions;
    bool ports[65536];
    bool released;
    int held;
    struct query hold[HELD_MOST];
};

/* Returns whether the message is a query. */
static bool read_query(struct query *query, size_t size)
{
    size_t at = HEADER, length = 0;

    while (at < size && query->data[at] > 0) {
        size_t label = query->data[at];

        if (label > 63 || at + 1 + label >= size)
            return false;
        if (length > 0)
            query->name[length++] = '.';
        memcpy(query->name + length, query->data + at + 1, label);
        length += label;
        at += 1 + label;
    }
    query->name[length] = '\0';
    if (at + 5 > size)
        return false;
    query->type = query->data[at + 1] << 8 | query->data[at + 2];
    query->size = at + 5;
    return true;
}

static bool begins(const struct query *query, const char *with)
{
    return strncmp(query->name, with, strlen(with)) == 0;
}

static bool is_v4(const struct query *query)
{
    return begins(query, "v4.") || begins(query, "both.") || begins(query, "held.") ||
           begins(query, "cut.") || begins(query, "half.") ||
           strstr(query->name, ".corp.example") != NULL;
}

static size_t add_answer(unsigned char *to, int type, const void *addr, size_t size)
{
    const unsigned char head[] = {0xc0, HEADER, 0, (unsigned char)type, 0, 1, 0, 0,
                                  0,    60,     0, (unsigned char)size};

    memcpy(to, head, sizeof head);
    memcpy(to + sizeof head, addr, size);
    return sizeof head + size;
}

/* Adds an alias that lives for 0 seconds, and the address behind it. */
static size_t add_alias(unsigned char *reply, size_t at, const struct in_addr *in)
{
    size_t next = at + add_answer(reply + at, TYPE_CNAME, "\002v4\004test", 9);

    reply[at + 9] = 0;
    add_answer(reply + next, TYPE_A, in, sizeof *in);
    reply[next + 1] = (unsigned char)(next - 9); /* of the alias's target */
    return next + 16;
}

static const struct record {
    const char *begin; /* of the names that have it */
    int type;
    unsigned char size, data[20];
} records[] = {
    {"srv.", TYPE_SRV, 14, "\0\012\0\0\0\121\001b\004test"},
    {"srv.", TYPE_SRV, 14, "\0\005\0\074\0\120\001a\004test"},
    {"srv.", TYPE_SRV, 14, "\0\005\0\074\0\120\001/\004test"},
    {"srv.", TYPE_SRV, 7, "\0\005\0\074\0\120"},
    {"not.", TYPE_SRV, 7, "\0\0\0\0\0"},
    {"txt.", TYPE_TXT, 4, "\003one"},
    {"txt.", TYPE_TXT, 12, "\004two \000\005parts"},
    {"4.0.0.127.in-addr.arpa", TYPE_PTR, 9, "\002v4\004test"},
    {"6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", TYPE_PTR, 9,
     "\002v6\004test"},
};

static bool has(const struct query *query, const struct record *record)
{
    return begins(query, record->begin) ||
           (record->type == TYPE_TXT && strstr(query->name, ".corp.example") != NULL);
}

static bool has_records(const struct query *query)
{
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        if (has(query, &records[i]))
            return true;
    return false;
}

/* Builds the response to a query. Returns its length. */
static size_t answer(const struct query *query, unsigned char reply[static 1024])
{
    size_t size = query->size;
    unsigned answers = 0, code = 0;
    struct in6_addr in6;
    struct in_addr in = {htonl(0x7f000004)};

    assert(size + 20 * 16 <= 1024);
    memcpy(reply, query->data, size);
    inet_pton(AF_INET6, "2001:db8::6", &in6);
    if (query->type == TYPE_A && is_v4(query)) {
        size += add_answer(reply + size, TYPE_A, &in, sizeof in);
        answers++;
    }
    if (query->type == TYPE_A && begins(query, "alias.")) {
        size = add_alias(reply, size, &in);
        answers += 2;
    }
    for (unsigned i = 0; query->type == TYPE_A && begins(query, "many.") && i < 20;
         i++) {
        in.s_addr = htonl(0x7f000100 + i);
        size += add_answer(reply + size, TYPE_A, &in, sizeof in);
        answers++;
    }
    if (query->type == TYPE_AAAA && (begins(query, "v6.") || begins(query, "both."))) {
        size += add_answer(reply + size, TYPE_AAAA, &in6, sizeof in6);
        answers++;
    }
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        if (query->type != records[i].type || !has(query, &records[i]))
            continue;
        size += add_answer(reply + size, query->type, records[i].data, records[i].size);
        answers++;
    }
    if (begins(query, "fail."))
        code = SERVFAIL;
    else if (!is_v4(query) && !begins(query, "v6.") && !begins(query, "many.") &&
             !begins(query, "empty.") && !begins(query, "alias.") && !has_records(query))
        code = NXDOMAIN;
    reply[2] = 0x81; /* a response; recursion desired */
    reply[3] = (unsigned char)(0x80 | code);
    memset(reply + 4, 0, 8);
    reply[5] = 1;
    reply[7] = (unsigned char)answers;
    return size;
}

static void reply_to(struct name_server *server, const struct query *query)
{
    unsigned char reply[1024];
    size_t size = answer(query, reply);

    if (begins(query, "cut.")) {
        reply[2] |= 2; /* truncated */
        reply[7] = 0;
        size = query->size;
    }
    sendto(server->fd, reply, size, 0, (const struct sockaddr *)&query->from,
           sizeof query->from);
}

static bool read_all(int fd, void *data, size_t size)
{
    return recv(fd, data, size, MSG_WAITALL) == (ssize_t)size;
}

/* Responds to all queries of a connection, until the client closes it. */
static void serve_stream(struct name_server *server)
{
    int fd = accept(server->stream, NULL, NULL);
    unsigned char length[2], reply[2 + 1024];
    struct query query;

    while (read_all(fd, length, sizeof length)) {
        size_t size = (size_t)length[0] << 8 | length[1];

        if (size < HEADER || size > sizeof query.data ||
            !read_all(fd, query.data, size) || !read_query(&query, size))
            break;
        size = answer(&query, reply + 2);
        reply[0] = (unsigned char)(size >> 8);
        reply[1] = (unsigned char)size;
        send(fd, reply, size + 2, MSG_NOSIGNAL);
    }
    close(fd);
}

static void count(struct name_server *server, const struct query *query)
{
    pthread_mutex_lock(&server->lock);
    server->questions++;
    server->ports[ntohs(query->from.sin_port)] = true;
    pthread_mutex_unlock(&server->lock);
}

unsigned name_server_questions(struct name_server *server)
{
    unsigned n;

    pthread_mutex_lock(&server->lock);
    n = server->questions;
    pthread_mutex_unlock(&server->lock);
    return n;
}

unsigned name_server_ports(struct name_server *server)
{
    unsigned n = 0;

    pthread_mutex_lock(&server->lock);
    for (int i = 0; i < 65536; i++)
        n += server->ports[i];
    pthread_mutex_unlock(&server->lock);
    return n;
}

static void serve(struct name_server *server)
{
    struct query query;
    socklen_t size = sizeof query.from;
    ssize_t n = recvfrom(server->fd, query.data, sizeof query.data, 0,
                         (struct sockaddr *)&query.from, &size);

    if (n < HEADER || !read_query(&query, (size_t)n))
        return;
    count(server, &query);
    if (begins(&query, "mute.") || (begins(&query, "half.") && query.type == TYPE_AAAA))
        return;
    if (begins(&query, "held.") && !server->released) {
        assert(server->held < HELD_MOST);
        server->hold[server->held++] = query;
    } else {
        reply_to(server, &query);
    }
}

static void *work(void *arg)
{
    struct name_server *server = arg;
    struct pollfd fds[] = {{.fd = server->control[0], .events = POLLIN},
                           {.fd = server->fd, .events = POLLIN},
                           {.fd = server->stream, .events = POLLIN}};
    char order;

    for (;;) {
        poll(fds, 3, -1);
        if (fds[0].revents) {
            if (read(server->control[0], &order, 1) != 1 || order == 's')
                return NULL;
            server->released = true;
            while (server->held > 0)
                reply_to(server, &server->hold[--server->held]);
        }
        if (fds[1].revents)
            serve(server);
        if (fds[2].revents)
            serve_stream(server);
    }
}

/* Returns false if the port is taken for TCP. */
static bool bind_both(struct name_server *server, struct sockaddr_in *in)
{
    socklen_t size = sizeof *in;
    int rc, room = 1 << 20; /* for many queries at once */

    in->sin_port = 0;
    server->fd = socket(AF_INET, SOCK_DGRAM, 0);
    server->stream = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(server->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    rc = bind(server->fd, (struct sockaddr *)in, sizeof *in);
    assert(rc == 0);
    getsockname(server->fd, (struct sockaddr *)in, &size);
    if (bind(server->stream, (struct sockaddr *)in, sizeof *in) == 0 &&
        listen(server->stream, 16) == 0)
        return true;
    close(server->fd);
    close(server->stream);
    return false;
}

struct name_server *name_server_start(char addr[static 128])
{
    struct name_server *server = calloc(1, sizeof *server);
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int rc;

    assert(server);
    pthread_mutex_init(&server->lock, NULL);
    while (!bind_both(server, &in))
        continue;
    rc = pipe(server->control);
    assert(rc == 0);
    rc = pthread_create(&server->thread, NULL, work, server);
    assert(rc == 0);
    snprintf(addr, 128, "127.0.0.1:%d", ntohs(in.sin_port));
    return server;
}

const char *name_server_addr(struct name_server **server)
{
    static char addr[128];

    *server = name_server_start(addr);
    return addr;
}

static void tell(struct name_server *server, char order)
{
    ssize_t n = write(server->control[1], &order, 1);

    assert(n == 1);
    (void)n;
}

void name_server_release(struct name_server *server)
{
    tell(server, 'r');
}

void name_server_stop(struct name_server *server)
{
    tell(server, 's');
    pthread_join(server->thread, NULL);
    close(server->fd);
    close(server->stream);
    close(server->control[0]);
    close(server->control[1]);
    free(server);
}
