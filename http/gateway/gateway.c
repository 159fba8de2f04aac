/* SPDX-License-Identifier: MIT */
/* cg_http_forward and cg_http_forward_to: the attempts of a request, and the responses of the
 * gateway itself. */
#include "config.h"

#include "http/gateway/forward.h"
#include "http/gateway/forward_fields.h"
#include "http/gateway/upstreams.h"
#include "http/message/message.h"

#include <cogen/starter.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ssize_t respond(struct cg_http_request *req, int status)
{
    char text[80];
    ssize_t n;

    snprintf(text, sizeof text, "%d %s\n", status, cg_http_status_text(status));
    n = cg_yield(cg_http_send_text(req, status, text));
    return n < 0 ? n : status;
}

/* The length of a "." within a path, as it is or encoded; 0: there is none. */
static size_t dot(const char *text)
{
    bool encoded = text[0] == '%' && text[1] == '2' && (text[2] == 'e' || text[2] == 'E');

    return *text == '.' ? 1 : encoded ? 3 : 0;
}

/* Whether a path has the segment "." or "..". The handlers of the server are chosen by the path
 * without such segments, so they must not take the request elsewhere on the upstream. */
static bool has_dots(const char *path)
{
    for (; *path != '\0' && *path != '?'; path++) {
        size_t one = *path == '/' ? dot(path + 1) : 0;
        size_t two = one > 0 ? dot(path + 1 + one) : 0;

        if (one > 0 && strchr("/?", path[1 + one + two]) != NULL)
            return true;
    }
    return false;
}

/* The path and query of a target; "": it is "*", or NULL: it has neither. */
static const char *path_of(const char *target)
{
    const char *authority = strstr(target, "://");

    if (*target == '/' || strcmp(target, "*") == 0)
        return *target == '/' ? target : "";
    return authority != NULL ? authority + 3 + strcspn(authority + 3, "/?") : NULL;
}

/* Whether another upstream may get the request: the first one has not got it, or nothing is
 * changed by getting it twice. One that has been silent for the whole timeout is not worth a
 * second one. */
static bool may_retry(const struct cg__forward *fw, ssize_t code)
{
    if (cg_http_response_status(fw->req) != 0)
        return false;
    if (fw->fault == CG_HTTP_FAULT_CONNECT)
        return !fw->read;
    return fw->fault == CG_HTTP_FAULT_UPSTREAM && code != -ETIMEDOUT &&
           cg_http_request_length(fw->req) == 0 &&
           cg__http_message_is_idempotent(cg_http_request_method(fw->req));
}

/* Whether the upstream has failed, and not the client: one that dawdles over its body may make
 * an upstream give up. */
static bool has_failed(const struct cg__forward *fw)
{
    return fw->fault == CG_HTTP_FAULT_CONNECT || fw->fault == CG_HTTP_FAULT_RESPONSE ||
           (fw->fault == CG_HTTP_FAULT_UPSTREAM && (!fw->read || fw->read_all));
}

static ssize_t try_one(struct cg__forward *fw, struct cg_http_upstreams *upstreams,
                       struct cg__upstream *upstream)
{
    char why[CG_HTTP_WHY_SIZE];
    ssize_t n;

    fw->client = upstreams->client;
    fw->upstream = upstream;
    fw->early = cg__http_upstreams_is_resting(upstream);
    fw->proxy_protocol = upstream->proxy_protocol;
    fw->why = why;
    upstream->active++;
    n = cg__http_forward_once(fw);
    upstream->active--;
    if (n >= 0)
        cg__http_upstreams_succeeded(upstream);
    else if (fw->fault >= CG_HTTP_FAULT_CONNECT && !fw->early) /* or clients fill the log */
        cg__http_upstreams_log(upstreams, upstream, "%s: %s", cg_http_request_method(fw->req),
                               why);
    if (n < 0 && has_failed(fw))
        cg__http_upstreams_failed(upstream, why);
    return n;
}

struct attempts {
    struct cg__forward fw;
    struct cg_http_upstreams *upstreams;
};

/* 0: no upstream was available. */
static ssize_t attempt(void *arg)
{
    struct attempts *all = arg;
    struct cg__forward *fw = &all->fw;
    struct cg__upstream *tried[CG_HTTP_ATTEMPTS_LIMIT];
    size_t count = 0;
    ssize_t n = 0;

    while (count < all->upstreams->options.attempts && (count == 0 || may_retry(fw, n))) {
        struct cg__upstream *next =
            cg__http_upstreams_pick(all->upstreams, fw->req, tried, count);

        if (next == NULL)
            break;
        tried[count++] = next;
        n = try_one(fw, all->upstreams, next);
        if (next->trial == fw->req)
            next->trial = NULL;
        if (n >= 0)
            break;
    }
    while (count > 0)
        cg__http_upstreams_unref(tried[--count]);
    return n;
}

static const char all_out[] = "all upstreams are out";

/* Tells the operator, but not of each request: clients would fill the log. */
static void report_refusal(struct cg_http_upstreams *upstreams, const char *why)
{
    int64_t now = cg_sched_now(cg_sched_self());
    char line[96];

    upstreams->refused++;
    if (now < upstreams->silent_until)
        return;
    snprintf(line, sizeof line, "%s: requests refused: %" PRIu64, why, upstreams->refused);
    upstreams->options.log(upstreams->options.log_arg, line);
    upstreams->refused = 0;
    upstreams->silent_until = now + CG_SECOND;
}

static ssize_t none_available(struct cg_http_upstreams *upstreams, struct cg_http_request *req)
{
    const struct cg_http_upstreams_options *options = &upstreams->options;
    bool out = cg_http_upstreams_available(upstreams) == 0;
    int64_t wait = out && options->probe != NULL ? options->probe_interval : CG_SECOND;
    char seconds[24];
    int rc;

    report_refusal(upstreams, out ? all_out : "all upstreams have too many requests");
    snprintf(seconds, sizeof seconds, "%lld", (long long)((wait - 1) / CG_SECOND + 1));
    rc = cg_http_response_set_header(req, "Retry-After", seconds);
    return rc < 0 ? rc : respond(req, 503);
}

static ssize_t forward_path(struct cg_http_request *req, struct cg_http_upstreams *upstreams,
                            const char *path)
{
    struct attempts all = {.upstreams = upstreams,
                           .fw = {.req = req,
                                  .path = path,
                                  .hop = &upstreams->options.hop,
                                  .starter = &upstreams->starter,
                                  .fields = cg__http_upstreams_fields(upstreams)}};
    ssize_t n = cg__http_forward_last(&all.fw);

    if (n == 0)
        n = cg__http_forward_watch(&all.fw, attempt, &all);
    cg__http_upstreams_return(upstreams, &all.fw.fields);
    cg__http_message_clear(&all.fw.trailers);
    if (n == 0)
        return none_available(upstreams, req);
    if (n > 0 || all.fw.fault < CG_HTTP_FAULT_CONNECT || cg_http_response_status(req) != 0 ||
        n == -ECANCELED)
        return n;
    if (all.fw.early)
        report_refusal(upstreams, all_out);
    return respond(req, n == -ETIMEDOUT ? 504 : 502);
}

static ssize_t forward_request(struct cg_http_request *req, struct cg_http_upstreams *upstreams)
{
    const char *path = path_of(cg_http_request_target(req));

    return path == NULL || has_dots(path) ? respond(req, 400)
                                          : forward_path(req, upstreams, path);
}

static ssize_t forward_run(struct cg_op *op)
{
    struct cg_http_forward_op *forward = (struct cg_http_forward_op *)op;

    return forward_request(forward->req, forward->upstreams);
}

static int forward_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_http_forward_op *forward = (const struct cg_http_forward_op *)op;

    return snprintf(buf, size, "%s", cg_http_request_target(forward->req));
}

const struct cg_op_type cg_http_forward_type = {
    .name = "http_forward",
    .run = forward_run,
    .print = forward_print,
};

static ssize_t forward_once(void *forward)
{
    return cg__http_forward_once(forward);
}

static ssize_t forward_to_run(struct cg_op *op)
{
    static const struct cg_http_hop usual = {.name = NULL};
    const struct cg_http_forward_to_op *to = (const struct cg_http_forward_to_op *)op;
    char words[CG_HTTP_WHY_SIZE];
    struct cg_starter *starter = NULL;
    struct cg__forward fw = {
        .req = to->req,
        .client = to->client,
        .url = to->url,
        .hop = to->hop != NULL ? to->hop : &usual,
        .why = to->why != NULL ? to->why : words,
        .starter = &starter,
    };
    ssize_t n;

    fw.why[0] = '\0';
    fw.proxy_protocol = fw.hop->proxy_protocol;
    n = cg__http_forward_last(&fw);
    if (n == 0)
        n = cg__http_forward_watch(&fw, forward_once, &fw);
    cg_starter_free(starter);
    cg__http_message_clear(&fw.fields);
    cg__http_message_clear(&fw.trailers);
    if (n == -ECANCELED)
        fw.fault = CG_HTTP_FAULT_REQUEST;
    if (to->fault != NULL)
        *to->fault = fw.fault;
    return n;
}

static int forward_to_print(const struct cg_op *op, char *buf, size_t size)
{
    return snprintf(buf, size, "%s", ((const struct cg_http_forward_to_op *)op)->url);
}

const struct cg_op_type cg_http_forward_to_type = {
    .name = "http_forward_to",
    .run = forward_to_run,
    .print = forward_to_print,
};

ssize_t cg_http_forward_handler(struct cg_http_request *req, void *upstreams)
{
    return forward_request(req, upstreams);
}
