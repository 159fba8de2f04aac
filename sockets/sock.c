/* SPDX-License-Identifier: MIT */
/* Sockets as objects: open, ask, keep, close. */
#include "config.h"

#include "lib/core/debug.h"
#include "sockets/end/gone.h"
#include "sockets/engine.h"
#include "sockets/plain.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

_Static_assert(sizeof(struct cg_sock) <= 376, "there may be a hundred thousand of them");
_Static_assert(sizeof(struct cg__side) <= 2 * CG__LINE, "touched by every request");
_Static_assert(sizeof(struct cg_read_op) <= 128, "core ops fit in 128 bytes");
_Static_assert(sizeof(struct cg_write_op) <= 128, "core ops fit in 128 bytes");
_Static_assert(sizeof(struct cg_writev_op) <= 128, "core ops fit in 128 bytes");
_Static_assert(sizeof(struct cg_sendfile_op) <= 128, "core ops fit in 128 bytes");

static void note_open(const struct cg_sock *sock)
{
    char name[32];

    cg__sock_print(sock, name, sizeof name);
    cg__debug_note(sock->sched, CG__DEBUG_SOCK, sock, name, cg__coro_self);
}

struct cg_sock *cg_sock_open(struct cg_sched *sched,
                             const struct cg_transport_type *transport, void *state,
                             int fd)
{
    bool lacking = cg__reactor_lacks(cg_sched_reactor(sched), CG_LACKS_MEMORY);
    struct cg_sock *sock = lacking ? NULL : calloc(1, sizeof *sock);

    if (sock == NULL)
        return NULL;
    sock->transport = transport;
    sock->state = state;
    sock->sched = sched;
    sched->socks++;
    sock->reactor = cg_sched_reactor(sched);
    sock->holds = transport == &cg__plain_transport;
    cg__sock_set_fd(sock, fd);
    sock->spare = -1;
    cg__engine_init(sock);
    if (sched->debug)
        note_open(sock);
    return sock;
}

void cg_sock_close(struct cg_sock *sock)
{
    if (sock == NULL)
        return;
    assert(!sock->closing); /* closed twice */
    sock->closing = true;
    cg__debug_gone(sock->sched, CG__DEBUG_SOCK, sock);
    cg__sock_hold(sock);
    cg__engine_side_close(sock, CG__RX);
    cg__engine_side_close(sock, CG__TX);
    cg__gone_close(sock);
    cg__sock_settle(sock);
}

static bool in_use(const struct cg_sock *sock)
{
    return sock->object.running > 0 || cg__gone_in_use(sock) || sock->deferred.queued ||
           sock->side[CG__RX].io.state != CG_IO_IDLE ||
           sock->side[CG__TX].io.state != CG_IO_IDLE;
}

/* Closes what the socket stands for; its memory stays. */
static void end(struct cg_sock *sock)
{
    if (sock->transport->close != NULL)
        sock->transport->close(sock);
    if (sock->spare >= 0)
        cg__plain_close_fd(sock->reactor, sock->spare);
    cg__sock_unhold(sock);
    sock->state = NULL;
    cg__sock_set_fd(sock, -1);
    sock->gone = true;
}

void cg__sock_settle(struct cg_sock *sock)
{
    assert(sock->closing);
    cg_object_close(&sock->object);
    if (!sock->gone) {
        if (in_use(sock))
            return;
        end(sock);
    }
    if (sock->keeps > 0)
        return;
    if (sock->input.first != NULL)
        sock->input.first->lent = 0;
    cg__input_drop(sock->reactor, &sock->input, sock->input.unread);
    free(sock->peer_gone);
    free(sock->told);
    sock->sched->socks--;
    free(sock);
}

void cg_sock_keep(struct cg_sock *sock)
{
    sock->keeps++;
    cg__debug_made(sock->sched, CG__DEBUG_KEPT, sock, NULL);
}

int cg_sock_unkeep(struct cg_sock *sock)
{
    assert(sock->keeps > 0);
    if (--sock->keeps == 0)
        cg__debug_gone(sock->sched, CG__DEBUG_KEPT, sock);
    if (!sock->closing)
        return 0;
    cg__sock_settle(sock);
    return -EBADF;
}

ssize_t cg__sock_call(struct cg_sock *sock, struct cg_io *io)
{
    enum cg_verdict verdict;

    if (sock->closing)
        return -EBADF;
    io->fd = cg__sock_fd(sock);
    verdict = sock->transport->submit(sock, io);
    assert(verdict == CG_DONE); /* these never wait */
    return io->result;
}

struct cg_sock *cg__sock_bottom(struct cg_sock *sock)
{
    while (sock->transport->below != NULL)
        sock = sock->transport->below(sock);
    return sock;
}

void *cg_sock_state(const struct cg_sock *sock)
{
    return sock->state;
}

const struct cg_transport_type *cg_sock_transport(const struct cg_sock *sock)
{
    return sock->transport;
}

const char *cg_sock_protocol(const struct cg_sock *sock)
{
    while (!sock->closing && sock->transport->protocol == NULL &&
           sock->transport->below != NULL)
        sock = sock->transport->below(sock);
    if (sock->closing || sock->transport->protocol == NULL)
        return NULL;
    return sock->transport->protocol(sock);
}

struct cg_sched *cg_sock_sched(const struct cg_sock *sock)
{
    return sock->sched;
}

int cg_sock_fd(const struct cg_sock *sock)
{
    if (sock->closing)
        return -EBADF;
    return cg__sock_fd(sock) >= 0 ? cg__sock_fd(sock) : -EOPNOTSUPP;
}

void cg_sock_set_timeout(struct cg_sock *sock, int64_t timeout)
{
    sock->object.timeout = timeout;
}

static int print_name(struct cg_sock *sock, uint8_t code, char *buf, size_t size)
{
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    struct cg_io io = {.code = code};
    ssize_t result;

    io.value = &name;
    io.size = sizeof name;
    result = cg__sock_call(sock, &io);
    if (result < 0)
        return (int)result;
    return cg__addr_print((struct sockaddr *)&name, (socklen_t)result, buf, size);
}

bool cg__sock_is_unix(struct cg_sock *sock)
{
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    struct cg_io io = {.code = CG_IO_SOCKNAME};

    io.value = &name;
    io.size = sizeof name;
    return cg__sock_call(sock, &io) > 0 && name.ss_family == AF_UNIX;
}

int cg_sock_local_addr(struct cg_sock *sock, char *buf, size_t size)
{
    return print_name(sock, CG_IO_SOCKNAME, buf, size);
}

int cg_sock_peer_addr(struct cg_sock *sock, char *buf, size_t size)
{
    const struct cg_sock *each = sock;

    while (each->told == NULL && each->transport->below != NULL)
        each = each->transport->below(each);
    if (each->told == NULL || *each->told == '\0')
        return print_name(sock, CG_IO_PEERNAME, buf, size);
    return snprintf(buf, size, "%s", each->told) < (int)size ? 0 : -ENOSPC;
}

/* Whether closing the socket would wait: the kernel lets it, even if it is non-blocking. */
static bool would_linger(int level, int name, const void *value, size_t size)
{
    const struct linger *linger = value;

    return level == SOL_SOCKET && name == SO_LINGER && size >= sizeof *linger &&
           linger->l_onoff != 0 && linger->l_linger != 0;
}

int cg_sock_setopt(struct cg_sock *sock, int level, int name, const void *value,
                   size_t size)
{
    struct cg_io io = {.code = CG_IO_SETOPT};
    ssize_t result;

    if (would_linger(level, name, value, size))
        return -EINVAL;
    io.level = level;
    io.name = name;
    io.value = (void *)value; /* only read */
    io.size = (socklen_t)size;
    result = cg__sock_call(sock, &io);
    return result < 0 ? (int)result : 0;
}

int cg_sock_getopt(struct cg_sock *sock, int level, int name, void *value, size_t *size)
{
    struct cg_io io = {.code = CG_IO_GETOPT};
    ssize_t result;

    io.level = level;
    io.name = name;
    io.value = value;
    io.size = (socklen_t)*size;
    result = cg__sock_call(sock, &io);
    if (result < 0)
        return (int)result;
    *size = (size_t)result;
    return 0;
}

int cg__sock_print(const struct cg_sock *sock, char *buf, size_t size)
{
    if (sock == NULL)
        return snprintf(buf, size, "no socket");
    if (sock->closing)
        return snprintf(buf, size, "closed");
    if (cg__sock_fd(sock) < 0)
        return snprintf(buf, size, "%s", sock->transport->name);
    return snprintf(buf, size, "fd %d", cg__sock_fd(sock));
}

int cg__sock_print_bytes(const struct cg_sock *sock, size_t done, size_t len, char *buf,
                         size_t size)
{
    char who[32];

    cg__sock_print(sock, who, sizeof who);
    return snprintf(buf, size, "%s, %zu/%zu", who, done, len);
}
