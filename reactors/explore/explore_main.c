/* SPDX-License-Identifier: MIT */
/* The command line of programs that explore. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <cogen/explore.h>

#include "lib/base/ascii.h"

static const struct {
    const char *name;
    unsigned faults;
} fault_names[] = {
    {"all", CG_SIM_ALL_FAULTS}, {"none", 0},
    {"resets", CG_SIM_RESETS},  {"loss", CG_SIM_LOSS},
    {"cuts", CG_SIM_CUTS},      {"pauses", CG_SIM_PAUSES},
    {"kills", CG_SIM_KILLS},    {"slowness", CG_SIM_SLOWNESS},
    {"handles", CG_SIM_HANDLES}, {"jumps", CG_SIM_JUMPS},
    {"memory", CG_SIM_MEMORY},   {"threads", CG_SIM_THREADS},
    {"names", CG_SIM_NAMES},
};

static const char *const order_names[] = {
    [CG_ORDER_USUAL] = "both", [CG_ORDER_RANDOM] = "random", [CG_ORDER_PCT] = "pct"};

static void help(const char *name)
{
    printf("usage: %s [option ...]\n"
           "Runs the program in many simulated worlds, and shows the first that fails.\n"
           "  --seeds N       try N seeds\n"
           "  --first N       begin with seed N\n"
           "  --seed N        try this seed only, and print its trace\n"
           "  --replay PLAN   run the world of a plan that was printed, and print its trace\n"
           "  --jobs N        run N worlds at a time, in processes\n"
           "  --order ORDER   random, pct or both: in which order ready coroutines run\n"
           "  --faults LIST   all, none, or some of resets,loss,cuts,pauses,kills,slowness,\n"
           "                  handles,jumps,memory,threads,names\n"
           "  --quiet         print only how it ended\n"
           "Exit status: 0: no world failed; 1: one did; 2: wrong usage, or the\n"
           "output could not be written; 130: interrupted.\n",
           name);
}

static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
    return cg__ascii_is_number(text, number) && *number <= most;
}

static bool read_faults(const char *text, unsigned *faults)
{
    *faults = 0;
    for (size_t len; *text; text += len + (text[len] == ',')) {
        size_t i = 0, count = sizeof fault_names / sizeof *fault_names;

        len = strcspn(text, ",");
        while (i < count && (strlen(fault_names[i].name) != len ||
                             strncmp(fault_names[i].name, text, len) != 0))
            i++;
        if (i == count)
            return false;
        *faults |= fault_names[i].faults;
    }
    return true;
}

static bool read_order(const char *text, enum cg_order_kind *order)
{
    for (size_t i = 0; i < sizeof order_names / sizeof *order_names; i++)
        if (strcmp(text, order_names[i]) == 0) {
            *order = (enum cg_order_kind)i;
            return true;
        }
    return false;
}

static bool take(struct cg_sim_explore_options *options, int letter, const char *text)
{
    uint64_t number;

    switch (letter) {
    case 'n':
        return read_number(text, UINT64_MAX / 2, &options->seeds) && options->seeds > 0;
    case 'f':
        return read_number(text, UINT64_MAX / 2, &options->first);
    case 's':
        options->seeds = 1;
        options->trace = true;
        return read_number(text, UINT64_MAX / 2, &options->first);
    case 'j':
        if (!read_number(text, 256, &number) || number == 0)
            return false;
        options->jobs = (unsigned)number;
        return true;
    case 'o':
        return read_order(text, &options->order);
    case 'F':
        return read_faults(text, &options->faults);
    case 'p':
        options->plan = text;
        return true;
    default: /* 'q' */
        options->quiet = true;
        return true;
    }
}

static int report(const char *name, int rc, const struct cg_sim_found *found)
{
    if (rc == -EINTR)
        return 130;
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", name,
                rc == -EINVAL ? "the plan or an option is invalid" : cg_strerror(rc));
        return 2;
    }
    if (rc > 0)
        printf("seed %llu fails: %s\n%s\n", (unsigned long long)found->seed, found->why,
               found->plan);
    return rc;
}

static int explore(int argc, char **argv, cg_fn *fn, void *arg,
                   const struct cg_sim_explore_options *options)
{
    static const struct option names[] = {
        {"seeds", required_argument, NULL, 'n'}, {"first", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'},  {"jobs", required_argument, NULL, 'j'},
        {"order", required_argument, NULL, 'o'}, {"faults", required_argument, NULL, 'F'},
        {"replay", required_argument, NULL, 'p'}, {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
    };
    struct cg_sim_explore_options all = {.reserved = NULL};
    struct cg_sim_found found;
    int letter, place = 0;

    if (options)
        all = *options;
    while ((letter = getopt_long(argc, argv, "", names, &place)) != -1) {
        if (letter == 'h') {
            help(argv[0]);
            return 0;
        }
        if (letter == '?')
            return 2;
        if (!take(&all, letter, optarg)) {
            fprintf(stderr, "%s: invalid --%s: %s\n", argv[0], names[place].name, optarg);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "%s: unexpected argument: %s\n", argv[0], argv[optind]);
        return 2;
    }
    return report(argv[0], cg_sim_explore_with(fn, arg, &all, &found), &found);
}

int cg_sim_explore_main_with(int argc, char **argv, cg_fn *fn, void *arg,
                             const struct cg_sim_explore_options *options)
{
    int status = explore(argc, argv, fn, arg, options);

    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "%s: stdout: %s\n", argv[0], errno ? strerror(errno) : "write error");
    return 2;
}
