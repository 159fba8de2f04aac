/* SPDX-License-Identifier: MIT */
/* Limits of connections, in all and from one address, and which connection is closed when a
 * new one exceeds a limit: the one that has waited longest for its client. So a flood of
 * silent connections closes silent ones, and none that is served. If the kernel runs out of
 * descriptors before the limit is reached, the limit is lower for a while. */
#include "config.h"

#include "http/server/metrics.h"
#include "http/server/places.h"

#include "http/server/dormant.h"

#include <cogen/resolve.h>
#include <cogen/transport.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    LOOKS = 256, /* connections that one search examines */
    SPARE = 32,  /* descriptors that are left for other uses, at least */
    PREFIX = 8,  /* bytes of an IPv6 address that identify a client: a /64 prefix */
};

/* How long a new connection waits before it checks again, when no other waits for its
 * client. */
#define AGAIN (20 * CG_MILLISECOND)

/* How long the limit is lower after the kernel had no descriptor left. */
#define SHORTAGE (10 * CG_SECOND)

/* The connections from one address. These are in a balanced tree, which no choice of
 * addresses can make slow. */
struct cg__http_address {
    unsigned char key[1 + PREFIX]; /* the family, and the address or its prefix */
    struct cg__http_ring conns;
};

/* Inserts the connection before the hand: it is the last to be examined. */
static void ring_add(struct cg__http_ring *ring, enum cg__http_kin kin,
                     struct cg__http_conn *conn)
{
    struct cg__http_conn *next = ring->hand != NULL ? ring->hand : conn;
    struct cg__http_conn *prev = ring->hand != NULL ? next->in[kin].prev : conn;

    conn->in[kin].next = next;
    conn->in[kin].prev = prev;
    prev->in[kin].next = conn;
    next->in[kin].prev = conn;
    ring->hand = next;
    ring->count++;
}

static void ring_remove(struct cg__http_ring *ring, enum cg__http_kin kin,
                        struct cg__http_conn *conn)
{
    struct cg__http_conn *next = conn->in[kin].next;

    conn->in[kin].prev->in[kin].next = next;
    next->in[kin].prev = conn->in[kin].prev;
    if (ring->hand == conn)
        ring->hand = next != conn ? next : NULL;
    ring->count--;
    ring->ending -= conn->ending;
}

/* Finds the connection that has waited longest, among the next LOOKS ones after the hand:
 * to search ten thousand for each new connection would cost more than the flood itself.
 * NULL: none of them waits for its client. */
static struct cg__http_conn *longest_waiting(struct cg__http_ring *ring, enum cg__http_kin kin)
{
    struct cg__http_conn *conn = ring->hand, *found = NULL;

    for (unsigned i = 0; i < LOOKS && i < ring->count; i++, conn = conn->in[kin].next)
        if (conn->phase != CG__HTTP_AT_WORK && !conn->ending &&
            (found == NULL || conn->since < found->since))
            found = conn;
    ring->hand = conn;
    return found;
}

/* Cancels the connection that has waited longest for its client, because of a limit. False:
 * there is none. */
static bool shed(struct cg_http_server *server, struct cg__http_ring *ring,
                 enum cg__http_kin kin, enum cg__http_refused limit)
{
    struct cg__http_conn *conn = longest_waiting(ring, kin);

    if (conn == NULL)
        return false;
    cg__http_metrics_refuse(server, limit);
    conn->ending = true;
    server->all.ending++;
    if (conn->address != NULL)
        conn->address->conns.ending++;
    cg__http_dormant_cancel(conn);
    return true;
}

/* Whether the limit is reached, without the connections that are about to end. */
static bool is_full(const struct cg__http_ring *ring, unsigned places)
{
    return ring->count - ring->ending >= places;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof((struct cg__http_address *)NULL)->key);
}

/* Asks for the address as the kernel has it: to print it and to read the text again would take a
 * sixth of the instructions of a connection with one request. Returns false if the peer has no IP
 * address. */
static bool make_key(struct cg_sock *sock, unsigned char *key)
{
    struct cg_addr peer = {.len = 0};
    struct cg_io io = {.code = CG_IO_PEERNAME, .fd = cg_sock_fd(sock)};
    const struct in6_addr *in6 = &peer.in6.sin6_addr;

    io.value = &peer.un; /* the largest kind of address */
    io.size = sizeof peer.un;
    if (cg_sock_transport(sock)->submit(sock, &io) != CG_DONE || io.result < 0)
        return false;
    if (peer.base.sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(in6)) {
        key[0] = 6;
        memcpy(key + 1, in6, PREFIX);
        return true;
    }
    key[0] = 4;
    if (peer.base.sa_family == AF_INET6)
        memcpy(key + 1, &in6->s6_addr[12], sizeof peer.in.sin_addr);
    else
        memcpy(key + 1, &peer.in.sin_addr, sizeof peer.in.sin_addr);
    return peer.base.sa_family == AF_INET || peer.base.sa_family == AF_INET6;
}

/* Finds the entry of an address, or makes it. NULL: no memory. */
static struct cg__http_address *find_or_make(struct cg_http_server *server,
                                             const struct cg__http_address *wanted)
{
    void *node = tfind(wanted, &server->addresses, compare);
    struct cg__http_address *made;

    if (node != NULL)
        return *(struct cg__http_address **)node;
    made = malloc(sizeof *made);
    if (made == NULL)
        return NULL;
    *made = *wanted;
    if (tsearch(made, &server->addresses, compare) != NULL)
        return made;
    free(made);
    return NULL;
}

int cg__http_places_take(struct cg__http_conn *conn)
{
    struct cg_http_server *server = conn->server;
    unsigned share = server->options.address_connections;
    struct cg__http_address wanted = {.key = {0}}, *address;

    if (share >= server->options.connections || !make_key(conn->sock, wanted.key))
        return 0;
    address = find_or_make(server, &wanted);
    if (address == NULL)
        return -ENOMEM;
    if (is_full(&address->conns, share) &&
        !shed(server, &address->conns, CG__HTTP_NEAR, CG__HTTP_REFUSED_ADDRESS)) {
        cg__http_metrics_refuse(server, CG__HTTP_REFUSED_ADDRESS);
        return -EBUSY;
    }
    ring_add(&address->conns, CG__HTTP_NEAR, conn);
    conn->address = address;
    return 0;
}

/* The entry of an address is freed with its last connection. */
static void leave_address(struct cg__http_conn *conn)
{
    struct cg__http_address *address = conn->address;

    if (address == NULL)
        return;
    ring_remove(&address->conns, CG__HTTP_NEAR, conn);
    if (address->conns.count > 0)
        return;
    tdelete(address, &conn->server->addresses, compare);
    free(address);
}

void cg__http_places_leave(struct cg__http_conn *conn)
{
    leave_address(conn);
    if (conn->in[CG__HTTP_ALL].next == NULL)
        return;
    ring_remove(&conn->server->all, CG__HTTP_ALL, conn);
    if (conn->server->options.metrics != NULL)
        cg__http_metrics_connection(conn->server->options.metrics, -1);
}

unsigned cg__http_places_share(unsigned connections)
{
    return connections == UINT_MAX ? UINT_MAX : connections - connections / 4;
}

/* Files, upstream connections and the reactor need descriptors too: an eighth stays free,
 * and at least SPARE. */
unsigned cg__http_places(void)
{
    struct rlimit limit;
    rlim_t spare;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur > UINT_MAX)
        return UINT_MAX;
    spare = limit.rlim_cur / 8 > SPARE ? limit.rlim_cur / 8 : SPARE;
    if (spare > limit.rlim_cur / 2)
        spare = limit.rlim_cur / 2;
    return limit.rlim_cur > spare ? (unsigned)(limit.rlim_cur - spare) : 1;
}

/* The present limit of connections. */
static unsigned places(const struct cg_http_server *server)
{
    unsigned most = server->options.connections;

    if (cg_sched_now(server->sched) >= server->short_until ||
        server->short_places > most)
        return most;
    return server->short_places;
}

ssize_t cg__http_places_wait(struct cg_http_server *server)
{
    struct cg__http_ring *all = &server->all;
    ssize_t n = 0;

    while (n >= 0 && !server->draining && all->count >= places(server)) {
        if (is_full(all, places(server)) &&
            !shed(server, all, CG__HTTP_ALL, CG__HTTP_REFUSED_CONNECTION) &&
            all->count < server->options.connections)
            break; /* only the lowered limit is exceeded: do not wait for it */
        n = cg_yield(cg_wait_signal(server, NULL, .timeout = AGAIN));
        if (n == -ETIMEDOUT)
            n = 0;
    }
    return n < 0 ? n : 0;
}

void cg__http_places_enter(struct cg__http_conn *conn)
{
    ring_add(&conn->server->all, CG__HTTP_ALL, conn);
    if (conn->server->options.metrics != NULL)
        cg__http_metrics_connection(conn->server->options.metrics, 1);
}

/* accept() allocates a descriptor before it checks for a waiting connection, and fails
 * without one; so a descriptor must stay free. */
void cg__http_places_short(struct cg_http_server *server)
{
    unsigned count = server->all.count;

    server->short_places = count - count / 8;
    server->short_until = cg_sched_now(server->sched) + SHORTAGE;
    if (server->all.ending == 0) /* otherwise a descriptor is about to become free */
        shed(server, &server->all, CG__HTTP_ALL, CG__HTTP_REFUSED_DESCRIPTOR);
}
