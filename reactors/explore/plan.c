/* SPDX-License-Identifier: MIT */
/* Plans: a growing list of items, and their text. See plan.h. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/ascii.h"

#include "reactors/explore/plan.h"

/* The words, and what their values are: t a time, h a host, n a number, p a probability in
 * permille. */
static const struct word {
    const char *name, *values;
} words[] = {
    [CG__PLAN_LATENCY] = {"latency", "t"},
    [CG__PLAN_JITTER] = {"jitter", "t"},
    [CG__PLAN_WINDOW] = {"window", "n"},
    [CG__PLAN_SHORT] = {"short", "p"},
    [CG__PLAN_COMPLETION] = {"completion", ""},
    [CG__PLAN_MULTISHOT] = {"multishot", ""},
    [CG__PLAN_LATE] = {"late", ""},
    [CG__PLAN_RESET] = {"reset", "p"},
    [CG__PLAN_REFUSE] = {"refuse", "p"},
    [CG__PLAN_ABORT] = {"abort", "p"},
    [CG__PLAN_LOSE] = {"lose", "p"},
    [CG__PLAN_DOUBLE] = {"double", "p"},
    [CG__PLAN_REORDER] = {"reorder", "p"},
    [CG__PLAN_CUT] = {"cut", "thht"},   /* when, from, to, how long */
    [CG__PLAN_PAUSE] = {"pause", "tht"}, /* when, whom, how long */
    [CG__PLAN_KILL] = {"kill", "tht"},
    [CG__PLAN_SLOW] = {"slow", "thhtt"}, /* when, from, to, how long, each message */
    [CG__PLAN_HANDLES] = {"handles", "tt"},
    [CG__PLAN_JUMP] = {"jump", "tt"},
    [CG__PLAN_MEMORY] = {"memory", "tpt"}, /* when, how often, how long */
    [CG__PLAN_THREADS] = {"threads", "tpt"},
    [CG__PLAN_NAMES] = {"names", "tpt"},
    [CG__PLAN_LISTED] = {"listed", ""},
    [CG__PLAN_RUN] = {"run", "nnn"},
};

static const char *const orders[] = {
    [CG_ORDER_USUAL] = "usual", [CG_ORDER_RANDOM] = "random", [CG_ORDER_PCT] = "pct"};

static const struct unit {
    const char *name;
    int64_t ns;
} units[] = {{"s", CG_SECOND}, {"ms", CG_MILLISECOND}, {"us", CG_MICROSECOND}, {"ns", 1}};

int cg__plan_add(struct cg__plan *plan, const struct cg__plan_item *item)
{
    if (plan->count == plan->room) {
        size_t room = plan->room ? 2 * plan->room : 16;
        struct cg__plan_item *items = realloc(plan->items, room * sizeof *items);

        if (items == NULL)
            return -ENOMEM;
        plan->items = items;
        plan->room = room;
    }
    plan->items[plan->count++] = *item;
    return 0;
}

void cg__plan_free(struct cg__plan *plan)
{
    free(plan->items);
    *plan = (struct cg__plan){.items = NULL};
}

/* Text that is cut at the end of its buffer. */
struct text {
    char *buf;
    size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
    size_t left = text->len < text->size ? text->size - text->len : 0;
    va_list args;

    va_start(args, format);
    text->len += (size_t)vsnprintf(left ? text->buf + text->len : NULL, left, format, args);
    va_end(args);
}

static void put_time(struct text *text, int64_t ns)
{
    const struct unit *unit = units;

    while (ns % unit->ns != 0)
        unit++;
    put(text, "%" PRId64 "%s", ns / unit->ns, unit->name);
}

static void put_item(struct text *text, const struct cg__plan_item *item)
{
    const struct word *word = &words[item->what];

    put(text, " %s", word->name);
    for (size_t i = 0; word->values[i]; i++) {
        put(text, i == 0 ? "=" : ",");
        if (word->values[i] == 't')
            put_time(text, item->values[i]);
        else
            put(text, "%" PRId64, item->values[i]);
    }
}

size_t cg__plan_print(const struct cg__plan *plan, char *buf, size_t size)
{
    struct text text = {.buf = buf, .size = size};

    put(&text, "seed=%" PRIu64 " order=%s", plan->seed, orders[plan->order]);
    if (plan->order == CG_ORDER_PCT)
        put(&text, ",%" PRIu64 ",%" PRIu64, plan->depth, plan->steps);
    for (size_t i = 0; i < plan->count; i++)
        put_item(&text, &plan->items[i]);
    return text.len;
}

static bool skip(const char **at, const char *what)
{
    size_t len = strlen(what);

    if (strncmp(*at, what, len) != 0)
        return false;
    *at += len;
    return true;
}

/* The end of a word. */
static bool ended(const char **at)
{
    return **at == '\0' || **at == ' ';
}

static bool get_time(const char **at, int64_t *ns)
{
    uint64_t number;

    if (!cg__ascii_number(at, &number))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (number <= (uint64_t)(CG_NEVER / 8 / units[i].ns) && skip(at, units[i].name)) {
            *ns = (int64_t)number * units[i].ns;
            return true;
        }
    return false;
}

static bool get_number(const char **at, uint64_t most, int64_t *value)
{
    uint64_t number;

    if (!cg__ascii_number(at, &number) || number > most)
        return false;
    *value = (int64_t)number;
    return true;
}

static bool get_value(const char **at, char kind, unsigned hosts, int64_t *value)
{
    switch (kind) {
    case 't':
        return get_time(at, value);
    case 'h':
        return get_number(at, hosts - 1, value);
    case 'p':
        return get_number(at, 1000, value);
    default:
        return get_number(at, INT32_MAX, value);
    }
}

static bool get_values(const char **at, const char *kinds, unsigned hosts, int64_t *values)
{
    for (size_t i = 0; kinds[i]; i++)
        if (!skip(at, i == 0 ? "=" : ",") || !get_value(at, kinds[i], hosts, &values[i]))
            return false;
    return ended(at);
}

static int get_item(struct cg__plan *plan, const char **at, unsigned hosts)
{
    size_t len = strcspn(*at, "= ");

    for (int what = 0; what < CG__PLAN_WHATS; what++) {
        struct cg__plan_item item = {.what = (enum cg__plan_what)what};

        if (strlen(words[what].name) != len || strncmp(*at, words[what].name, len) != 0)
            continue;
        *at += len;
        if (!get_values(at, words[what].values, hosts, item.values) ||
            (what == CG__PLAN_KILL && item.values[1] == 0))
            return -EINVAL;
        return cg__plan_add(plan, &item);
    }
    return -EINVAL;
}

static bool get_order(struct cg__plan *plan, const char **at)
{
    for (size_t kind = 0; kind < sizeof orders / sizeof *orders; kind++) {
        if (!skip(at, orders[kind]))
            continue;
        plan->order = (enum cg_order_kind)kind;
        return kind != CG_ORDER_PCT ||
               (skip(at, ",") && cg__ascii_number(at, &plan->depth) && skip(at, ",") &&
                cg__ascii_number(at, &plan->steps) && plan->depth > 0 &&
                plan->depth <= CG_ORDER_DEPTH && plan->steps > 0);
    }
    return false;
}

int cg__plan_parse(struct cg__plan *plan, const char *text, unsigned hosts)
{
    int rc = 0;

    plan->count = 0;
    plan->depth = plan->steps = 0;
    if (!skip(&text, "seed=") || !cg__ascii_number(&text, &plan->seed) ||
        !skip(&text, " order=") || !get_order(plan, &text) || !ended(&text))
        return -EINVAL;
    while (rc == 0 && skip(&text, " "))
        rc = get_item(plan, &text, hosts);
    return rc < 0 ? rc : *text ? -EINVAL : 0;
}
