/* SPDX-License-Identifier: MIT */
/* See xml_events.h. */
#include "xml_events.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

/* expat's callbacks: each sends its event to the coroutine. */

static void push(struct cg_gen *target, int kind, const char *text)
{
    struct xml_event event = {.text = text};

    event.kind = kind;
    cg_gen_send(target, &event, NULL);
}

static void XMLCALL on_start(void *target, const char *name, const char **attributes)
{
    (void)attributes;
    push(target, XML_START, name);
}

static void XMLCALL on_end(void *target, const char *name)
{
    push(target, XML_END, name);
}

static void XMLCALL on_text(void *target, const char *text, int length)
{
    char piece[256];

    for (int n; length > 0; text += n, length -= n) {
        n = length < (int)sizeof piece ? length : (int)sizeof piece - 1;
        memcpy(piece, text, n);
        piece[n] = '\0';
        push(target, XML_TEXT, piece);
    }
}

bool xml_push(FILE *file, struct cg_gen *target)
{
    XML_Parser parser = XML_ParserCreate(NULL);
    char chunk[512];
    bool good = parser != NULL, last = false;

    XML_SetUserData(parser, target);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    while (good && !last) {
        size_t n = fread(chunk, 1, sizeof chunk, file);

        last = n < sizeof chunk;
        good = XML_Parse(parser, chunk, (int)n, last) != XML_STATUS_ERROR;
    }
    if (!good)
        fprintf(stderr, "line %lu: %s\n",
                (unsigned long)XML_GetCurrentLineNumber(parser),
                XML_ErrorString(XML_GetErrorCode(parser)));
    XML_ParserFree(parser);
    cg_gen_close(target);
    return good;
}

enum {
    FIELD = sizeof(((struct bus *)NULL)->latitude)
}; /* the shortest field comes first */

char *bus_field(struct bus *bus, const char *name)
{
    return strcmp(name, "id") == 0          ? bus->id
           : strcmp(name, "route") == 0     ? bus->route
           : strcmp(name, "direction") == 0 ? bus->direction
           : strcmp(name, "latitude") == 0  ? bus->latitude
           : strcmp(name, "longitude") == 0 ? bus->longitude
                                            : NULL;
}

/* A state machine, whose states are places in the code. */
ssize_t xml_buses(struct cg_gen *gen, void *arg)
{
    struct cg_gen *target = arg;
    const struct xml_event *event;
    ssize_t sent;

    while ((sent = cg_gen_yield(gen, 0, &event)) > 0) {
        struct bus bus = {.id = ""};
        char *field = NULL;

        if (event->kind != XML_START || strcmp(event->text, "bus") != 0)
            continue;
        /* Inside <bus>, up to its end. */
        while ((sent = cg_gen_yield(gen, 0, &event)) > 0) {
            if (event->kind == XML_START)
                field = bus_field(&bus, event->text);
            else if (event->kind == XML_TEXT && field)
                strncat(field, event->text, FIELD - 1 - strlen(field));
            else if (event->kind == XML_END)
                field = NULL;
            if (event->kind == XML_END && strcmp(event->text, "bus") == 0)
                break;
        }
        if (sent <= 0)
            break;
        cg_gen_send(target, &bus, NULL);
    }
    cg_gen_close(target);
    return sent;
}

ssize_t bus_print(struct cg_gen *gen, void *arg)
{
    const char *before = arg ? arg : "";
    const struct bus *bus;
    ssize_t sent;

    while ((sent = cg_gen_yield(gen, 0, &bus)) > 0)
        printf("%s%s,%s,\"%s\",%s,%s\n", before, bus->id, bus->route, bus->direction,
               bus->latitude, bus->longitude);
    return sent;
}
