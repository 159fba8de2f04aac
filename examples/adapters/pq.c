/* SPDX-License-Identifier: MIT */
/* See pq.h. */
#include "pq.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Waits until libpq's socket is ready. Any call of libpq may replace the socket. */
static ssize_t wait_ready(PGconn *pg, unsigned events)
{
    return PQsocket(pg) < 0 ? -ENOTCONN : cg_yield(cg_poll(PQsocket(pg), events));
}

ssize_t pq_connect(const char *conninfo, PGconn **pg)
{
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    ssize_t rc = 0;

    if (!(*pg = PQconnectStart(conninfo)))
        return -ENOMEM;
    if (PQstatus(*pg) == CONNECTION_BAD)
        return -ECONNREFUSED;
    while (rc >= 0 && want != PGRES_POLLING_OK) {
        rc = wait_ready(*pg, want == PGRES_POLLING_READING ? CG_IN : CG_OUT);
        if (rc >= 0 && (want = PQconnectPoll(*pg)) == PGRES_POLLING_FAILED)
            return -ECONNREFUSED;
    }
    if (rc >= 0 && PQsetnonblocking(*pg, 1) < 0)
        rc = -EIO;
    return rc < 0 ? rc : 0;
}

/* Sends what libpq has buffered. The server may wait for us to read first. */
static ssize_t flush(PGconn *pg)
{
    ssize_t rc = 0;
    int left;

    while ((left = PQflush(pg)) > 0) {
        if ((rc = wait_ready(pg, CG_IN | CG_OUT)) < 0)
            return rc;
        if ((rc & CG_IN) && !PQconsumeInput(pg))
            return -EIO;
    }
    return left < 0 ? -EIO : 0;
}

ssize_t pq_wait(PGconn *pg, PGresult **result)
{
    PGresult *more = NULL;
    ssize_t rc = flush(pg);

    *result = NULL;
    do { /* a result for each statement, then NULL; keep the last one */
        while (rc >= 0 && PQisBusy(pg))
            if ((rc = wait_ready(pg, CG_IN)) >= 0 && !PQconsumeInput(pg))
                rc = -EIO;
        if (rc >= 0 && (more = PQgetResult(pg))) {
            PQclear(*result);
            *result = more;
        }
    } while (rc >= 0 && more);
    if (rc >= 0 && *result)
        return 0;
    PQclear(*result);
    *result = NULL;
    return rc < 0 ? rc : -EIO;
}

struct pq_pool {
    const char *conninfo, *begin;
    struct cg_queue *links; /* idle ones; NULL: one that is to be made */
};

static void drop(void *link)
{
    PQfinish(link);
}

struct pq_pool *pq_pool_new(const char *conninfo, const char *begin, unsigned limit)
{
    struct cg_queue *links = cg_queue_new(.lifo = true, .limit = limit, .drop = drop);
    struct pq_pool *pool = malloc(sizeof *pool);

    if (links == NULL || pool == NULL) {
        cg_queue_free(links);
        free(pool);
        return NULL;
    }
    *pool = (struct pq_pool){conninfo, begin, links};
    while (cg_queue_try_put(links, NULL) == 0)
        continue;
    return pool;
}

void pq_pool_free(struct pq_pool *pool)
{
    if (pool != NULL)
        cg_queue_free(pool->links);
    free(pool);
}

/* Waits for a result of this kind. */
static ssize_t expect(PGconn *pg, ExecStatusType kind, PGresult **result)
{
    ssize_t rc = pq_wait(pg, result);
    const char *state = rc == 0 ? PQresultErrorField(*result, PG_DIAG_SQLSTATE) : NULL;

    if (rc < 0 || PQresultStatus(*result) == kind)
        return rc;
    rc = state && (!strncmp(state, "22", 2) || !strncmp(state, "23", 2)) ? -EINVAL : -EIO;
    PQclear(*result);
    return rc;
}

static ssize_t begin(const struct pq_pool *pool, PGconn **link)
{
    PGresult *result;
    ssize_t rc = pool->conninfo ? pq_connect(pool->conninfo, link) : -ENOTCONN;

    if (rc == 0)
        rc = PQsendQuery(*link, pool->begin) ? expect(*link, PGRES_COMMAND_OK, &result) : -EIO;
    if (rc == 0)
        PQclear(result);
    return rc;
}

/* Ends a connection after a failure. */
static void lose(PGconn **link)
{
    const char *why = *link ? PQerrorMessage(*link) : "there is none";

    fprintf(stderr, "database: %.*s\n", (int)strcspn(why, "\n"), why);
    PQfinish(*link);
    *link = NULL;
}

ssize_t pq_pool_ask(struct pq_pool *pool, const char *statement, const char *const *values,
                    int count, PGresult **rows)
{
    struct cg_scope scope;
    PGconn *link;
    ssize_t rc;

    cg_scope_open(&scope, cg_sched_now(cg_sched_self()) + PQ_PATIENCE * CG_SECOND, false);
    if ((rc = cg_yield(cg_get(pool->links, &link))) == 0) {
        if (!link)
            rc = begin(pool, &link);
        if (rc == 0)
            rc = PQsendQueryPrepared(link, statement, count, values, NULL, NULL, 0)
                     ? expect(link, PGRES_TUPLES_OK, rows)
                     : -EIO;
        if (rc < 0 && rc != -EINVAL)
            lose(&link);
        cg_queue_try_put(pool->links, link);
    }
    cg_scope_close(&scope);
    return rc == 0 || rc == -EINVAL || rc == -ECANCELED ? rc : -EIO;
}
