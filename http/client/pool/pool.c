/* SPDX-License-Identifier: MIT */
/* See pool.h. A lease that becomes free passes to the first eligible waiter at
 * once, so that no later request overtakes it. There are no timers, because a timer would
 * hold the run: connections that have been idle for too long are closed at the next use. */
#include "config.h"

#include "http/client/h2/h2.h"
#include "http/client/pool/pool.h"
#include "http/client/pool/route.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cg__kept {
    struct cg__kept *older, *newer;
    struct cg__origin *origin;
    struct cg__conn conn;
    int64_t since;
};

static struct cg__origin **bucket(struct cg__pool *pool, const char *key)
{
    uint32_t hash = 2166136261u;

    while (*key)
        hash = (hash ^ (unsigned char)*key++) * 16777619u;
    return &pool->origins[hash % CG__POOL_BUCKETS];
}

struct cg__origin *cg__http_client_pool_use(struct cg__pool *pool, const char *key)
{
    struct cg__origin **head = bucket(pool, key), *origin = *head;

    while (origin != NULL && strcmp(origin->key, key) != 0)
        origin = origin->next;
    if (origin == NULL) {
        origin = malloc(sizeof *origin + strlen(key) + 1);
        if (origin == NULL)
            return NULL;
        *origin = (struct cg__origin){.next = *head};
        strcpy(origin->key, key);
        *head = origin;
    }
    origin->refs++;
    return origin;
}

void cg__http_client_pool_unuse(struct cg__pool *pool, struct cg__origin *origin)
{
    struct cg__origin **at;

    if (--origin->refs > 0)
        return;
    at = bucket(pool, origin->key);
    while (*at != origin)
        at = &(*at)->next;
    *at = origin->next;
    cg__http_repeat_clear(&origin->repeat);
    free(origin);
}

static bool has_room(const struct cg__pool *pool, const struct cg__origin *origin)
{
    return pool->active < pool->connections &&
           origin->active - origin->leaving < pool->per_origin;
}

static void grant(struct cg__enter_op *enter)
{
    enter->pool->active++;
    enter->origin->active++;
    *enter->lease = enter->origin;
}

static void unlink_waiter(struct cg__enter_op *enter)
{
    struct cg__pool *pool = enter->pool;

    *(enter->prev ? &enter->prev->next : &pool->first) = enter->next;
    *(enter->next ? &enter->next->prev : &pool->last) = enter->prev;
}

static enum cg_verdict enter_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg__enter_op *enter = (struct cg__enter_op *)op;
    struct cg__pool *pool = enter->pool;

    (void)sched;
    enter->origin->refs++;
    op->result = 0;
    if (has_room(pool, enter->origin)) {
        grant(enter);
        return CG_DONE;
    }
    enter->next = NULL;
    enter->prev = pool->last;
    *(pool->last ? &pool->last->next : &pool->first) = enter;
    pool->last = enter;
    return CG_PENDING;
}

static enum cg_verdict enter_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg__enter_op *enter = (struct cg__enter_op *)op;

    (void)sched;
    unlink_waiter(enter);
    cg__http_client_pool_unuse(enter->pool, enter->origin);
    return CG_DONE;
}

static int enter_print(const struct cg_op *op, char *buf, size_t size)
{
    return snprintf(buf, size, "%s", ((const struct cg__enter_op *)op)->origin->key);
}

const struct cg_op_type cg__http_client_pool_enter_type = {
    .name = "http_connection",
    .flags = CG_OP_LOCAL,
    .process = enter_process,
    .cancel = enter_cancel,
    .print = enter_print,
};

/* Gives each waiter a lease that may have one now. */
static void grant_all(struct cg__pool *pool)
{
    struct cg__enter_op *enter, *next;

    for (enter = pool->first; enter && pool->active < pool->connections; enter = next) {
        next = enter->next;
        if (has_room(pool, enter->origin)) {
            unlink_waiter(enter);
            grant(enter);
            cg_op_complete(&enter->op, 0);
        }
    }
}

void cg__http_client_pool_leave(struct cg__pool *pool, struct cg__origin *lease)
{
    pool->active--;
    lease->active--;
    cg__http_client_pool_unuse(pool, lease);
    grant_all(pool);
}

void cg__http_client_pool_retire(struct cg__pool *pool, struct cg__origin *lease)
{
    lease->leaving++;
    grant_all(pool);
}

static struct cg__conn unlink_kept(struct cg__pool *pool, struct cg__kept *kept)
{
    struct cg__conn conn = kept->conn;

    *(kept->older ? &kept->older->newer : &pool->oldest) = kept->newer;
    *(kept->newer ? &kept->newer->older : &pool->newest) = kept->older;
    pool->kept--;
    cg__http_client_pool_unuse(pool, kept->origin);
    kept->older = pool->spare;
    pool->spare = kept;
    return conn;
}

static struct cg__kept *new_kept(struct cg__pool *pool)
{
    struct cg__kept *kept = pool->spare;

    if (kept == NULL)
        return malloc(sizeof *kept);
    pool->spare = kept->older;
    return kept;
}

static void close_conn(struct cg__conn conn)
{
    if (conn.h2 != NULL)
        cg__http_client_h2_free(conn.h2);
    else
        cg_sock_close(conn.sock);
}

struct cg__h2 *cg__http_client_pool_kept(const struct cg__pool *pool,
                                         const struct cg__origin *origin)
{
    const struct cg__kept *kept = pool->newest;

    while (kept != NULL && kept->origin != origin)
        kept = kept->older;
    return kept != NULL ? kept->conn.h2 : NULL;
}

bool cg__http_client_pool_take(struct cg__pool *pool, struct cg__origin *lease, int64_t now,
                               struct cg__conn *conn)
{
    struct cg__kept *kept;

    cg__http_client_pool_tidy(pool, now);
    for (kept = pool->newest; kept != NULL; kept = kept->older)
        if (kept->origin == lease) {
            *conn = unlink_kept(pool, kept);
            return true;
        }
    while (pool->oldest && pool->active + pool->kept > pool->connections)
        close_conn(unlink_kept(pool, pool->oldest));
    return false;
}

void cg__http_client_pool_keep(struct cg__pool *pool, struct cg__origin *lease,
                               struct cg__conn conn, int64_t now)
{
    struct cg__kept *kept = pool->keep > 0 ? new_kept(pool) : NULL;

    if (kept == NULL) {
        close_conn(conn);
        return;
    }
    *kept = (struct cg__kept){
        .older = pool->newest, .origin = lease, .conn = conn, .since = now};
    lease->refs++;
    *(pool->newest ? &pool->newest->newer : &pool->oldest) = kept;
    pool->newest = kept;
    if (++pool->kept > pool->keep)
        close_conn(unlink_kept(pool, pool->oldest));
}

/* Whether an origin is what the key names, for whatever client. */
static bool leads_to(const struct cg__origin *origin, const char *key)
{
    size_t len = strlen(key);

    return strncmp(origin->key, key, len) == 0 &&
           (origin->key[len] == '\0' ||
            strncmp(origin->key + len, CG__ROUTE_FOR, sizeof CG__ROUTE_FOR - 1) == 0);
}

size_t cg__http_client_pool_count(struct cg__pool *pool, const char *key)
{
    size_t count = 0;

    for (int i = 0; i < CG__POOL_BUCKETS; i++)
        for (const struct cg__origin *each = pool->origins[i]; each != NULL; each = each->next)
            count += leads_to(each, key) ? each->active : 0;
    for (const struct cg__kept *kept = pool->newest; kept != NULL; kept = kept->older)
        count += leads_to(kept->origin, key);
    return count;
}

size_t cg__http_client_pool_clear(struct cg__pool *pool, const char *key)
{
    struct cg__kept *kept, *older;
    size_t count = 0;

    for (kept = pool->newest; kept != NULL; kept = older) {
        older = kept->older;
        if (!leads_to(kept->origin, key))
            continue;
        close_conn(unlink_kept(pool, kept));
        count++;
    }
    return count;
}

void cg__http_client_pool_tidy(struct cg__pool *pool, int64_t now)
{
    while (pool->oldest && now - pool->oldest->since >= pool->keep_timeout)
        close_conn(unlink_kept(pool, pool->oldest));
}

void cg__http_client_pool_close(struct cg__pool *pool)
{
    while (pool->oldest)
        close_conn(unlink_kept(pool, pool->oldest));
    while (pool->spare)
        free(new_kept(pool));
}
