/* SPDX-License-Identifier: MIT */
/* See chat_room.h. */
#include "chat_room.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct chat_room {
    struct chat_room *next; /* the most recently used room is first */
    char name[CHAT_NAME + 1];
    int64_t made; /* in the ids of messages: those of a later room differ */
    struct chat_member *members; /* in the order in which they joined */
    unsigned count;
    unsigned changes; /* how often the members have changed */
    uint64_t end;     /* the number of the next message; numbers begin with 1 */
    struct chat_message ring[CHAT_KEPT];
};

static struct chat_room *rooms;

/* The wall clock, in microseconds since 1970. */
static int64_t wall_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool chat_is_name(const char *text)
{
    size_t size = strlen(text);

    if (size == 0 || size > CHAT_NAME || text[0] == ' ' || text[size - 1] == ' ')
        return false;
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    return true;
}

/* Finds a room, and moves it to the front. */
static struct chat_room *find(const char *name)
{
    for (struct chat_room **at = &rooms, *room; (room = *at) != NULL; at = &room->next)
        if (strcmp(room->name, name) == 0) {
            *at = room->next;
            room->next = rooms;
            return rooms = room;
        }
    return NULL;
}

static void drop(struct chat_room *room)
{
    for (size_t i = 0; i < CHAT_KEPT; i++)
        free(room->ring[i].data);
    free(room);
}

/* If there are CHAT_ROOMS rooms, frees the empty one that was not used for the longest
 * time. False: none is empty. */
static bool make_place(void)
{
    struct chat_room **last = NULL, *room;
    unsigned count = 0;

    for (struct chat_room **at = &rooms; *at != NULL; at = &(*at)->next) {
        count++;
        if ((*at)->count == 0)
            last = at;
    }
    if (count < CHAT_ROOMS)
        return true;
    if (last == NULL)
        return false;
    room = *last;
    *last = room->next;
    drop(room);
    return true;
}

static int make(const char *name, struct chat_room **made)
{
    struct chat_room *room;

    if (!make_place())
        return -ENOSPC;
    if ((room = calloc(1, sizeof *room)) == NULL)
        return -ENOMEM;
    snprintf(room->name, sizeof room->name, "%s", name);
    room->made = wall_clock();
    room->end = 1;
    room->next = rooms;
    *made = rooms = room;
    return 0;
}

void chat_end(void)
{
    for (struct chat_room *room; (room = rooms) != NULL;) {
        rooms = room->next;
        drop(room);
    }
}

static uint64_t oldest(const struct chat_room *room)
{
    return room->end > CHAT_KEPT ? room->end - CHAT_KEPT : 1;
}

static int put(struct chat_room *room, enum chat_kind kind, const char *name,
               const char *text)
{
    struct chat_message *message = &room->ring[room->end % CHAT_KEPT];
    size_t size = 32 + strlen(name) + strlen(text);
    char *data = malloc(size);

    if (data == NULL)
        return -ENOMEM;
    snprintf(data, size, "%" PRId64 "\n%s\n%s", wall_clock() / 1000, name, text);
    free(message->data);
    message->data = data;
    message->kind = kind;
    snprintf(message->id, sizeof message->id, "%" PRIx64 "-%" PRIu64, (uint64_t)room->made,
             room->end++);
    return 0;
}

/* Wakes the members. A member that is writing at the moment does not wait for the signal;
 * it finds the new message by its cursor afterwards. */
static void tell(struct chat_room *room)
{
    cg_yield(cg_signal(room->name, NULL, .shield = true, .prio = CG_PRIO_CORO));
}

int chat_say(const char *name, const char *key, const char *text)
{
    struct chat_room *room = find(name);
    struct chat_member *member = room ? room->members : NULL;
    int rc;

    while (member != NULL && strcmp(member->key, key) != 0)
        member = member->next;
    if (member == NULL)
        return -EACCES;
    rc = put(room, CHAT_SAID, member->name, text);
    if (rc == 0)
        tell(room);
    return rc;
}

const struct chat_message *chat_next(struct chat_member *member, uint64_t *missed)
{
    struct chat_room *room = member->room;
    const struct chat_message *message;
    uint64_t first = oldest(room), at;

    *missed = 0;
    if (member->cursor < first) {
        *missed = first - member->cursor;
        member->cursor = first;
    }
    while (member->cursor < room->end) {
        at = member->cursor++;
        message = &room->ring[at % CHAT_KEPT];
        /* A new member gets earlier messages, but not who came and went before. */
        if (message->kind == CHAT_SAID || at >= member->since)
            return message;
    }
    return NULL;
}

ssize_t chat_wait(struct chat_member *member, struct cg_sock *conn,
                  struct cg_http_server *server, int64_t timeout)
{
    return cg_yield(cg_any((cg_wait_signal(member->room->name, NULL),
                            cg_poll_sock(conn, CG_IN), cg_http_wait_shutdown(server)),
                           .timeout = timeout));
}

static bool is_taken(const struct chat_room *room, const char *name)
{
    for (const struct chat_member *each = room->members; each != NULL; each = each->next)
        if (strcmp(each->name, name) == 0)
            return true;
    return false;
}

/* Makes the name unique: the second Ann becomes Ann 2. */
static void give_name(struct chat_member *member, const char *name)
{
    snprintf(member->name, sizeof member->name, "%s", name);
    for (unsigned i = 2; is_taken(member->room, member->name); i++)
        snprintf(member->name, sizeof member->name, "%.*s %u", CHAT_NAME, name, i);
}

static void enter(struct chat_member *member)
{
    struct chat_member **at = &member->room->members;

    while (*at != NULL)
        at = &(*at)->next;
    *at = member;
    member->room->count++;
}

static void quit(struct chat_member *member)
{
    struct chat_member **at = &member->room->members;

    while (*at != member)
        at = &(*at)->next;
    *at = member->next;
    member->room->count--;
}

/* Removes the member that has this key, if there is one, and returns it. */
static struct chat_member *replace(struct chat_room *room, const char *key)
{
    for (struct chat_member *each = room->members; each != NULL; each = each->next)
        if (strcmp(each->key, key) == 0) {
            quit(each);
            each->replaced = true;
            return each;
        }
    return NULL;
}

/* The number after that of the message with the id `last`; 0: it is not from this room. */
static uint64_t behind(const struct chat_room *room, const char *last)
{
    uint64_t made, number;

    if (last != NULL && sscanf(last, "%" SCNx64 "-%" SCNu64, &made, &number) == 2 &&
        made == (uint64_t)room->made && number < room->end)
        return number + 1;
    return 0;
}

int chat_join(struct chat_member *member, const char *name, const char *person,
              const char *key, const char *last)
{
    struct chat_room *room = find(name);
    struct chat_member *ghost;
    int rc = room != NULL ? 0 : make(name, &room);

    if (rc < 0)
        return rc;
    ghost = replace(room, key);
    if (room->count >= CHAT_MEMBERS)
        return -ENOSPC;
    *member = (struct chat_member){.room = room, .key = key, .known = room->changes - 1};
    give_name(member, ghost != NULL ? ghost->name : person);
    enter(member);
    member->cursor = behind(room, last);
    member->since = member->cursor > 0 ? member->cursor : room->end;
    if (member->cursor == 0)
        member->cursor = oldest(room);
    if (ghost == NULL) {
        room->changes++;
        put(room, CHAT_JOINED, member->name, ""); /* without memory it is not announced */
    }
    tell(room); /* also wakes the replaced member, which must end */
    return 0;
}

void chat_leave(struct chat_member *member)
{
    struct chat_room *room = member->room;

    if (member->replaced)
        return; /* already removed, and the room may have been freed */
    quit(member);
    room->changes++;
    put(room, CHAT_LEFT, member->name, "");
    tell(room);
}

char *chat_people(struct chat_member *member)
{
    const struct chat_room *room = member->room;
    size_t size = 1, used = 0;
    char *names;

    if (member->known == room->changes)
        return NULL;
    for (const struct chat_member *each = room->members; each != NULL; each = each->next)
        size += strlen(each->name) + 1;
    if ((names = malloc(size)) == NULL)
        return NULL;
    for (const struct chat_member *each = room->members; each != NULL; each = each->next)
        used += (size_t)snprintf(names + used, size - used, "%s%s", used ? "\n" : "",
                                 each->name);
    names[used] = '\0';
    member->known = room->changes;
    return names;
}
