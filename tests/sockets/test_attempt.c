/* SPDX-License-Identifier: MIT */
/* One attempt to connect. TCP may connect a socket to itself, which is no connection. */
#include "config.h"

#include "tests/support/support.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* This program's socket replaces that of libc: it binds a new socket to the address that
 * the case has chosen, as the kernel sometimes does itself. */
static struct sockaddr_storage name;
static socklen_t name_size;

static int plain_socket(int domain, int type, int protocol)
{
    static int (*real)(int, int, int);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "socket");
    return real(domain, type, protocol);
}

int socket(int domain, int type, int protocol)
{
    int fd = plain_socket(domain, type, protocol);

    if (fd >= 0 && name_size > 0 && domain == name.ss_family)
        IS(bind(fd, (struct sockaddr *)&name, name_size), 0);
    return fd;
}

static bool is_free(void)
{
    int fd = plain_socket(name.ss_family, SOCK_STREAM, 0);
    bool bound = bind(fd, (struct sockaddr *)&name, name_size) == 0;

    close(fd);
    return bound;
}

/* Chooses a free address for new sockets: that of a listener, which is then closed. Under io_uring
 * the kernel frees it a little later. */
static bool choose_name(const char *host, char addr[static CG_ADDR_SIZE])
{
    struct cg_sock *listener;

    name_size = 0;
    if (cg_sock_listen(cg_sched_self(), host, &listener) < 0)
        return false;
    OK(cg_sock_local_addr(listener, addr, CG_ADDR_SIZE));
    name_size = sizeof name;
    IS(getsockname(cg_sock_fd(listener), (struct sockaddr *)&name, &name_size), 0);
    cg_sock_close(listener);
    while (!is_free())
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    return true;
}

/* A socket that is connected to itself completes with -ECONNREFUSED, in each family. The
 * same port on another address is a connection. */
static ssize_t to_itself(void *arg)
{
    static const char *const hosts[] = {"127.0.0.1:0", "[::1]:0"};
    char addr[CG_ADDR_SIZE], other[CG_ADDR_SIZE];
    struct cg_sock *listener, *conn, *accepted;

    (void)arg;
    for (size_t i = 0; i < COUNT(hosts); i++)
        if (choose_name(hosts[i], addr))
            IS(cg_yield(cg_connect(addr, &conn)), -ECONNREFUSED);
    ck_assert(choose_name(hosts[0], addr));
    snprintf(other, sizeof other, "127.0.0.2%s", strrchr(addr, ':'));
    name_size = 0;
    OK(cg_sock_listen(cg_sched_self(), other, &listener));
    name_size = sizeof(struct sockaddr_in);
    OK(cg_yield(cg_connect(other, &conn)));
    OK(cg_yield(cg_accept(listener, &accepted)));
    name_size = 0;
    cg_sock_close(conn);
    cg_sock_close(accepted);
    cg_sock_close(listener);
    return 0;
}

static const struct test_case cases[] = {
    CORO(to_itself, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("attempt", cases, COUNT(cases));
}
