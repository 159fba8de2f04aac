/* SPDX-License-Identifier: MIT */
/* What comes with a datagram, options, multicast, and the addresses of datagram sockets. */
#include "config.h"

#include "tests/sockets/datagrams.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MS CG_MILLISECOND
#define GROUP "239.255.17.4"

#define OPEN(...) OK(TRY(__VA_ARGS__))
#define TRY(addr, ...) cg_datagram_open(cg_sched_self(), addr, __VA_ARGS__)

static const char *port_of(struct cg_sock *sock)
{
    static char addr[CG_ADDR_SIZE];

    OK(cg_sock_local_addr(sock, addr, sizeof addr));
    return strrchr(addr, ':');
}

/* What comes with a datagram */

static void receive_one(struct cg_sock *sock, struct cg_datagram_info *info)
{
    char buf[16];
    struct cg_datagram one = {.buf = buf, .size = sizeof buf, .info = info};

    IS(cg_yield(cg_receive_datagrams(sock, &one, 1)), 1);
    ck_assert_uint_eq(one.len, 4);
}

static void is_local(const struct cg_datagram_info *info, const char *host)
{
    char text[CG_ADDR_SIZE];

    OK(cg_addr_print(&info->local, text, sizeof text));
    ck_assert_str_eq(text, host);
    ck_assert_uint_eq(info->interface, 1); /* lo */
}

/* A received datagram carries the address of this host to which it was sent, the
 * interface, its TTL and its ECN bits. A reply can be sent from that address. */
static ssize_t info_ipv4(void *arg)
{
    struct cg_sock *server, *client;
    struct cg_datagram_info info;
    struct cg_addr from;
    char addr[CG_ADDR_SIZE] = "127.0.0.7", buf[16];
    struct cg_datagram reply = {.buf = "back", .len = 4, .info = &info, .addr = &from};

    (void)arg;
    OPEN("0.0.0.0:0", &server, .info = true);
    OPEN("127.0.0.1:0", &client, .ttl = 33, .tos = 2);
    strcat(addr, port_of(server));
    IS(cg_yield(cg_send_to(client, "text", 4, addr)), 4);
    receive_one(server, &info);
    is_local(&info, "127.0.0.7:0");
    ck_assert_int_eq(info.ttl, 33);
    ck_assert_int_eq(info.ecn, 2);
    strcpy(buf, "127.0.0.1");
    strcat(buf, port_of(client));
    from = (struct cg_addr){.in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}},
                            .len = sizeof from.in};
    from.in.sin_port = htons((uint16_t)atoi(port_of(client) + 1));
    IS(cg_yield(cg_send_datagrams(server, &reply, 1)), 1);
    IS(cg_yield(cg_receive_from(client, buf, sizeof buf, &from)), 4);
    OK(cg_addr_print(&from, buf, sizeof buf));
    ck_assert_int_eq(strncmp(buf, "127.0.0.7:", 10), 0);
    cg_sock_close(client);
    OPEN("127.0.0.1:0", &client);
    strcpy(addr, "127.0.0.1");
    strcat(addr, port_of(server));
    IS(cg_yield(cg_send_to(client, "text", 4, addr)), 4);
    receive_one(server, &info);
    is_local(&info, "127.0.0.1:0");
    ck_assert_int_eq(info.ttl, 64);
    ck_assert_int_eq(info.ecn, 0);
    cg_sock_close(client);
    cg_sock_close(server);
    return 0;
}

/* An IPv6 socket gets the same information about IPv4 datagrams. */
static ssize_t info_ipv6(void *arg)
{
    struct cg_sock *server, *client;
    struct cg_datagram_info info;
    char addr[CG_ADDR_SIZE] = "[::1]";

    (void)arg;
    if (TRY("[::]:0", &server, .info = true) < 0)
        return 0;
    OPEN("[::1]:0", &client, .ttl = 7, .tos = 1);
    strcat(addr, port_of(server));
    IS(cg_yield(cg_send_to(client, "text", 4, addr)), 4);
    receive_one(server, &info);
    is_local(&info, "[::1]:0");
    ck_assert_int_eq(info.ttl, 7);
    ck_assert_int_eq(info.ecn, 1);
    cg_sock_close(client);
    OPEN("127.0.0.1:0", &client, .ttl = 9, .tos = 3);
    strcpy(addr, "127.0.0.1");
    strcat(addr, port_of(server));
    IS(cg_yield(cg_send_to(client, "text", 4, addr)), 4);
    receive_one(server, &info);
    is_local(&info, "127.0.0.1:0"); /* mapped */
    ck_assert_int_eq(info.ttl, 9);
    ck_assert_int_eq(info.ecn, 3);
    cg_sock_close(client);
    cg_sock_close(server);
    return 0;
}

/* Without .info all fields are unknown. */
static ssize_t info_unknown(void *arg)
{
    struct talk talk;
    struct cg_datagram_info info;

    (void)arg;
    ck_assert(talk_open(OVER_TCP, &talk));
    talk_say(&talk, "text");
    receive_one(talk.server, &info);
    ck_assert_uint_eq(info.local.len, 0);
    ck_assert_int_eq(info.ttl, -1);
    ck_assert_int_eq(info.ecn, -1);
    talk_close(&talk);
    return 0;
}

/* Options */

static ssize_t invalid(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    IS(cg_datagram_open(cg_sched_self(), NULL, &sock), -EINVAL);
    IS(cg_datagram_open(cg_sched_self(), "nonsense", &sock), CG_EADDR);
    IS(cg_datagram_open(cg_sched_self(), NULL, &sock, .peer = "nonsense"), CG_EADDR);
    IS(cg_datagram_open(cg_sched_self(), NULL, &sock, .peer = "example.org:53"), CG_EADDR);
    IS(cg_datagram_open(cg_sched_self(), ":0", &sock, .ttl = 256), -EINVAL);
    IS(cg_datagram_open(cg_sched_self(), ":0", &sock, .ttl = -1), -EINVAL);
    IS(cg_datagram_open(cg_sched_self(), ":0", &sock, .tos = 256), -EINVAL);
    IS(cg_datagram_open(cg_sched_self(), ":0", &sock, .receive_buffer = -1), -EINVAL);
    IS(cg_datagram_open(cg_sched_self(), ":0", &sock, .multicast_interface = "no such"), -ENODEV);
    IS(cg_datagram_open_with(cg_sched_self(), "127.0.0.1:0", NULL, &sock), 0);
    cg_sock_close(sock);
    return 0;
}

/* Two sockets may share an address only if both have the option. */
static ssize_t reuse(void *arg)
{
    struct cg_sock *one, *two;
    char addr[CG_ADDR_SIZE];

    (void)arg;
    OPEN("127.0.0.1:0", &one, .reuse_port = true);
    OK(cg_sock_local_addr(one, addr, sizeof addr));
    IS(cg_datagram_open(cg_sched_self(), addr, &two), -EADDRINUSE);
    OPEN(addr, &two, .reuse_port = true);
    cg_sock_close(one);
    cg_sock_close(two);
    return 0;
}

static ssize_t broadcast(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    OPEN("127.0.0.1:0", &sock);
    IS(cg_yield(cg_send_to(sock, "x", 1, "255.255.255.255:9")), -EACCES);
    cg_sock_close(sock);
    return 0;
}

/* A socket on ":port" receives from IPv4 and IPv6. The peer "localhost" is the address of
 * the socket's own family. */
static ssize_t every_address(void *arg)
{
    struct cg_sock *server, *client;
    char addr[CG_ADDR_SIZE];

    (void)arg;
    OPEN(":0", &server);
    snprintf(addr, sizeof addr, "127.0.0.1%s", port_of(server));
    OPEN(NULL, &client, .peer = addr);
    IS(cg_yield(cg_send_to(client, "four", 4, NULL)), 4);
    talk_hear(server, "four", NULL);
    cg_sock_close(client);
    snprintf(addr, sizeof addr, "localhost%s", port_of(server));
    OPEN(NULL, &client, .peer = addr);
    IS(cg_yield(cg_send_to(client, "any", 3, NULL)), 3);
    talk_hear(server, "any", NULL);
    cg_sock_close(client);
    OPEN("127.0.0.1:0", &client);
    IS(cg_yield(cg_send_to(client, "text", 4, addr)), 4);
    talk_hear(server, "text", NULL);
    cg_sock_close(client);
    cg_sock_close(server);
    return 0;
}

/* Multicast */

static struct cg_sock *member(const char *addr)
{
    struct cg_sock *sock;

    OPEN(addr, &sock, .reuse_addr = true, .info = true);
    return sock;
}

/* Each member of a group receives a copy. A socket that never joined, or that has left,
 * receives nothing. */
static ssize_t multicast(void *arg)
{
    struct cg_sock *one = member("0.0.0.0:0"), *two, *sender;
    struct cg_datagram_info info;
    char addr[CG_ADDR_SIZE], buf[8];
    int loop = 1;
    size_t size = sizeof loop;

    (void)arg;
    snprintf(addr, sizeof addr, "0.0.0.0%s", port_of(one));
    two = member(addr);
    OPEN("127.0.0.1:0", &sender, .multicast_interface = "lo", .multicast_ttl = 2);
    snprintf(addr, sizeof addr, GROUP "%s", port_of(one));
    OK(cg_datagram_join(one, GROUP, .interface = "lo"));
    IS(cg_datagram_join(one, GROUP, .interface = "lo"), -EADDRINUSE);
    OK(cg_datagram_join(two, GROUP, .interface = "lo"));
    IS(cg_yield(cg_send_to(sender, "text", 4, addr)), 4);
    receive_one(one, &info);
    is_local(&info, GROUP ":0");
    ck_assert_int_eq(info.ttl, 2);
    receive_one(two, &info);
    OK(cg_datagram_leave(two, GROUP, .interface = "lo"));
    IS(cg_datagram_leave(two, GROUP, .interface = "lo"), -EADDRNOTAVAIL);
    cg_sock_close(two);
    cg_sock_close(sender);
    OPEN("127.0.0.1:0", &sender, .multicast_interface = "lo", .multicast_quiet = true);
    IS(cg_yield(cg_send_to(sender, "text", 4, addr)), 4);
    /* The kernel's lo brings back whatever it sends. */
    IS(cg_yield(cg_receive_from(one, buf, sizeof buf, NULL, .timeout = 10 * MS)),
       test_on_sim() ? -ETIMEDOUT : 4);
    OK(cg_sock_getopt(sender, IPPROTO_IP, IP_MULTICAST_LOOP, &loop, &size));
    ck_assert_int_eq(loop, 0);
    cg_sock_close(sender);
    cg_sock_close(one);
    return 0;
}

/* A member that has joined for one source receives only what that host sends. */
static ssize_t multicast_source(void *arg)
{
    struct cg_sock *sock = member("0.0.0.0:0"), *right, *wrong;
    struct cg_datagram_info info;
    char addr[CG_ADDR_SIZE];

    (void)arg;
    snprintf(addr, sizeof addr, "232.1.2.3%s", port_of(sock));
    OPEN("127.0.0.1:0", &right, .multicast_interface = "lo");
    OPEN("127.0.0.2:0", &wrong, .multicast_interface = "lo");
    OK(cg_datagram_join(sock, "232.1.2.3", .interface = "lo", .source = "127.0.0.1"));
    IS(cg_yield(cg_send_to(wrong, "bad", 3, addr)), 3);
    IS(cg_yield(cg_send_to(right, "good", 4, addr)), 4);
    receive_one(sock, &info);
    OK(cg_datagram_leave(sock, "232.1.2.3", .interface = "lo", .source = "127.0.0.1"));
    cg_sock_close(right);
    cg_sock_close(wrong);
    cg_sock_close(sock);
    return 0;
}

static ssize_t multicast_ipv6(void *arg)
{
    struct cg_sock *sock, *sender;
    struct cg_datagram_info info;
    char addr[CG_ADDR_SIZE];

    (void)arg;
    if (TRY("[::]:0", &sock, .info = true) < 0)
        return 0;
    OK(cg_datagram_join(sock, "ff01::1234", .interface = "lo"));
    OPEN("[::1]:0", &sender, .multicast_interface = "lo");
    snprintf(addr, sizeof addr, "[ff01::1234%%%s]%s", test_on_sim() ? "0" : "lo", port_of(sock));
    /* Many machines have no route for multicasts over lo. */
    if (cg_yield(cg_send_to(sender, "text", 4, addr)) == 4) {
        receive_one(sock, &info);
        ck_assert_int_eq(info.ttl, 1);
    }
    OK(cg_datagram_leave(sock, "ff01::1234", .interface = "lo"));
    cg_sock_close(sender);
    cg_sock_close(sock);
    return 0;
}

static ssize_t multicast_invalid(void *arg)
{
    struct cg_sock *sock = member("0.0.0.0:0");

    (void)arg;
    IS(cg_datagram_join(sock, "127.0.0.1"), -EINVAL);
    IS(cg_datagram_join(sock, "group"), CG_EADDR);
    IS(cg_datagram_join(sock, NULL), CG_EADDR);
    IS(cg_datagram_join(sock, GROUP, .source = "::1"), CG_EADDR);
    IS(cg_datagram_join(sock, GROUP, .source = "host"), CG_EADDR);
    IS(cg_datagram_join(sock, GROUP, .interface = "no such"), -ENODEV);
    IS(cg_datagram_leave(sock, GROUP, .interface = "lo"), -EADDRNOTAVAIL);
    cg_sock_close(sock);
    return 0;
}

/* UNIX addresses */

/* The file is removed with its socket. A file that another program has left is taken over
 * only on request. */
static ssize_t unix_file(void *arg)
{
    struct cg_sock *sock, *other;
    char addr[CG_ADDR_SIZE];
    int fd;
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    (void)arg;
    test_unix_path(addr);
    strcpy(un.sun_path, addr + 5);
    OPEN(addr, &sock);
    IS(TRY(addr, &other, .take_over = true), -EADDRINUSE);
    ck_assert_int_eq(access(un.sun_path, F_OK), 0);
    cg_sock_close(sock);
    ck_assert_int_eq(access(un.sun_path, F_OK), -1);
    fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    OK(bind(fd, (struct sockaddr *)&un, sizeof un));
    close(fd);
    IS(TRY(addr, &sock), -EADDRINUSE);
    OPEN(addr, &sock, .take_over = true);
    cg_sock_close(sock);
    ck_assert_int_eq(access(un.sun_path, F_OK), -1);
    return 0;
}

/* The path of a sender may fill its address without a NUL. It gets its reply. */
static ssize_t unix_longest_path(void *arg)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/tmp/cogen-longest-XXXXXX"};
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    char addr[CG_ADDR_SIZE], path[sizeof un.sun_path + 1] = "", buf[8];
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct cg_sock *server;
    struct cg_addr from;

    (void)arg;
    ck_assert_ptr_nonnull(mkdtemp(un.sun_path));
    strcpy(path, un.sun_path);
    memset(un.sun_path + strlen(path), 'p', sizeof un.sun_path - strlen(path));
    un.sun_path[strlen(path)] = '/';
    OK(bind(fd, (struct sockaddr *)&un, sizeof un));
    test_unix_path(addr);
    OPEN(addr, &server);
    strcpy(to.sun_path, addr + 5);
    IS(sendto(fd, "ping", 4, 0, (struct sockaddr *)&to, sizeof to), 4);
    talk_hear(server, "ping", &from);
    ck_assert_uint_eq(from.len, sizeof un);
    ck_assert_int_eq(memcmp(from.un.sun_path, un.sun_path, sizeof un.sun_path), 0);
    IS(cg_yield(cg_send_to(server, "pong", 4, &from)), 4);
    IS(recv(fd, buf, sizeof buf, 0), 4);
    close(fd);
    cg_sock_close(server);
    unlink(memcpy(path, un.sun_path, sizeof un.sun_path));
    *strrchr(path, '/') = '\0';
    IS(rmdir(path), 0);
    return 0;
}

/* Sockets may have abstract names. A sender may have no name. */
static ssize_t unix_names(void *arg)
{
    struct cg_sock *server, *client;
    struct cg_addr from = {.len = 1};

    (void)arg;
    IS(cg_datagram_open(cg_sched_self(), NULL, &client, .peer = "unix:@cogen-datagram"),
       -ECONNREFUSED);
    OPEN("unix:@cogen-datagram", &server);
    IS(TRY("unix:@cogen-datagram", &client),
       -EADDRINUSE);
    OPEN(NULL, &client, .peer = "unix:@cogen-datagram");
    IS(cg_yield(cg_send_to(client, "text", 4, NULL)), 4);
    talk_hear(server, "text", &from);
    ck_assert_uint_eq(from.len, 0);
    cg_sock_close(server);
    IS(cg_yield(cg_send_to(client, "text", 4, NULL)), -ECONNREFUSED);
    cg_sock_close(client);
    return 0;
}

/* A datagram socket that other code has made is recognized when it is attached. */
static ssize_t attached(void *arg)
{
    struct cg_sock *sock;
    int fds[2];
    char byte;

    (void)arg;
    OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    OK(cg_sock_attach(cg_sched_self(), fds[0], &sock));
    IS(cg_yield(cg_read(sock, &byte, 1)), -EOPNOTSUPP);
    IS(send(fds[1], "text", 4, 0), 4);
    talk_hear(sock, "text", NULL);
    IS(cg_yield(cg_send_to(sock, "x", 1, NULL)), 1);
    IS(recv(fds[1], &byte, 1, 0), 1);
    cg_sock_close(sock);
    close(fds[1]);
    return 0;
}

static const struct test_case cases[] = {
    CORO(info_ipv4),
    CORO(info_ipv6),
    CORO(info_unknown),
    CORO(invalid),
    CORO(reuse),
    CORO(broadcast),
    CORO(every_address),
    CORO(multicast),
    CORO(multicast_source),
    CORO(multicast_ipv6),
    CORO(multicast_invalid),
    CORO(unix_file, .where = ON_KERNEL),
    CORO(unix_longest_path, .where = ON_KERNEL),
    CORO(unix_names),
    CORO(attached, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("datagram_options", cases, COUNT(cases));
}
