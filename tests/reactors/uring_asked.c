/* SPDX-License-Identifier: MIT */
/* See uring_asked.h. */
#include "config.h"

#include "tests/reactors/uring_asked.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct cg_reactor *ring;

void complete(struct cg_io *io, ssize_t result)
{
    struct asked *a = io->owner;
    struct cg_chunk *chunk = io->chunk;

    a->answers++;
    a->last = result;
    if (chunk) {
        ck_assert_int_eq(io->code, CG_IO_RECV);
        ck_assert_uint_eq(chunk->end - chunk->start, (size_t)result);
        for (ssize_t i = 0; i < result && a->size + (size_t)i < sizeof a->data; i++)
            a->data[a->size + (size_t)i] = chunk->data[i];
        if (a->at != SIZE_MAX)
            test_verify(chunk->data + chunk->start, (size_t)result, a->at + a->size);
        a->size += (size_t)result;
        cg_chunk_put(ring, chunk);
        io->chunk = NULL;
    } else if (io->code == CG_IO_RECV) {
        ck_assert_int_le(result, 0);
    }
    if (a->then)
        a->then(a);
}

void submit(struct asked *a)
{
    a->io.owner = a;
    ck_assert_int_eq(ring->type->submit(ring, &a->io), CG_PENDING);
}

void submit_any(struct asked *a)
{
    a->io.owner = a;
    if (ring->type->submit(ring, &a->io) == CG_PENDING)
        return;
    ck_assert_int_eq(a->io.state, CG_IO_IDLE);
    a->io.complete(&a->io, a->io.result);
}

void turn(int64_t timeout)
{
    OK(ring->type->wait(ring, timeout));
}

int turns_in(int64_t length)
{
    int64_t end = ring->type->now(ring) + length;
    int turns = 0;

    for (; ring->type->now(ring) < end; turns++)
        turn(10 * CG_MILLISECOND);
    return turns;
}

void await(const struct asked *a, unsigned n)
{
    while (a->answers < n)
        turn(CG_SECOND);
    ck_assert_uint_eq(a->answers, n);
}

void await_idle(const struct asked *a)
{
    while (a->io.state != CG_IO_IDLE)
        turn(CG_SECOND);
}

void cancel(struct asked *a)
{
    if (ring->type->cancel(ring, &a->io) == CG_DONE) {
        ck_assert_int_eq(a->io.state, CG_IO_IDLE);
        a->last = -ECANCELED;
    }
    await_idle(a);
}

void pair(int fd[2])
{
    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd));
}

void put(int fd, const char *text)
{
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

void shut(int fd)
{
    ring->type->forget(ring, fd);
    close(fd);
}

int listening(struct sockaddr_in *addr)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof *addr;

    *addr = (struct sockaddr_in){.sin_family = AF_INET};
    addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    OK(bind(fd, (struct sockaddr *)addr, size));
    OK(listen(fd, 16));
    OK(getsockname(fd, (struct sockaddr *)addr, &size));
    return fd;
}
