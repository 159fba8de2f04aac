/* SPDX-License-Identifier: MIT */
/* The reply: how long it exists, the operation that reads its body, and what it tells. */
#include "config.h"

#include "http/client/body.h"
#include "http/client/h2/tunnel.h"
#include "http/client/pool/link.h"
#include "http/client/reply.h"
#include "http/coding/decoder.h"
#include "lib/base/sanitize.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Replies that a client keeps for later requests. ASan sees that a reply is used after
     * cg_http_reply_free only if its memory is freed. */
    SPARES = CG__ASAN ? 0 : 64,
    SPARE_HEADERS = 4 * 1024, /* bytes of fields that each of them keeps */
    SPARE_URL = 1024,         /* the same of its URL */
};

static enum cg_verdict reply_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_http_reply *reply = ((struct cg_http_read_reply_op *)op)->reply;

    (void)sched;
    op->result = -EBUSY;
    return reply->object.running ? CG_DONE : cg_object_enter(&reply->object, op);
}

static int reply_leave(struct cg_op *op)
{
    struct cg_http_reply *reply = ((struct cg_http_read_reply_op *)op)->reply;
    int rc = cg_object_leave(&reply->object, op);

    if (rc < 0)
        cg__http_client_reply_end(reply);
    return rc;
}

/* Called if there is no memory to run the op: nothing has begun. */
static enum cg_verdict reply_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    reply_leave(op);
    return CG_DONE;
}

static ssize_t reply_run(struct cg_op *op)
{
    struct cg_http_read_reply_op *read = (struct cg_http_read_reply_op *)op;
    struct cg_scope scope;
    ssize_t n = -EBADF;

    cg_scope_open(&scope, CG_NEVER, false);
    read->reply->scope = &scope; /* cg_http_reply_free cancels it */
    if (!read->reply->object.closed)
        n = cg__http_client_body_next(read->reply, read->buf, read->len);
    read->reply->scope = NULL;
    cg_scope_close(&scope);
    read->got = n > 0 ? (size_t)n : 0;
    return reply_leave(op) < 0 ? -EBADF : n;
}

/* The op may have been cancelled in the turn in which bytes came: then the next read gets them.
 * With CG_NOWAIT that turn may be the one that looks what has come, for this reply or for all. */
static ssize_t reply_finish(struct cg_op *op)
{
    struct cg_http_read_reply_op *read = (struct cg_http_read_reply_op *)op;

    if (op->result == -ETIMEDOUT && op->timeout == CG_NOWAIT && read->got > 0)
        op->result = (ssize_t)read->got;
    if (op->result < 0 && read->got > 0 && op->uses != NULL)
        cg__http_client_body_keep(read->reply, read->buf, read->got);
    read->got = 0;
    return op->result;
}

static int reply_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_http_reply *reply =
        ((const struct cg_http_read_reply_op *)op)->reply;

    return snprintf(buf, size, "%s, %" PRId64 "/%" PRId64, reply->url.text,
                    reply->received, reply->length);
}

const struct cg_op_type cg_http_read_reply_type = {
    .name = "http_read_reply",
    .process = reply_process,
    .run = reply_run,
    .cancel = reply_cancel,
    .finish = reply_finish,
    .print = reply_print,
};

struct cg_http_reply *cg__http_client_reply_new(struct cg_http_client *client)
{
    struct cg_http_reply *reply = client->spare;

    if (reply != NULL) {
        client->spare = reply->next;
        client->nspare--;
        *reply = (struct cg_http_reply){.client = client,
                                        .headers = reply->headers,
                                        .url_room = reply->url_room,
                                        .url_size = reply->url_size};
    } else {
        reply = malloc(sizeof *reply);
        if (reply == NULL)
            return NULL;
        *reply = (struct cg_http_reply){.client = client};
    }
    client->refs++;
    return reply;
}

/* Keeps a reply and the memory of its fields and URL for a later request. */
static void give_back(struct cg_http_reply *reply)
{
    struct cg_http_client *client = reply->client;

    if (client->freed || client->nspare == SPARES || reply->url_size > SPARE_URL) {
        cg__http_client_reply_forget(reply);
    } else {
        cg__http_message_reset(&reply->headers, SPARE_HEADERS);
        reply->client = NULL;
        reply->next = client->spare;
        client->spare = reply;
        client->nspare++;
    }
    cg__http_client_unref(client);
}

void cg__http_client_reply_end(struct cg_http_reply *reply)
{
    cg__http_client_pool_link_end(&reply->link, reply->client, false);
    cg__http_cache_release(reply->stored);
    cg__http_decoder_free(reply->decoder);
    cg__http_url_free(&reply->url);
    cg__http_message_clear(&reply->trailers);
    free(reply->body);
    free(reply->kept);
    give_back(reply);
}

void cg_http_reply_free(struct cg_http_reply *reply)
{
    if (reply == NULL)
        return;
    assert(reply->client != NULL); /* it was freed before: a spare one has no client */
    if (cg_object_close(&reply->object))
        cg__http_client_reply_end(reply);
    else if (reply->scope)
        cg_scope_cancel(reply->scope);
}

struct cg_sock *cg_http_reply_take_sock(struct cg_http_reply *reply)
{
    struct cg_sock *sock = reply->head.status == 101 ? reply->link.sock : NULL;

    if (reply->head.status == 101 && reply->link.stream != NULL)
        return cg__http_client_h2_tunnel(reply->client, &reply->link);
    if (sock != NULL) {
        reply->link.sock = NULL;
        cg__http_client_pool_link_end(&reply->link, reply->client, false);
    }
    return sock;
}

int cg_http_reply_status(const struct cg_http_reply *reply)
{
    return (int)reply->head.status;
}

const char *cg_http_reply_reason(const struct cg_http_reply *reply)
{
    return cg__http_message_at(&reply->headers, reply->head.reason);
}

const char *cg_http_reply_url(const struct cg_http_reply *reply)
{
    return reply->url.text;
}

struct cg_http_headers *cg_http_reply_headers(struct cg_http_reply *reply)
{
    return &reply->headers;
}

struct cg_http_headers *cg_http_reply_trailers(struct cg_http_reply *reply)
{
    return &reply->trailers;
}

const char *cg_http_reply_header(const struct cg_http_reply *reply, const char *name)
{
    return cg_http_headers_get(&reply->headers, name);
}

const char *cg_http_reply_body(const struct cg_http_reply *reply, size_t *size)
{
    if (size != NULL)
        *size = reply->len;
    return reply->body ? reply->body : "";
}

const char *cg_http_reply_protocol(const struct cg_http_reply *reply)
{
    return reply->head.protocol;
}

int64_t cg_http_reply_length(const struct cg_http_reply *reply)
{
    return reply->length;
}

int64_t cg_http_reply_received(const struct cg_http_reply *reply)
{
    return reply->received;
}

bool cg_http_reply_decoded(const struct cg_http_reply *reply)
{
    return reply->decoded;
}

enum cg_http_from cg_http_reply_from(const struct cg_http_reply *reply)
{
    return reply->from;
}

const char *cg_http_reply_why(const struct cg_http_reply *reply)
{
    return reply->why;
}
