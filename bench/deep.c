/* SPDX-License-Identifier: MIT */
/* Measures the memory that a burst of deep calls leaves: N coroutines wait, each uses 40
 * KiB of its stack once, and then all wait again. Prints the resident memory before the
 * burst, directly after it, and after twelve quiet seconds.
 *     bench/deep [N]      (default 10,000) */
#include "config.h"

#include <cogen.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long n = 10000;

/* The resident memory, in KiB. */
static double resident(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    double value = 0;

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmRSS:", 6) == 0)
            value = atof(line + 6);
    if (file)
        fclose(file);
    return value;
}

__attribute__((noinline)) static void call_deep(void)
{
    char room[40 * 1024];

    memset(room, 1, sizeof room);
    __asm__ volatile("" ::"r"(room) : "memory");
}

static ssize_t sleeper(void *arg)
{
    (void)arg;
    cg_yield(cg_wait_signal("burst", NULL));
    call_deep();
    return cg_yield(cg_wait_signal("end", NULL));
}

static ssize_t watcher(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    double before, burst, quiet;

    (void)arg;
    for (long i = 0; i < n; i++)
        if (cg_sched_start(sched, sleeper, NULL) < 0)
            return -1;
    cg_yield(cg_sleep(CG_SECOND / 10));
    before = resident();
    cg_yield(cg_signal("burst", NULL));
    burst = resident();
    cg_yield(cg_sleep(12 * CG_SECOND));
    quiet = resident();
    printf("resident_before %.0f KiB\n", before);
    printf("resident_after_burst %.0f KiB\n", burst);
    printf("resident_when_quiet %.0f KiB\n", quiet);
    printf("quiet_over_before %.2f ratio\n", quiet / before);
    return cg_yield(cg_signal("end", NULL));
}

int main(int argc, char **argv)
{
    if (argc > 1)
        n = atol(argv[1]);
    return cg_main(NULL, watcher, NULL) < 0;
}
