/* SPDX-License-Identifier: MIT */
/* Runs programs of the library in many simulated worlds, under faults, and checks what must
 * hold. Without arguments each subject has its share of $COGEN_WORLDS worlds (600), from seed
 * $COGEN_WORLDS_FIRST on (0); `make worlds` runs 10,000.
 *
 *     tests/worlds/worlds SUBJECT [option ...]     one subject; options of cg_sim_explore(3)
 *     tests/worlds/worlds --list
 */
#include "config.h"

#include "tests/worlds/worlds.h"

static const struct subject *const subjects[] = {
    &echo_subject,    &room_subject,  &http_subject,  &h2_subject,       &gateway_subject,
    &ws_subject,      &https_subject, &proxy_subject, &restarts_subject, &restart_subject,
    &names_subject, &offload_subject,
};

enum { SUBJECTS = sizeof subjects / sizeof *subjects, WORLDS = 600 };

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

/* Returns whether all worlds are well. */
static bool run(const struct subject *subject, uint64_t first, uint64_t worlds)
{
    struct cg_sim_found found;
    int rc;

    if (subject->open)
        subject->open();
    rc = cg_sim_explore(subject->fn, NULL, &found, .first = first, .seeds = worlds,
                        .faults = subject->faults, .programs = subject->programs,
                        .names = subject->names, .quiet = true);
    printf("%s: %llu worlds\n", subject->name, (unsigned long long)found.worlds);
    if (rc < 0)
        printf("FAILED: %s\n", cg_strerror(rc));
    if (rc > 0)
        printf("FAILED: seed %llu: %s\ntests/worlds/worlds %s --replay '%s'\n",
               (unsigned long long)found.seed, found.why, subject->name, found.plan);
    return rc == 0;
}

static int run_all(void)
{
    uint64_t worlds = from_environment("COGEN_WORLDS", WORLDS);
    uint64_t first = from_environment("COGEN_WORLDS_FIRST", 0);
    unsigned shares = 0, failures = 0;

    for (size_t i = 0; i < SUBJECTS; i++)
        shares += subjects[i]->share;
    for (size_t i = 0; i < SUBJECTS; i++)
        failures += !run(subjects[i], first, 1 + worlds * subjects[i]->share / shares);
    printf("%u%%: Checks: %d, Failures: %u, Errors: 0\n", (SUBJECTS - failures) * 100 / SUBJECTS,
           (int)SUBJECTS, failures);
    return failures > 0;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return run_all();
    for (size_t i = 0; i < SUBJECTS; i++) {
        const struct subject *subject = subjects[i];

        if (strcmp(argv[1], "--list") == 0)
            puts(subject->name);
        if (strcmp(argv[1], subject->name) != 0)
            continue;
        if (subject->open)
            subject->open();
        return cg_sim_explore_main(argc - 1, argv + 1, subject->fn, NULL,
                                   .faults = subject->faults, .programs = subject->programs,
                                   .names = subject->names);
    }
    return strcmp(argv[1], "--list") == 0 ? 0 : 2;
}
