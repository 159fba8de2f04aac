/* SPDX-License-Identifier: MIT */
/* Measures the memory of a sleeping coroutine, page tables included: starts N of them,
 * lets each begin a long sleep, and prints the memory of one.
 *     bench/sleepers [--reactor NAME] [--hold] [N]      (default 1,000,000)
 * --hold prints "sleeping N" instead and waits, so that another program can measure it. */
#include "config.h"

#include <cogen.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ssize_t sleeper(void *arg)
{
    (void)arg;
    return cg_yield(cg_sleep(CG_HOUR));
}

/* A field of /proc/self/status, in KiB. */
static double status(const char *field)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    double value = 0;

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0)
            value = atof(line + strlen(field) + 1);
    if (file)
        fclose(file);
    return value;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"reactor", 1, NULL, 'r'}, {"hold", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct cg_reactor *reactor;
    struct cg_sched *sched = NULL;
    const char *name = NULL;
    bool hold = false;
    double before;
    long n;
    int rc, option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (option) {
        case 'r':
            name = optarg;
            break;
        case 'h':
            hold = true;
            break;
        default:
            return 2;
        }
    n = optind < argc ? atol(argv[optind]) : 1000000;
    rc = n > 0 ? cg_reactor_open(name, &reactor) : -1;
    if (rc < 0 || (sched = cg_sched_new(reactor, .grace = CG_MINUTE)) == NULL) {
        fprintf(stderr, "sleepers: cannot start: %s\n", cg_strerror(rc));
        return 1;
    }
    before = status("VmRSS") + status("VmPTE");
    for (long i = 0; i < n; i++)
        if ((rc = cg_sched_start(sched, sleeper, NULL)) < 0) {
            fprintf(stderr, "sleepers: at %ld: %s\n", i, cg_strerror(rc));
            break;
        }
    while (cg_sched_step(sched, 0) > 0 && cg_sched_timeout(sched) == 0)
        continue;
    if (hold) {
        printf("sleeping %ld\n", n);
        fflush(stdout);
        cg_sched_run(sched);
    }
    printf("resident_per_sleeper %.0f bytes\n", (status("VmRSS") - before) * 1024 / n);
    printf("page_tables_per_sleeper %.0f bytes\n", status("VmPTE") * 1024 / n);
    printf("in_all %.0f MiB\n", (status("VmRSS") + status("VmPTE")) / 1024);
    cg_sched_free(sched);
    cg_reactor_close(reactor);
    return rc < 0;
}
