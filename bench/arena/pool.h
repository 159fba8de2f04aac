/* SPDX-License-Identifier: MIT */
/* A pool of connections to PostgreSQL, and the statements that each of them prepares. */
#ifndef COGEN_ARENA_POOL_H
#define COGEN_ARENA_POOL_H

#include "examples/adapters/pq.h"

enum pool_statement {
    POOL_RANGE,  /* lowest price, highest price, limit */
    POOL_LIST,   /* category, limit, offset */
    POOL_READ,   /* id */
    POOL_CREATE, /* id, name, category, price, quantity */
    POOL_UPDATE, /* the same; category NULL: it stays as it is */
    POOL_STATEMENTS,
};

/* The parameters of a statement, as texts. */
struct pool_values {
    const char *text[5]; /* borrowed */
    char numbers[5][24];
    int count;
};

void pool_add_text(struct pool_values *values, const char *text);
void pool_add_number(struct pool_values *values, long long n);

struct pool;

/* Opens a pool of at most `links` connections to $DATABASE_URL, which are made when they
 * are needed. 0 or -ENOMEM. */
int pool_open(unsigned links, struct pool **pool);
void pool_close(struct pool *pool);

/* Runs a statement on an idle connection, for which it waits. Its rows have the columns id,
 * name, category, price, quantity, active, tags, rating_score, rating_count; the caller
 * frees them with PQclear. 0 or a negative code: a failure that was printed, or a timeout.
 * After any failure the connection is made anew. */
ssize_t pool_query(struct pool *pool, enum pool_statement what,
                   const struct pool_values *values, PGresult **rows);

#endif
