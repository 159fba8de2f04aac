/* SPDX-License-Identifier: MIT */
/* Server-sent events for many clients. The program publishes events, and the library sends
 * each of them to all clients that listen; a client may have events of its own as well. A
 * client to which nothing is to be sent has no coroutine. See cg_http_events(3).
 *
 *     static ssize_t listen(struct cg_http_request *req, void *news)
 *     {
 *         return cg_yield(cg_http_serve_events(req, news));
 *     }
 *
 *     struct cg_http_events *news = cg_http_events_new();
 *
 *     cg_http_server_mount(server, "GET /news", listen, news);
 *     ...
 *     cg_http_events_publish(news, .data = "rain"); */
#ifndef COGEN_HTTP_EVENTS_H
#define COGEN_HTTP_EVENTS_H

#include <cogen/http_server.h>

enum {
    CG_HTTP_EVENTS_KEPT = 64,      /* events that are kept, by default */
    CG_HTTP_EVENTS_MOST = 1 << 20, /* the largest .kept */
    CG_HTTP_EVENTS_BYTES = 1 << 20, /* bytes of the kept events, by default */
};

/* Belongs to the scheduler that runs its first cg_http_serve_events. */
struct cg_http_events;

struct cg_http_events_options {
    /* The last events are kept, so many of them, for clients that come back and for those
     * that read slowly. A client that is further behind misses the oldest. 0:
     * CG_HTTP_EVENTS_KEPT. */
    size_t kept;
    /* The kept events have so many bytes at most, as they are sent; the newest event is kept
     * whatever its size. 0: CG_HTTP_EVENTS_BYTES; SIZE_MAX: no limit. */
    size_t bytes;
    /* After so long without an event, ns, a client is sent a comment, which keeps proxies from
     * closing the connection and finds out whether the client has vanished. 0: 15 s; CG_NEVER:
     * none. */
    int64_t heartbeat;
    void *reserved;
};

struct cg_http_event {
    const char *data;  /* required for an event that is published */
    const char *event; /* its name; NULL: "message" */
    int64_t retry;     /* ns, after which a client that was cut off comes back; 0: as before */
    /* A client that comes back sends the id of the last event that it has seen. NULL: the
     * library makes one for a published event, and a client's own event has none; "": none. */
    const char *id;
    void *reserved;
};

/* Gives the next event for one client alone, such as a greeting or something that the client
 * has missed. Fills in *event, which is all zero, and returns 1; the texts must stay valid
 * until the next call or the end of the stream. Returns 0 if there is none now, or a negative
 * code: then the stream ends, as it does after an event whose name or id has a line break.
 * `sent` is how many events this function has given. Called in the scheduler's thread, and must
 * not yield. */
typedef int cg_http_events_next(void *arg, uint64_t sent, struct cg_http_event *event);

#ifndef __cplusplus

struct cg_http_serve_events_op {
    CG_OP_HEAD;
    struct cg_http_request *req;
    struct cg_http_events *events;
    cg_http_events_next *next;
    void (*ended)(void *arg);
    void *arg;
    const char *last;
    bool kept;
};

/* cg_http_serve_events(req, events): responds with a stream of events, to be yielded by a
 * handler, which then returns: the response goes on without it, until the client leaves, the
 * events are freed, or closed and all of them sent, or the server shuts down; a shutdown does not
 * wait for such clients. Fields that the handler has set are sent. The client gets what is
 * published from now on. If its Last-Event-ID is the id of one of these events, it first gets
 * those that were published after that one and are still kept. The connection of HTTP/1 is
 * closed at the end, and earlier if the client sends more. Keywords:
 *   .next = fn    gives events for this client alone. They are sent before the published ones; fn
 *                 is called at first, after each heartbeat, and whenever something is published
 *                 or cg_http_events_wake is called, until it returns 0;
 *   .ended = fn   is called once when the stream has ended, if the operation completes with 0. The
 *                 client does not count any more, and may have been the last one. It runs in a
 *                 coroutine that may be cancelled, and a shutdown waits for it;
 *   .arg = arg    for both functions;
 *   .last = id    of the event that the client has seen last, in place of its Last-Event-ID;
 *   .kept = true  a client without an id, or with one that is not of these events, first gets
 *                 all events that are kept.
 * Completes with 0 (for a HEAD when the head is sent); -EALREADY: the response has begun;
 * -EINVAL: the body of the request has not been read; -EMSGSIZE: the fields are too long;
 * -ENOMEM. */
#define cg_http_serve_events(...) cg__http_serve_events(__VA_ARGS__, )
#define cg__http_serve_events(r, e, ...)                                                   \
    CG_OP(cg_http_serve_events, .req = (r), .events = (e), __VA_ARGS__)

/* cg_http_events_new(.kept = 100), cg_http_events_publish(events, .data = "text"): the functions
 * below with their options as keywords. */
#define cg_http_events_new(...)                                                            \
    cg_http_events_new_with(CG__OPTIONS(struct cg_http_events_options, __VA_ARGS__))
#define cg_http_events_publish(...) cg__http_events_publish(__VA_ARGS__, )
#define cg__http_events_publish(e, ...)                                                    \
    cg_http_events_publish_with(e, CG__OPTIONS(struct cg_http_event, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_http_serve_events_type;

/* Makes a list of events that clients may listen to, to be freed with cg_http_events_free. The
 * options are copied (NULL: all defaults). Returns NULL if there is no memory, or if .kept is
 * too large. */
CG_API struct cg_http_events *
cg_http_events_new_with(const struct cg_http_events_options *options);

/* Frees the events, and soon ends the streams of all clients, also of those that do not read.
 * To be called in the scheduler's thread, before the scheduler is freed; no further request may
 * be served with the events. NULL is ignored. */
CG_API void cg_http_events_free(struct cg_http_events *events);

/* Says that nothing will be published any more. The stream of each client ends when the client was
 * sent all that there is for it. One that comes later gets what it has missed; if that is nothing
 * and it has no .next, it gets the status 204, so that a browser does not come back again. Never
 * waits; the scheduler's thread only. */
CG_API void cg_http_events_close(struct cg_http_events *events);

/* Publishes an event, whose texts are copied. Clients that come back name its id, and get what
 * follows. Ids of the program's own should be unique: of several events with one id the newest
 * counts. Never waits; the scheduler's thread only. Returns 0; -EINVAL: it has no data, or its
 * name or id has a line break; -EPIPE: the events are closed; -ENOMEM. */
CG_API int cg_http_events_publish_with(struct cg_http_events *events,
                                       const struct cg_http_event *event);

/* Lets each client be sent what its .next gives. Never waits; the scheduler's thread only. */
CG_API void cg_http_events_wake(struct cg_http_events *events);

/* How many clients listen. */
CG_API size_t cg_http_events_clients(const struct cg_http_events *events);

CG_EXTERN_C_END
#endif
