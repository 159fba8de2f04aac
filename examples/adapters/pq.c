/* SPDX-License-Identifier: MIT */
/* PostgreSQL by libpq, which has one descriptor at a time and tells what it waits for.
 *     cc pq.c $(pkg-config --cflags --libs cogen libpq)
 *     ./pq "host=/run/postgresql dbname=postgres" "select 1" "select pg_sleep(1)" ...
 * All queries run at the same time, each on its own connection. */
#include <cogen.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>

/* Waits until libpq's socket is ready. Any call of libpq may replace the socket. */
static ssize_t wait_ready(PGconn *pg, unsigned events)
{
    return PQsocket(pg) < 0 ? -ENOTCONN : cg_yield(cg_poll(PQsocket(pg), events));
}

/* Connects. Returns 0 or a negative code (PQerrorMessage tells more). In both cases the
 * caller ends the connection with PQfinish. A host name (host=) is looked up by libpq,
 * which blocks the thread; an address (hostaddr=) needs no look-up. */
static ssize_t pq_connect(const char *conninfo, PGconn **pg)
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

/* Sends a query and waits for its result, which the caller frees with PQclear. After a
 * timeout or a cancel the result may still arrive, so the connection must be ended. */
static ssize_t pq_query(PGconn *pg, const char *sql, PGresult **result)
{
    PGresult *more;
    ssize_t rc = 0;
    int left;

    if (!PQsendQuery(pg, sql))
        return -EIO;
    while ((left = PQflush(pg)) >
           0) { /* the server may wait for us to read first */
        if ((rc = wait_ready(pg, CG_IN | CG_OUT)) < 0)
            return rc;
        if ((rc & CG_IN) && !PQconsumeInput(pg))
            return -EIO;
    }
    *result = NULL;
    do { /* a result for each statement, then NULL; keep the last one */
        while (left >= 0 && PQisBusy(pg))
            if ((rc = wait_ready(pg, CG_IN)) < 0 || !PQconsumeInput(pg)) {
                PQclear(*result);
                return rc < 0 ? rc : -EIO;
            }
        if ((more = PQgetResult(pg))) {
            PQclear(*result);
            *result = more;
        }
    } while (more);
    return *result ? 0 : -EIO;
}

static const char *conninfo;

static ssize_t ask(void *sql)
{
    PGresult *result = NULL;
    PGconn *pg = NULL;
    ssize_t rc = pq_connect(conninfo, &pg);

    if (rc >= 0)
        rc = pq_query(pg, sql, &result);
    if (rc < 0)
        printf("%s: %s (%s)\n", (char *)sql, cg_strerror(rc), PQerrorMessage(pg));
    else if (PQntuples(result) > 0)
        printf("%s: %s\n", (char *)sql, PQgetvalue(result, 0, 0));
    else
        printf("%s: %s%s\n", (char *)sql, PQcmdStatus(result),
               PQresultErrorMessage(result));
    PQclear(result);
    PQfinish(pg);
    return rc;
}

static ssize_t program(void *arg)
{
    struct cg_group group;

    cg_group_open(&group, .timeout = 5 * CG_SECOND, .keep_going = true);
    for (char **sql = arg; *sql; sql++)
        cg_yield(cg_add_to_group(&group, ask, *sql, .name = *sql));
    return cg_yield(cg_wait_group(&group));
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s CONNINFO SQL...\n", argv[0]);
        return 2;
    }
    conninfo = argv[1];
    return cg_main(NULL, program, argv + 2) < 0;
}
