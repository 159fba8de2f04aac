/* SPDX-License-Identifier: MIT */
/* The counts as text, in the format of Prometheus. */
#include "config.h"

#include "http/server/metrics.h"
#include "lib/base/memory_file.h"

#include <cogen/metrics.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MIME "text/plain; version=0.0.4; charset=utf-8"

#define GET(count) atomic_load_explicit(&(count), memory_order_relaxed)

/* Appends a line. 0 or -ENOMEM. */
static int line(struct cg_http_headers *text, const char *name, const char *labels,
                unsigned long long value)
{
    char buf[160];
    int size = snprintf(buf, sizeof buf, "%s%s %llu\n", name, labels, value);

    return cg__http_message_text(text, buf, (size_t)size);
}

static int kind(struct cg_http_headers *text, const char *name, const char *type,
                const char *help)
{
    char buf[256];
    int size = snprintf(buf, sizeof buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);

    return cg__http_message_text(text, buf, (size_t)size);
}

/* A gauge is not negative: another thread may have counted an end before its beginning. */
static unsigned long long gauge(long long value)
{
    return value > 0 ? (unsigned long long)value : 0;
}

static int print_simple(struct cg_http_headers *text, struct cg_http_metrics *metrics)
{
    const struct {
        const char *name, *type, *help;
        unsigned long long value;
    } all[] = {
        {"http_connections", "gauge", "Open connections.", gauge(GET(metrics->open))},
        {"http_connections_total", "counter", "Accepted connections.", GET(metrics->accepted)},
        {"http_requests_in_flight", "gauge", "Requests that handlers work on.",
         gauge(GET(metrics->in_flight))},
        {"http_response_body_bytes_total", "counter", "Bytes of the bodies of responses.",
         GET(metrics->bytes)},
    };
    int rc = 0;

    for (size_t i = 0; i < sizeof all / sizeof *all && rc == 0; i++) {
        rc = kind(text, all[i].name, all[i].type, all[i].help);
        if (rc == 0)
            rc = line(text, all[i].name, "", all[i].value);
    }
    return rc;
}

static int print_refusals(struct cg_http_headers *text, struct cg_http_metrics *metrics)
{
    static const char *const names[CG__HTTP_REFUSALS] = {
        [CG__HTTP_REFUSED_CONNECTION] = "connections",
        [CG__HTTP_REFUSED_ADDRESS] = "address_connections",
        [CG__HTTP_REFUSED_DESCRIPTOR] = "descriptors",
        [CG__HTTP_REFUSED_PROXY] = "proxy_protocol",
        [CG__HTTP_REFUSED_HEADER_TIME] = "header_timeout",
        [CG__HTTP_REFUSED_TARGET] = "target_limit",
        [CG__HTTP_REFUSED_HEADERS] = "headers_limit",
        [CG__HTTP_REFUSED_BODY] = "body_limit",
        [CG__HTTP_REFUSED_BODY_TIME] = "body_timeout",
        [CG__HTTP_REFUSED_WRITE_TIME] = "write_timeout",
        [CG__HTTP_REFUSED_STREAM] = "h2_streams",
        [CG__HTTP_REFUSED_WORK] = "h2_rate",
    };
    int rc = kind(text, "http_refusals_total", "counter",
                  "Connections and requests that were refused, by the limit.");

    for (int i = 0; i < CG__HTTP_REFUSALS && rc == 0; i++) {
        char label[40];

        snprintf(label, sizeof label, "{limit=\"%s\"}", names[i]);
        rc = line(text, "http_refusals_total", label, GET(metrics->refusals[i]));
    }
    return rc;
}

static int print_codes(struct cg_http_headers *text, struct cg_http_metrics *metrics)
{
    int rc = kind(text, "http_requests_total", "counter", "Responses by status.");

    for (int i = 0; i < CG__HTTP_CODES && rc == 0; i++) {
        unsigned long long count = GET(metrics->codes[i]);
        char label[32];

        snprintf(label, sizeof label, "{code=\"%d\"}", i);
        if (count > 0)
            rc = line(text, "http_requests_total", label, count);
    }
    return rc;
}

#define DURATION "http_request_duration_seconds"

/* Decimal fractions without the program's locale. */
static void print_seconds(char *to, size_t size, uint64_t ns)
{
    snprintf(to, size, "%llu.%09llu", (unsigned long long)(ns / CG_SECOND),
             (unsigned long long)(ns % CG_SECOND));
}

static int print_histogram(struct cg_http_headers *text, struct cg_http_metrics *metrics)
{
    unsigned long long count = 0;
    char seconds[40], buf[80];
    int rc = kind(text, DURATION, "histogram", "Time that handlers took.");

    for (int i = 0; i < CG__HTTP_BUCKETS && rc == 0; i++) {
        count += GET(metrics->buckets[i]);
        snprintf(seconds, sizeof seconds, "+Inf");
        if (i < CG__HTTP_BUCKETS - 1)
            print_seconds(seconds, sizeof seconds, (uint64_t)cg__http_metrics_limits[i]);
        snprintf(buf, sizeof buf, "{le=\"%s\"}", seconds);
        rc = line(text, DURATION "_bucket", buf, count);
    }
    print_seconds(seconds, sizeof seconds, GET(metrics->duration));
    if (rc == 0)
        rc = cg__http_message_text(
            text, buf, (size_t)snprintf(buf, sizeof buf, DURATION "_sum %s\n", seconds));
    return rc == 0 ? line(text, DURATION "_count", "", count) : rc;
}

/* The metrics of the schedulers that count. */
static int print_schedulers(struct cg_http_headers *text)
{
    struct cg__memory_file memory;
    int rc = cg__memory_file_open(&memory);

    if (rc == 0)
        rc = cg__memory_file_close(&memory, cg_metrics_print(memory.file));
    if (rc < 0)
        return rc;
    rc = cg__http_message_text(text, memory.data, memory.len);
    free(memory.data);
    return rc;
}

ssize_t cg_http_metrics_handler(struct cg_http_request *req, void *metrics)
{
    struct cg_http_headers text = {.data = NULL};
    int rc = print_simple(&text, metrics);
    ssize_t n;

    if (rc == 0)
        rc = print_codes(&text, metrics);
    if (rc == 0)
        rc = print_refusals(&text, metrics);
    if (rc == 0)
        rc = print_histogram(&text, metrics);
    if (rc == 0)
        rc = print_schedulers(&text);
    n = rc == 0 ? cg_yield(cg_http_respond(req, 200, text.data, text.used, .mime = MIME)) : rc;
    cg__http_message_clear(&text);
    return n;
}
