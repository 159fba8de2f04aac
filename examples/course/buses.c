/* SPDX-License-Identifier: MIT */
/* Where are the buses? expat sends events to a coroutine, which makes buses of them, and
 * two filters pass on those of one route and one direction. A stage knows only the next
 * one; the first receives its events directly from C callbacks (xml_events.c).
 *
 *     ./buses [FILE]           route 22, north bound
 */
#include <cogen.h>
#include <stdio.h>
#include <string.h>

#include "../generators.h"
#include "stages.h"
#include "xml_events.h"

struct only {
    const char *field, *value;
    struct cg_gen *target;
};

static ssize_t filter(struct cg_gen *gen, void *arg)
{
    const struct only *only = arg;
    struct bus *bus;
    ssize_t sent;

    while ((sent = cg_gen_yield(gen, 0, &bus)) > 0)
        if (strcmp(bus_field(bus, only->field), only->value) == 0)
            cg_gen_send(only->target, bus, NULL);
    cg_gen_close(only->target);
    return sent;
}

int main(int argc, char **argv)
{
    FILE *file = stage_open(argc, argv, EXAMPLES_DATA "/buses.xml");
    struct cg_gen *print = primed(bus_print, NULL);
    struct cg_gen *north =
        primed(filter, &(struct only){"direction", "North Bound", print});
    struct cg_gen *route = primed(filter, &(struct only){"route", "22", north});
    struct cg_gen *buses = primed(xml_buses, route);
    bool good = xml_push(file, buses);

    cg_gen_free(buses);
    cg_gen_free(route);
    cg_gen_free(north);
    cg_gen_free(print);
    fclose(file);
    return !good;
}
