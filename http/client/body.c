/* SPDX-License-Identifier: MIT */
/* See body.h. Each error of a server has a code and a message. */
#include "config.h"

#include "http/client/body.h"
#include "http/client/pool/link.h"
#include "http/client/wait.h"
#include "http/client/why.h"
#include "http/coding/decoder.h"
#include "lib/base/plural.h"

#include <cogen/coro.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    SKIP_LIMIT = 64 * 1024, /* bytes of a body that are discarded to keep a connection */
    FIRST_ROOM = 8 * 1024,
};

#define SKIP_TIME CG_SECOND /* how long that may take: a new connection is soon cheaper */

/* Returns the connection, or closes it; but not as long as the request is being sent. */
static void let_link_go(struct cg_http_reply *reply, bool keep)
{
    if (!reply->sends)
        cg__http_client_pool_link_end(&reply->link, reply->client, keep);
    else
        reply->link.spoiled |= !keep;
}

void cg__http_client_body_settle(struct cg_http_reply *reply, bool unsent)
{
    if (!reply->sends)
        return;
    reply->sends = false;
    reply->link.spoiled |= unsent;
    if (reply->ended || reply->error < 0)
        let_link_go(reply, true);
}

/* Notes a permanent error; the connection is not used again. */
static ssize_t failed(struct cg_http_reply *reply, ssize_t code)
{
    reply->error = code;
    cg__http_cache_drop(reply->stored);
    let_link_go(reply, false);
    return code;
}

/* Whether the caller may read further. */
static bool is_temporary(ssize_t code)
{
    return code == -ETIMEDOUT || code == -ECANCELED || code == -EBUSY;
}

static void let_go(struct cg_http_reply *reply)
{
    cg__http_cache_release(reply->stored);
    reply->stored = NULL;
    reply->storing = false;
}

/* Stores bytes of the body in the cache. Only a complete body stays there. */
static void store(struct cg_http_reply *reply, const void *data, ssize_t len)
{
    if (reply->error < 0 ||
        (len > 0 && !cg__http_cache_add(reply->stored, data, (size_t)len))) {
        let_go(reply);
    } else if (reply->ended) {
        cg__http_cache_commit(reply->stored);
        reply->storing = false;
    }
}

/* Reads undecoded bytes: 1 to len, or 0 at the end, when the connection is returned. */
static ssize_t next_raw(struct cg_http_reply *reply, void *buf, size_t len)
{
    ssize_t n;

    if (reply->ended)
        return 0;
    n = reply->link.carrier->body(reply, buf, len);
    if (n < 0 && !is_temporary(n))
        reply->error = n;
    if (reply->storing)
        store(reply, buf, n);
    if (reply->ended || reply->error < 0)
        let_link_go(reply, reply->error == 0);
    return n;
}

static ssize_t next_decoded(struct cg_http_reply *reply, void *buf, size_t len)
{
    for (;;) {
        char input[CG__DECODE_INPUT];
        ssize_t n = cg__http_decoder_read(reply->decoder, buf, len);

        if (n < 0) {
            cg__http_client_because(
                reply->why, n, "the compressed body is corrupt, or expands too much");
            return failed(reply, n);
        }
        if (n > 0)
            return n;
        n = next_raw(reply, input, sizeof input);
        if (n < 0)
            return n;
        if (n == 0 && !cg__http_decoder_is_complete(reply->decoder)) {
            cg__http_client_because(reply->why, n, "the compressed body is truncated");
            return failed(reply, CG_EHTTP_CODING);
        }
        if (n == 0)
            return 0;
        cg__http_decoder_give(reply->decoder, input, (size_t)n);
    }
}

static ssize_t next_kept(struct cg_http_reply *reply, void *buf, size_t len)
{
    size_t left = reply->kept_to - reply->kept_from;

    len = len < left ? len : left;
    memcpy(buf, reply->kept + reply->kept_from, len);
    reply->kept_from += len;
    if (len == left) {
        free(reply->kept);
        reply->kept = NULL;
    }
    return (ssize_t)len;
}

void cg__http_client_body_keep(struct cg_http_reply *reply, const void *data, size_t size)
{
    size_t left = reply->kept != NULL ? reply->kept_to - reply->kept_from : 0;
    char *kept = malloc(size + left);

    if (kept == NULL) {
        cg__http_client_because(reply->why, 0,
                                "no memory for the received part of the body");
        failed(reply, -ENOMEM);
        return;
    }
    memcpy(kept, data, size);
    if (left > 0)
        memcpy(kept + size, reply->kept + reply->kept_from, left);
    free(reply->kept);
    reply->kept = kept;
    reply->kept_from = 0;
    reply->kept_to = size + left;
}

ssize_t cg__http_client_body_next(struct cg_http_reply *reply, void *buf, size_t len)
{
    if (reply->kept == NULL && reply->error < 0)
        return reply->error;
    if (len == 0)
        return 0;
    if (reply->kept != NULL)
        return next_kept(reply, buf, len);
    reply->why[0] = '\0';
    return reply->decoder ? next_decoded(reply, buf, len) : next_raw(reply, buf, len);
}

ssize_t cg__http_client_body_whole(struct cg_http_reply *reply, size_t limit)
{
    size_t room = 0;

    for (;;) {
        ssize_t n;

        if (reply->len + 1 >= room) {
            size_t wanted = room ? 2 * room : FIRST_ROOM;
            char *body;

            if (room == 0 && !reply->decoder && reply->length > 0 &&
                (uint64_t)reply->length < limit && reply->length < 1024 * 1024)
                wanted = (size_t)reply->length + 2;
            if (wanted > limit && wanted - limit > 2)
                wanted = limit + 2;
            body = wanted > room ? realloc(reply->body, wanted) : NULL;
            if (body == NULL)
                return cg__http_client_because(reply->why, -ENOMEM,
                                               "no memory for the body");
            reply->body = body;
            room = wanted;
        }
        n = cg__http_client_body_next(reply, reply->body + reply->len,
                                      room - reply->len - 1);
        if (n <= 0) {
            reply->body[reply->len] = '\0';
            return n;
        }
        reply->len += (size_t)n;
        if (reply->len > limit)
            return cg__http_client_because(reply->why, CG_EHTTP_LIMIT,
                                           "the body has more than %zu byte%s", limit,
                                           cg__plural(limit));
    }
}

void cg__http_client_body_store(struct cg_http_reply *reply, struct cg__cached *stored)
{
    reply->stored = stored;
    reply->storing = stored != NULL;
    if (reply->storing && reply->ended)
        store(reply, NULL, 0);
}

void cg__http_client_body_reset(struct cg_http_reply *reply)
{
    cg__http_decoder_free(reply->decoder);
    reply->decoder = NULL;
    reply->decoded = reply->ended = false;
    reply->error = 0;
    reply->received = 0;
    reply->from = CG_HTTP_FROM_SERVER;
    let_go(reply);
}

void cg__http_client_body_skip(struct cg_http_reply *reply)
{
    char scratch[4096];
    struct cg_scope scope;
    size_t sum = 0;
    ssize_t n = 1;

    cg_scope_open(&scope, cg__http_client_wait_end(reply->client, SKIP_TIME), false);
    while (n > 0 && sum < SKIP_LIMIT && reply->length < SKIP_LIMIT && !reply->error) {
        n = next_raw(reply, scratch, sizeof scratch);
        sum += n > 0 ? (size_t)n : 0;
    }
    cg_scope_close(&scope);
    cg__http_client_pool_link_end(&reply->link, reply->client, false);
}

/* The content coding of a body; NULL: there is none, or there are several, of which none is
 * decoded. */
static const char *coding_of(const struct cg_http_headers *headers)
{
    static const char name[] = "Content-Encoding";
    uint32_t from = 0;
    const struct cg__http_entry *entry =
        cg__http_message_find(headers, name, sizeof name - 1, &from);

    if (entry == NULL || cg__http_message_find(headers, name, sizeof name - 1, &from) != NULL)
        return NULL;
    return cg__http_message_at(headers, entry->value);
}

ssize_t cg__http_client_body_begin(struct cg_http_reply *reply, struct cg__link *link,
                                   const struct cg__asking *ask)
{
    const char *coding = NULL;
    int rc;

    reply->link = *link;
    *link = (struct cg__link){.sock = NULL};
    reply->sends = ask->sending != NULL;
    reply->length = reply->head.length;
    if (reply->head.status == 101) {
        reply->ended = true; /* the connection stays for cg_http_reply_take_sock */
        return 0;
    }
    if (!reply->head.has_body) {
        reply->ended = true;
        let_link_go(reply, !reply->head.closes);
        return 0;
    }
    /* A part of a compressed body cannot be decoded by itself (RFC 9110, 14.4). */
    if (!ask->fetch->raw && reply->head.status != 206)
        coding = coding_of(&reply->headers);
    if (coding == NULL)
        return 0;
    rc = cg__http_decoder_new(&reply->decoder, coding);
    if (rc == -ENOMEM)
        return cg__http_client_because(ask->why, rc, "no memory to decode the body");
    reply->decoded = rc == 0; /* the caller gets an unknown coding undecoded */
    return 0;
}
