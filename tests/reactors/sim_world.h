/* SPDX-License-Identifier: MIT */
/* For tests that call the simulated world directly, without a scheduler: requests that
 * record their results, socket calls under their usual names, and a connection. There is
 * one world at a time. */
#ifndef COGEN_TESTS_REACTORS_SIM_WORLD_H
#define COGEN_TESTS_REACTORS_SIM_WORLD_H

#include <cogen/sim.h>

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "reactors/reactors.h"

struct req {
    struct cg_io io;
    unsigned completions;
    ssize_t result; /* of the last completion, or of submit */
    char head[8];   /* the first bytes of a received chunk */
};

union addr {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_storage storage;
};

static struct cg_reactor *world;

#define WORLD(...) open_world(&(struct cg_sim_options){.reserved = NULL, __VA_ARGS__})

static inline void open_world(const struct cg_sim_options *options)
{
    ck_assert_int_eq(cg_sim_open(options, &world), 0);
}

static inline void close_world(void)
{
    if (world)
        world->type->close(world);
    world = NULL;
}

static inline void completed(struct cg_io *io, ssize_t result)
{
    struct req *req = io->owner;

    req->completions++;
    req->result = result;
    if (io->chunk) {
        ck_assert_int_eq(io->chunk->end - io->chunk->start, result);
        memcpy(req->head, io->chunk->data, sizeof req->head);
        cg_chunk_put(world, io->chunk);
        io->chunk = NULL;
    }
}

/* Returns true if the request is done at once. */
static inline bool submit(struct req *req)
{
    req->io.complete = completed;
    req->io.owner = req;
    if (world->type->submit(world, &req->io) == CG_PENDING)
        return false;
    ck_assert_int_eq(req->io.state, CG_IO_IDLE);
    completed(&req->io, req->io.result);
    return true;
}

static inline int wait_for(int64_t timeout)
{
    return world->type->wait(world, timeout);
}

static inline int64_t now(void)
{
    return world->type->now(world);
}

/* Submits the request and waits for its result without a limit. Cancels a request that can
 * never complete. */
static inline ssize_t result_of(struct req *req)
{
    unsigned before = req->completions;

    submit(req);
    while (req->completions == before) {
        if (wait_for(CG_NEVER) == 0)
            continue;
        if (world->type->cancel(world, &req->io) == CG_PENDING)
            wait_for(0);
        return -EDEADLK;
    }
    return req->result;
}

#define REQ(...) ((struct req){.io = {__VA_ARGS__}})
#define DO(...) result_of(&REQ(__VA_ARGS__))

/* Not by ck_assert_int_ge and the like, which write to a pipe each time that they hold. */
#define OK(expr)                                                                           \
    do {                                                                                   \
        intmax_t got_ = (expr);                                                            \
                                                                                           \
        if (got_ < 0)                                                                      \
            ck_abort_msg("%s: %jd, wanted 0 or more", #expr, got_);                        \
    } while (0)
#define IS(expr, want)                                                                     \
    do {                                                                                   \
        intmax_t got_ = (expr), want_ = (want);                                            \
                                                                                           \
        if (got_ != want_)                                                                 \
            ck_abort_msg("%s: %jd, wanted %jd", #expr, got_, want_);                       \
    } while (0)

static inline union addr v4(const char *host, unsigned port)
{
    union addr addr = {
        .in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};

    IS(inet_pton(AF_INET, host, &addr.in.sin_addr), 1);
    return addr;
}

static inline union addr v6(const char *host, unsigned port)
{
    union addr addr = {
        .in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)}};

    IS(inet_pton(AF_INET6, host, &addr.in6.sin6_addr), 1);
    return addr;
}

static inline union addr un(const char *path)
{
    union addr addr = {.un = {.sun_family = AF_UNIX}};

    strcpy(addr.un.sun_path, path);
    return addr;
}

static inline socklen_t size_of(const union addr *addr)
{
    return addr->sa.sa_family == AF_INET    ? sizeof addr->in
           : addr->sa.sa_family == AF_INET6 ? sizeof addr->in6
                                            : sizeof addr->un;
}

static inline int make(int domain)
{
    return (int)DO(.code = CG_IO_SOCKET, .domain = domain, .type = SOCK_STREAM);
}

static inline ssize_t bind_to(int fd, union addr addr)
{
    return DO(.code = CG_IO_BIND, .fd = fd, .addr = &addr.sa,
              .addrlen = size_of(&addr));
}

static inline ssize_t set(int fd, int level, int name, int value)
{
    return DO(.code = CG_IO_SETOPT, .fd = fd, .level = level, .name = name,
              .value = &value, .size = sizeof value);
}

static inline int get(int fd, int level, int name)
{
    int value = -1;

    OK(DO(.code = CG_IO_GETOPT, .fd = fd, .level = level, .name = name, .value = &value,
          .size = sizeof value));
    return value;
}

static inline int listen_on(union addr addr, int backlog)
{
    int fd = make(addr.sa.sa_family);

    IS(bind_to(fd, addr), 0);
    IS(DO(.code = CG_IO_LISTEN, .fd = fd, .backlog = backlog), 0);
    return fd;
}

static inline ssize_t connect_to(int fd, union addr addr)
{
    return DO(.code = CG_IO_CONNECT, .fd = fd, .addr = &addr.sa,
              .addrlen = size_of(&addr));
}

static inline int accept_from(int fd)
{
    return (int)DO(.code = CG_IO_ACCEPT, .fd = fd);
}

static inline ssize_t send_to(int fd, const void *buf, size_t len)
{
    return DO(.code = CG_IO_SEND, .fd = fd, .buf = (void *)buf, .len = len);
}

static inline ssize_t recv_from(int fd, void *buf, size_t len)
{
    return DO(.code = CG_IO_RECV, .fd = fd, .buf = buf, .len = len);
}

static inline ssize_t shut(int fd, int how)
{
    return DO(.code = CG_IO_SHUTDOWN, .fd = fd, .how = how);
}

static inline ssize_t close_fd(int fd)
{
    world->type->forget(world, fd);
    return DO(.code = CG_IO_CLOSE, .fd = fd);
}

static inline union addr name_of(int fd, enum cg_io_code code)
{
    union addr addr = {.storage = {.ss_family = 0}};

    OK(DO(.code = (uint8_t)code, .fd = fd, .value = &addr, .size = sizeof addr));
    return addr;
}

#define PORT(fd) ntohs(name_of(fd, CG_IO_SOCKNAME).in.sin_port)

/* A listener on 127.0.0.1:80, and both ends of a connection to it. */
static int listener, client, server;

static inline void connect_pair(void)
{
    listener = listen_on(v4("127.0.0.1", 80), 16);
    client = make(AF_INET);
    IS(connect_to(client, v4("127.0.0.1", 80)), 0);
    OK(server = accept_from(listener));
}

/* The main function of a test program. */
static inline int run_tests(const char *name, const TTest *const *tests, size_t n)
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);
    SRunner *runner;
    int failed;
    size_t i;

    tcase_add_checked_fixture(tc, NULL, close_world);
    for (i = 0; i < n; i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

#endif
