/* SPDX-License-Identifier: MIT */
/* XML events sent to a coroutine. The coroutine yields where it needs the next event, so
 * the place in its code is its state: no variables are needed. It prints each field of a
 * bus as one line.
 *
 *     ./cosax [FILE]
 */
#include <cogen.h>
#include <stdio.h>
#include <string.h>

#include "../generators.h"
#include "stages.h"
#include "xml_events.h"

static ssize_t events(struct cg_gen *gen, void *arg)
{
    const struct xml_event *event;
    char name[32] = "";
    ssize_t sent;

    (void)arg;
    while ((sent = cg_gen_yield(gen, 0, &event)) > 0)
        if (event->kind == XML_START) {
            if (strcmp(event->text, "bus") == 0)
                puts("bus");
            snprintf(name, sizeof name, "%s", event->text);
        } else if (event->kind == XML_TEXT && !strchr(" \n", event->text[0])) {
            printf("  %s = %s\n", name, event->text);
        }
    return sent;
}

int main(int argc, char **argv)
{
    FILE *file = stage_open(argc, argv, EXAMPLES_DATA "/buses.xml");
    struct cg_gen *target = primed(events, NULL);
    bool good = xml_push(file, target);

    cg_gen_free(target);
    fclose(file);
    return !good;
}
