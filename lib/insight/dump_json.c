/* SPDX-License-Identifier: MIT */
/* A dump as JSON, for programs: one object, each element of a list on a line of its own. */
#include "config.h"

#include "lib/insight/dump.h"

#include "lib/insight/backtrace.h"
#include "lib/insight/json.h"
#include "lib/insight/lost.h"
#include "lib/stacks/stack_use.h"
#include "lib/threads/crew.h"
#include "lib/vocabulary/group.h"

#include <inttypes.h>
#include <unistd.h>

static void put_place(FILE *out, const void *address)
{
    char place[512];

    cg__dump_place(address, place, sizeof place);
    cg__json_print(out, place);
}

/* Begins an element of a list. */
static void next(FILE *out, size_t *n)
{
    fputs((*n)++ ? ",\n" : "\n", out);
}

static void put_counts(const struct cg__dump *dump, FILE *out)
{
    fputs("\"counts\": {", out);
    for (int i = 0; i < CG__DUMP_COUNTS; i++) {
        fputs(i ? ", " : "", out);
        cg__json_print(out, cg__dump_count_names[i].many);
        fprintf(out, ": %zu", dump->counts[i]);
    }
    fputs("},\n", out);
}

static void put_scopes(const struct cg__dump *dump, FILE *out, const struct cg_coro *coro)
{
    const char *comma = "";

    fputs(", \"scopes\": [", out);
    for (const struct cg_scope *scope = coro->scope; scope; scope = scope->parent) {
        const struct cg_group *group = cg__group_around(scope);

        fprintf(out, "%s{\"group\": %s", comma, group ? "true" : "false");
        if (cg__timers_is_set(&scope->timer))
            fprintf(out, ", \"left_ns\": %" PRId64,
                    (int64_t)scope->timer.expiry - dump->survey.sched->now);
        fprintf(out, ", \"shield\": %s, \"reason\": %d}", scope->shield ? "true" : "false",
                (int)scope->reason);
        comma = ", ";
    }
    putc(']', out);
}

static void put_wait(FILE *out, const struct cg_coro *coro)
{
    char text[256];

    if (coro->op == NULL)
        return;
    cg_op_print(coro->op, text, sizeof text);
    fputs(", \"waits_for\": ", out);
    cg__json_print(out, text);
}

static void put_seen(const struct cg__dump *dump, FILE *out, const struct cg__seen *seen)
{
    static const char *const hows[] = {"started", "member", "branch"};
    const struct cg__survey *survey = &dump->survey;
    const struct cg_coro *coro = seen->coro;
    uint32_t awaited = cg__deadlock_awaited(survey, seen);

    fprintf(out, "{\"id\": %" PRIu64 ", \"name\": ", coro->id);
    cg__json_print(out, coro->name);
    fprintf(out, ", \"count\": %" PRIu32 ", \"parent\": %" PRIu64 ", \"how\": \"%s\"",
            seen->count, seen->parent ? survey->seen[seen->parent - 1].coro->id : 0,
            hows[seen->how]);
    fprintf(out, ", \"state\": \"%s\"", cg__coro_state_name(coro));
    put_wait(out, coro);
    if (awaited)
        fprintf(out, ", \"awaits\": %" PRIu64, survey->seen[awaited - 1].coro->id);
    fprintf(out, ", \"since_ns\": %" PRId64 ", \"age_ns\": %" PRId64,
            survey->sched->now - seen->earliest, survey->sched->now - seen->oldest);
    fprintf(out, ", \"stack_used\": %zu, \"stack_size\": %zu, \"backtrace\": %" PRIu32,
            seen->used, cg_coro_stack_size(coro), seen->trace);
    put_scopes(dump, out, coro);
    putc('}', out);
}

static void put_tree(const struct cg__dump *dump, FILE *out)
{
    const struct cg__seen *seen = NULL;
    unsigned depth = 0;
    size_t n = 0, silent = 0;

    fputs("\"coroutines\": [", out);
    while ((seen = cg__survey_next(&dump->survey, seen, &depth))) {
        if (n == CG__DUMP_LINES) {
            silent += seen->count;
            continue;
        }
        next(out, &n);
        put_seen(dump, out, seen);
    }
    fprintf(out, "],\n\"not_printed\": %zu, \"not_examined\": %zu,\n", silent,
            dump->survey.left_out);
}

static void put_deadlocks(const struct cg__dump *dump, FILE *out)
{
    const struct cg__survey *survey = &dump->survey;
    const char *comma = "";

    fputs("\"cycles\": [", out);
    for (size_t i = 0; i < dump->deadlock.len; i++) {
        fprintf(out, "%s[", comma);
        comma = "";
        for (; dump->deadlock.list[i]; i++) {
            uint32_t ref = dump->deadlock.list[i];

            fprintf(out, "%s%" PRIu64, comma, survey->seen[ref - 1].coro->id);
            comma = ", ";
        }
        putc(']', out);
    }
    fputs("], \"never_unlocked\": [", out);
    comma = "";
    for (size_t i = 0; i < survey->count; i++)
        if (cg__deadlock_orphan(survey, &survey->seen[i])) {
            fprintf(out, "%s%" PRIu64, comma, survey->seen[i].coro->id);
            comma = ", ";
        }
    fputs("],\n", out);
}

static void put_lost(const struct cg__dump *dump, FILE *out)
{
    const char *comma = "";
    size_t count = 0;
    char why[2200];

    fputs("\"lost_wakeups\": [", out);
    for (size_t i = 0; i < dump->survey.count && count < CG__DUMP_LOST; i++) {
        if (cg__lost_print(dump->survey.seen[i].coro, why, sizeof why) == 0)
            continue;
        count++;
        fprintf(out, "%s{\"id\": %" PRIu64 ", \"why\": ", comma,
                dump->survey.seen[i].coro->id);
        cg__json_print(out, why);
        putc('}', out);
        comma = ", ";
    }
    fputs("],\n", out);
}

static void put_traces(const struct cg__traces *traces, FILE *out)
{
    size_t n = 0;

    fprintf(out, "\"backtraces_work\": %s, \"backtraces\": [",
            cg__backtrace_works() ? "true" : "false");
    for (size_t i = 0; i < traces->count && i < CG__DUMP_TRACES; i++) {
        const struct cg__trace *trace = &traces->all[i];
        size_t frames = 0;

        next(out, &n);
        fprintf(out, "{\"id\": %zu, \"coroutines\": %u, \"frames\": [", i + 1, trace->uses);
        for (unsigned k = 0; k < trace->count; k++) {
            next(out, &frames);
            put_place(out, (const char *)traces->frames[trace->first + k] - 1);
        }
        fputs("]}", out);
    }
    fputs("],\n", out);
}

static void put_functions(const struct cg__dump *dump, FILE *out)
{
    size_t n = 0;

    fputs("\"functions\": [", out);
    for (size_t i = 0; i < dump->nfunctions; i++) {
        const struct cg__dump_function *each = &dump->functions[i];

        next(out, &n);
        fputs("{\"function\":\n", out);
        put_place(out, (const void *)(uintptr_t)each->fn);
        fprintf(out,
                ",\n\"coroutines\": %zu, \"measured\": %zu, \"stack_used\": %zu, "
                "\"stack_size\": %zu, \"suggested\": %zu}",
                each->count, each->measured, each->used, each->size,
                cg__stack_use_suggest(each->used));
    }
    fputs("]\n", out);
}

void cg__dump_json(const struct cg__dump *dump, FILE *out)
{
    const struct cg_sched *sched = dump->survey.sched;

    flockfile(out);
    fprintf(out, "{\"cogen_dump\": 1, \"process\": %ld, \"reactor\": \"%s\",\n",
            (long)getpid(), sched->reactor->type->name);
    if (sched->worker)
        fprintf(out, "\"worker\": %u,\n", sched->worker->number);
    put_counts(dump, out);
    put_deadlocks(dump, out);
    put_lost(dump, out);
    put_tree(dump, out);
    put_traces(&dump->survey.traces, out);
    put_functions(dump, out);
    fputs("}\n", out);
    funlockfile(out);
}
