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

void cg__http_events_wake(struct cg_http_events *events)
{
    cg_event_set(&events->news);
    cg_event_clear(&events->news);
}

void cg_http_events_free(struct cg_http_events *events)
{
    if (events == NULL)
        return;
    events->freed = true;
    if (events->clients == 0)
        destroy(events);
    else
        cg__http_events_wake(events);
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

size_t cg_http_events_clients(const struct cg_http_events *events)
{
    return events->clients;
}

static void put_id(const struct cg_http_events *events, uint64_t number, char id[ID])
{
    snprintf(id, ID, "%" PRIx64 "-%" PRIu64, events->made, number);
}

uint64_t cg__http_events_cursor(const struct cg_http_events *events, const char *id)
{
    const char *dash = id != NULL ? strchr(id, '-') : NULL;
    uint64_t number;
    char same[ID];

    if (dash == NULL || !cg__ascii_is_number(dash + 1, &number) || number >= events->end)
        return events->end;
    put_id(events, number, same);
    return strcmp(id, same) == 0 ? number + 1 : events->end;
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

/* Lays an event out. NULL: no memory. */
static struct cg__http_events_entry *make(const struct cg_http_headers *text)
{
    struct cg__http_events_entry *event = malloc(sizeof *event + text->used);

    if (event == NULL)
        return NULL;
    event->users = 1;
    event->len = text->used;
    memcpy(event->text, text->data, text->used);
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
    char id[ID];
    int rc;

    if (event->data == NULL)
        return -EINVAL;
    put_id(events, events->end, id);
    rc = cg__http_response_event_put(
        &text, &(struct cg_http_send_event_op){.event = event->event, .data = event->data,
                                               .id = id, .retry = event->retry});
    if (rc == 0 && (made = make(&text)) == NULL)
        rc = -ENOMEM;
    cg__http_message_clear(&text);
    if (rc < 0)
        return rc;
    add(events, made);
    cg__http_events_wake(events);
    return 0;
}
