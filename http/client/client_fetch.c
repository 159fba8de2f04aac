/* SPDX-License-Identifier: MIT */
/* cg_http_get and cg_http_fetch: a request with its redirects and a second attempt. */
#include "config.h"

#include "http/client/client_cached.h"
#include "http/client/client_head.h"
#include "http/client/client_link.h"
#include "http/client/client_refresh.h"
#include "http/client/client_reply.h"
#include "http/client/client_retry.h"
#include "http/client/client_sending.h"
#include "http/client/client_site.h"
#include "http/client/client_why.h"
#include "http/client/h2/h2.h"
#include "http/coding/decoder.h"
#include "http/cookies/jar.h"
#include "lib/base/ascii.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REFUSALS = 5 }; /* of one request by a server of HTTP/2 */

static bool has_body(const struct cg_http_fetch *fetch)
{
    return fetch->body != NULL || fetch->source != NULL || fetch->file != NULL;
}

static bool is_value(const char *text)
{
    return text == NULL || cg__http_message_is_value(text, strlen(text));
}

static ssize_t invalid_field(const struct cg__asking *ask, const char *name)
{
    return cg__http_client_because(ask->why, -EINVAL, "the field %s is invalid", name);
}

/* The fields of a list are valid, but it may have those that frame a body. */
static ssize_t check_list(const struct cg__asking *ask, const struct cg_http_headers *list)
{
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        const struct cg__http_entry *entry = cg__http_entry(list, i);
        const char *name = cg__http_message_at(list, entry->name);

        if (cg__http_message_is_framing(name, entry->name_len))
            return invalid_field(ask, name);
    }
    return 0;
}

static ssize_t check(const struct cg__asking *ask)
{
    const struct cg_http_fetch *fetch = ask->fetch;
    const struct cg_http_field *field = fetch->fields;

    if (!cg__http_message_is_token(ask->method, strlen(ask->method)) ||
        strcmp(ask->method, "CONNECT") == 0)
        return cg__http_client_because(ask->why, -EINVAL, "the method is invalid");
    for (; field != NULL && field->name != NULL; field++)
        if (!cg__http_message_is_token(field->name, strlen(field->name)) ||
            field->value == NULL || !is_value(field->value) ||
            cg__http_message_is_framing(field->name, strlen(field->name)))
            return invalid_field(ask, field->name);
    if (!is_value(fetch->bearer))
        return cg__http_client_because(ask->why, -EINVAL, "the bearer token is invalid");
    if (!is_value(fetch->priority))
        return invalid_field(ask, "Priority");
    if (!fetch->bare && !is_value(ask->client->user_agent))
        return invalid_field(ask, "User-Agent");
    return check_list(ask, fetch->headers);
}

/* Reads a head. If the request could not be sent, and no response says why, that is the
 * failure. */
static ssize_t read_head(struct cg__asking *ask, struct cg__link *link, int64_t patience)
{
    char why[CG_HTTP_WHY_SIZE];
    ssize_t n = link->carrier->head(ask->reply, ask->method, patience,
                                    ask->broken < 0 ? why : ask->why);

    if (n == 0 || ask->broken == 0 || ask->reply->touched)
        return n;
    return cg__http_client_because(ask->why, ask->broken, "sending the request failed: %s",
                                   cg_strerror(ask->broken));
}

/* Sends a request on a connection, and reads the heads up to the final one. The body may go
 * on being sent. */
static ssize_t exchange(struct cg__asking *ask, struct cg__link *link)
{
    struct cg_http_reply *reply = ask->reply;
    int64_t patience = ask->client->options.response_timeout;
    ssize_t n;

    reply->touched = false;
    reply->link.sock = link->sock; /* borrowed, to read heads */
    reply->link.stream = link->stream;
    if (link->lease != NULL && !link->to_proxy) /* a proxy speaks for many servers */
        reply->repeat = &link->lease->repeat;
    *ask->put = true;
    ask->sent = 0;
    ask->interims = 0;
    ask->responded = ask->unsent = false;
    ask->broken = 0;
    n = link->carrier->send(link, ask);
    while (n == 0 && !ask->responded) {
        if (ask->sending != NULL)
            n = cg__http_client_sending_wait(ask);
        if (n == 0)
            n = read_head(ask, link, patience);
        if (n == 0)
            n = cg__http_client_head_interim(ask);
        ask->responded = n == 0 && !cg__http_client_head_is_interim(reply);
    }
    if (n == 0 && reply->head.status == 101 && !ask->fetch->upgrade)
        n = cg__http_client_because(ask->why, CG_EHTTP,
                                    "the server switches protocols unasked");
    if (n < 0 || !cg__http_client_sending_goes_on(ask))
        n = cg__http_client_sending_end(ask, n);
    link->spoiled = ask->unsent;
    reply->link.sock = NULL;
    reply->link.stream = NULL;
    reply->repeat = NULL;
    return n;
}

/* Rewinds the body; false: it cannot be sent again. */
static bool rewind_body(struct cg__asking *ask)
{
    const struct cg_http_source *source = ask->fetch->source;

    if (source == NULL || !ask->begun)
        return true;
    if (source->rewind == NULL || source->rewind(source->arg) < 0)
        return false;
    ask->begun = false;
    return true;
}

/* Whether a connection that others have used before has ended without fault of this request, for
 * example because the server has closed it while it was idle: only if no byte of a response has
 * come, and the method is idempotent or nothing was sent. */
static bool was_lost(const struct cg__asking *ask, const struct cg__link *link, ssize_t code)
{
    bool lost = code == CG_EOF || code == -ECONNRESET || code == -EPIPE ||
                cg__http_client_h2_is_innocent(link->stream);

    return lost && link->kept && !ask->fresh &&
           (cg__http_message_is_idempotent(ask->method) ||
            cg__http_client_h2_is_unsent(link->stream)) &&
           !cg__http_client_h2_was_reset(link->stream);
}

/* Whether to send the request again; `refusals` were tolerated before. A server of HTTP/2
 * says of some requests that it has not processed them. */
static bool may_try_again(struct cg__asking *ask, const struct cg__link *link, ssize_t code,
                          unsigned *refusals)
{
    if (ask->reply->touched)
        return false;
    if (cg__http_client_h2_wants_1_1(link->stream) && !ask->plain &&
        (ask->client->protocols & CG_HTTP_H1))
        ask->plain = true;
    else if (was_lost(ask, link, code))
        ask->fresh = true;
    else if (!cg__http_client_h2_was_refused(link->stream) || ++*refusals > MOST_REFUSALS)
        return false;
    return rewind_body(ask);
}

/* Whether a response means that the server has closed an idle connection just when it was used:
 * some send 408 before they do, which is no answer to the request (RFC 9110, 15.5.9, allows to
 * repeat it). One that follows an interim response is. Browsers do the same. */
static bool was_idle_too_long(struct cg__asking *ask, const struct cg__link *link)
{
    bool idle = ask->reply->head.status == 408 && link->sock != NULL && link->kept &&
                !ask->fresh && ask->interims == 0 && rewind_body(ask);

    ask->fresh |= idle;
    return idle;
}

/* Whether the server has refused Expect (417), so that the request is sent again without
 * it. Pieces of its body may have been read already, though the server took none. */
static bool refuses_question(struct cg__asking *ask)
{
    return ask->expect && ask->reply->head.status == 417 && ask->sent == 0 && rewind_body(ask);
}

static ssize_t once(struct cg__asking *ask, struct cg__link *link)
{
    unsigned refusals = 0;

    ask->fresh = false;
    for (;;) {
        bool again;
        ssize_t n;

        ask->moment = "before there was a connection";
        n = cg__http_client_link_open(link, ask);
        ask->connected = n == 0;
        if (n < 0)
            return n;
        ask->moment = "before the server responded";
        n = exchange(ask, link);
        if (n == 0 && refuses_question(ask)) {
            ask->expect = false;
            cg__http_client_link_end(link, ask->client, false);
            continue;
        }
        if (n == 0 && was_idle_too_long(ask, link)) {
            cg__http_client_link_end(link, ask->client, false);
            continue;
        }
        if (n == 0)
            return 0;
        again = may_try_again(ask, link, n, &refusals);
        cg__http_client_link_end(link, ask->client, false);
        if (!again)
            return n;
    }
}

static bool is_redirect(unsigned status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 ||
           status == 308;
}

/* The method of the redirected request. POST becomes GET after 301 and 302, as in all
 * clients; after 303 all methods but HEAD do. */
static void change_method(struct cg__asking *ask, unsigned status)
{
    bool drops = status == 303 ? strcmp(ask->method, "HEAD") != 0
                               : status <= 302 && strcmp(ask->method, "POST") == 0;

    if (drops) {
        ask->method = "GET";
        ask->with_body = false;
        ask->expect = false;
    }
}

/* 1: the response is a redirect, and `ask` is now the redirected request; 0: it is the
 * final response; negative. */
static ssize_t follow(struct cg__asking *ask)
{
    const struct cg_http_fetch *fetch = ask->fetch;
    const char *to = NULL, *wrong;
    unsigned most = fetch->redirects ? fetch->redirects : CG_HTTP_REDIRECTS;
    unsigned status = ask->reply->head.status;
    struct cg__url url;
    ssize_t n;

    if (!fetch->stay && is_redirect(status))
        to = cg_http_reply_header(ask->reply, "Location");
    if (to == NULL)
        return 0;
    if (ask->redirects == most)
        return cg__http_client_because(ask->why, CG_EHTTP_REDIRECT,
                                       "more than %u redirects", most);
    n = cg__http_url_resolve(&url, &ask->url, to, &wrong);
    if (n == CG_EHTTP_URL)
        return cg__http_client_because(ask->why, CG_EHTTP_REDIRECT,
                                       "redirected to %.100s: %s", to, wrong);
    if (n < 0)
        return n;
    if (ask->url.https && !url.https && !fetch->downgrade) {
        n = cg__http_client_because(
            ask->why, CG_EHTTP_REDIRECT,
            "redirected from https to %.100s, which is not secure", url.text);
        cg__http_url_free(&url);
        return n;
    }
    change_method(ask, status);
    if (ask->with_body && !rewind_body(ask)) {
        cg__http_url_free(&url);
        return 0; /* return the redirect: the caller may be able to send the body again */
    }
    ask->redirects++;
    ask->foreign |= !cg__http_url_same_origin(&ask->url, &url);
    url.user = ask->foreign ? NULL : url.user;
    cg__http_url_free(&ask->url);
    ask->url = url;
    ask->site = NULL;
    cg__http_client_reply_skip(ask->reply);
    return 1;
}

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
        (ask->with_body && !rewind_body(ask)))
        return result;
    if (result == 0)
        cg__http_client_reply_skip(ask->reply);
    ask->moment = "in the pause before a retry";
    n = cg_yield(cg_sleep(pause));
    return n < 0 ? n : 1;
}

/* Asks the server once. 0; 1: the request is to be sent again; negative. */
static ssize_t ask_server(struct cg__asking *ask)
{
    struct cg__link link;
    ssize_t n = once(ask, &link);

    if (n == 0)
        n = cg__http_client_reply_begin(ask->reply, &link, ask);
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
                                       "the body has more than %zu bytes", limit);
    n = cg__http_client_reply_whole(reply, limit);
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
    ssize_t n = check(ask);

    while (n == 0) {
        n = respond(ask);
        if (n == 0)
            n = follow(ask);
        if (n <= 0)
            break;
        cg__http_client_reply_reset(reply);
        n = 0;
    }
    cg__http_client_cached_end(ask);
    reply->url = ask->url;
    ask->url = (struct cg__url){.memory = NULL};
    if (n == 0)
        n = receive(ask);
    n = cg__http_client_sending_finish(ask, n);
    cg__http_client_reply_settle(reply, ask->unsent);
    return n;
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
    n = cg__http_client_site_parse(ask, url, &wrong);
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
        n = cg__http_client_reply_next(reply, buf, sizeof buf);
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
