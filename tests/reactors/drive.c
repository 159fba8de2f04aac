/* SPDX-License-Identifier: MIT */
/* Drives a reactor directly, and runs the test cases that do so. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/reactors/drive.h"

const char *name;
struct cg_reactor *reactor;

void completed(struct cg_io *io, ssize_t result)
{
    struct ask *ask = io->owner;

    ck_assert_int_eq(io->state, CG_IO_IDLE);
    ask->completed++;
    ask->result = result;
    if (io->code == CG_IO_RECV && io->chunk) {
        memcpy(ask->data, io->chunk->data, result < 64 ? result : 64);
        cg_chunk_put(reactor, io->chunk);
        io->chunk = NULL;
    }
}

enum cg_verdict start(struct ask *ask, enum cg_io_code code, int fd)
{
    enum cg_verdict verdict;

    ask->io.code = code;
    ask->io.fd = fd;
    ask->io.complete = completed;
    ask->io.owner = ask;
    ask->completed = 0;
    if ((verdict = cg_reactor_submit(reactor, &ask->io)) == CG_DONE)
        completed(&ask->io, ask->io.result);
    return verdict;
}

enum cg_verdict receive(struct ask *ask, int fd)
{
    ask->io.buf = NULL;
    ask->io.len = 0;
    return start(ask, CG_IO_RECV, fd);
}

enum cg_verdict transmit(struct ask *ask, int fd, const void *data, size_t len)
{
    ask->io.buf = (void *)data;
    ask->io.len = len;
    return start(ask, CG_IO_SEND, fd);
}

enum cg_verdict poll_for(struct ask *ask, int fd, unsigned events)
{
    ask->io.events = events;
    return start(ask, CG_IO_POLL, fd);
}

enum cg_verdict link_to(struct ask *ask, int fd, const void *addr, socklen_t size)
{
    ask->io.addr = addr;
    ask->io.addrlen = size;
    return start(ask, CG_IO_CONNECT, fd);
}

void turn(int64_t timeout)
{
    ck_assert_int_eq(reactor->type->wait(reactor, timeout), 0);
}

ssize_t finish(struct ask *ask)
{
    while (!ask->completed) /* Check ends a test that hangs */
        turn(CG_SECOND);
    ck_assert_int_eq(ask->completed, 1);
    return ask->result;
}

void cancel(struct ask *ask)
{
    ck_assert_int_eq(reactor->type->cancel(reactor, &ask->io), CG_DONE);
    ck_assert_int_eq(ask->io.state, CG_IO_IDLE);
}

void shut(int fd)
{
    struct ask ask = {0};

    reactor->type->forget(reactor, fd);
    ck_assert_int_eq(start(&ask, CG_IO_CLOSE, fd), CG_DONE);
    ck_assert_int_eq(ask.result, 0);
}

void attach(int fd)
{
    struct ask ask = {0};

    ck_assert_int_eq(start(&ask, CG_IO_ATTACH, fd), CG_DONE);
    ck_assert_int_eq(ask.result, 0);
}

void quiet(const struct ask *ask)
{
    int before = ask->completed;

    for (int i = 0; i < 3; i++)
        turn(CG_MILLISECOND);
    ck_assert_int_eq(ask->completed, before);
}

int listener(struct sockaddr_in *addr)
{
    socklen_t size = sizeof *addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *addr = (struct sockaddr_in){.sin_family = AF_INET};
    addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)addr, size), 0);
    ck_assert_int_eq(listen(fd, 64), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)addr, &size), 0);
    attach(fd);
    return fd;
}

int new_socket(int domain)
{
    struct ask ask = {.io = {.domain = domain, .type = SOCK_STREAM}};

    ck_assert_int_eq(start(&ask, CG_IO_SOCKET, -1), CG_DONE);
    ck_assert_int_ge(ask.result, 0);
    return ask.result;
}

void connected_pair(enum over over, int ends[2])
{
    struct ask accept = {0};
    struct sockaddr_in addr;
    int fd;

    if (over == UNIX) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        attach(ends[1]);
        return;
    }
    fd = listener(&addr);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(ends[0], (struct sockaddr *)&addr, sizeof addr), 0);
    start(&accept, CG_IO_ACCEPT, fd);
    ends[1] = finish(&accept);
    ck_assert_int_ge(ends[1], 0);
    shut(fd);
}

void put(int fd, const char *text)
{
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

void fill(struct ask *ask, int fd)
{
    static char block[1 << 16];

    while (transmit(ask, fd, block, sizeof block) == CG_DONE)
        ck_assert_int_gt(ask->result, 0);
}

void empty(int fd)
{
    static char block[1 << 16];

    while (recv(fd, block, sizeof block, MSG_DONTWAIT) > 0)
        ;
}

/* Running the cases */

static void set_up(void)
{
    ck_assert_int_eq(cg_reactor_open(name, &reactor), 0);
}

static void tear_down(void)
{
    ck_assert_uint_eq(reactor->chunks_out, 0);
    cg_reactor_close(reactor);
}

static void add(Suite *suite, const char *title, void (*cases)(TCase *tests))
{
    TCase *tests = tcase_create(title);

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 20);
    cases(tests);
    suite_add_tcase(suite, tests);
}

static Suite *suite(void)
{
    Suite *suite = suite_create(name);

    add(suite, "streams", stream_cases);
    add(suite, "broken", broken_cases);
    add(suite, "connections", connection_cases);
    add(suite, "reactor", reactor_cases);
    return suite;
}

/* Whether $COGEN_TEST_REACTORS names the reactor, or is not set. */
static bool chosen(const char *reactor_name)
{
    const char *list = getenv("COGEN_TEST_REACTORS");
    size_t size;

    if (!list)
        return true;
    for (; *list; list += size + (list[size] == ',')) {
        size = strcspn(list, ",");
        if (size == strlen(reactor_name) && !strncmp(list, reactor_name, size))
            return true;
    }
    return false;
}

int main(void)
{
    static const char *const names[] = {"epoll", "kqueue", "poll", "select", "libevent"};
    struct cg_reactor *probe;
    int failed = 0, error;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!chosen(names[i]))
            continue;
        name = names[i];
        if ((error = cg_reactor_open(name, &probe))) {
            printf("SKIP %s: %s\n", name, strerror(-error));
            continue;
        }
        cg_reactor_close(probe);
        SRunner *runner = srunner_create(suite());
        srunner_run_all(runner, CK_NORMAL);
        failed += srunner_ntests_failed(runner);
        srunner_free(runner);
    }
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
