/* SPDX-License-Identifier: MIT */
/* See chat_room.h. */
#include "chat_room.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a room knows of a worker. */
struct place {
    struct chat_room *room;
    unsigned tabs;    /* members of the room there, also those that have been replaced */
    unsigned streams; /* of them, those that hear by a stream of events */
    struct cg_http_events *events; /* wakes the streams; NULL: there are none */
    bool told; /* a call was posted, and has not come: it will wake for further messages, too */
};

struct chat_room {
    struct chat_room *next; /* the most recently used room is first */
    char name[CHAT_NAME + 1];
    int64_t made; /* in the ids of messages: those of a later room differ */
    struct chat_member *members; /* in the order in which they joined */
    unsigned count;
    unsigned keeps;   /* tabs, also of members that have been replaced, and posted calls */
    unsigned changes; /* how often the members have changed */
    uint64_t end;     /* the number of the next message; numbers begin with 1 */
    struct chat_message *ring[CHAT_KEPT];
    struct chat_message *people; /* the names of the members; NULL: they have changed */
    struct place places[];       /* one for each worker */
};

/* Protects all that is reached from here. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
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

static void release(struct chat_message *message)
{
    if (message != NULL && atomic_fetch_sub(&message->refs, 1) == 1)
        free(message);
}

static void drop(struct chat_room *room)
{
    for (size_t i = 0; i < CHAT_KEPT; i++)
        release(room->ring[i]);
    release(room->people);
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
        if ((*at)->keeps == 0)
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
    room = calloc(1, sizeof *room + cg_crew_size() * sizeof *room->places);
    if (room == NULL)
        return -ENOMEM;
    snprintf(room->name, sizeof room->name, "%s", name);
    for (unsigned i = 0; i < cg_crew_size(); i++)
        room->places[i].room = room;
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

static struct chat_message *make_message(enum chat_kind kind, size_t size)
{
    struct chat_message *message = malloc(sizeof *message + size);

    if (message == NULL)
        return NULL;
    message->kind = kind;
    message->id[0] = '\0';
    atomic_init(&message->refs, 1);
    return message;
}

static int put(struct chat_room *room, enum chat_kind kind, const char *name,
               const char *text)
{
    struct chat_message **at = &room->ring[room->end % CHAT_KEPT];
    size_t size = 32 + strlen(name) + strlen(text);
    struct chat_message *message = make_message(kind, size);

    if (message == NULL)
        return -ENOMEM;
    snprintf(message->data, size, "%" PRId64 "\n%s\n%s", wall_clock() / 1000, name, text);
    snprintf(message->id, sizeof message->id, "%" PRIx64 "-%" PRIu64, (uint64_t)room->made,
             room->end++);
    release(*at);
    *at = message;
    return 0;
}

static struct cg_sched *sched_of(const struct place *place)
{
    return cg_worker_sched(cg_crew_worker((unsigned)(place - place->room->places)));
}

/* Wakes the members at a worker, in its thread. A member to which something is being sent does not
 * wait, and need not be woken: when that is done, chat_next gives it the new message. */
static void wake(const struct place *place)
{
    cg_sched_signal(sched_of(place), place->room->name, NULL);
    if (place->events != NULL)
        cg_http_events_wake(place->events);
}

/* Called outside coroutines, in the thread of the worker that has been told. */
static void arrive(void *arg)
{
    struct place *place = arg;

    pthread_mutex_lock(&lock);
    place->told = false;
    place->room->keeps--;
    wake(place);
    pthread_mutex_unlock(&lock);
}

/* Wakes the members at all workers. A worker that lacks the memory to be told is woken by the next
 * message. */
static void tell(struct chat_room *room)
{
    for (unsigned i = 0; i < cg_crew_size(); i++) {
        struct place *place = &room->places[i];

        if (place->tabs == 0 || place->told)
            continue;
        if (i == cg_worker_id()) {
            wake(place);
        } else if (cg_sched_post(sched_of(place), arrive, place) == 0) {
            place->told = true;
            room->keeps++;
        }
    }
}

static const struct chat_member *find_member(const struct chat_room *room, const char *key)
{
    const struct chat_member *member = room != NULL ? room->members : NULL;

    while (member != NULL && strcmp(member->key, key) != 0)
        member = member->next;
    return member;
}

int chat_say(const char *name, const char *key, const char *text)
{
    const struct chat_member *member;
    struct chat_room *room;
    int rc = -EACCES;

    pthread_mutex_lock(&lock);
    room = find(name);
    member = find_member(room, key);
    if (member != NULL)
        rc = put(room, CHAT_SAID, member->name, text);
    if (rc == 0)
        tell(room);
    pthread_mutex_unlock(&lock);
    return rc;
}

/* The list of names is made once for all members. NULL: no memory. */
static struct chat_message *people_of(struct chat_room *room)
{
    size_t size = 1, used = 0;

    if (room->people != NULL)
        return room->people;
    for (const struct chat_member *each = room->members; each != NULL; each = each->next)
        size += strlen(each->name) + 1;
    room->people = make_message(CHAT_PEOPLE, size);
    if (room->people == NULL)
        return NULL;
    room->people->data[0] = '\0';
    for (const struct chat_member *each = room->members; each != NULL; each = each->next)
        used += (size_t)snprintf(room->people->data + used, size - used, "%s%s",
                                 used ? "\n" : "", each->name);
    return room->people;
}

static struct chat_message *next_of(struct chat_member *member, uint64_t *missed)
{
    struct chat_room *room = member->room;
    struct chat_message *message;
    uint64_t first = oldest(room), at;

    if (member->cursor < first) {
        *missed = first - member->cursor;
        member->cursor = first;
        return room->ring[first % CHAT_KEPT];
    }
    while (member->cursor < room->end) {
        at = member->cursor++;
        message = room->ring[at % CHAT_KEPT];
        /* A new member gets earlier messages, but not who came and went before. */
        if (message->kind == CHAT_SAID || at >= member->since)
            return message;
    }
    if (member->known == room->changes)
        return NULL;
    message = people_of(room);
    if (message != NULL)
        member->known = room->changes;
    return message;
}

const struct chat_message *chat_next(struct chat_member *member, uint64_t *missed)
{
    release(member->message);
    member->message = NULL;
    *missed = 0;
    pthread_mutex_lock(&lock);
    if (!member->replaced)
        member->message = next_of(member, missed);
    if (member->message != NULL)
        atomic_fetch_add(&member->message->refs, 1);
    pthread_mutex_unlock(&lock);
    return member->message;
}

ssize_t chat_wait(struct chat_member *member, struct cg_op *other)
{
    return cg_yield(cg_any((cg_wait_signal(member->room->name, NULL), other)));
}

static struct place *place_of(const struct chat_member *member)
{
    return &member->room->places[member->worker];
}

struct cg_http_events *chat_listen(struct chat_member *member, int64_t heartbeat)
{
    struct cg_http_events *events;
    struct place *place;

    pthread_mutex_lock(&lock);
    place = place_of(member);
    if (place->events == NULL) /* nothing is published in it: no event has to be kept */
        place->events = cg_http_events_new(.kept = 1, .heartbeat = heartbeat);
    events = place->events;
    if (events != NULL) {
        member->listens = true;
        place->streams++;
    }
    pthread_mutex_unlock(&lock);
    return events;
}

static void stop_listening(struct place *place)
{
    if (--place->streams > 0)
        return;
    cg_http_events_free(place->events);
    place->events = NULL;
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

static void change(struct chat_room *room)
{
    room->changes++;
    release(room->people);
    room->people = NULL;
}

static void enter(struct chat_member *member)
{
    struct chat_member **at = &member->room->members;

    while (*at != NULL)
        at = &(*at)->next;
    *at = member;
    member->room->count++;
    member->room->keeps++;
    place_of(member)->tabs++;
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

static int join(struct chat_member *member, const char *name, const char *person,
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
    *member = (struct chat_member){
        .room = room, .worker = cg_worker_id(), .key = key, .known = room->changes - 1};
    give_name(member, ghost != NULL ? ghost->name : person);
    enter(member);
    member->cursor = behind(room, last);
    member->since = member->cursor > 0 ? member->cursor : room->end;
    if (member->cursor == 0)
        member->cursor = oldest(room);
    if (ghost == NULL) {
        change(room);
        put(room, CHAT_JOINED, member->name, ""); /* without memory it is not announced */
    }
    return 0;
}

int chat_join(struct chat_member *member, const char *name, const char *person,
              const char *key, const char *last)
{
    int rc;

    pthread_mutex_lock(&lock);
    rc = join(member, name, person, key, last);
    if (rc == 0)
        tell(member->room); /* also wakes the replaced member, which must end */
    pthread_mutex_unlock(&lock);
    return rc;
}

void chat_leave(struct chat_member *member)
{
    struct chat_room *room = member->room;
    struct place *place = place_of(member);

    release(member->message);
    pthread_mutex_lock(&lock);
    place->tabs--;
    room->keeps--;
    if (member->listens)
        stop_listening(place);
    if (!member->replaced) { /* else it has been removed already */
        quit(member);
        change(room);
        put(room, CHAT_LEFT, member->name, "");
        tell(room);
    }
    pthread_mutex_unlock(&lock);
}
