/* SPDX-License-Identifier: MIT */
/* See pool.h. */
#include "pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For a statement, with the wait for a connection. */
static const int64_t patience = 5 * CG_SECOND;

#define COLUMNS \
    "id, name, category, price, quantity, active, tags, rating_score, rating_count"
#define SELECT "SELECT " COLUMNS " FROM items WHERE "

static const struct {
    const char *name, *sql;
} statements[POOL_STATEMENTS] = {
    [POOL_RANGE] = {"range", SELECT "price BETWEEN $1 AND $2 LIMIT $3"},
    [POOL_LIST] = {"list", SELECT "category = $1 ORDER BY id LIMIT $2 OFFSET $3"},
    [POOL_READ] = {"read", SELECT "id = $1"},
    [POOL_CREATE] = {"create",
                     "INSERT INTO items (" COLUMNS ") "
                     "VALUES ($1, $2, $3, $4, $5, true, '[]', 0, 0) ON CONFLICT (id) "
                     "DO UPDATE SET name = $2, category = $3, price = $4, quantity = $5 "
                     "RETURNING " COLUMNS},
    [POOL_UPDATE] = {"update",
                     "UPDATE items SET name = $2, category = coalesce($3, category), "
                     "price = $4, quantity = $5 WHERE id = $1 RETURNING " COLUMNS},
};

/* The idle connections, which may be broken; NULL: one that is not made yet. */
struct pool {
    struct cg_queue *links;
};

void pool_add_text(struct pool_values *values, const char *text)
{
    values->text[values->count++] = text;
}

void pool_add_number(struct pool_values *values, long long n)
{
    snprintf(values->numbers[values->count], sizeof *values->numbers, "%lld", n);
    pool_add_text(values, values->numbers[values->count]);
}

static void drop_link(void *link)
{
    PQfinish(link);
}

int pool_open(unsigned links, struct pool **pool)
{
    struct cg_queue *queue =
        cg_queue_new(.lifo = true, .limit = links, .drop = drop_link);

    *pool = malloc(sizeof **pool);
    if (queue == NULL || *pool == NULL) {
        cg_queue_free(queue);
        free(*pool);
        *pool = NULL;
        return -ENOMEM;
    }
    (*pool)->links = queue;
    while (cg_queue_try_put(queue, NULL) == 0)
        continue;
    return 0;
}

void pool_close(struct pool *pool)
{
    if (pool != NULL)
        cg_queue_free(pool->links);
    free(pool);
}

/* Prints the first line. */
static ssize_t complain(const char *why)
{
    fprintf(stderr, "arena: database: %.*s\n", (int)strcspn(why, "\n"), why);
    return -EIO;
}

/* The result must be of this kind. Then the caller frees it with PQclear. */
static ssize_t expect(PGconn *link, ExecStatusType kind, PGresult **result)
{
    ssize_t n = pq_wait(link, result);

    if (n == 0 && PQresultStatus(*result) != kind) {
        n = complain(PQresultErrorMessage(*result));
        PQclear(*result);
    }
    return n;
}

static ssize_t connect_link(PGconn **link)
{
    const char *url = getenv("DATABASE_URL");
    ssize_t n = url != NULL ? pq_connect(url, link) : -ENOTCONN;
    PGresult *result;

    if (n == -ECONNREFUSED)
        complain(PQerrorMessage(*link));
    for (int i = 0; i < POOL_STATEMENTS && n == 0; i++) {
        n = PQsendPrepare(*link, statements[i].name, statements[i].sql, 0, NULL)
                ? expect(*link, PGRES_COMMAND_OK, &result)
                : -EIO;
        if (n == 0)
            PQclear(result);
    }
    return n;
}

static ssize_t ask(PGconn **link, enum pool_statement what,
                   const struct pool_values *values, PGresult **rows)
{
    ssize_t n = *link == NULL ? connect_link(link) : 0;

    if (n == 0 && !PQsendQueryPrepared(*link, statements[what].name, values->count,
                                       values->text, NULL, NULL, 0))
        n = -EIO;
    return n < 0 ? n : expect(*link, PGRES_TUPLES_OK, rows);
}

ssize_t pool_query(struct pool *pool, enum pool_statement what,
                   const struct pool_values *values, PGresult **rows)
{
    struct cg_scope scope;
    PGconn *link;
    ssize_t n;

    cg_scope_open(&scope, cg_sched_now(cg_sched_self()) + patience, false);
    n = cg_yield(cg_get(pool->links, &link));
    if (n == 0) {
        n = ask(&link, what, values, rows);
        if (n < 0) {
            PQfinish(link);
            link = NULL;
        }
        cg_queue_try_put(pool->links, link);
    }
    cg_scope_close(&scope);
    return n;
}
