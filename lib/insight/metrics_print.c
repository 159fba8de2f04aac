/* SPDX-License-Identifier: MIT */
/* Metrics in the text format of Prometheus. Fractions are written as integers, so that the
 * program's locale does not matter. */
#include "config.h"

#include "lib/base/utf8.h"

#include <cogen/metrics.h>
#include <cogen/os_signal.h>

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

static const char *const kinds[] = {
    [CG_METRIC_COUNTER] = "counter",
    [CG_METRIC_GAUGE] = "gauge",
    [CG_METRIC_HISTOGRAM] = "histogram",
};

struct print {
    FILE *out;
    const char *last; /* the name of the last metric */
};

/* Types of operations are named by programs. A label that is not UTF-8 would make Prometheus
 * refuse all metrics. */
static void put_escaped(FILE *out, const char *text)
{
    size_t len;

    for (; *text; text += len ? len : 1) {
        len = cg__utf8_character(text);
        if (*text == '"' || *text == '\\')
            putc('\\', out);
        if (len == 0)
            fputs("\xef\xbf\xbd", out); /* U+FFFD */
        else if (*text == '\n')
            fputs("\\n", out);
        else
            fwrite(text, 1, len, out);
    }
}

/* "NAME{sched="1",op="read"", without the last brace; "NAME" if there are no labels. Returns
 * whether there is a brace. */
static bool put_name(FILE *out, const struct cg_metric *metric, const char *suffix)
{
    const char *before = "{";

    fprintf(out, "%s%s", metric->name, suffix);
    if (metric->sched) {
        fprintf(out, "%ssched=\"%u\"", before, metric->sched);
        before = ",";
    }
    if (metric->label) {
        fprintf(out, "%s%s=\"", before, metric->label);
        put_escaped(out, metric->of);
        putc('"', out);
    }
    return metric->sched || metric->label;
}

static void put_seconds(FILE *out, uint64_t ns)
{
    fprintf(out, "%" PRIu64 ".%09" PRIu64, ns / CG_SECOND, ns % CG_SECOND);
}

static void put_histogram(FILE *out, const struct cg_metric *metric)
{
    uint64_t count = 0;

    for (int i = 0; i < CG_METRIC_BUCKETS; i++) {
        count += metric->buckets[i];
        put_name(out, metric, "_bucket");
        fputs(",le=\"", out);
        if (i < CG_METRIC_BUCKETS - 1)
            put_seconds(out, (uint64_t)cg_metrics_limit(i));
        else
            fputs("+Inf", out);
        fprintf(out, "\"} %" PRIu64 "\n", count);
    }
    put_name(out, metric, "_sum");
    fputs("} ", out);
    put_seconds(out, metric->sum);
    putc('\n', out);
    put_name(out, metric, "_count");
    fprintf(out, "} %" PRIu64 "\n", metric->value);
}

static int put(void *arg, const struct cg_metric *metric)
{
    struct print *print = arg;

    if (print->last != metric->name)
        fprintf(print->out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
                metric->name, kinds[metric->kind]);
    print->last = metric->name;
    if (metric->kind == CG_METRIC_HISTOGRAM) {
        put_histogram(print->out, metric);
        return 0;
    }
    fprintf(print->out, "%s %" PRIu64 "\n", put_name(print->out, metric, "") ? "}" : "",
            metric->value);
    return 0;
}

int cg_metrics_print(FILE *out)
{
    struct print print = {.out = out};
    int before = cg_sigpipe_block();
    int rc = cg_metrics_walk(put, &print);

    fflush(out);
    cg_sigpipe_unblock(before, ferror(out));
    return rc < 0 ? rc : ferror(out) ? -EIO : 0;
}
