/* SPDX-License-Identifier: MIT */
/* Tells those who have taken over a connection, by a call, that their server is being shut
 * down. Waiting for it (cg_http_wait_shutdown) would cost each of them a coroutine. */
#ifndef COGEN_HTTP_SERVER_FAREWELL_H
#define COGEN_HTTP_SERVER_FAREWELL_H

struct cg_http_request;
struct cg_http_server;

/* Embedded in what wants to be told; all zero at first. */
struct cg__http_farewell {
    struct cg__http_farewell *next, **link; /* link is NULL: in no list */
    void (*told)(struct cg__http_farewell *farewell); /* must not yield */
};

/* Adds it to the server of a request. Told at once if the server is draining. */
void cg__http_farewell_add(struct cg_http_request *req, struct cg__http_farewell *farewell);

/* Removes it, if it is in a list. */
void cg__http_farewell_remove(struct cg__http_farewell *farewell);

/* Tells all. Each is removed before it is told. */
void cg__http_farewell_tell(struct cg_http_server *server);

/* Removes all, when the server is freed. */
void cg__http_farewell_forget(struct cg_http_server *server);

#endif
