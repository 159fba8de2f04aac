/* SPDX-License-Identifier: MIT */
/* The rooms of the chat: who is in them, and what was said last. What happens in a room is
 * numbered and kept in a ring; each member has a cursor into it, so that a slow one holds
 * nobody up, and the signal that is named as the room tells the members to look. */
#ifndef EXAMPLES_CHAT_ROOM_H
#define EXAMPLES_CHAT_ROOM_H

#include <cogen.h>

enum {
    CHAT_ROOMS = 100,     /* at once; an empty one makes room for a new one */
    CHAT_MEMBERS = 1000,  /* of a room */
    CHAT_KEPT = 200,      /* what is kept of a room's last messages and notes */
    CHAT_NAME = 96,       /* bytes of a name, of a person or a room */
    CHAT_KEY = 64,        /* bytes of a key */
    CHAT_MESSAGE = 6000,  /* bytes of a message */
    CHAT_ID_SIZE = 48,
};

enum chat_kind { CHAT_SAID, CHAT_JOINED, CHAT_LEFT };

struct chat_room;

struct chat_message {
    enum chat_kind kind;
    char id[CHAT_ID_SIZE];
    /* When, in ms since 1970; who; what: on lines of their own. */
    char *data;
};

/* Belongs to the coroutine that serves the member, from chat_join to chat_leave. */
struct chat_member {
    struct chat_member *next;
    struct chat_room *room;
    const char *key;           /* what only this member knows; borrowed */
    char name[CHAT_NAME + 16]; /* what it is called: there may be one of that name already */
    uint64_t cursor;           /* the next thing to be told */
    uint64_t since;            /* its own joining */
    unsigned known;            /* the changes among the people that it has been told of */
    bool replaced;             /* it has come back by another way, this one is to end */
};

/* Whether a text is fit for a name. */
bool chat_is_name(const char *text);

/* Joins a room, which is made if it is not there. One with the key of somebody who is there
 * takes that one's place. Who was told all up to the thing `last` (NULL: nothing yet) is
 * told what came after. 0; -ENOSPC: there are too many; -ENOMEM. Yields. */
int chat_join(struct chat_member *member, const char *room, const char *name,
              const char *key, const char *last);

/* Does so even if the coroutine has been cancelled. Yields. */
void chat_leave(struct chat_member *member);

/* Says something in the name of the member who has this key. 0; -EACCES: nobody there has;
 * -ENOMEM. Yields. */
int chat_say(const char *room, const char *key, const char *text);

/* The next thing that a member has not been told; *missed is the number of things before it
 * that are not kept any more. Valid until the coroutine yields. NULL: it knows all. */
const struct chat_message *chat_next(struct chat_member *member, uint64_t *missed);

/* The names of those who are in the room, on lines of their own, if that has changed since
 * this was last called; for free(). NULL: it has not, or there is no memory now. */
char *chat_people(struct chat_member *member);

/* Waits for the room's signal, or that the connection has something to be read, which can
 * only be its end. As cg_any of the two, in this order. */
ssize_t chat_wait(struct chat_member *member, struct cg_sock *conn, int64_t timeout);

/* Forgets all rooms. */
void chat_end(void);

#endif
