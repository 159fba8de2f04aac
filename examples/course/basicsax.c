/* SPDX-License-Identifier: MIT */
/* XML by callbacks, without coroutines: a callback must keep its state in variables until
 * the next one is called. Compare cosax.
 *
 *     ./basicsax [FILE]        each element's start, text and end
 */
#include <expat.h>
#include <stdio.h>
#include <string.h>

#include "stages.h"

static void XMLCALL on_start(void *depth, const char *name, const char **attributes)
{
    (void)attributes;
    printf("%*sstart %s\n", 2 * (*(int *)depth)++, "", name);
}

static void XMLCALL on_end(void *depth, const char *name)
{
    printf("%*send %s\n", 2 * --*(int *)depth, "", name);
}

static void XMLCALL on_text(void *depth, const char *text, int length)
{
    if (length > 0 && memchr(" \n", text[0], 2) == NULL)
        printf("%*stext %.*s\n", 2 * *(int *)depth, "", length, text);
}

int main(int argc, char **argv)
{
    FILE *file = stage_open(argc, argv, EXAMPLES_DATA "/buses.xml");
    XML_Parser parser = XML_ParserCreate(NULL);
    int depth = 0, good = parser != NULL;
    char line[1024];

    XML_SetUserData(parser, &depth);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    while (good && fgets(line, sizeof line, file))
        good = XML_Parse(parser, line, (int)strlen(line), 0) != XML_STATUS_ERROR;
    XML_ParserFree(parser);
    fclose(file);
    return !good;
}
