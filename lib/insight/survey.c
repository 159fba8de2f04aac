/* SPDX-License-Identifier: MIT */
/* Examines the coroutines of a scheduler. A coroutine has the number (id) of the one that
 * started it, since a pointer could outlive that one. The list of coroutines is in the order
 * of their start, so a number is found by bisection. */
#include "config.h"

#include "lib/insight/survey.h"

#include "lib/base/hash.h"
#include "lib/base/monotonic.h"
#include "lib/insight/backtrace.h"
#include "lib/stacks/stack_use.h"
#include "lib/vocabulary/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RECENT = 256 };

static uint32_t find_id(const struct cg__survey *survey, uint64_t id)
{
    size_t low = 0, high = survey->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (survey->seen[middle].coro->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < survey->count && survey->seen[low].coro->id == id ? (uint32_t)low + 1 : 0;
}

static size_t place_of(const struct cg__survey *survey, const struct cg_coro *coro)
{
    return cg__hash_own((uintptr_t)coro) & survey->traces.mask;
}

uint32_t cg__survey_find(const struct cg__survey *survey, const struct cg_coro *coro)
{
    size_t at = place_of(survey, coro);

    while (survey->table[at] && survey->seen[survey->table[at] - 1].coro != coro)
        at = (at + 1) & survey->traces.mask;
    return survey->table[at];
}

/* Enters coroutines by their addresses. */
static void enter_all(struct cg__survey *survey)
{
    for (size_t i = 0; i < survey->count; i++) {
        size_t at = place_of(survey, survey->seen[i].coro);

        while (survey->table[at])
            at = (at + 1) & survey->traces.mask;
        survey->table[at] = (uint32_t)i + 1;
    }
}

/* Backtraces that were made before: most coroutines repeat one of them. Equal stacks are equally
 * deep, and belong to the same function. */
struct recent {
    struct cg__backtrace backtrace;
    uint32_t number; /* 0: none yet */
};

static uint32_t trace(struct cg__survey *survey, struct recent *all, struct cg_coro *coro)
{
    size_t depth = (size_t)((char *)coro - (char *)coro->ctx.sp);
    struct recent *recent = &all[cg__hash_own((uintptr_t)coro->fn ^ depth) % RECENT];

    if (recent->number && cg__backtrace_repeats(&recent->backtrace, coro)) {
        survey->traces.all[recent->number - 1].uses++;
        return recent->number;
    }
    cg__backtrace_make(&recent->backtrace, coro);
    recent->number = recent->backtrace.count
                         ? cg__traces_add(&survey->traces, recent->backtrace.frames,
                                          recent->backtrace.count)
                         : 0;
    return recent->number;
}

static void examine(struct cg__survey *survey, struct recent *recent, struct cg_coro *coro,
                    bool measure)
{
    size_t used = measure ? cg__stack_use_get(coro->stack_low, coro) : 0;

    survey->seen[survey->count++] = (struct cg__seen){
        .coro = coro,
        .count = 1,
        .trace = trace(survey, recent, coro),
        .earliest = coro->since,
        .oldest = coro->born,
        .used = used,
        .measured = used != 0,
    };
}

static void examine_all(struct cg__survey *survey, struct recent *recent, size_t limit,
                        int64_t end)
{
    struct cg_coro *coro = survey->sched->first;
    bool measure = true;

    for (; coro && survey->count < limit; coro = coro->next) {
        if (end && survey->count % CG__SURVEY_LOOK == CG__SURVEY_LOOK - 1) {
            int64_t left = end - cg__monotonic_now();

            survey->out_of_time = left < 0;
            measure = left > CG__SURVEY_TIME - CG__SURVEY_MEASURE;
        }
        if (survey->out_of_time)
            break;
        examine(survey, recent, coro, measure);
    }
    survey->left_out = survey->sched->ready.places - survey->count;
}

/* Finds out to whom a coroutine belongs: always to one that was started earlier. */
static void place(struct cg__survey *survey, struct cg__seen *seen)
{
    struct cg_coro *coro = seen->coro;
    struct cg_group *group = cg__group_of(coro);
    uint64_t id = coro->starter;

    if (coro->internal) {
        seen->how = CG__SEEN_BRANCH;
        id = cg_op_coro(coro->arg)->id;
    } else if (group) {
        seen->how = CG__SEEN_MEMBER;
        id = group->scope.coro->id;
    }
    seen->parent = id ? find_id(survey, id) : 0;
    seen->parent_ended = id && !seen->parent && survey->left_out == 0;
}

static const struct cg_op_type *waits_for(const struct cg_coro *coro)
{
    return coro->op ? coro->op->type : NULL;
}

/* The first coroutine that it awaits. The pointer may be invalid. */
static const struct cg_coro *awaits(const struct cg_coro *coro)
{
    const struct cg_op *op = coro->op;

    return op && op->state >= CG_OP_PENDING && op->type->awaits ? op->type->awaits(op, NULL)
                                                                : NULL;
}

/* To what it belongs; the field is set only in a coroutine that does. */
static const void *owner_of(const struct cg_coro *coro)
{
    return coro->ended ? coro->owner : NULL;
}

static bool alike(const struct cg__seen *a, const struct cg__seen *b)
{
    return a->parent == b->parent && a->how == b->how && a->trace == b->trace &&
           a->coro->fn == b->coro->fn && a->coro->state == b->coro->state &&
           waits_for(a->coro) == waits_for(b->coro) && owner_of(a->coro) == owner_of(b->coro) &&
           awaits(a->coro) == awaits(b->coro) &&
           strcmp(a->coro->name, b->coro->name) == 0;
}

static uint64_t hash(const struct cg__seen *seen)
{
    uint64_t words[] = {seen->parent,
                        seen->trace,
                        seen->coro->state,
                        (uintptr_t)seen->coro->fn,
                        (uintptr_t)waits_for(seen->coro),
                        (uintptr_t)awaits(seen->coro),
                        (uintptr_t)owner_of(seen->coro)};
    uint64_t sum = 0;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        sum = cg__hash_own(sum ^ words[i]);
    return sum;
}

static void join(struct cg__seen *into, const struct cg__seen *seen)
{
    into->count++;
    into->measured += seen->measured;
    if (seen->earliest < into->earliest)
        into->earliest = seen->earliest;
    if (seen->oldest < into->oldest)
        into->oldest = seen->oldest;
    if (seen->used > into->used)
        into->used = seen->used;
}

/* Joins those that are alike, by a hash table of indices. */
static int collapse(struct cg__survey *survey, const unsigned char *is_parent)
{
    size_t mask = survey->traces.mask, at;
    uint32_t *table = calloc(mask + 1, sizeof *table);

    if (table == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < survey->count; i++) {
        struct cg__seen *seen = &survey->seen[i];

        if (is_parent[i])
            continue;
        for (at = hash(seen) & mask; table[at]; at = (at + 1) & mask)
            if (alike(&survey->seen[table[at] - 1], seen))
                break;
        if (table[at] == 0) {
            table[at] = (uint32_t)i + 1;
        } else {
            seen->like = table[at];
            join(&survey->seen[table[at] - 1], seen);
        }
    }
    free(table);
    return 0;
}

static void link_up(struct cg__survey *survey)
{
    for (size_t i = 0; i < survey->count; i++) {
        struct cg__seen *seen = &survey->seen[i];
        struct cg__seen *parent = seen->parent ? &survey->seen[seen->parent - 1] : NULL;
        uint32_t *first = parent ? &parent->first : &survey->first;
        uint32_t *last = parent ? &parent->last : &survey->last;

        if (seen->like)
            continue;
        if (*last)
            survey->seen[*last - 1].next = (uint32_t)i + 1;
        else
            *first = (uint32_t)i + 1;
        *last = (uint32_t)i + 1;
    }
}

static int make_tree(struct cg__survey *survey)
{
    unsigned char *is_parent = calloc(survey->count + 1, 1);
    int rc;

    if (is_parent == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < survey->count; i++)
        place(survey, &survey->seen[i]);
    for (size_t i = 0; i < survey->count; i++)
        if (survey->seen[i].parent)
            is_parent[survey->seen[i].parent - 1] = 1;
    if ((rc = collapse(survey, is_parent)) == 0)
        link_up(survey);
    free(is_parent);
    return rc;
}

int cg__survey_init(struct cg__survey *survey, struct cg_sched *sched, size_t limit)
{
    int64_t end = limit ? 0 : cg__monotonic_now() + CG__SURVEY_TIME;
    size_t most = sched->ready.places; /* as many as there are coroutines */
    struct recent *recent;
    int rc = -ENOMEM;

    if (limit == 0)
        limit = CG__SURVEY_LIMIT;
    if (most > limit)
        most = limit;
    *survey = (struct cg__survey){.sched = sched};
    recent = calloc(RECENT, sizeof *recent);
    if (recent && (survey->seen = calloc(most + 1, sizeof *survey->seen)) &&
        cg__traces_init(&survey->traces, most) == 0 &&
        (survey->table = calloc(survey->traces.mask + 1, sizeof *survey->table))) {
        examine_all(survey, recent, most, end);
        enter_all(survey);
        rc = make_tree(survey);
    }
    free(recent);
    if (rc < 0)
        cg__survey_free(survey);
    return rc;
}

void cg__survey_free(struct cg__survey *survey)
{
    cg__traces_free(&survey->traces);
    free(survey->table);
    free(survey->seen);
}

const struct cg__seen *cg__survey_next(const struct cg__survey *survey,
                                       const struct cg__seen *seen, unsigned *depth)
{
    uint32_t next = seen ? seen->first : survey->first;

    *depth = seen ? *depth + (next != 0) : 0;
    while (next == 0 && seen) {
        if ((next = seen->next))
            break;
        seen = seen->parent ? &survey->seen[seen->parent - 1] : NULL;
        *depth -= *depth > 0;
    }
    return next ? &survey->seen[next - 1] : NULL;
}
