/* SPDX-License-Identifier: MIT */
/* How http_client fetches URLs, several at the same time, each by a coroutine. */
#ifndef EXAMPLES_HTTP_CLIENT_FETCH_H
#define EXAMPLES_HTTP_CLIENT_FETCH_H

#include <cogen.h>
#include <cogen/http_client.h>

#include "http_client_file.h"

enum {
    FETCH_FIELDS = 50,        /* most header fields of a request */
    FETCH_PIECE = 32 * 1024,  /* most bytes read at a time */
};

/* The exit status of http_client. */
enum {
    FETCH_FAILED = 1,
    FETCH_REFUSED = 3,
    FETCH_NOT_WRITTEN = 4,
};

/* What the command line says. */
struct fetching {
    struct cg_http_client *client;
    const char *method, *data; /* NULL: the client's choice; no body */
    struct cg_http_field fields[FETCH_FIELDS + 3]; /* room for two more, and the end */
    size_t field_count;
    unsigned retries;
    struct cg_bucket *bucket; /* a token for each byte; NULL: there is no limit */
    size_t piece;             /* read at a time */
    bool own_names, resumes, uploads, verbose, http1, prior;
};

/* Starts at most `at_once` coroutines that fetch everything in `list`. The last one frees the
 * client. Both structs must live until the scheduler has run. */
void fetch_start(struct cg_sched *sched, const struct fetching *what, struct transfer *list,
                 int number, int at_once);

/* When the scheduler has run: the exit status. */
int fetch_end(void);

#endif
