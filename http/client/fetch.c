/* SPDX-License-Identifier: MIT */
/* cg_http_get and cg_http_fetch: a request with its redirects and retries. */
#include "config.h"

#include "http/client/body.h"
#include "http/client/cached.h"
#include "http/client/check.h"
#include "http/client/exchange.h"
#include "http/client/pool/site.h"
#include "http/client/redirect.h"
#include "http/client/refresh.h"
#include "http/client/reply.h"
#include "http/client/retry.h"
#include "http/client/sending.h"
#include "http/client/source.h"
#include "http/client/why.h"
#include "http/cookies/jar.h"
#include "lib/base/ascii.h"
#include "lib/base/plural.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Puts the cookies of a response into the client's jar. Those that are invalid are ignored. */
static ssize_t take_cookies(const struct cg__asking *ask)
{
    struct cg_http_jar *jar = ask->fetch->bare ? NULL : ask->client->options.jar;
    struct cg_http_field field;
    const char *why;

    for (size_t at = 0; jar && cg_http_headers_next(&ask->reply->headers, &at, &field);)
        if (cg__ascii_equal(field.name, "Set-Cookie") &&
            cg__http_jar_set(jar, &ask->url, field.value, cg__http_jar_now(), &why) == -ENOMEM)
            return -ENOMEM;
    return 0;
}

/* 1: the request is to be sent again, and its pause is over. Otherwise the result, which is
 * that of the attempt unless the pause was cancelled. */
static ssize_t retry(struct cg__asking *ask, ssize_t result)
{
    int64_t pause;
    ssize_t n;

    if (!cg__http_client_retry_wants(ask, result, &pause) ||
        (ask->with_body && !cg__http_client_source_rewind(ask)))
        return result;
    if (result == 0)
        cg__http_client_body_skip(ask->reply);
    ask->moment = "in the pause before a retry";
    n = cg_yield(cg_sleep(pause));
    return n < 0 ? n : 1;
}

/* Asks the server once. 0; 1: the request is to be sent again; negative. */
static ssize_t ask_server(struct cg__asking *ask)
{
    struct cg__link link;
    ssize_t n = cg__http_client_exchange(ask, &link);

    if (n == 0)
        n = cg__http_client_body_begin(ask->reply, &link, ask);
    if (n == 0)
        n = take_cookies(ask);
    if (n < 0)
        n = cg__http_client_sending_end(ask, n);
    return n <= 0 ? retry(ask, n) : n;
}

static cg__refresh_fn refresh;

/* Gets one response, from the cache or the server; results as before. */
static ssize_t respond(struct cg__asking *ask)
{
    ssize_t n = cg__http_client_cached_find(ask);

    if (n > 0 && ask->cached->refresh)
        cg__http_client_refresh(ask, refresh);
    if (n != 0)
        return n < 0 ? n : 0;
    n = ask_server(ask);
    return n <= 0 ? cg__http_client_cached_judge(ask, n) : n;
}

static ssize_t receive_whole(struct cg__asking *ask)
{
    struct cg_http_reply *reply = ask->reply;
    size_t limit = ask->fetch->limit ? ask->fetch->limit : CG_HTTP_BODY_LIMIT;
    ssize_t n;

    if (!reply->ended && !reply->decoder && reply->length > 0 &&
        (uint64_t)reply->length > limit)
        return cg__http_client_because(ask->why, CG_EHTTP_LIMIT,
                                       "the body has more than %zu byte%s", limit,
                                       cg__plural(limit));
    n = cg__http_client_body_whole(reply, limit);
    return n < 0 ? cg__http_client_because(ask->why, n, "%s", reply->why) : 0;
}

/* Lets the caller read the body, or reads all of it. */
static ssize_t receive(struct cg__asking *ask)
{
    const struct cg_http_fetch *fetch = ask->fetch;
    ssize_t n;

    ask->moment = "before the whole body was received";
    if (fetch->receive == NULL)
        return fetch->stream ? 0 : receive_whole(ask);
    ask->why[0] = '\0';
    n = fetch->receive(fetch->receive_arg, ask->reply);
    if (n < 0 && ask->why[0] == '\0')
        cg__http_client_because(ask->why, n, "%s", ask->reply->why);
    return n < 0 ? n : 0;
}

static ssize_t fetch_all(struct cg__asking *ask)
{
    struct cg_http_reply *reply = ask->reply;
    ssize_t n = cg__http_client_check(ask);

    while (n == 0) {
        n = respond(ask);
        if (n == 0)
            n = cg__http_client_redirect(ask);
        if (n <= 0)
            break;
        cg__http_client_body_reset(reply);
        n = 0;
    }
    cg__http_client_cached_end(ask);
    reply->url = ask->url;
    ask->url = (struct cg__url){.memory = NULL};
    if (n == 0)
        n = receive(ask);
    n = cg__http_client_sending_finish(ask, n);
    cg__http_client_body_settle(reply, ask->unsent);
    return n;
}

static bool has_body(const struct cg_http_fetch *fetch)
{
    return fetch->body != NULL || fetch->source != NULL || fetch->file != NULL;
}

static ssize_t fetch_url(struct cg__asking *ask, struct cg_http_reply **reply)
{
    struct cg_http_client *client = ask->client;
    const char *wrong = "", *url = ask->fetch->url;
    ssize_t n;

    ask->with_body = has_body(ask->fetch);
    ask->expect = ask->with_body && ask->fetch->expect;
    ask->method = ask->fetch->method ? ask->fetch->method
                  : ask->with_body   ? "POST"
                                     : "GET";
    if (client->sched == NULL)
        client->sched = cg_sched_self();
    if (client->sched != cg_sched_self() || client->freed)
        return cg__http_client_because(
            ask->why, -EINVAL, "the client belongs to another scheduler, or was freed");
    ask->begun_at = cg_sched_now(client->sched);
    ask->moment = "before it was sent";
    ask->reply = cg__http_client_reply_new(client);
    if (ask->reply == NULL)
        return -ENOMEM;
    n = cg__http_client_pool_site_parse(ask, url, &wrong);
    if (n == CG_EHTTP_URL)
        cg__http_client_because(ask->why, n, "%.100s is not a valid URL: %s",
                                url && *url ? url : "\"\"", wrong);
    if (n == 0)
        n = fetch_all(ask);
    cg__http_url_free(&ask->url);
    free(ask->proxy_auth);
    if (n < 0)
        cg_http_reply_free(ask->reply);
    else
        *reply = ask->reply;
    return n < 0 ? n : (ssize_t)ask->reply->head.status;
}

/* Reads the response as long as the cache stores it. */
static void refresh(struct cg_http_client *client, const struct cg_http_fetch *fetch)
{
    char why[CG_HTTP_WHY_SIZE], buf[4096];
    struct cg_http_reply *reply = NULL;
    bool put = false;
    struct cg__cached_asking cached = {.cache = NULL};
    struct cg__asking ask = {
        .cached = &cached,
        .client = client,
        .fetch = fetch,
        .why = why,
        .put = &put,
        .refreshing = true,
    };
    ssize_t n = fetch_url(&ask, &reply);

    while (n > 0 && reply->storing)
        n = cg__http_client_body_next(reply, buf, sizeof buf);
    cg_http_reply_free(reply);
}

static ssize_t fetch_run(struct cg_op *op)
{
    struct cg_http_fetch_op *get = (struct cg_http_fetch_op *)op;
    struct cg_http_fetch plain = {.url = get->url};
    char words[CG_HTTP_WHY_SIZE];
    bool put;
    struct cg__cached_asking cached = {.cache = NULL};
    struct cg__asking ask = {
        .cached = &cached,
        .client = get->client,
        .fetch = get->fetch ? get->fetch : &plain,
        .why = get->why ? get->why : words,
        .put = get->sent ? get->sent : &put,
    };
    ssize_t n;

    ask.why[0] = '\0';
    *ask.put = false;
    *get->reply = NULL;
    get->started = true;
    n = fetch_url(&ask, get->reply);
    if (n == -ECANCELED)
        cg__http_client_because(ask.why, n,
                                "a deadline has passed, or the request was cancelled, %s",
                                ask.moment);
    else if (n < 0 && ask.why[0] == '\0')
        cg__http_client_because(ask.why, n, "%s", cg_strerror(n));
    return n;
}

/* The op may have been cancelled in the turn in which its reply came; then the reply is
 * freed. If it never started, *reply is not initialised. */
static ssize_t fetch_finish(struct cg_op *op)
{
    struct cg_http_fetch_op *get = (struct cg_http_fetch_op *)op;

    if (op->result < 0) {
        if (get->started)
            cg_http_reply_free(*get->reply);
        *get->reply = NULL;
    }
    get->started = false;
    return op->result;
}

static int fetch_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_http_fetch_op *get = (const struct cg_http_fetch_op *)op;
    const char *url = get->fetch ? get->fetch->url : get->url;

    return snprintf(buf, size, "%s", url ? url : "nothing");
}

const struct cg_op_type cg_http_fetch_type = {
    .name = "http_fetch",
    .run = fetch_run,
    .finish = fetch_finish,
    .print = fetch_print,
};
