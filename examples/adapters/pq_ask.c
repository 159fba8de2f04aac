/* SPDX-License-Identifier: MIT */
/* Queries of PostgreSQL at the same time, each on its own connection (see pq.h).
 *     cc -o pq pq_ask.c pq.c $(pkg-config --cflags --libs cogen libpq)
 *     ./pq "host=/run/postgresql dbname=postgres" "select 1" "select pg_sleep(1)" ... */
#include "pq.h"

#include <errno.h>
#include <stdio.h>

static const char *conninfo;
static int status; /* of the program */

static ssize_t ask(void *sql)
{
    PGresult *result = NULL;
    PGconn *pg = NULL;
    ssize_t rc = pq_connect(conninfo, &pg);

    if (rc >= 0)
        rc = PQsendQuery(pg, sql) ? pq_wait(pg, &result) : -EIO;
    if (rc < 0) {
        fprintf(stderr, "pq: %s: %s (%s)\n", (char *)sql, cg_strerror(rc),
                PQerrorMessage(pg));
        status = 1;
    } else if (PQntuples(result) > 0)
        printf("%s: %s\n", (char *)sql, PQgetvalue(result, 0, 0));
    else
        printf("%s: %s%s\n", (char *)sql, PQcmdStatus(result),
               PQresultErrorMessage(result));
    PQclear(result);
    PQfinish(pg);
    return 0;
}

static ssize_t program(void *arg)
{
    struct cg_group group;
    ssize_t rc;

    cg_group_open(&group, .timeout = CG_MINUTE, .keep_going = true);
    for (char **sql = arg; *sql; sql++)
        if ((rc = cg_yield(cg_add_to_group(&group, ask, *sql, .name = *sql))) < 0) {
            fprintf(stderr, "pq: %s: %s\n", *sql, cg_strerror(rc));
            status = 1;
        }
    return cg_yield(cg_wait_group(&group));
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s CONNINFO SQL...\n", argv[0]);
        return 2;
    }
    conninfo = argv[1];
    return cg_main(NULL, program, argv + 2) < 0 || status;
}
