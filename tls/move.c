/* SPDX-License-Identifier: MIT */
/* A connection goes to another scheduler (cg_sock_move). OpenSSL's object does not know of
 * schedulers; the queue of ciphertext lies in chunks of the reactor, so it is copied. */
#include "config.h"

#include "tls/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int pack(void *state)
{
    struct cg__tls_conn *conn = state;
    size_t size = cg__tls_queue_size(&conn->queue), done = 0;
    char *packed = size > 0 ? malloc(size) : NULL;
    struct iovec part;

    if (packed == NULL && size > 0)
        return -ENOMEM;
    while (cg__tls_queue_show(&conn->queue, &part, 1) > 0) {
        memcpy(packed + done, part.iov_base, part.iov_len);
        done += part.iov_len;
        cg__tls_queue_drop(&conn->queue, part.iov_len);
    }
    conn->packed = packed;
    conn->packed_len = size;
    cg__tls_turn_unref(conn->turns);
    conn->turns = NULL;
    conn->inner = NULL;
    return 0;
}

static int unpack(void *state, struct cg_sock *below)
{
    struct cg__tls_conn *conn = state;
    struct cg_sched *sched = cg_sock_sched(below);
    struct cg__tls_turns *turns = cg__tls_turn_ref(conn->tls, sched);
    size_t size = conn->packed_len;

    conn->queue.reactor = cg_sched_reactor(sched);
    if (turns == NULL || cg__tls_queue_put(&conn->queue, conn->packed, size) < size) {
        cg__tls_queue_drop(&conn->queue, cg__tls_queue_size(&conn->queue));
        cg__tls_turn_unref(turns);
        return -ENOMEM;
    }
    free(conn->packed);
    conn->packed = NULL;
    conn->turns = turns;
    conn->inner = below;
    return 0;
}

static void drop(void *state)
{
    cg__tls_conn_free(state);
}

const struct cg_transport_move cg__tls_move = {
    .pack = pack,
    .unpack = unpack,
    .drop = drop,
};
