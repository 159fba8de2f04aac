/* SPDX-License-Identifier: MIT */
/* One attempt to connect to one address. */
#include "config.h"

#include "sockets/connect/attempt.h"
#include "sockets/options.h"
#include "sockets/plain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void close_fd(struct cg__attempt *attempt)
{
    if (attempt->io.fd >= 0)
        cg__plain_close_fd(cg_sched_reactor(attempt->sched), attempt->io.fd);
    attempt->io.fd = -1;
}

static bool same_address(const struct cg_addr *a, const struct cg_addr *b)
{
    if (a->base.sa_family == AF_INET)
        return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr) == 0;
}

/* Whether TCP connected the socket to itself: if nobody listens on a port of this host,
 * the kernel may give this very port to the socket that connects to it. In most cases the
 * first comparison decides. */
static bool is_self(struct cg__attempt *attempt)
{
    struct cg_reactor *reactor = cg_sched_reactor(attempt->sched);
    struct cg_addr own, peer;
    int fd = attempt->io.fd;

    return attempt->addr.base.sa_family != AF_UNIX &&
           cg__plain_name(reactor, fd, CG_IO_SOCKNAME, &own) == 0 &&
           *cg__addr_port_of(&own) == *cg__addr_port_of(&attempt->addr) &&
           cg__plain_name(reactor, fd, CG_IO_PEERNAME, &peer) == 0 && same_address(&own, &peer);
}

static void take_result(struct cg__attempt *attempt, ssize_t result)
{
    attempt->result = result >= 0 && is_self(attempt) ? -ECONNREFUSED : result;
    if (attempt->result < 0)
        close_fd(attempt);
}

static void complete(struct cg_io *io, ssize_t result)
{
    struct cg__attempt *attempt = io->owner;

    cg_sched_unhold(attempt->sched);
    take_result(attempt, result);
    if (attempt->settled != NULL)
        attempt->settled(attempt);
    else
        cg__attempt_end(attempt);
}

struct cg__attempt *cg__attempt_new(struct cg_sched *sched, const struct sockaddr *addr,
                                    socklen_t size)
{
    struct cg__attempt *attempt = calloc(1, sizeof *attempt);

    if (attempt == NULL)
        return NULL;
    attempt->sched = sched;
    memcpy(&attempt->addr.base, addr, size);
    attempt->addr.len = size;
    attempt->io.fd = -1;
    return attempt;
}

enum cg_verdict cg__attempt_begin(struct cg__attempt *attempt)
{
    struct cg_reactor *reactor = cg_sched_reactor(attempt->sched);
    int fd = cg__plain_socket(reactor, &attempt->addr);

    attempt->result = fd;
    if (fd < 0)
        return CG_DONE;
    attempt->io = (struct cg_io){.code = CG_IO_CONNECT, .fd = fd};
    attempt->result = cg__options_set_connect(reactor, fd, attempt->addr.base.sa_family,
                                              attempt->options);
    if (attempt->result < 0) {
        close_fd(attempt);
        return CG_DONE;
    }
    attempt->io.addr = &attempt->addr.base;
    attempt->io.addrlen = attempt->addr.len;
    attempt->io.complete = complete;
    attempt->io.owner = attempt;
    if (cg_reactor_submit(reactor, &attempt->io) == CG_PENDING) {
        cg_sched_hold(attempt->sched);
        return CG_PENDING;
    }
    take_result(attempt, attempt->io.result);
    return CG_DONE;
}

void cg__attempt_end(struct cg__attempt *attempt)
{
    struct cg_reactor *reactor;

    if (attempt == NULL)
        return;
    if (attempt->io.state != CG_IO_IDLE) {
        reactor = cg_sched_reactor(attempt->sched);
        attempt->settled = NULL;
        if (reactor->type->cancel(reactor, &attempt->io) == CG_PENDING)
            return; /* freed when the kernel completes it; until then it holds the run
                     * open */
        cg_sched_unhold(attempt->sched);
    }
    close_fd(attempt);
    free(attempt);
}

int cg__attempt_sock(struct cg__attempt *attempt, struct cg_sock **sock)
{
    int rc = (int)attempt->result;

    if (rc >= 0) {
        *sock =
            cg_sock_open(attempt->sched, &cg__plain_transport, NULL, attempt->io.fd);
        rc = *sock != NULL ? 0 : -ENOMEM;
        if (rc == 0)
            attempt->io.fd = -1; /* the descriptor belongs to the socket now */
    }
    cg__attempt_end(attempt);
    return rc;
}
