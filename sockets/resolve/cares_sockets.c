/* SPDX-License-Identifier: MIT */
/* The sockets of c-ares. By itself c-ares writes to TCP connections without MSG_NOSIGNAL,
 * so a name server that closes one could kill the program; and it sends all queries to a
 * server from one UDP port, which an attacker then need not guess (RFC 5452, 9.2). So we
 * supply its socket calls. What c-ares takes for one UDP socket are several sockets: each
 * query is sent through its own socket, for which the kernel chose a random port, and
 * c-ares reads the responses of all of them as if from the first. */
#include "config.h"

#include "lib/base/nosignal.h"
#include "sockets/resolve/cares_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    EXTRA_MOST = 256, /* Limit on sockets that c-ares does not know. If more queries are
                       * in flight, several share the socket that was used least
                       * recently. */
};

struct cg__cares_socket {
    struct cg_io io; /* must be first; polls for `wanted` */
    struct cg__cares_sockets *sockets;
    struct cg__cares_socket *next;
    int fd;
    int handle;      /* c-ares' name for it: its own descriptor, or the first socket's */
    bool datagram;
    bool dropped;    /* c-ares closed it; freed when the reactor has completed its poll */
    bool responded;  /* the last query that it sent has its response */
    bool ready;      /* its poll reported `events`, which c-ares has not handled yet */
    bool readable;   /* may have input: the last read did not drain it */
    unsigned asked;  /* queries that it sent */
    unsigned wanted; /* events for which c-ares waits */
    unsigned events;
    unsigned char id[2]; /* of the last query */
    struct sockaddr_storage peer;
    socklen_t peer_len;
};

static void free_socket(struct cg__cares_socket *s)
{
    struct cg_reactor *reactor = cg_sched_reactor(s->sockets->sched);

    reactor->type->forget(reactor, s->fd);
    close(s->fd);
    free(s);
}

static void watch(struct cg__cares_socket *s);

static void complete(struct cg_io *io, ssize_t result)
{
    struct cg__cares_socket *s = (struct cg__cares_socket *)io;

    if (s->dropped) {
        cg_sched_unhold(s->sockets->sched);
        free_socket(s);
        return;
    }
    if (result == -ECANCELED) { /* c-ares now wants other events */
        watch(s);
        return;
    }
    s->ready = true;
    s->events = result < 0 ? CG_ERR : (unsigned)result;
    s->sockets->woken(s->sockets);
}

/* Polls a socket of c-ares. If that fails, the reactor has no descriptors of the kernel
 * (sim). */
static void watch(struct cg__cares_socket *s)
{
    struct cg_reactor *reactor = cg_sched_reactor(s->sockets->sched);

    if (s->wanted == 0 || s->ready || s->io.state != CG_IO_IDLE)
        return;
    s->io.code = CG_IO_POLL;
    s->io.events = s->wanted;
    if (cg_reactor_submit(reactor, &s->io) == CG_PENDING)
        return;
    if (s->io.result < 0)
        s->sockets->broken = true;
    else
        complete(&s->io, s->io.result);
}

static void unwatch(struct cg__cares_socket *s)
{
    struct cg_reactor *reactor = cg_sched_reactor(s->sockets->sched);

    if (s->io.state == CG_IO_PENDING)
        reactor->type->cancel(reactor, &s->io);
}

static struct cg__cares_socket *open_socket(struct cg__cares_sockets *sockets, int domain,
                                            int type)
{
    struct cg__cares_socket *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->fd = socket(domain, type, 0);
    if (s->fd < 0 || fcntl(s->fd, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(s->fd, F_SETFL, O_NONBLOCK) < 0 || cg__nosignal_set(s->fd) < 0) {
        if (s->fd >= 0)
            close(s->fd);
        free(s);
        return NULL;
    }
    s->io.fd = s->handle = s->fd;
    s->io.complete = complete;
    s->sockets = sockets;
    s->datagram = type == SOCK_DGRAM;
    *sockets->tail = s;
    sockets->tail = &s->next;
    return s;
}

static void unlink_at(struct cg__cares_sockets *sockets, struct cg__cares_socket **at)
{
    struct cg__cares_socket *s = *at;

    *at = s->next;
    if (*at == NULL)
        sockets->tail = at;
    s->next = NULL;
}

/* If the reactor does not complete the poll at once, the run is held open until it does. */
static void drop(struct cg__cares_sockets *sockets, struct cg__cares_socket **at)
{
    struct cg__cares_socket *s = *at;

    unlink_at(sockets, at);
    sockets->extra -= s->fd != s->handle;
    unwatch(s);
    if (s->io.state == CG_IO_IDLE) {
        free_socket(s);
        return;
    }
    s->dropped = true;
    cg_sched_hold(sockets->sched);
}

static struct cg__cares_socket *find(struct cg__cares_sockets *sockets, int handle)
{
    struct cg__cares_socket *s = sockets->first;

    while (s != NULL && s->fd != handle)
        s = s->next;
    return s;
}

static ares_socket_t open_for_cares(int domain, int type, int protocol, void *arg)
{
    struct cg__cares_socket *s = open_socket(arg, domain, type);
    int one = 1;

    (void)protocol;
    if (s == NULL)
        return ARES_SOCKET_BAD;
    if (!s->datagram)
        setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return s->fd;
}

/* Closes the socket and all sockets behind it. */
static int close_for_cares(ares_socket_t handle, void *arg)
{
    struct cg__cares_sockets *sockets = arg;
    struct cg__cares_socket **at = &sockets->first;

    while (*at != NULL) {
        if ((*at)->handle == handle)
            drop(sockets, at);
        else
            at = &(*at)->next;
    }
    return 0;
}

static int connect_for_cares(ares_socket_t handle, const struct sockaddr *addr,
                             ares_socklen_t size, void *arg)
{
    struct cg__cares_socket *s = find(arg, handle);

    memcpy(&s->peer, addr, size);
    s->peer_len = size;
    return connect(handle, addr, size);
}

/* An empty datagram is ignored: c-ares would take 0 for the end of the stream and fail all
 * queries to this server. */
static ssize_t receive(struct cg__cares_socket *s, void *data, size_t size, int flags,
                       struct sockaddr *from, socklen_t *from_size)
{
    ssize_t n;

    do
        n = recvfrom(s->fd, data, size, flags, from, from_size);
    while ((n < 0 && errno == EINTR) || (n == 0 && s->datagram));
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        s->readable = false;
    if (n >= 2 && s->datagram && memcmp(data, s->id, sizeof s->id) == 0)
        s->responded = true;
    return n;
}

static ares_ssize_t receive_for_cares(ares_socket_t handle, void *data, size_t size,
                                      int flags, struct sockaddr *from,
                                      ares_socklen_t *from_size, void *arg)
{
    struct cg__cares_socket *s = find(arg, handle);

    if (!s->datagram)
        return receive(s, data, size, flags, from, from_size);
    for (; s != NULL; s = s->next) {
        if (s->handle != handle || !s->readable)
            continue;
        ssize_t n = receive(s, data, size, flags, from, from_size);

        if (s->readable)
            return n;
    }
    errno = EWOULDBLOCK;
    return -1;
}

/* Opens one more socket to the server of `first`, or returns the one that was used least
 * recently. */
static struct cg__cares_socket *another(struct cg__cares_socket *first)
{
    struct cg__cares_sockets *sockets = first->sockets;
    struct cg__cares_socket *s = NULL, **at = &sockets->first;

    if (sockets->extra < EXTRA_MOST)
        s = open_socket(sockets, first->peer.ss_family, SOCK_DGRAM);
    if (s != NULL) {
        sockets->extra++;
        s->handle = first->handle;
        s->wanted = CG_IN;
        if (connect(s->fd, (struct sockaddr *)&first->peer, first->peer_len) == 0)
            return s;
        while (*at != s)
            at = &(*at)->next;
        drop(sockets, at);
        at = &sockets->first;
    }
    while (*at != NULL && ((*at)->handle != first->handle || *at == first))
        at = &(*at)->next;
    if (*at == NULL)
        return first;
    s = *at;
    unlink_at(sockets, at);
    *sockets->tail = s;
    sockets->tail = &s->next;
    return s;
}

static ares_ssize_t send_for_cares(ares_socket_t handle, const struct iovec *parts,
                                   int count, void *arg)
{
    struct cg__cares_socket *s = find(arg, handle);
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
    ssize_t n;
    int error;

    if (s->datagram && s->asked > 0)
        s = another(s);
    if (s->datagram && parts[0].iov_len >= sizeof s->id) {
        memcpy(s->id, parts[0].iov_base, sizeof s->id);
        s->asked++;
        s->responded = false;
    }
    do
        n = sendmsg(s->fd, &message, CG__NOSIGNAL);
    while (n < 0 && errno == EINTR);
    error = errno;
    watch(s);
    errno = error; /* c-ares checks errno to decide whether to try again */
    return n;
}

/* c-ares wants other events of a socket. With none it is about to close the socket, which
 * it reports too. */
static void wants(void *arg, ares_socket_t handle, int readable, int writable)
{
    struct cg__cares_socket *s = find(arg, handle);
    unsigned wanted = (readable ? CG_IN : 0) | (writable ? CG_OUT : 0);

    if (s == NULL || s->wanted == wanted)
        return;
    s->wanted = wanted;
    unwatch(s);
    watch(s);
}

void cg__cares_sockets_prepare(struct cg__cares_sockets *sockets,
                               struct ares_options *options)
{
    sockets->tail = &sockets->first;
    options->sock_state_cb = wants;
    options->sock_state_cb_data = sockets;
}

void cg__cares_sockets_attach(struct cg__cares_sockets *sockets, ares_channel channel)
{
    static const struct ares_socket_functions functions = {
        .asocket = open_for_cares,
        .aclose = close_for_cares,
        .aconnect = connect_for_cares,
        .arecvfrom = receive_for_cares,
        .asendv = send_for_cares,
    };

    sockets->channel = channel;
    ares_set_socket_functions(channel, &functions, sockets);
}

static struct cg__cares_socket *find_ready(struct cg__cares_sockets *sockets)
{
    struct cg__cares_socket *s = sockets->first;

    while (s != NULL && !s->ready)
        s = s->next;
    return s;
}

/* Drops extra sockets whose query has its response, and watches all others. A socket that
 * several queries share stays until c-ares closes the first socket, because we do not know
 * which of its queries are still in flight. */
static void watch_all(struct cg__cares_sockets *sockets)
{
    struct cg__cares_socket **at = &sockets->first;

    while (*at != NULL) {
        if ((*at)->responded && (*at)->asked == 1 && (*at)->fd != (*at)->handle) {
            drop(sockets, at);
        } else {
            watch(*at);
            at = &(*at)->next;
        }
    }
}

bool cg__cares_sockets_is_ready(struct cg__cares_sockets *sockets)
{
    return find_ready(sockets) != NULL || sockets->broken;
}

/* c-ares may open and close any socket during the calls. */
void cg__cares_sockets_process(struct cg__cares_sockets *sockets)
{
    struct cg__cares_socket *s;

    while ((s = find_ready(sockets)) != NULL) {
        unsigned events = s->events;

        s->ready = false;
        s->readable = true;
        ares_process_fd(sockets->channel, events & ~CG_OUT ? s->handle : ARES_SOCKET_BAD,
                        events & ~CG_IN ? s->handle : ARES_SOCKET_BAD);
    }
    /* lets c-ares process its timeouts */
    ares_process_fd(sockets->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    watch_all(sockets);
}
