/* SPDX-License-Identifier: MIT */
/* See statsd_table.h. Strangers choose the names, so there are at most MOST of them. */
#include "examples/statsd_table.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

enum {
    NAME = 100,   /* bytes of a name, with its NUL */
    MOST = 10000, /* metrics */
    VALUES = 1000 /* different values of a set, within a second */
};

enum kind { COUNT, TIMER, GAUGE, SET };

static const char *const kinds[] = {"c", "ms", "g", "s"};

struct metric {
    char name[NAME];
    enum kind kind;
    unsigned long seen; /* since the last report */
    double sum, least, most;
    char **values; /* of a set; sum is their number */
};

struct statsd_table {
    size_t count;
    struct metric *metrics[MOST]; /* sorted by name and kind */
};

struct statsd_table *statsd_table_new(void)
{
    return calloc(1, sizeof(struct statsd_table));
}

static void empty(struct metric *metric)
{
    for (size_t i = 0; metric->kind == SET && i < (size_t)metric->sum; i++)
        free(metric->values[i]);
    free(metric->values);
    metric->values = NULL;
    metric->seen = 0;
    if (metric->kind != GAUGE)
        metric->sum = 0;
}

void statsd_table_free(struct statsd_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        empty(table->metrics[i]);
        free(table->metrics[i]);
    }
    free(table);
}

static int compare(const struct metric *metric, const char *name, enum kind kind)
{
    int order = strcmp(metric->name, name);

    return order != 0 ? order : (int)metric->kind - (int)kind;
}

/* Finds a metric or makes it. Returns NULL if there are too many, or no memory. */
static struct metric *find(struct statsd_table *table, const char *name, enum kind kind)
{
    size_t low = 0, high = table->count;
    struct metric *made;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare(table->metrics[middle], name, kind);

        if (order == 0)
            return table->metrics[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (table->count == MOST || (made = calloc(1, sizeof *made)) == NULL)
        return NULL;
    strcpy(made->name, name);
    made->kind = kind;
    memmove(&table->metrics[low + 1], &table->metrics[low],
            (table->count - low) * sizeof made);
    table->metrics[low] = made;
    table->count++;
    return made;
}

/* ---- One line ---- */

struct line {
    char name[NAME], value[NAME];
    enum kind kind;
    double number, rate;
};

/* Copies a word that ends before `end`. Returns false if it is empty, too long or not
 * printable: it would be printed on a terminal. */
static bool copy(char word[static NAME], const char *text, const char *end)
{
    size_t len = (size_t)(end - text);

    if (len == 0 || len >= NAME)
        return false;
    memcpy(word, text, len);
    word[len] = '\0';
    for (size_t i = 0; i < len; i++)
        if (!isgraph((unsigned char)word[i]))
            return false;
    return true;
}

static bool read_number(const char *text, double *number)
{
    char *end;

    *number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*number);
}

static bool read_kind(const char *text, enum kind *kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        *kind = (enum kind)i;
        if (strcmp(text, kinds[i]) == 0)
            return true;
    }
    return false;
}

static bool parse(const char *text, struct line *line)
{
    const char *colon = strchr(text, ':'), *bar = colon ? strchr(colon, '|') : NULL;
    const char *at = bar ? strchr(bar + 1, '|') : NULL;
    char kind[NAME];

    line->rate = 1;
    if (bar == NULL || !copy(line->name, text, colon) || !copy(line->value, colon + 1, bar) ||
        !copy(kind, bar + 1, at ? at : bar + strlen(bar)) || !read_kind(kind, &line->kind))
        return false;
    if (at && (at[1] != '@' || !read_number(at + 2, &line->rate) || line->rate <= 0 ||
               line->rate > 1))
        return false;
    return line->kind == SET || read_number(line->value, &line->number);
}

static bool add_value(struct metric *metric, const char *value)
{
    size_t count = (size_t)metric->sum;

    for (size_t i = 0; i < count; i++)
        if (strcmp(metric->values[i], value) == 0)
            return true;
    if (metric->values == NULL)
        metric->values = calloc(VALUES, sizeof *metric->values);
    if (metric->values == NULL || count == VALUES ||
        (metric->values[count] = strdup(value)) == NULL)
        return false;
    metric->sum++;
    return true;
}

bool statsd_table_add(struct statsd_table *table, const char *text)
{
    struct line line;
    struct metric *metric;

    if (!parse(text, &line) || (metric = find(table, line.name, line.kind)) == NULL)
        return false;
    switch (line.kind) {
    case COUNT:
        metric->sum += line.number / line.rate;
        break;
    case TIMER:
        metric->least =
            metric->seen == 0 || line.number < metric->least ? line.number : metric->least;
        metric->most =
            metric->seen == 0 || line.number > metric->most ? line.number : metric->most;
        metric->sum += line.number;
        break;
    case GAUGE:
        metric->sum = line.value[0] == '+' || line.value[0] == '-' ? metric->sum + line.number
                                                                   : line.number;
        break;
    case SET:
        if (!add_value(metric, line.value))
            return false;
        break;
    }
    metric->seen++;
    return true;
}

void statsd_table_print(struct statsd_table *table, FILE *out)
{
    for (size_t i = 0; i < table->count; i++) {
        struct metric *metric = table->metrics[i];

        if (metric->seen > 0 && metric->kind == TIMER)
            fprintf(out, "%s: %lu in %.6g to %.6g ms, mean %.6g ms\n", metric->name,
                    metric->seen, metric->least, metric->most,
                    metric->sum / (double)metric->seen);
        else if (metric->seen > 0)
            fprintf(out, "%s: %.15g%s\n", metric->name, metric->sum,
                    metric->kind == GAUGE ? " now"
                    : metric->kind == SET ? " different"
                                          : "");
        empty(metric);
    }
}
