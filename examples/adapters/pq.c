/* SPDX-License-Identifier: MIT */
/* See pq.h. */
#include "pq.h"

#include <errno.h>

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
