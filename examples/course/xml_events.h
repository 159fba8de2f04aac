/* SPDX-License-Identifier: MIT */
/* An XML file as events: expat finds them, a coroutine is sent them. */
#ifndef EXAMPLES_COURSE_XML_EVENTS_H
#define EXAMPLES_COURSE_XML_EVENTS_H

#include <cogen.h>
#include <stdio.h>

/* One event: valid until the next. */
struct xml_event {
    enum {
        XML_START,
        XML_TEXT,
        XML_END
    } kind;
    const char *text; /* the element's name, or a piece of text, ended by NUL */
};

/* Parses a file, sending each event into the coroutine straight from expat's callbacks;
 * then closes it. False, after a line on stderr: it is not well-formed. */
bool xml_push(FILE *file, struct cg_gen *target);

/* What the pipelines make of a <bus>: its fields. */
struct bus {
    char id[16], route[16], direction[32], latitude[16], longitude[16];
};

/* A coroutine that is sent events and sends on a struct bus for each <bus> of them. arg:
 * where to, a struct cg_gen. */
cg_gen_fn xml_buses;

/* A coroutine that prints buses. arg: a text to print before each, or NULL. */
cg_gen_fn bus_print;

/* The field of a bus that is called so, or NULL. */
char *bus_field(struct bus *bus, const char *name);

#endif
