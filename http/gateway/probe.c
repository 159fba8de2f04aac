/* SPDX-License-Identifier: MIT */
/* cg_http_watch_upstreams: asks each upstream again and again whether it works. */
#include "config.h"

#include "http/gateway/upstreams.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_LIMIT = 64 * 1024 }; /* bytes of a probe's response */

struct watched {
    struct cg_http_upstreams *upstreams;
    struct cg__upstream *upstream;
};

/* The status of the response, or a negative code with a message. */
static ssize_t request(const struct watched *watched, char *why)
{
    const struct cg_http_upstreams_options *options = &watched->upstreams->options;
    size_t size = watched->upstream->len + strlen(options->probe) + 2;
    struct cg_http_fetch fetch = {.stay = true, .raw = true, .limit = BODY_LIMIT};
    struct cg_http_reply *reply;
    char *url = malloc(size);
    ssize_t n = -ENOMEM;

    snprintf(why, CG_HTTP_WHY_SIZE, "no memory");
    if (url == NULL)
        return n;
    snprintf(url, size, "%s%s%s", watched->upstream->url, *options->probe == '/' ? "" : "/",
             options->probe);
    fetch.url = url;
    n = cg_yield(cg_http_fetch(watched->upstreams->client, &fetch, &reply, .why = why,
                               .timeout = options->probe_timeout));
    cg_http_reply_free(reply);
    free(url);
    return n;
}

static ssize_t watch(void *arg)
{
    const struct watched *watched = arg;
    int64_t interval = watched->upstreams->options.probe_interval;
    ssize_t n;

    do {
        char why[CG_HTTP_WHY_SIZE], words[CG_HTTP_WHY_SIZE + 32];

        n = request(watched, why);
        if (n == -ECANCELED)
            return n;
        if (n >= 200 && n <= 399) {
            cg__http_upstreams_succeeded(watched->upstreams, watched->upstream);
        } else {
            if (n > 0)
                snprintf(why, sizeof why, "status %zd", n);
            snprintf(words, sizeof words, "the probe: %s", why);
            cg__http_upstreams_failed(watched->upstreams, watched->upstream, words);
        }
        n = cg_yield(cg_sleep(interval));
    } while (n >= 0);
    return n;
}

static ssize_t watch_upstreams_run(struct cg_op *op)
{
    struct cg_http_upstreams *upstreams = ((struct cg_http_watch_upstreams_op *)op)->upstreams;
    struct watched *all;
    struct cg_group group;
    ssize_t n = 0, ended;

    if (upstreams->options.probe == NULL)
        return -EINVAL;
    all = calloc(upstreams->count > 0 ? upstreams->count : 1, sizeof *all);
    if (all == NULL)
        return -ENOMEM;
    cg_group_open(&group);
    for (size_t i = 0; i < upstreams->count && n >= 0; i++) {
        all[i] = (struct watched){upstreams, upstreams->list[i]};
        n = cg_yield(cg_add_to_group(&group, watch, &all[i], .name = "probe"));
    }
    if (n < 0)
        cg_group_cancel(&group);
    else if (upstreams->count == 0)
        n = cg_yield(cg_suspend(.timeout = CG_NEVER));
    ended = cg_yield(cg_wait_group(&group));
    free(all);
    return n < 0 ? n : ended;
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
