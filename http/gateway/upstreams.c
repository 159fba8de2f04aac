/* SPDX-License-Identifier: MIT */
/* See upstreams.h. Hashing is by the highest random weight: each upstream has a number for each
 * key, and the one with the highest number gets the request. If an upstream is out, only its
 * own keys go to others. */
#include "config.h"

#include "http/gateway/upstreams.h"
#include "http/message/url.h"
#include "lib/base/moment.h"
#include "lib/base/report.h"

#include <cogen/starter.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPARE_SIZE = 4 * 1024 }; /* bytes that a spare list of fields may keep */

static void print_line(void *arg, const char *line)
{
    (void)arg;
    cg__report("gateway: %s", line);
}

static void fill_time(int64_t *length, int64_t usual)
{
    if (*length == 0)
        *length = usual;
}

static void fill(unsigned *number, unsigned usual)
{
    if (*number == 0)
        *number = usual;
}

struct cg_http_upstreams *
cg_http_upstreams_new_with(struct cg_http_client *client,
                           const struct cg_http_upstreams_options *options)
{
    struct cg_http_upstreams *upstreams = calloc(1, sizeof *upstreams);
    struct cg_http_upstreams_options *own;

    if (upstreams == NULL)
        return NULL;
    upstreams->client = client;
    own = &upstreams->options;
    if (options != NULL)
        *own = *options;
    fill(&own->attempts, 3);
    if (own->attempts > CG_HTTP_ATTEMPTS_LIMIT)
        own->attempts = CG_HTTP_ATTEMPTS_LIMIT;
    fill(&own->requests, CG_HTTP_UPSTREAM_REQUESTS);
    fill(&own->failures, 3);
    fill_time(&own->failure_time, 10 * CG_SECOND);
    fill_time(&own->out_time, 5 * CG_SECOND);
    fill_time(&own->probe_interval, 5 * CG_SECOND);
    fill_time(&own->probe_timeout, 2 * CG_SECOND);
    if (own->log == NULL)
        own->log = print_line;
    return upstreams;
}

void cg_http_upstreams_free(struct cg_http_upstreams *upstreams)
{
    if (upstreams == NULL)
        return;
    for (size_t i = 0; i < upstreams->count; i++)
        cg__http_upstreams_unref(upstreams->list[i]);
    cg_starter_free(upstreams->starter);
    while (upstreams->nspare > 0)
        cg__http_message_clear(&upstreams->spare[--upstreams->nspare]);
    free(upstreams->list);
    free(upstreams);
}

struct cg_http_headers cg__http_upstreams_fields(struct cg_http_upstreams *upstreams)
{
    if (upstreams->nspare == 0)
        return (struct cg_http_headers){.data = NULL};
    return upstreams->spare[--upstreams->nspare];
}

void cg__http_upstreams_return(struct cg_http_upstreams *upstreams,
                               struct cg_http_headers *fields)
{
    cg__http_message_reset(fields, SPARE_SIZE);
    if (fields->data != NULL && upstreams->nspare < CG__UPSTREAMS_SPARES)
        upstreams->spare[upstreams->nspare++] = *fields;
    else
        cg__http_message_clear(fields);
}

void cg__http_upstreams_unref(struct cg__upstream *upstream)
{
    if (--upstream->refs == 0)
        free(upstream);
}

/* FNV-1a, and then the finalizer of MurmurHash3: the bits of similar keys must differ. */
static uint64_t hash_of(uint64_t hash, const char *text)
{
    for (hash ^= 14695981039346656037u; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53u;
    return hash ^ hash >> 33;
}

static int check_url(const char *text)
{
    struct cg__url url;
    const char *why;
    int rc = cg__http_url_parse(&url, text, &why);

    if (rc == 0 && text[strcspn(text, "?#")] != '\0')
        rc = -EINVAL;
    cg__http_url_free(&url);
    return rc == CG_EHTTP_URL ? -EINVAL : rc;
}

static int append(struct cg_http_upstreams *upstreams, struct cg__upstream *upstream)
{
    struct cg__upstream **list =
        realloc(upstreams->list, (upstreams->count + 1) * sizeof(struct cg__upstream *));

    if (list == NULL)
        return -ENOMEM;
    upstreams->list = list;
    list[upstreams->count++] = upstream;
    return 0;
}

/* The length of a URL without slashes at its end. */
static size_t length_of(const char *url)
{
    size_t len = url != NULL ? strlen(url) : 0;

    while (len > 0 && url[len - 1] == '/')
        len--;
    return len;
}

/* The index of the upstream with this URL; that behind the last one: there is none. */
static size_t find(const struct cg_http_upstreams *upstreams, const char *url)
{
    size_t len = length_of(url), i = 0;

    while (i < upstreams->count && (upstreams->list[i]->len != len ||
                                    memcmp(upstreams->list[i]->url, url, len) != 0))
        i++;
    return i;
}

/* The version of the PROXY protocol of an upstream; 0: none; negative: it is invalid. */
static int proxy_protocol(const struct cg_http_upstreams *upstreams,
                          const struct cg_http_upstream_options *options)
{
    unsigned version = options != NULL ? options->proxy_protocol : 0;

    if (version == 0)
        return upstreams->options.hop.proxy_protocol;
    if (version == CG_HTTP_NO_PROXY_PROTOCOL)
        return 0;
    return version <= 2 ? (int)version : -EINVAL;
}

int cg_http_upstreams_add_with(struct cg_http_upstreams *upstreams, const char *url,
                               const struct cg_http_upstream_options *options)
{
    int rc = upstreams->count < CG_HTTP_UPSTREAMS_LIMIT ? check_url(url) : -EINVAL;
    int version = proxy_protocol(upstreams, options);
    size_t len = length_of(url);
    struct cg__upstream *upstream;

    if (rc == 0 && version < 0)
        rc = version;
    if (rc == 0 && find(upstreams, url) < upstreams->count)
        rc = -EEXIST;
    if (rc < 0)
        return rc;
    upstream = calloc(1, sizeof *upstream + len + 1);
    if (upstream == NULL)
        return -ENOMEM;
    memcpy(upstream->url, url, len);
    upstream->len = len;
    upstream->set = upstreams;
    upstream->refs = 1;
    upstream->proxy_protocol = (uint8_t)version;
    upstream->hash = hash_of(0, upstream->url);
    rc = append(upstreams, upstream);
    if (rc < 0)
        free(upstream);
    else
        cg_event_set(&upstreams->added);
    return rc;
}

int cg_http_upstreams_remove(struct cg_http_upstreams *upstreams, const char *url)
{
    size_t i = find(upstreams, url);
    struct cg__upstream *upstream;

    if (i == upstreams->count)
        return -ENOENT;
    upstream = upstreams->list[i];
    upstreams->count--;
    memmove(&upstreams->list[i], &upstreams->list[i + 1],
            (upstreams->count - i) * sizeof *upstreams->list);
    upstream->removed = true;
    cg_http_client_close_idle(upstreams->client, upstream->url);
    cg__http_upstreams_unref(upstream);
    return 0;
}

size_t cg_http_upstreams_available(const struct cg_http_upstreams *upstreams)
{
    size_t count = 0;

    for (size_t i = 0; i < upstreams->count; i++)
        count += !upstreams->list[i]->out;
    return count;
}

/* Whether a request may go to an upstream. One that is out is tried by one request at a time when
 * its time is over, or at once if all are out: to fail is no worse then than to be refused. With
 * probes no request tries it. */
static bool may_use(const struct cg_http_upstreams *upstreams, const struct cg__upstream *upstream)
{
    if (upstream->active >= upstreams->options.requests)
        return false;
    return !upstream->out || (upstreams->options.probe == NULL && upstream->trial == NULL &&
                              (!cg__http_upstreams_is_resting(upstream) ||
                               cg_http_upstreams_available(upstreams) == 0));
}

static bool is_in(struct cg__upstream *const *list, size_t count,
                  const struct cg__upstream *upstream)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == upstream)
            return true;
    return false;
}

/* The key of a request, and its end. The path ends before its query. */
static const char *key_of(const struct cg_http_upstreams *upstreams, struct cg_http_request *req)
{
    const char *key;

    switch (upstreams->options.balance) {
    case CG_HTTP_HASH_PATH:
        return cg_http_request_path(req);
    case CG_HTTP_HASH_CLIENT:
        return cg_http_request_client(req, &key) == 0 ? key : "";
    case CG_HTTP_HASH_HEADER:
        key = upstreams->options.hash_header != NULL
                  ? cg_http_request_header(req, upstreams->options.hash_header)
                  : NULL;
        return key != NULL ? key : "";
    default:
        return NULL;
    }
}

/* Whether a is to be preferred to b. */
static bool is_better(const struct cg__upstream *a, const struct cg__upstream *b,
                      const char *key, uint64_t *highest)
{
    uint64_t weight;

    if (key == NULL)
        return b == NULL || a->active < b->active;
    weight = hash_of(a->hash, key);
    if (b != NULL && weight <= *highest)
        return false;
    *highest = weight;
    return true;
}

struct cg__upstream *cg__http_upstreams_pick(struct cg_http_upstreams *upstreams,
                                             struct cg_http_request *req,
                                             struct cg__upstream *const *tried, size_t count)
{
    const char *key = key_of(upstreams, req);
    struct cg__upstream *best = NULL;
    uint64_t highest = 0;

    for (size_t i = 0; i < upstreams->count; i++) {
        struct cg__upstream *each =
            upstreams->list[(upstreams->turn + i) % upstreams->count];

        if (may_use(upstreams, each) && !is_in(tried, count, each) &&
            is_better(each, best, key, &highest))
            best = each;
    }
    upstreams->turn++;
    if (best != NULL && best->out)
        best->trial = req;
    if (best != NULL)
        best->refs++;
    return best;
}

void cg__http_upstreams_log(const struct cg_http_upstreams *upstreams,
                            const struct cg__upstream *upstream, const char *format, ...)
{
    char line[2 * CG_HTTP_WHY_SIZE];
    va_list args;
    int len = snprintf(line, sizeof line, "%.200s: ", upstream->url);

    va_start(args, format);
    vsnprintf(line + len, sizeof line - (size_t)len, format, args);
    va_end(args);
    upstreams->options.log(upstreams->options.log_arg, line);
}

bool cg__http_upstreams_is_resting(const struct cg__upstream *upstream)
{
    return upstream->out && cg_sched_now(cg_sched_self()) < upstream->until;
}

void cg__http_upstreams_responds(struct cg__upstream *upstream)
{
    if (upstream->out)
        cg__http_upstreams_log(upstream->set, upstream, "is back");
    upstream->out = false;
    upstream->trial = NULL;
}

void cg__http_upstreams_succeeded(struct cg__upstream *upstream)
{
    cg__http_upstreams_responds(upstream);
    upstream->failures = 0;
}

void cg__http_upstreams_failed(struct cg__upstream *upstream, const char *why)
{
    const struct cg_http_upstreams_options *options = &upstream->set->options;
    int64_t now = cg_sched_now(cg_sched_self());

    if (upstream->failures == 0 || now - upstream->since > options->failure_time) {
        upstream->failures = 0;
        upstream->since = now;
    }
    upstream->failures++;
    if (cg__http_upstreams_is_resting(upstream) ||
        (!upstream->out && upstream->failures < options->failures))
        return;
    if (!upstream->out)
        cg__http_upstreams_log(upstream->set, upstream, "is out: %s", why);
    upstream->out = true;
    upstream->until = cg__moment_after(now, options->out_time);
}
