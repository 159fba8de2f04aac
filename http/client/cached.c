/* SPDX-License-Identifier: MIT */
/* See cached.h. Bodies are stored as the server has sent them, not decoded. So a reply from
 * the cache is like any other, but for its carrier. */
#include "config.h"

#include "http/client/body.h"
#include "http/client/cached.h"
#include "http/client/fields.h"
#include "http/client/why.h"

#include <cogen/clock.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct cg__cache_now now_of(const struct cg_http_client *client)
{
    return (struct cg__cache_now){
        .steady = cg_sched_now(client->sched) / CG_SECOND,
        .wall = cg_clock_now(client->sched, CG_CLOCK_WALL) / CG_SECOND,
    };
}

static ssize_t read_stored(struct cg_http_reply *reply, void *buf, size_t len)
{
    const struct cg__cached *stored = reply->stored;
    size_t done = (size_t)reply->received;

    len = len < stored->len - done ? len : stored->len - done;
    memcpy(buf, stored->body + done, len);
    reply->received += (int64_t)len;
    reply->ended = done + len == stored->len;
    return (ssize_t)len;
}

static const struct cg__carrier from_cache = {.body = read_stored};

static bool is_head(const struct cg__asking *ask)
{
    return strcmp(ask->method, "HEAD") == 0;
}

/* Whether the cache takes part in a request. It does not if the caller sets conditions or a range,
 * nor if the caller sets Host: then the URL does not name the resource. */
static bool takes_part(const struct cg__asking *ask)
{
    static const char *const own[] = {
        "Host",          "Range",             "If-Range",           "If-Match",
        "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"};

    if (ask->client->options.cache == NULL || ask->fetch->bare || ask->fetch->upgrade ||
        ask->with_body || (strcmp(ask->method, "GET") != 0 && !is_head(ask)))
        return false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (cg__http_client_fields_has(ask, own[i], false))
            return false;
    return true;
}

static ssize_t no_memory(const struct cg__asking *ask)
{
    return cg__http_client_because(ask->why, -ENOMEM, "no memory for the response");
}

static int set_age(struct cg_http_headers *headers, int64_t age)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, age);
    return cg_http_headers_set(headers, "Age", text);
}

/* Begins the reply from a stored response, and takes ownership of the reference to it. */
static ssize_t serve(struct cg__asking *ask, struct cg__cached *stored, enum cg_http_from from)
{
    struct cg_http_reply *reply = ask->reply;
    struct cg__link link = {.carrier = &from_cache};

    cg__http_client_body_reset(reply);
    cg__http_message_clear(&reply->headers);
    cg__http_message_clear(&reply->trailers);
    reply->stored = stored;
    reply->from = from;
    reply->head = (struct cg__http_head){
        .status = stored->status,
        .protocol = stored->protocol,
        .has_body = stored->len > 0 && !is_head(ask),
        .length = (int64_t)stored->len,
    };
    if (cg__http_message_copy(&reply->headers, &stored->head) < 0 ||
        set_age(&reply->headers,
                cg__http_cache_fresh_age(&stored->life, now_of(ask->client))) < 0)
        return no_memory(ask);
    ask->why[0] = '\0';
    return cg__http_client_body_begin(reply, &link, ask);
}

/* Responds with 504 to a request with only-if-cached that no stored response answers. */
static ssize_t refuse(struct cg__asking *ask)
{
    static const char reason[] = "Gateway Timeout";
    struct cg__link link = {.carrier = &from_cache};

    cg__http_message_clear(&ask->reply->headers);
    if (cg__http_message_text(&ask->reply->headers, reason, sizeof reason) < 0)
        return no_memory(ask);
    ask->reply->head = (struct cg__http_head){.status = 504, .protocol = "HTTP/1.1"};
    return cg__http_client_body_begin(ask->reply, &link, ask);
}

/* Forgets the request before a redirect or a retry. */
static void reset(struct cg__cached_asking *cached)
{
    cg__http_cache_release(cached->stored);
    cached->stored = NULL;
    cached->cache = NULL;
    cached->refresh = false;
}

/* Sets what is asked of the cache. 0; 1: nothing; negative. */
static ssize_t prepare(struct cg__asking *ask)
{
    struct cg_http_cache *cache = ask->client->options.cache;
    struct cg__cached_asking *cached = ask->cached;
    ssize_t n;

    if (cache->sched == NULL)
        cache->sched = ask->client->sched;
    if (cache->sched != ask->client->sched)
        return cg__http_client_because(ask->why, -EINVAL,
                                       "the cache belongs to another scheduler");
    cg__http_message_clear(&cached->fields);
    /* cached->cache is NULL until they are complete: they are not copied to where they are. */
    n = cg__http_client_fields(&cached->fields, cg__http_message_put, ask, false);
    if (n < 0)
        return n;
    cached->request = (struct cg__cache_request){.url = ask->url.text, .fields = &cached->fields};
    cg__http_cache_control_read(&cached->request.says, &cached->fields);
    if (cached->request.says.no_store)
        return 1;
    cached->cache = cache;
    cg__http_cache_ask(cache, &cached->request, now_of(ask->client));
    return 0;
}

ssize_t cg__http_client_cached_find(struct cg__asking *ask)
{
    struct cg__cached_asking *cached = ask->cached;
    struct cg__cached *stored;
    ssize_t n;

    reset(cached);
    n = takes_part(ask) ? prepare(ask) : 1;
    if (n != 0)
        return n < 0 ? n : 0;
    stored = cached->bypass ? NULL : cg__http_cache_find(cached->cache, &cached->request);
    if (stored != NULL) {
        enum cg__cache_use use = cg__http_cache_fresh_use(&stored->life, &cached->request.says,
                                                          now_of(ask->client));

        if (use != CG__CACHE_VALIDATE && !ask->refreshing) {
            cached->cache->stats.hits++;
            cached->refresh =
                use == CG__CACHE_REFRESH && !cached->request.says.only_if_cached;
            n = serve(ask, stored,
                      use == CG__CACHE_FRESH ? CG_HTTP_FROM_CACHE : CG_HTTP_FROM_STALE);
            return n < 0 ? n : 1;
        }
    }
    if (cached->request.says.only_if_cached) {
        cg__http_cache_release(stored);
        n = refuse(ask);
        return n < 0 ? n : 1;
    }
    cached->stored = stored;
    return 0;
}

/* Whether a stale response must not hide a failure: it is the caller's fault, or the server is not
 * the one that it should be. */
static bool must_be_told(ssize_t result)
{
    switch (result) {
    case -ECANCELED:
    case -EINVAL:
    case -ENOMEM:
    case CG_EHTTP_TLS:
    case CG_ETLS:
    case CG_ETLS_CERT:
    case CG_ETLS_EXPIRED:
    case CG_ETLS_HOST:
    case CG_ETLS_ISSUER:
    case CG_ETLS_PIN:
        return true;
    default:
        return false;
    }
}

/* Whether the server, or the way to it, has failed. */
static bool has_failed(const struct cg__asking *ask, ssize_t result)
{
    unsigned status = ask->reply->head.status;

    if (result < 0)
        return !must_be_told(result);
    return status == 500 || (status >= 502 && status <= 504);
}

/* The stored response becomes the reply. */
static ssize_t serve_instead(struct cg__asking *ask, enum cg_http_from from)
{
    struct cg__cached *stored = ask->cached->stored;

    ask->cached->stored = NULL;
    return serve(ask, stored, from);
}

/* Entity tags that are equal by weak comparison (RFC 9110, 8.8.3.2). */
static bool same_tag(const char *a, const char *b)
{
    a += strncmp(a, "W/", 2) == 0 ? 2 : 0;
    b += strncmp(b, "W/", 2) == 0 ? 2 : 0;
    return strcmp(a, b) == 0;
}

/* A 304 with another tag is about another response: what is stored is of no use. */
static ssize_t validated(struct cg__asking *ask)
{
    struct cg__cached_asking *cached = ask->cached;
    const char *tag = cg_http_reply_header(ask->reply, "ETag"),
               *own = cg_http_headers_get(&cached->stored->head, "ETag");

    if (tag != NULL && (own == NULL || !same_tag(tag, own))) {
        cg__http_cache_drop(cached->stored);
        cached->bypass = true;
        return 1;
    }
    cached->cache->stats.validated += !ask->refreshing;
    cg__http_cache_update(cached->stored, &cached->request, &ask->reply->headers,
                          now_of(ask->client));
    return serve_instead(ask, CG_HTTP_FROM_VALIDATED);
}

/* A body that lasts to the end of the connection may have been cut off. */
static bool is_delimited(const struct cg_http_reply *reply)
{
    return reply->link.stream != NULL || !reply->head.has_body || !reply->parser.until_close;
}

static void begin_to_store(struct cg__asking *ask)
{
    struct cg__cached_asking *cached = ask->cached;
    struct cg_http_reply *reply = ask->reply;
    struct cg__cached *stored = NULL;

    cached->cache->stats.misses += !ask->refreshing;
    if (!is_head(ask) && is_delimited(reply) &&
        (reply->length <= 0 || (uint64_t)reply->length <= cached->cache->limits.object))
        stored = cg__http_cache_begin(
            cached->cache, &cached->request, reply->head.status, reply->head.protocol,
            cg__http_message_at(&reply->headers, reply->head.reason), &reply->headers,
            now_of(ask->client));
    /* Until a refresh has come completely, the old response is of use. */
    if (!ask->refreshing || stored == NULL)
        cg__http_cache_drop(cached->stored);
    cg__http_client_body_store(reply, stored);
}

static void invalidate(const struct cg__asking *ask, const char *name)
{
    const char *to = cg_http_reply_header(ask->reply, name), *unused;
    struct cg__url url;

    if (to == NULL || cg__http_url_resolve(&url, &ask->url, to, &unused) < 0)
        return;
    if (cg__http_url_same_origin(&ask->url, &url))
        cg__http_cache_invalidate(ask->client->options.cache, url.text);
    cg__http_url_free(&url);
}

static bool is_safe(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
           strcmp(method, "OPTIONS") == 0 || strcmp(method, "TRACE") == 0;
}

/* An unsafe method may have changed the resource of its URL, and those that its response names. It
 * may have done so although the request got no response. */
static void note_change(const struct cg__asking *ask, ssize_t result)
{
    if (ask->client->options.cache == NULL || is_safe(ask->method) ||
        (result < 0 ? !*ask->put : ask->reply->head.status >= 400))
        return;
    cg__http_cache_invalidate(ask->client->options.cache, ask->url.text);
    if (result == 0) {
        invalidate(ask, "Location");
        invalidate(ask, "Content-Location");
    }
}

ssize_t cg__http_client_cached_judge(struct cg__asking *ask, ssize_t result)
{
    struct cg__cached_asking *cached = ask->cached;
    bool failed = has_failed(ask, result);

    note_change(ask, result);
    if (cached->cache == NULL)
        return result;
    if (cached->stored != NULL && failed && !ask->refreshing &&
        cg__http_cache_fresh_bridges(&cached->stored->life, &cached->request.says,
                                     now_of(ask->client))) {
        if (result == 0)
            cg__http_client_body_skip(ask->reply);
        cached->cache->stats.hits++;
        return serve_instead(ask, CG_HTTP_FROM_STALE);
    }
    if (result < 0)
        return result;
    if (cached->stored != NULL && ask->reply->head.status == 304)
        return validated(ask);
    if (!failed)
        begin_to_store(ask);
    return 0;
}

void cg__http_client_cached_end(struct cg__asking *ask)
{
    reset(ask->cached);
    cg__http_message_clear(&ask->cached->fields);
}
