/* SPDX-License-Identifier: MIT */
/* Places for connections: how many there may be, in all and for one address, and which one is
 * closed when a newcomer finds none free. A flood of silent connections so costs those who
 * wait longest for their clients, and nobody who talks. */
#include "config.h"

#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    LOOKS = 256, /* connections that are looked at for the one that has waited longest */
    SPARE = 32,  /* descriptors that are no connections', at least */
    PREFIX = 8,  /* bytes of an IPv6 address that are one client's: a /64 */
};

/* How long a newcomer waits before it looks again, when all others are at work. */
#define AGAIN (20 * CG_MILLISECOND)

/* ---- One address ----------------------------------------------------------------- */

/* Kept in a balanced tree: no choice of addresses makes it slow. */
struct cg__http_address {
    unsigned char key[1 + PREFIX]; /* the family, and the address or its prefix */
    unsigned conns;
};

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof((struct cg__http_address *)NULL)->key);
}

/* False: a peer without an IP address. */
static bool make_key(struct cg_sock *sock, unsigned char *key)
{
    char text[CG_ADDR_SIZE], *host = text;
    unsigned char bytes[sizeof(struct in6_addr)] = {0};
    int family;

    if (cg_peer_addr(sock, text, sizeof text) < 0)
        return false;
    family = text[0] == '[' ? AF_INET6 : AF_INET;
    if (family == AF_INET6)
        host++;
    host[strcspn(host, family == AF_INET6 ? "]%" : ":")] = '\0';
    if (inet_pton(family, host, bytes) != 1)
        return false;
    key[0] = family == AF_INET6 ? 6 : 4;
    memcpy(key + 1, bytes, PREFIX);
    return true;
}

bool cg__http_place_take(struct cg__http_conn *conn)
{
    struct cg_http_server *server = conn->server;
    struct cg__http_address wanted = {.conns = 0}, *address;
    void *node;

    if (server->options.address_connections == 0 || !make_key(conn->sock, wanted.key))
        return true;
    node = tfind(&wanted, &server->addresses, compare);
    if (node != NULL) {
        address = *(struct cg__http_address **)node;
        if (address->conns == server->options.address_connections)
            return false;
    } else {
        address = malloc(sizeof *address);
        if (address == NULL)
            return false;
        *address = wanted;
        if (tsearch(address, &server->addresses, compare) == NULL) {
            free(address);
            return false;
        }
    }
    address->conns++;
    conn->address = address;
    return true;
}

void cg__http_place_leave(struct cg__http_conn *conn)
{
    struct cg__http_address *address = conn->address;

    if (conn->server->hand == conn)
        conn->server->hand = conn->next;
    if (address == NULL || --address->conns > 0)
        return;
    tdelete(address, &conn->server->addresses, compare);
    free(address);
}

/* ---- All of them ----------------------------------------------------------------- */

/* Files, upstream connections and the reactor need descriptors, too: an eighth stays free, or
 * some that a small program needs in any case. */
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

/* Of so many connections, each time the next ones: looking at all of ten thousand would cost
 * more than the flood. NULL: all are at work. */
static struct cg__http_conn *longest_waiting(struct cg_http_server *server)
{
    struct cg__http_conn *conn = server->hand, *found = NULL;

    for (unsigned i = 0; i < LOOKS && i < server->nconns; i++) {
        if (conn == NULL)
            conn = server->conns;
        if (conn->phase != CG__HTTP_AT_WORK &&
            (found == NULL || conn->since < found->since))
            found = conn;
        conn = conn->next;
    }
    server->hand = conn;
    return found;
}

ssize_t cg__http_place_wait(struct cg_http_server *server)
{
    ssize_t n = 0;

    while (n >= 0 && server->nconns >= server->options.connections && !server->draining) {
        struct cg__http_conn *conn = longest_waiting(server);

        if (conn != NULL) {
            conn->phase = CG__HTTP_AT_WORK; /* at its end */
            cg_coro_cancel(conn->coro);
        }
        n = cg_yield(cg_wait_signal(server, NULL, .timeout = AGAIN));
        if (n == -ETIMEDOUT)
            n = 0;
    }
    return n < 0 ? n : 0;
}
