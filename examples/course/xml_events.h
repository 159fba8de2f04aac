/* SPDX-License-Identifier: MIT */
/* An XML file as events, which expat finds and which are sent to a coroutine. */
#ifndef EXAMPLES_COURSE_XML_EVENTS_H
#define EXAMPLES_COURSE_XML_EVENTS_H

#include <cogen.h>
#include <stdio.h>

/* One event; valid until the next one. */
struct xml_event {
    enum {
        XML_START,
        XML_TEXT,
        XML_END
    } kind;
    const char *text; /* the element's name, or a piece of text, ended by NUL */
};

/* Parses a file; expat's callbacks send each event to the coroutine. Then closes the
 * coroutine. False: the file is not well-formed, which is reported on stderr. */
bool xml_push(FILE *file, struct cg_gen *target);

/* A <bus> in the pipelines: its fields. */
struct bus {
    char id[16], route[16], direction[32], latitude[16], longitude[16];
};

/* A coroutine that receives events, and sends a struct bus for each <bus> to its target.
 * arg: the target, a struct cg_gen. */
cg_gen_fn xml_buses;

/* A coroutine that prints buses. arg: a text to print before each, or NULL. */
cg_gen_fn bus_print;

/* The field of a bus with this name, or NULL. */
char *bus_field(struct bus *bus, const char *name);

#endif
