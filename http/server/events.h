/* SPDX-License-Identifier: MIT */
/* Published events: a ring of the last ones, each laid out once for all clients. */
#ifndef COGEN_HTTP_SERVER_EVENTS_H
#define COGEN_HTTP_SERVER_EVENTS_H

#include <cogen/http_events.h>
#include <cogen/starter.h>
#include <cogen/sync.h>

struct cg__http_events_entry {
    unsigned users; /* the ring, and clients to which it is being sent */
    size_t len;
    const char *id; /* that the program gave it, behind the text; or NULL */
    char text[];
};

/* A coroutine that serves a client at the moment; lies on its stack. */
struct cg__http_events_work {
    struct cg__http_events_work *next, **link;
    struct cg_coro *coro;
};

struct cg_http_events {
    struct cg_http_events_options options; /* with the defaults filled in */
    struct cg_event news; /* set, and cleared at once, when there is something to do */
    struct cg_starter *starter; /* of clients; NULL: there was none yet */
    uint64_t made;              /* in the ids: those of other events differ */
    uint64_t first; /* the number of the oldest event that is kept, or .end */
    uint64_t end;   /* the number of the next event; numbers begin with 1 */
    size_t bytes;   /* of the events that are kept */
    size_t clients;
    struct cg__http_events_work *works; /* of the clients that have a coroutine */
    bool closed; /* streams end behind the kept events */
    bool freed; /* the last client frees the memory */
    struct cg__http_events_entry *ring[];
};

/* Returns the next event of a client, and moves its cursor. NULL: there is none. To be given
 * back by cg__http_events_put. */
struct cg__http_events_entry *cg__http_events_next(struct cg_http_events *events, uint64_t *cursor);
void cg__http_events_put(struct cg__http_events_entry *event);

/* Appends an event as it is sent. 0, -EINVAL or -ENOMEM. */
int cg__http_events_put_text(struct cg_http_headers *text, const struct cg_http_event *event);

/* The cursor of a client that has seen the event with this id last. NULL, or not the id of an
 * event: it begins with the oldest kept event if `kept` is true, otherwise with the next one. */
uint64_t cg__http_events_cursor(const struct cg_http_events *events, const char *id, bool kept);

/* A client comes or leaves. The last one to leave frees events that cg_http_events_free was
 * called for. */
void cg__http_events_enter(struct cg_http_events *events);
void cg__http_events_leave(struct cg_http_events *events);

/* The running coroutine begins or ends to serve a client. cg_http_events_free cancels it
 * meanwhile, since the client may be stuck. */
void cg__http_events_begin(struct cg_http_events *events, struct cg__http_events_work *work);
void cg__http_events_end(struct cg__http_events_work *work);

#endif
