/* SPDX-License-Identifier: MIT */
/* See events.h. */
#include "config.h"

#include "http/server/events.h"
#include "http/server/response/response_write.h"
#include "lib/base/ascii.h"
#include "lib/base/random.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID = 48 }; /* room for an id */

#define HEARTBEAT (15 * CG_SECOND)

struct cg_http_events *cg_http_events_new_with(const struct cg_http_events_options *options)
{
    size_t kept = options != NULL && options->kept > 0 ? options->kept : CG_HTTP_EVENTS_KEPT;
    struct cg_http_events *events;

    if (kept > CG_HTTP_EVENTS_MOST)
        return NULL;
    events = calloc(1, sizeof *events + kept * sizeof *events->ring);
    if (events == NULL)
        return NULL;
    if (getentropy(&events->made, sizeof events->made) < 0) {
        free(events);
        return NULL;
    }
    if (options != NULL)
        events->options = *options;
    events->options.kept = kept;
    if (events->options.bytes == 0)
        events->options.bytes = CG_HTTP_EVENTS_BYTES;
    if (events->options.heartbeat == 0)
        events->options.heartbeat = HEARTBEAT;
    events->news.name = "events";
    events->first = events->end = 1;
    return events;
}

int cg__http_events_put_text(struct cg_http_headers *text, const struct cg_http_event *event)
{
    bool has_id = event->id != NULL && *event->id != '\0';

    return cg__http_response_event_put(
        text, &(struct cg_http_send_event_op){.event = event->event, .data = event->data,
                                              .id = has_id ? event->id : NULL,
                                              .retry = event->retry});
}

void cg__http_events_put(struct cg__http_events_entry *event)
{
    if (event != NULL && --event->users == 0)
        free(event);
}

static void destroy(struct cg_http_events *events)
{
    for (size_t i = 0; i < events->options.kept; i++)
        cg__http_events_put(events->ring[i]);
    cg_starter_free(events->starter);
    free(events);
}

void cg_http_events_wake(struct cg_http_events *events)
{
    cg_event_set(&events->news);
    cg_event_clear(&events->news);
}

void cg_http_events_free(struct cg_http_events *events)
{
    if (events == NULL)
        return;
    events->freed = true;
    if (events->clients == 0) {
        destroy(events);
        return;
    }
    cg_http_events_wake(events);
    for (struct cg__http_events_work *each = events->works; each != NULL; each = each->next)
        cg_coro_cancel(each->coro);
}

void cg_http_events_close(struct cg_http_events *events)
{
    events->closed = true;
    cg_http_events_wake(events);
}

void cg__http_events_enter(struct cg_http_events *events)
{
    events->clients++;
}

void cg__http_events_leave(struct cg_http_events *events)
{
    if (--events->clients == 0 && events->freed)
        destroy(events);
}

void cg__http_events_begin(struct cg_http_events *events, struct cg__http_events_work *work)
{
    work->coro = cg_coro_self();
    work->next = events->works;
    work->link = &events->works;
    if (work->next != NULL)
        work->next->link = &work->next;
    events->works = work;
}

void cg__http_events_end(struct cg__http_events_work *work)
{
    *work->link = work->next;
    if (work->next != NULL)
        work->next->link = work->link;
}

size_t cg_http_events_clients(const struct cg_http_events *events)
{
    return events->clients;
}

static void put_id(const struct cg_http_events *events, uint64_t number, char id[ID])
{
    snprintf(id, ID, "%" PRIx64 "-%" PRIu64, events->made, number);
}

/* The number of the event that the library has given this id; 0: it has not. */
static uint64_t number_of(const struct cg_http_events *events, const char *id)
{
    const char *dash = strchr(id, '-');
    uint64_t number;
    char same[ID];

    if (dash == NULL || !cg__ascii_is_number(dash + 1, &number) || number >= events->end)
        return 0;
    put_id(events, number, same);
    return strcmp(id, same) == 0 ? number : 0;
}

/* The number of the newest kept event that the program has given this id; 0: none. */
static uint64_t find(const struct cg_http_events *events, const char *id)
{
    for (uint64_t number = events->end; number-- > events->first;) {
        const char *given = events->ring[number % events->options.kept]->id;

        if (given != NULL && strcmp(given, id) == 0)
            return number;
    }
    return 0;
}

uint64_t cg__http_events_cursor(const struct cg_http_events *events, const char *id, bool kept)
{
    uint64_t number = 0;

    if (id != NULL && *id != '\0') {
        number = number_of(events, id);
        if (number == 0)
            number = find(events, id);
    }
    if (number > 0)
        return number + 1;
    return kept ? events->first : events->end;
}

struct cg__http_events_entry *cg__http_events_next(struct cg_http_events *events, uint64_t *cursor)
{
    struct cg__http_events_entry *event;

    if (*cursor < events->first)
        *cursor = events->first;
    if (*cursor == events->end)
        return NULL;
    event = events->ring[(*cursor)++ % events->options.kept];
    event->users++;
    return event;
}

/* Makes an event of its text and the id that the program gave it, or NULL. NULL: no memory. */
static struct cg__http_events_entry *make(const struct cg_http_headers *text, const char *id)
{
    size_t id_size = id != NULL ? strlen(id) + 1 : 0;
    struct cg__http_events_entry *event = malloc(sizeof *event + text->used + id_size);

    if (event == NULL)
        return NULL;
    event->users = 1;
    event->len = text->used;
    event->id = NULL;
    memcpy(event->text, text->data, text->used);
    if (id != NULL)
        event->id = memcpy(event->text + text->used, id, id_size);
    return event;
}

static struct cg__http_events_entry **place(struct cg_http_events *events, uint64_t number)
{
    return &events->ring[number % events->options.kept];
}

static void drop_oldest(struct cg_http_events *events)
{
    struct cg__http_events_entry **at = place(events, events->first++);

    events->bytes -= (*at)->len;
    cg__http_events_put(*at);
    *at = NULL;
}

/* The newest event is kept whatever its size: clients are to be sent it. */
static void add(struct cg_http_events *events, struct cg__http_events_entry *event)
{
    if (events->end - events->first == events->options.kept)
        drop_oldest(events);
    *place(events, events->end++) = event;
    events->bytes += event->len;
    while (events->bytes > events->options.bytes && events->end - events->first > 1)
        drop_oldest(events);
}

int cg_http_events_publish_with(struct cg_http_events *events,
                                const struct cg_http_event *event)
{
    struct cg_http_headers text = {.data = NULL};
    struct cg__http_events_entry *made = NULL;
    struct cg_http_event numbered = *event;
    char id[ID];
    int rc;

    if (events->closed)
        return -EPIPE;
    if (event->data == NULL)
        return -EINVAL;
    put_id(events, events->end, id);
    if (event->id == NULL)
        numbered.id = id;
    rc = cg__http_events_put_text(&text, &numbered);
    if (rc == 0 && (made = make(&text, event->id)) == NULL)
        rc = -ENOMEM;
    cg__http_message_clear(&text);
    if (rc < 0)
        return rc;
    add(events, made);
    cg_http_events_wake(events);
    return 0;
}
