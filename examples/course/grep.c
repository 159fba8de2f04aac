/* SPDX-License-Identifier: MIT */
/* A first coroutine: it prints the lines that it is sent if they contain a word.
 *
 *     ./grep                   looks for "coroutine" in three built-in lines
 *     ./grep WORD <FILE        looks for a word in a file
 */
#include <cogen.h>
#include <stdio.h>
#include <string.h>

#include "../generators.h"

static ssize_t grep(struct cg_gen *gen, void *arg)
{
    const char *word = arg, *line;

    printf("Looking for %s\n", word);
    while (cg_gen_yield(gen, 0, &line) > 0)
        if (strstr(line, word))
            fputs(line, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const lines[] = {
        "a function runs to its end\n",
        "a coroutine stops in the middle and goes on\n",
        "a thread is stopped by others\n",
    };
    struct cg_gen *gen = primed(grep, argc > 1 ? argv[1] : "coroutine");
    char line[1024];

    if (argc > 1)
        while (fgets(line, sizeof line, stdin))
            cg_gen_send(gen, line, NULL);
    else
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
            cg_gen_send(gen, lines[i], NULL);
    cg_gen_free(gen);
    return 0;
}
