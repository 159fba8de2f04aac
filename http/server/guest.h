/* SPDX-License-Identifier: MIT */
/* Connections and streams that were given to a handler, and what goes on with them: it is told,
 * by a call, that its server is being shut down (waiting for cg_http_wait_shutdown would cost
 * each of them a coroutine), and it may stay after the handler has returned. */
#ifndef COGEN_HTTP_SERVER_GUEST_H
#define COGEN_HTTP_SERVER_GUEST_H

#include <cogen/coro.h>

struct cg_http_request;
struct cg_http_server;
struct cg__http_conn;
struct cg__http_guest;
struct cg__http_serving;

struct cg__http_guest_type {
    /* The server begins to shut down, or does so already. Must not yield. */
    void (*told)(struct cg__http_guest *guest);
    /* Of one that stays. Goes on in the coroutine of the handler, which has returned. */
    void (*serve)(struct cg__http_guest *guest);
    /* The server does not wait any longer. Must not yield. */
    void (*cancel)(struct cg__http_guest *guest);
};

/* All zero at first, but for the type. */
struct cg__http_guest {
    const struct cg__http_guest_type *type;
    struct cg__http_guest *next, **link; /* in the server's list; link is NULL: in none */
    struct cg__http_serving *serving;    /* NULL: the handler has not returned */
    struct cg__http_conn *conn;          /* kept for it (HTTP/1); or NULL */
};

/* Adds it to the server of a request, and removes it, if it is there. */
void cg__http_guest_add(struct cg_http_request *req, struct cg__http_guest *guest);
void cg__http_guest_remove(struct cg__http_guest *guest);

/* Lets it stay after the handler of this request. -EALREADY: another one does. */
int cg__http_guest_stay(struct cg_http_request *req, struct cg__http_guest *guest);

/* To be called after the handler, with the connection of HTTP/1, or NULL; at the end of those
 * that stay, cg__http_connection_leave is called. May yield. */
void cg__http_guest_begin(struct cg__http_guest *guest, struct cg__http_serving *serving,
                          struct cg__http_conn *conn);

/* The starter of all that stay at a server; all have the same `resume`. NULL: no memory. */
struct cg_starter *cg__http_guest_starter(struct cg__http_guest *guest, cg_fn *resume);

/* For the server: tells all; cancels those that stay (serving NULL: of all cg_http_serve);
 * removes all, when the server is freed. */
void cg__http_guest_tell(struct cg_http_server *server);
void cg__http_guest_cancel(struct cg_http_server *server,
                           const struct cg__http_serving *serving);
void cg__http_guest_forget(struct cg_http_server *server);

#endif
