/* SPDX-License-Identifier: MIT */
/* See explored.h. */
#include "config.h"

#include "tests/reactors/explored.h"

#include <string.h>
#include <sys/mman.h>

struct cg_sim_found found;

void finds(cg_fn *fn, enum cg_sim_failure failure,
           const struct cg_sim_explore_options *options)
{
    struct cg_sim_explore_options again = *options;
    struct cg_sim_found replayed;

    IS(cg_sim_explore_with(fn, NULL, options, &found), 1);
    ck_assert_msg(found.failure == failure, "%d: %s", (int)found.failure, found.why);
    again.plan = found.plan;
    ck_assert_msg(cg_sim_explore_with(fn, NULL, &again, &replayed) == 1, "%s", found.plan);
    ck_assert_int_eq(replayed.failure, found.failure);
    ck_assert_uint_eq(replayed.seed, found.seed);
    ck_assert_str_eq(replayed.plan, found.plan);
}

static bool done;

static ssize_t waits(void *arg)
{
    (void)arg;
    if (!done) {
        cg_yield(cg_pass());
        cg_yield(cg_wait_signal("done", NULL));
    }
    return 0;
}

static ssize_t signals(void *arg)
{
    (void)arg;
    cg_yield(cg_pass());
    done = true;
    return cg_yield(cg_signal("done", NULL));
}

ssize_t lost_wakeup(void *arg)
{
    (void)arg;
    done = false;
    cg_yield(cg_add(waits, NULL, .name = "sleeper"));
    return cg_yield(cg_add(signals, NULL));
}

ssize_t counts_worlds(void *arg)
{
    atomic_uint *worlds = arg;

    ++*worlds;
    return 0;
}

void *share(size_t size)
{
    void *shared =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(shared, MAP_FAILED);
    return shared;
}

unsigned count(const char *text, const char *word)
{
    unsigned n = 0;

    while ((text = strstr(text, word)) != NULL) {
        text += strlen(word);
        n++;
    }
    return n;
}
