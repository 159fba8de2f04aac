/* SPDX-License-Identifier: MIT */
/* A program that gets stuck: two coroutines take two mutexes in different orders. */
#include <cogen.h>
#include <signal.h>
#include <stdio.h>

static struct cg_mutex red = {.name = "red"}, blue = {.name = "blue"};

static ssize_t take_both(void *arg)
{
    struct cg_mutex **mutexes = arg;

    cg_yield(cg_lock(mutexes[0]));
    cg_yield(cg_sleep(10 * CG_MILLISECOND));
    cg_yield(cg_lock(mutexes[1])); /* each waits here for the mutex of the other */
    cg_mutex_unlock(mutexes[1]);
    cg_mutex_unlock(mutexes[0]);
    return 0;
}

/* When SIGUSR1 comes, prints on stderr what every coroutine waits for. */
static ssize_t dump_on_signal(void *arg)
{
    struct cg_os_signals *signals; /* without it, a signal that comes while the dump is
                                    * written would end the program */
    ssize_t rc = cg_os_signals_open(cg_sched_self(), SIGUSR1, &signals);

    (void)arg;
    if (rc < 0)
        return rc;
    while ((rc = cg_yield(cg_get_os_signal(signals))) > 0)
        cg_coro_dump(cg_sched_self(), stderr);
    cg_os_signals_close(signals);
    return rc;
}

static ssize_t program(void *with_signal)
{
    struct cg_mutex *one[] = {&red, &blue}, *other[] = {&blue, &red};
    struct cg_group both;

    if (with_signal)
        cg_yield(cg_add(dump_on_signal, NULL, .name = "dump"));
    cg_group_open(&both);
    if (cg_yield(cg_add_to_group(&both, take_both, one, .name = "one")) < 0 ||
        cg_yield(cg_add_to_group(&both, take_both, other, .name = "other")) < 0)
        cg_group_cancel(&both);
    return cg_yield(cg_wait_group(&both));
}

int main(int argc, char **argv)
{
    ssize_t rc = cg_main(NULL, program, argc > 1 ? argv[1] : NULL);

    fprintf(stderr, "program: %s\n", cg_strerror(rc));
    return 1;
}
