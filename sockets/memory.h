/* SPDX-License-Identifier: MIT */
/* One end of a stream whose bytes come from memory and go to memory: an end of a pair, a
 * stream of HTTP/2. What all of them do is here: requests that wait for bytes or for room,
 * half-closes, the end of the peer, cancels. Where written bytes go is the type's. libcogen-http
 * compiles this file and sockets/input.c for itself. */
#ifndef COGEN_SOCKETS_MEMORY_H
#define COGEN_SOCKETS_MEMORY_H

#include "sockets/input.h"

#include <cogen/transport.h>

struct cg__memory;

struct cg__memory_type {
    /* How many bytes can be written now; 0: writers wait. Not called if the end is mute or
     * lost. */
    size_t (*room)(const struct cg__memory *end);
    /* Writes at most len bytes, for which there is room. Returns how many, or a negative
     * code. Waits only if the type has `wait`, and not if it must be done now. */
    ssize_t (*put)(struct cg__memory *end, const void *data, size_t len, bool now);
    /* A request has put all its bytes. NULL: nothing to do. */
    void (*wrote)(struct cg__memory *end);
    /* Bytes of the input were read, or dropped since the end is now deaf. */
    void (*read)(struct cg__memory *end, size_t len);
    /* The end has become mute, perhaps after it was lost: tells the peer. 0 or a negative
     * code. Waits only if the type has `wait`. */
    ssize_t (*finish)(struct cg__memory *end);
    /* Waits until the input has bytes or has ended, in the coroutine that reads. 0 or a
     * negative code. NULL: no coroutine is needed, since requests stay pending. */
    ssize_t (*wait)(struct cg__memory *end);
    /* Serves other requests: options and names. NULL: there are none. */
    enum cg_verdict (*other)(struct cg__memory *end, struct cg_io *io);
};

/* The state of a socket's transport begins with it. All zero but `type` and `reactor` at
 * first. */
struct cg__memory {
    const struct cg__memory_type *type;
    struct cg_reactor *reactor;
    struct cg__input input;                  /* has come, and was not read */
    struct cg_io *reader, *writer, *watcher; /* pending requests, or NULL */
    ssize_t error; /* what a reader gets behind the input; 0: its end */
    bool ended;    /* no more input comes */
    bool deaf;     /* nobody reads any more */
    bool mute;     /* nobody writes any more */
    bool lost;     /* nobody would get what is written */
};

/* Slots of a cg_transport_type. `run` only if the type has `wait`, `cancel` only if it has not. */
enum cg_verdict cg__memory_submit(struct cg_sock *sock, struct cg_io *io);
enum cg_verdict cg__memory_cancel(struct cg_sock *sock, struct cg_io *io);
ssize_t cg__memory_run(struct cg_sock *sock, struct cg_io *io);

/* The socket is being closed: makes the end deaf and mute. For types without `wait`. */
void cg__memory_close(struct cg__memory *end);

/* Serves a pending request again. */
void cg__memory_wake(struct cg__memory *end, struct cg_io **place);

/* Tell an end: the input has new bytes; there is room, or the end is lost; no more input
 * comes. Complete the requests that wait for that. */
static inline void cg__memory_came(struct cg__memory *end)
{
    if (end->reader != NULL)
        cg__memory_wake(end, &end->reader);
}

static inline void cg__memory_roomy(struct cg__memory *end)
{
    if (end->writer != NULL)
        cg__memory_wake(end, &end->writer);
}

void cg__memory_ended(struct cg__memory *end);

#endif
