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

#endif
