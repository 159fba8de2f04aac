/* SPDX-License-Identifier: MIT */
/* Equal backtraces are found by a hash table, so that ten thousand connections that wait in
 * the same place cost one search each. The addresses come from the program itself, so the
 * hash needs no secret. */
#include "config.h"

#include "lib/insight/traces.h"

#include "lib/base/hash.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int cg__traces_init(struct cg__traces *traces, size_t most)
{
    size_t places = 16;

    while (places < most * 2)
        places *= 2;
    *traces = (struct cg__traces){.mask = places - 1};
    traces->table = calloc(places, sizeof *traces->table);
    return traces->table ? 0 : -ENOMEM;
}

void cg__traces_free(struct cg__traces *traces)
{
    free(traces->all);
    free(traces->frames);
    free(traces->table);
}

/* Makes room for `more` elements behind `count`. */
static void *grown(void *array, size_t *room, size_t count, size_t more, size_t size)
{
    size_t want = *room ? *room : 64;
    void *bigger;

    if (count + more <= *room)
        return array;
    while (want < count + more)
        want *= 2;
    if ((bigger = realloc(array, want * size)))
        *room = want;
    return bigger;
}

static bool is(const struct cg__traces *traces, const struct cg__trace *trace, uint64_t hash,
               void *const *frames, unsigned count)
{
    return trace->hash == hash && trace->count == count &&
           memcmp(traces->frames + trace->first, frames, count * sizeof *frames) == 0;
}

static uint32_t append(struct cg__traces *traces, uint64_t hash, void *const *frames,
                       unsigned count)
{
    struct cg__trace *all =
        grown(traces->all, &traces->room, traces->count, 1, sizeof *all);
    void **list;

    if (all == NULL)
        return 0;
    traces->all = all;
    list = grown(traces->frames, &traces->frames_room, traces->nframes, count, sizeof *list);
    if (list == NULL)
        return 0;
    traces->frames = list;
    memcpy(list + traces->nframes, frames, count * sizeof *frames);
    all[traces->count] = (struct cg__trace){
        .hash = hash, .first = traces->nframes, .count = count, .uses = 1};
    traces->nframes += count;
    return (uint32_t)++traces->count;
}

uint32_t cg__traces_add(struct cg__traces *traces, void *const *frames, unsigned count)
{
    uint64_t hash = count;
    size_t at;

    for (unsigned i = 0; i < count; i++)
        hash = cg__hash_own(hash ^ (uintptr_t)frames[i]);
    for (at = hash & traces->mask; traces->table[at]; at = (at + 1) & traces->mask) {
        struct cg__trace *trace = &traces->all[traces->table[at] - 1];

        if (is(traces, trace, hash, frames, count)) {
            trace->uses++;
            return traces->table[at];
        }
    }
    return traces->table[at] = append(traces, hash, frames, count);
}
