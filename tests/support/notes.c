/* SPDX-License-Identifier: MIT */
/* See notes.h. */
#include "config.h"

#include "tests/support/notes.h"

#include <errno.h>
#include <string.h>

char noted[256];

void note(const char *what)
{
    strncat(noted, what, sizeof noted - strlen(noted) - 1);
}

void note_letter(intptr_t value)
{
    note((char[]){(char)('a' + value), '\0'});
}

void note_anew(void)
{
    noted[0] = '\0';
}

int64_t now(void)
{
    return cg_sched_now(cg_sched_self());
}

ssize_t notes(void *arg)
{
    note(arg);
    return 0;
}

ssize_t sleeps(void *arg)
{
    return cg_yield(cg_sleep(*(int64_t *)arg));
}

ssize_t answers(void *arg)
{
    return *(ssize_t *)arg;
}

ssize_t two_waits(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    IS(cg_yield(cg_sleep(0)), -ECANCELED); /* level-triggered: every further wait is
                                            * cancelled too */
    IS(cg_yield(cg_wait_signal("never", NULL)), -ECANCELED);
    return 5;
}
