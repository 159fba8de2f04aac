/* SPDX-License-Identifier: MIT */
/* Who waits for whom: operations tell whom they await (struct cg_op_type). A wait that
 * times out, or that is one branch of a race, ends without them and counts for nothing. What
 * remains is a graph, in which a depth-first search finds the cycles. */
#include "config.h"

#include "lib/insight/deadlock.h"

#include "lib/core/branches.h"

#include <errno.h>
#include <stdlib.h>

/* The references of those whom each coroutine awaits: of number i (from 0) list[start[i]]
 * up to list[start[i + 1]]. */
struct graph {
    const struct cg__survey *survey;
    size_t *start;
    uint32_t *list;
    size_t len, room;
    bool failed; /* no memory */
};

static void add(struct graph *graph, uint32_t to)
{
    uint32_t *bigger;

    if (to == 0 || graph->failed)
        return;
    if (graph->len == graph->room) {
        graph->room = graph->room ? graph->room * 2 : 64;
        if (!(bigger = realloc(graph->list, graph->room * sizeof *bigger))) {
            graph->failed = true;
            return;
        }
        graph->list = bigger;
    }
    graph->list[graph->len++] = to;
}

static bool times_out(const struct cg_op *op)
{
    return !op->compound && cg__timers_is_set(&op->timer);
}

/* Adds whom an op awaits. Nested races are at most CG_ANY_DEPTH deep. */
static void add_awaited(struct graph *graph, const struct cg_op *op)
{
    struct cg_coro *coro = NULL;

    if (op->state < CG_OP_PENDING || times_out(op))
        return;
    if (op->compound) {
        add(graph, cg__survey_find(graph->survey, op->runs.coro));
    } else if (op->type == &cg_all_type || op->type == &cg_any_type) {
        const struct cg_any_op *all = (const struct cg_any_op *)op;
        size_t count = cg__branches_count(all);

        for (size_t i = 0; i < count && (op->type == &cg_all_type || count == 1); i++)
            add_awaited(graph, all->ops[i]);
    } else if (op->type->awaits) {
        while ((coro = op->type->awaits(op, coro))) {
            uint32_t to = cg__survey_find(graph->survey, coro);

            add(graph, to);
            if (to == 0) /* it has ended, or was left out, and may not be read */
                break;
        }
    }
}

/* Whether a deadline ends what the coroutine waits for. */
static bool has_deadline(const struct cg_coro *coro)
{
    for (const struct cg_scope *scope = coro->scope; scope; scope = scope->parent) {
        if (cg__timers_is_set(&scope->timer))
            return true;
        if (scope->shield)
            break;
    }
    return false;
}

static int make(struct graph *graph)
{
    size_t count = graph->survey->count;

    if (!(graph->start = calloc(count + 1, sizeof *graph->start)))
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct cg_coro *coro = graph->survey->seen[i].coro;

        graph->start[i] = graph->len;
        if (coro->op && coro->state == CG_CORO_WAITING && !has_deadline(coro))
            add_awaited(graph, coro->op);
    }
    graph->start[count] = graph->len;
    return graph->failed ? -ENOMEM : 0;
}

/* The search: `path` is from where it began to where it is; `at` has the next edge of each
 * coroutine on it, and `mark` who was visited (1: is on the path, 2: is done). */
struct search {
    uint32_t *path;
    size_t len;
    size_t *at;
    unsigned char *mark;
};

static int report(struct cg__deadlock *deadlock, const struct search *search, uint32_t first)
{
    size_t from = search->len;
    uint32_t *bigger;

    while (search->path[from - 1] != first)
        from--;
    bigger = realloc(deadlock->list,
                     (deadlock->len + search->len - from + 2) * sizeof *bigger);
    if (bigger == NULL)
        return -ENOMEM;
    deadlock->list = bigger;
    for (size_t i = from - 1; i < search->len; i++)
        bigger[deadlock->len++] = search->path[i];
    bigger[deadlock->len++] = 0;
    deadlock->cycles++;
    return 0;
}

static void enter(struct search *search, const struct graph *graph, uint32_t ref)
{
    search->path[search->len++] = ref;
    search->at[ref - 1] = graph->start[ref - 1];
    search->mark[ref - 1] = 1;
}

static int visit(struct cg__deadlock *deadlock, struct search *search,
                 const struct graph *graph, uint32_t root)
{
    enter(search, graph, root);
    while (search->len > 0) {
        uint32_t here = search->path[search->len - 1], to;

        if (search->at[here - 1] == graph->start[here]) {
            search->mark[here - 1] = 2;
            search->len--;
            continue;
        }
        to = graph->list[search->at[here - 1]++];
        if (search->mark[to - 1] == 0)
            enter(search, graph, to);
        else if (search->mark[to - 1] == 1 && report(deadlock, search, to) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int search_all(struct cg__deadlock *deadlock, const struct graph *graph)
{
    size_t count = graph->survey->count;
    struct search search = {
        .path = calloc(count + 1, sizeof *search.path),
        .at = calloc(count + 1, sizeof *search.at),
        .mark = calloc(count + 1, 1),
    };
    int rc = search.path && search.at && search.mark ? 0 : -ENOMEM;

    for (size_t i = 0; i < count && rc == 0; i++)
        if (search.mark[i] == 0)
            rc = visit(deadlock, &search, graph, (uint32_t)i + 1);
    free(search.path);
    free(search.at);
    free(search.mark);
    return rc;
}

int cg__deadlock_find(const struct cg__survey *survey, struct cg__deadlock *deadlock)
{
    struct graph graph = {.survey = survey};
    int rc = make(&graph);

    *deadlock = (struct cg__deadlock){.list = NULL};
    if (rc == 0)
        rc = search_all(deadlock, &graph);
    free(graph.start);
    free(graph.list);
    return rc;
}

/* The pending op of a coroutine, if it can tell whom it awaits. */
static const struct cg_op *telling(const struct cg__seen *seen)
{
    const struct cg_op *op = seen->coro->op;

    return op && op->state >= CG_OP_PENDING && op->type->awaits ? op : NULL;
}

bool cg__deadlock_orphan(const struct cg__survey *survey, const struct cg__seen *seen)
{
    const struct cg_op *op = telling(seen);
    const struct cg_coro *awaited = op ? op->type->awaits(op, NULL) : NULL;

    return awaited && survey->left_out == 0 && !cg__survey_find(survey, awaited);
}

uint32_t cg__deadlock_awaited(const struct cg__survey *survey, const struct cg__seen *seen)
{
    const struct cg_op *op = telling(seen);
    const struct cg_coro *awaited = op ? op->type->awaits(op, NULL) : NULL;
    uint32_t ref = awaited ? cg__survey_find(survey, awaited) : 0;

    return ref && !op->type->awaits(op, awaited) ? ref : 0;
}
