/* SPDX-License-Identifier: MIT */
/* The rooms of the chat: their members and the last messages. The messages of a room
 * are numbered and kept in a ring. Each member has a cursor into the ring, so that a
 * slow member does not delay the others. A signal with the name of the room wakes the
 * members that have a WebSocket, and so a coroutine; cg_http_events_wake those that hear by a
 * stream of events.
 *
 * All workers share the rooms, under one lock, which nobody holds while a coroutine waits.
 * A message is written once and never changed; the ring and each member that sends it hold
 * a reference. */
#ifndef EXAMPLES_CHAT_ROOM_H
#define EXAMPLES_CHAT_ROOM_H

#include <cogen.h>
#include <cogen/http_events.h>
#include <stdatomic.h>

enum {
    CHAT_ROOMS = 100,     /* at a time; a new room replaces an empty one */
    CHAT_MEMBERS = 1000,  /* of a room */
    CHAT_KEPT = 200,      /* how many messages of a room are kept */
    CHAT_NAME = 96,       /* bytes of a name, of a person or a room */
    CHAT_KEY = 64,        /* bytes of a key */
    CHAT_MESSAGE = 6000,  /* bytes of a message */
    CHAT_ID_SIZE = 48,
};

enum chat_kind { CHAT_SAID, CHAT_JOINED, CHAT_LEFT, CHAT_PEOPLE };

struct chat_room;

struct chat_message {
    atomic_uint refs;
    enum chat_kind kind;
    char id[CHAT_ID_SIZE]; /* empty: CHAT_PEOPLE, which has no number */
    /* Three lines: the time in ms since 1970, the name, the text. CHAT_PEOPLE: the names of
     * the members, one per line. */
    char data[];
};

/* Belongs to the worker where the member joined, from chat_join to chat_leave. */
struct chat_member {
    struct chat_member *next;
    struct chat_room *room;
    struct chat_message *message; /* that chat_next has returned */
    unsigned worker;
    const char *key;           /* a secret that identifies the member; borrowed */
    char name[CHAT_NAME + 16]; /* the name asked for, perhaps with a number added */
    uint64_t cursor;           /* the number of the next message to send */
    uint64_t since;            /* the number of the message that announces the member */
    unsigned known;            /* the value of the room's `changes` that it knows */
    bool listens;              /* by a stream of events */
    atomic_bool replaced;      /* the client has joined again; this stream must end */
};

/* Whether a text can be the name of a person or a room. */
bool chat_is_name(const char *text);

/* Joins a room, which is made if it does not exist. If a member with this key is there,
 * the new one replaces it. `last` is the id of the last message that the client has seen
 * (NULL: none); it will be sent those that follow. Returns 0; -ENOSPC: too many rooms or
 * members; -ENOMEM. */
int chat_join(struct chat_member *member, const char *room, const char *name,
              const char *key, const char *last);

/* Leaves the room. Never waits, so that it may be called when a stream of events has ended. */
void chat_leave(struct chat_member *member);

/* Sends a message from the member with this key. Returns 0; -EACCES: there is no such
 * member; -ENOMEM. */
int chat_say(const char *room, const char *key, const char *text);

/* The next message that a member has not been sent; behind the last one the names of the
 * members, if they have changed. If *missed is not 0, that many messages before it are no
 * longer kept; then the message itself is returned again by the next call. Valid until the
 * next call or chat_leave. NULL: there is none, or the member was replaced. A coroutine that
 * yields chat_wait right after NULL misses no message. */
const struct chat_message *chat_next(struct chat_member *member, uint64_t *missed);

/* Waits for the room's signal (0), or for another operation (1). Returns what cg_any returns. */
ssize_t chat_wait(struct chat_member *member, struct cg_op *other);

/* The events with which the member is to be served, once. They are woken when chat_next may have a
 * message. NULL: no memory. */
struct cg_http_events *chat_listen(struct chat_member *member, int64_t heartbeat);

/* Forgets all rooms. No member may be left. */
void chat_end(void);

#endif
