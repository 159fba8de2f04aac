/* SPDX-License-Identifier: MIT */
/* The buses again, but pulled: a generator parses the file, and expat's callback for the
 * end of a bus yields that bus. It can do so although expat's frames lie between the
 * callback and the generator's body, because a generator has its own stack.
 *
 *     ./iterbus [FILE]         route 22, north bound
 */
#include <cogen.h>
#include <expat.h>
#include <stdio.h>
#include <string.h>

#include "../generators.h"
#include "stages.h"
#include "xml_events.h"

struct parse {
    struct cg_gen *gen;
    XML_Parser parser;
    struct bus bus;
    char *field;
};

static void XMLCALL on_start(void *arg, const char *name, const char **attributes)
{
    struct parse *p = arg;

    (void)attributes;
    if (strcmp(name, "bus") == 0)
        memset(&p->bus, 0, sizeof p->bus);
    p->field = bus_field(&p->bus, name);
}

static void XMLCALL on_text(void *arg, const char *text, int length)
{
    struct parse *p = arg;
    size_t have = p->field ? strlen(p->field) : 0;

    if (p->field && have + length < sizeof p->bus.latitude)
        memcpy(p->field + have, text, length);
}

static void XMLCALL on_end(void *arg, const char *name)
{
    struct parse *p = arg;

    p->field = NULL;
    if (strcmp(name, "bus") == 0 && cg_gen_yield(p->gen, &p->bus, NULL) < 0)
        XML_StopParser(p->parser, XML_FALSE); /* the generator was closed */
}

static ssize_t buses(struct cg_gen *gen, void *arg)
{
    struct parse p = {.gen = gen, .parser = XML_ParserCreate(NULL)};
    enum XML_Status status = p.parser ? XML_STATUS_OK : XML_STATUS_ERROR;
    char line[1024];

    XML_SetUserData(p.parser, &p);
    XML_SetElementHandler(p.parser, on_start, on_end);
    XML_SetCharacterDataHandler(p.parser, on_text);
    while (status == XML_STATUS_OK && fgets(line, sizeof line, arg))
        status = XML_Parse(p.parser, line, (int)strlen(line), 0);
    XML_ParserFree(p.parser);
    return 0;
}

int main(int argc, char **argv)
{
    FILE *file = stage_open(argc, argv, EXAMPLES_DATA "/buses.xml");
    struct cg_gen *gen = generator(buses, file);
    struct bus *bus;

    while (cg_gen_next(gen, &bus) > 0)
        if (strcmp(bus->route, "22") == 0 && strcmp(bus->direction, "North Bound") == 0)
            printf("%s,%s,\"%s\",%s,%s\n", bus->id, bus->route, bus->direction,
                   bus->latitude, bus->longitude);
    cg_gen_free(gen);
    fclose(file);
    return 0;
}
