/* SPDX-License-Identifier: MIT */
/* A line of the access log as JSON. */
#include "config.h"

#include "http/server/access_json.h"
#include "http/server/carrier.h"
#include "http/server/metrics.h"
#include "lib/base/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int put(struct cg_http_headers *text, const char *piece)
{
    return cg__http_message_text(text, piece, strlen(piece));
}

static int put_piece(void *text, const char *piece, size_t len)
{
    return cg__http_message_text(text, piece, len);
}

/* Appends a member with a string; none if the value is NULL. */
static int put_member(struct cg_http_headers *text, const char *name, const char *value)
{
    if (value == NULL)
        return 0;
    return put(text, ",\"") < 0 || put(text, name) < 0 || put(text, "\":") < 0
               ? -1
               : cg__json_string(value, put_piece, text);
}

static int put_time(struct cg_http_headers *text, const struct cg_http_request *req)
{
    int64_t now = cg_clock_now(req->server->sched, CG_CLOCK_WALL);
    time_t seconds = (time_t)(now / CG_SECOND);
    char buf[120];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    snprintf(buf, sizeof buf, "{\"time\":\"%d-%02d-%02dT%02d:%02d:%02d.%03dZ\"",
             tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
             (int)(now % CG_SECOND / CG_MILLISECOND));
    return put(text, buf);
}

static int put_numbers(struct cg_http_headers *text, const struct cg_http_request *req)
{
    int64_t ns = req->began != 0 ? cg__http_metrics_now(req->server) - req->began : 0;
    char buf[120];

    snprintf(buf, sizeof buf, ",\"status\":%d,\"bytes\":%llu,\"seconds\":%lld.%06lld",
             req->status, (unsigned long long)req->sent, (long long)(ns / CG_SECOND),
             (long long)(ns % CG_SECOND / 1000));
    return put(text, buf);
}

/* What an invalid request has is unknown. */
static int put_request(struct cg_http_headers *text, const struct cg_http_request *req)
{
    if (req->method == NULL)
        return 0;
    return put_member(text, "method", req->method) < 0 ||
                   put_member(text, "target", cg_http_request_target(req)) < 0 ||
                   put_member(text, "protocol", cg_http_request_protocol(req)) < 0 ||
                   put_member(text, "host", cg_http_request_header(req, "Host")) < 0 ||
                   put_member(text, "referer", cg_http_request_header(req, "Referer")) < 0 ||
                   put_member(text, "user_agent", cg_http_request_header(req, "User-Agent")) < 0 ||
                   put_member(text, "user", cg_http_request_param(req, "auth-user")) < 0 ||
                   put_member(text, "request_id", cg_http_request_param(req, "request-id")) < 0
               ? -1
               : 0;
}

int cg__http_access_json_put(struct cg_http_headers *text, const struct cg_http_request *req,
                             const char *client)
{
    return put_time(text, req) < 0 || put_member(text, "client", client) < 0 ||
                   put_numbers(text, req) < 0 || put_request(text, req) < 0
               ? -1
               : put(text, "}\n");
}
