/* SPDX-License-Identifier: MIT */
/* PostgreSQL by libpq, which has one descriptor at a time and says what it waits for.
 * pq_ask.c is a program that uses this. */
#ifndef COGEN_ADAPTERS_PQ_H
#define COGEN_ADAPTERS_PQ_H

#include <cogen.h>
#include <libpq-fe.h>

/* Connects. Returns 0 or a negative code (PQerrorMessage tells more). In both cases the
 * caller ends the connection with PQfinish. A host name (host=) is looked up by libpq,
 * which blocks the thread; an address (hostaddr=) needs no look-up. */
ssize_t pq_connect(const char *conninfo, PGconn **pg);

/* Waits for the last result of what was sent (PQsendQuery, PQsendPrepare ...), which the
 * caller frees with PQclear. Returns 0 or a negative code. After a failure the connection
 * must be ended: the result may still arrive. */
ssize_t pq_wait(PGconn *pg, PGresult **result);

/* A pool of at most `limit` connections, which are made when they are needed. Each begins with
 * the SQL `begin`, which may PREPARE statements. Both texts are borrowed; conninfo NULL: there is
 * no database. NULL: no memory. */
struct pq_pool;
struct pq_pool *pq_pool_new(const char *conninfo, const char *begin, unsigned limit);
void pq_pool_free(struct pq_pool *pool);

/* Runs a prepared statement on an idle connection, for which it waits. The values are texts;
 * a NULL pointer means SQL's NULL. Stores the rows, which the caller frees with PQclear. Returns
 * 0; or
 *   -EINVAL     the database refuses the values (SQLSTATE 22 and 23)
 *   -EIO        there is no answer within PQ_PATIENCE, or another failure, which is printed.
 *               The connection is made anew when it is needed
 *   -ECANCELED  the same */
enum { PQ_PATIENCE = 5 }; /* seconds */
ssize_t pq_pool_ask(struct pq_pool *pool, const char *statement, const char *const *values,
                    int count, PGresult **rows);

#endif
