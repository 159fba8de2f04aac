/* SPDX-License-Identifier: MIT */
/* A dump as text: for people at three in the morning. */
#include "config.h"

#include "lib/insight/dump.h"

#include "lib/base/json.h"
#include "lib/base/plural.h"
#include "lib/insight/backtrace.h"
#include "lib/insight/lost.h"
#include "lib/insight/stuck.h"
#include "lib/stacks/stack_use.h"
#include "lib/threads/crew.h"
#include "lib/vocabulary/group.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

enum { DEEPEST = 32 }; /* levels that are indented */

static void put_length(FILE *out, int64_t length)
{
    int64_t tenths = (length > 0 ? length : 0) / (CG_SECOND / 10);

    fprintf(out, "%" PRId64 ".%" PRId64 " s", tenths / 10, tenths % 10);
}

static void put_kib(FILE *out, size_t bytes)
{
    fprintf(out, "%zu.%zu", bytes / 1024, bytes % 1024 * 10 / 1024);
}

static void put_wait(FILE *out, const struct cg_coro *coro)
{
    char text[256] = "";

    if (coro->op)
        cg_op_print(coro->op, text, sizeof text);
    cg__json_print_plain(out, coro->name);
    fputs(": ", out);
    cg__json_print_plain(out, coro->op ? text : cg__coro_state_name(coro));
}

/* What the cycle's line says of a coroutine. */
static void put_link(const struct cg__dump *dump, FILE *out, uint32_t ref)
{
    const struct cg_coro *coro = dump->survey.seen[ref - 1].coro;

    fprintf(out, "#%" PRIu64 " ", coro->id);
    put_wait(out, coro);
}

/* A line for each coroutine of which `print` knows something. */
static void put_reasons(const struct cg__dump *dump, FILE *out, const char *start,
                        int (*print)(const struct cg_coro *coro, char *buf, size_t size),
                        const char *more)
{
    char why[2200];
    size_t count = 0;

    for (size_t i = 0; i < dump->survey.count; i++) {
        if (print(dump->survey.seen[i].coro, why, sizeof why) == 0)
            continue;
        if (count++ >= CG__DUMP_LOST)
            continue;
        fputs(start, out);
        put_link(dump, out, (uint32_t)i + 1);
        fputs(", ", out);
        cg__json_print_plain(out, why);
        putc('\n', out);
    }
    if (count > CG__DUMP_LOST)
        fprintf(out, "and %zu more %s\n", count - CG__DUMP_LOST, more);
}

void cg__dump_text_stuck(const struct cg__dump *dump, FILE *out)
{
    put_reasons(dump, out, "stuck: ", cg__stuck_print, "that are stuck");
}

void cg__dump_text_deadlocks(const struct cg__dump *dump, FILE *out)
{
    const uint32_t *list = dump->deadlock.list;
    const struct cg__survey *survey = &dump->survey;

    for (size_t i = 0; i < dump->deadlock.len; i++) {
        size_t first = i;

        fputs("cycle: ", out);
        for (; list[i]; i++) {
            put_link(dump, out, list[i]);
            fputs(" -> ", out);
        }
        fprintf(out, "#%" PRIu64 "\n", survey->seen[list[first] - 1].coro->id);
    }
    for (size_t i = 0; i < survey->count; i++)
        if (cg__deadlock_orphan(survey, &survey->seen[i])) {
            fputs("never unlocked: ", out);
            put_link(dump, out, (uint32_t)i + 1);
            fputs(", but the owner of the mutex has ended\n", out);
        }
    put_reasons(dump, out, "lost wake-up? ", cg__lost_print,
                "that may have lost their wake-ups");
}

static void indent(FILE *out, unsigned depth)
{
    fprintf(out, "%*s", (int)(depth < DEEPEST ? depth : DEEPEST) * 2, "");
}

/* A line for each scope that somebody has opened, or that has ended. */
static void put_scopes(const struct cg__dump *dump, FILE *out, const struct cg_coro *coro,
                       unsigned depth)
{
    for (const struct cg_scope *scope = coro->scope; scope; scope = scope->parent) {
        const struct cg_group *group = cg__group_around(scope);
        bool timed = cg__timers_is_set(&scope->timer);

        if (!group && !timed && !scope->reason && !scope->shield)
            continue;
        indent(out, depth + 1);
        fputs(group ? "- group" : "- scope", out);
        if (group)
            fprintf(out, " of %zu", group->count);
        if (timed) {
            fputs(", ends in ", out);
            put_length(out, scope->timer.expiry - dump->survey.sched->now);
        }
        fprintf(out, "%s%s\n", scope->shield ? ", shielded" : "",
                scope->reason == -ETIMEDOUT ? ", timed out"
                : scope->reason             ? ", cancelled"
                                            : "");
    }
}

static const char *how(const struct cg__seen *seen)
{
    static const char *const words[] = {"", "member, ", "branch, "};

    return seen->parent ? words[seen->how] : seen->parent_ended ? "its starter has ended, " : "";
}

static void put_seen(const struct cg__dump *dump, FILE *out, const struct cg__seen *seen,
                     unsigned depth)
{
    const struct cg__survey *survey = &dump->survey;
    uint32_t awaited = cg__deadlock_awaited(survey, seen);

    indent(out, depth);
    if (seen->count > 1)
        fprintf(out, "%" PRIu32 " x ", seen->count);
    put_wait(out, seen->coro);
    if (awaited) {
        fprintf(out, ", awaits #%" PRIu64 " ", survey->seen[awaited - 1].coro->id);
        cg__json_print_plain(out, survey->seen[awaited - 1].coro->name);
    }
    fprintf(out, " [#%" PRIu64 ", %s", seen->coro->id, how(seen));
    if (seen->count > 1) {
        fputs("longest wait ", out);
        put_length(out, survey->sched->now - seen->earliest);
        fputs(", ", out);
    }
    fputs("age ", out);
    put_length(out, survey->sched->now - seen->oldest);
    if (seen->used) {
        fputs(", stack ", out);
        put_kib(out, seen->used);
        fprintf(out, " of %zu KiB", cg_coro_stack_size(seen->coro) / 1024);
    }
    if (seen->trace)
        fprintf(out, ", backtrace %" PRIu32, seen->trace);
    fputs("]\n", out);
    put_scopes(dump, out, seen->coro, depth);
}

static void put_traces(const struct cg__traces *traces, FILE *out)
{
    char place[512];

    for (size_t i = 0; i < traces->count && i < CG__DUMP_TRACES; i++) {
        const struct cg__trace *trace = &traces->all[i];

        fprintf(out, "backtrace %zu, of %u coroutine%s:\n", i + 1, trace->uses,
                trace->uses > 1 ? "s" : "");
        for (unsigned k = 0; k < trace->count; k++) {
            /* The call itself, which stands before the address to which it returns. */
            cg__dump_place((const char *)traces->frames[trace->first + k] - 1, place,
                           sizeof place);
            fprintf(out, "    %s\n", place);
        }
    }
    if (traces->count > CG__DUMP_TRACES)
        fprintf(out, "and %zu more backtrace%s not printed\n", traces->count - CG__DUMP_TRACES,
                traces->count - CG__DUMP_TRACES == 1 ? ", which is" : "s, which are");
    if (!cg__backtrace_works())
        fputs("backtraces: not on this processor\n", out);
}

void cg__dump_text_tree(const struct cg__dump *dump, FILE *out)
{
    const struct cg__survey *survey = &dump->survey;
    const struct cg__seen *seen = NULL;
    size_t printed = 0, silent = 0;
    unsigned depth = 0;

    while ((seen = cg__survey_next(survey, seen, &depth))) {
        if (printed < CG__DUMP_LINES)
            put_seen(dump, out, seen, depth);
        else
            silent += seen->count;
        printed++;
    }
    if (silent)
        fprintf(out, "and %zu more, which are not printed\n", silent);
    if (survey->left_out)
        fprintf(out, "and %zu more, which were not examined%s\n", survey->left_out,
                survey->out_of_time ? ", since that would take too long" : "");
    put_traces(&survey->traces, out);
}

static void put_functions(const struct cg__dump *dump, FILE *out)
{
    char place[512];

    for (size_t i = 0; i < dump->nfunctions; i++) {
        const struct cg__dump_function *each = &dump->functions[i];

        if (each->measured == 0)
            continue;
        cg__dump_place((const void *)(uintptr_t)each->fn, place, sizeof place);
        fprintf(out, "stack use of %s, in %zu of %zu coroutine%s: ", place, each->measured,
                each->count, cg__plural(each->count));
        put_kib(out, each->used);
        fprintf(out, " of %zu KiB; %zu KiB would do\n", each->size / 1024,
                cg__stack_use_suggest(each->used) / 1024);
    }
}

static void put_count(FILE *out, enum cg__dump_count which, size_t count)
{
    const struct cg__dump_count_name *name = &cg__dump_count_names[which];

    fprintf(out, "%s %zu %s", which ? "," : "", count, count == 1 ? name->one : name->many);
}

void cg__dump_text(const struct cg__dump *dump, FILE *out)
{
    const struct cg_sched *sched = dump->survey.sched;

    flockfile(out);
    fprintf(out, "cogen dump of process %ld", (long)getpid());
    if (sched->worker)
        fprintf(out, ", %s", sched->worker->name);
    fprintf(out, ", on %s:", sched->reactor->type->name);
    for (int i = 0; i < CG__DUMP_COUNTS; i++)
        put_count(out, i, dump->counts[i]);
    putc('\n', out);
    cg__dump_text_deadlocks(dump, out);
    cg__dump_text_tree(dump, out);
    put_functions(dump, out);
    fputs("end of dump\n", out);
    funlockfile(out);
}
