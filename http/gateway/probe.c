/* SPDX-License-Identifier: MIT */
/* cg_http_watch_upstreams: asks each upstream again and again whether it works. */
#include "config.h"

#include "http/gateway/upstreams.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_LIMIT = 64 * 1024 }; /* bytes of a probe's response */

/* The status of the response, or a negative code with a message. */
static ssize_t request(const struct cg__upstream *upstream, char *why)
{
    const struct cg_http_upstreams_options *options = &upstream->set->options;
    size_t size = upstream->len + strlen(options->probe) + 2;
    const struct cg_http_proxied nobody = {.version = upstream->proxy_protocol};
    struct cg_http_fetch fetch = {.stay = true,
                                  .raw = true,
                                  .limit = BODY_LIMIT,
                                  .proxied = nobody.version > 0 ? &nobody : NULL};
    struct cg_http_reply *reply;
    char *url = malloc(size);
    ssize_t n = -ENOMEM;

    snprintf(why, CG_HTTP_WHY_SIZE, "no memory");
    if (url == NULL)
        return n;
    snprintf(url, size, "%s%s%s", upstream->url, *options->probe == '/' ? "" : "/",
             options->probe);
    fetch.url = url;
    n = cg_yield(cg_http_fetch(upstream->set->client, &fetch, &reply, .why = why,
                               .timeout = options->probe_timeout));
    cg_http_reply_free(reply);
    free(url);
    return n;
}

static void note(struct cg__upstream *upstream, ssize_t n, char why[static CG_HTTP_WHY_SIZE])
{
    char words[CG_HTTP_WHY_SIZE + 32];

    if (n >= 200 && n <= 399) {
        cg__http_upstreams_succeeded(upstream);
        return;
    }
    if (n > 0)
        snprintf(why, CG_HTTP_WHY_SIZE, "status %zd", n);
    snprintf(words, sizeof words, "the probe: %s", why);
    cg__http_upstreams_failed(upstream, words);
}

static ssize_t watch(void *arg)
{
    struct cg__upstream *upstream = arg;
    ssize_t n = 0;

    while (n >= 0 && !upstream->removed) {
        char why[CG_HTTP_WHY_SIZE];

        n = request(upstream, why);
        if (n == -ECANCELED || upstream->removed)
            break;
        note(upstream, n, why);
        n = cg_yield(cg_sleep(upstream->set->options.probe_interval));
    }
    upstream->probed = false;
    cg__http_upstreams_unref(upstream);
    return n < 0 ? n : 0;
}

/* Starts a coroutine for each upstream that has none, and does not yield: the list may change as
 * soon as others run. 0 or a negative code. */
static int watch_new(struct cg_http_upstreams *upstreams, struct cg_group *group)
{
    int rc = 0;

    for (size_t i = 0; i < upstreams->count && rc == 0; i++) {
        struct cg__upstream *upstream = upstreams->list[i];

        if (upstream->probed)
            continue;
        rc = cg_group_start(group, watch, upstream, NULL, .name = "probe");
        upstream->probed = rc == 0;
        upstream->refs += rc == 0;
    }
    return rc;
}

static ssize_t watch_upstreams_run(struct cg_op *op)
{
    struct cg_http_upstreams *upstreams = ((struct cg_http_watch_upstreams_op *)op)->upstreams;
    struct cg_group group;
    ssize_t n;

    if (upstreams->options.probe == NULL)
        return -EINVAL;
    cg_group_open(&group);
    do {
        cg_event_clear(&upstreams->added);
        n = watch_new(upstreams, &group);
        if (n >= 0)
            n = cg_yield(cg_wait_event(&upstreams->added, .timeout = CG_NEVER));
    } while (n >= 0);
    cg_group_cancel(&group);
    cg_yield(cg_wait_group(&group));
    return n;
}

static int watch_upstreams_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_http_upstreams *upstreams =
        ((const struct cg_http_watch_upstreams_op *)op)->upstreams;

    return snprintf(buf, size, "%zu of %zu available", cg_http_upstreams_available(upstreams),
                    upstreams->count);
}

const struct cg_op_type cg_http_watch_upstreams_type = {
    .name = "http_watch_upstreams",
    .run = watch_upstreams_run,
    .print = watch_upstreams_print,
};
