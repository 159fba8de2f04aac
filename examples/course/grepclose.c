/* SPDX-License-Identifier: MIT */
/* A coroutine notices that it is closed: its yield returns -ECANCELED, and it can clean up
 * and print a summary before it returns. An error that is thrown into it is returned by
 * the same yield.
 *
 *     ./grepclose
 */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../generators.h"

static ssize_t grep(struct cg_gen *gen, void *arg)
{
    const char *word = arg, *line;
    int matched = 0;
    ssize_t sent;

    printf("Looking for %s\n", word);
    while ((sent = cg_gen_yield(gen, 0, &line)) > 0)
        if (strstr(line, word)) {
            puts(line);
            matched++;
        }
    if (sent == -ECANCELED)
        printf("Going away after %d matching line%s\n", matched,
               matched == 1 ? "" : "s");
    else
        printf("Ended: %s\n", cg_strerror(sent));
    return sent == -ECANCELED ? 0 : sent;
}

int main(void)
{
    struct cg_gen *gen = primed(grep, "yield");

    cg_gen_send(gen, "a function returns", NULL);
    cg_gen_send(gen, "a coroutine yields", NULL);
    printf("close returns %zd\n", cg_gen_close(gen));
    printf("send to a closed one returns %zd\n", cg_gen_send(gen, "yield!", NULL));
    cg_gen_free(gen);

    gen = primed(grep, "yield");
    printf("throw returns: %s\n", cg_strerror(cg_gen_throw(gen, -EPROTO, NULL)));
    cg_gen_free(gen);
    return 0;
}
