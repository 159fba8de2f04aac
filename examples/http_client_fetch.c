/* SPDX-License-Identifier: MIT */
/* How http_client fetches: coroutines take one URL after the other. Those that share the output
 * take turns in the order of the command line. See http_client_fetch.h. */
#include "http_client_fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "http_client_progress.h"
#include "http_client_talk.h"
#include "http_client_upload.h"

static const struct fetching *how;
static struct transfer *transfers;
static int status, count, begun, fetchers;
static int turn; /* the number of the transfer whose body is printed now */

static void failed(const struct transfer *transfer, int code, const char *why)
{
    progress_hide();
    example_complain(transfer->url, why);
    status = code > status ? code : status;
}

/* Reports, once, that the output cannot be written, and ends the run: it would fail for
 * the other transfers, too. */
static ssize_t output_failed(ssize_t error, const char *name)
{
    static bool reported;

    if (!reported) {
        progress_hide();
        example_fail(name, error);
        status = FETCH_NOT_WRITTEN;
        cg_sched_stop(cg_sched_self());
    }
    reported = true;
    return -ECANCELED;
}

static void show(struct cg_http_reply *reply)
{
    static const char *const from[] = {"", " from the cache", " from the cache, validated",
                                       " from the cache, stale"};
    struct cg_http_field field;
    size_t at = 0;

    if (!how->verbose)
        return;
    progress_hide();
    fprintf(stderr, "< %s%s\n< %s %d ", cg_http_reply_url(reply), from[cg_http_reply_from(reply)],
            cg_http_reply_protocol(reply), cg_http_reply_status(reply));
    example_put_plain(cg_http_reply_reason(reply));
    while (cg_http_headers_next(cg_http_reply_headers(reply), &at, &field)) {
        fprintf(stderr, "\n< %s: ", field.name);
        example_put_plain(field.value);
    }
    fputc('\n', stderr);
}

/* Reports a response that has no page: an error, or a redirect. */
static ssize_t no_page(struct transfer *transfer, struct cg_http_reply *reply)
{
    char why[512];
    const char *to = cg_http_reply_header(reply, "Location");
    int code = cg_http_reply_status(reply);

    snprintf(why, sizeof why, "%d %s%s%.300s", code, cg_http_status_text(code),
             to ? ": it has moved to " : "", to ? to : "");
    failed(transfer, FETCH_REFUSED, why);
    return 0;
}

static ssize_t wait_for_turn(const struct transfer *transfer)
{
    ssize_t n = 0;

    while (n >= 0 && turn < transfer->number)
        n = cg_yield(cg_wait_signal(&turn, NULL));
    return n;
}

/* Called after n bytes have been read: waits until the limit allows the next ones. Meanwhile
 * nothing is read, so that flow control stops the server. */
static ssize_t slow_down(ssize_t n)
{
    return how->bucket != NULL && n > 0 ? cg_yield(cg_take(how->bucket, (size_t)n)) : n;
}

/* Copies the body to the output. Transfers that share the output wait for their turn
 * before they read: flow control then stops the server. */
static ssize_t take_body(struct transfer *transfer, struct cg_http_reply *reply)
{
    char *buf = malloc(FETCH_PIECE);
    ssize_t n = how->own_names ? 0 : wait_for_turn(transfer), closed;

    if (buf == NULL)
        n = -ENOMEM;
    if (n >= 0 && (n = file_open(transfer, reply)) < 0)
        n = output_failed(n, transfer->name);
    while (n >= 0 && (n = cg_yield(cg_http_read_reply(reply, buf, how->piece))) > 0) {
        ssize_t error = file_write(transfer, buf, (size_t)n);

        transfer->received = cg_http_reply_received(reply);
        if (error < 0)
            n = output_failed(error, transfer->name);
        progress_show();
        if (how->uploads)
            fflush(transfer->file); /* somebody may wait for it before they type on */
        n = slow_down(n);
    }
    if (n < 0 && n != -ECANCELED)
        failed(transfer, FETCH_FAILED,
               *cg_http_reply_why(reply) ? cg_http_reply_why(reply) : cg_strerror(n));
    closed = file_close(transfer, reply, n >= 0);
    if (closed < 0 && n >= 0)
        n = output_failed(closed, transfer->name);
    free(buf);
    return n;
}

static ssize_t take_answer(struct transfer *transfer, struct cg_http_reply *reply)
{
    int code = cg_http_reply_status(reply);
    const char *wrong;

    show(reply);
    if (code == 416 && file_is_complete(transfer, reply))
        return 0;
    if (code >= 300)
        return no_page(transfer, reply);
    wrong = file_position(transfer, reply);
    if (wrong) {
        failed(transfer, FETCH_FAILED, wrong);
        return 0;
    }
    transfer->length = cg_http_reply_length(reply);
    transfer->active = true;
    return take_body(transfer, reply);
}

/* Takes the response while the body of the request is being sent. -EALREADY: its failure was
 * reported. */
static ssize_t receive(void *transfer, struct cg_http_reply *reply)
{
    ssize_t n = take_answer(transfer, reply);

    return n < 0 && n != -ECANCELED ? -EALREADY : n;
}

static ssize_t ask(struct transfer *transfer, bool part, struct cg_http_reply **reply, char *why)
{
    struct cg_http_field mine[FETCH_FIELDS + 3];
    struct cg_http_fetch fetch = {
        .url = transfer->url,
        .method = how->method,
        .fields = mine,
        .body = how->data,
        .len = how->data ? strlen(how->data) : 0,
        .stream = true,
        .raw = how->resumes,
        .retries = how->retries,
    };

    if (how->uploads) {
        upload_add(&fetch);
        fetch.receive = receive;
        fetch.receive_arg = transfer;
    }
    memcpy(mine, how->fields, sizeof mine);
    transfer->from = 0;
    if (part)
        file_resume(transfer, mine + how->field_count);
    return cg_yield(cg_http_fetch(how->client, &fetch, reply, .why = why));
}

/* A WebSocket takes its turn at the output like a body. */
static ssize_t talk(const struct transfer *transfer)
{
    char why[CG_HTTP_WHY_SIZE] = "";
    ssize_t n = wait_for_turn(transfer);

    progress_hide();
    if (n >= 0)
        n = talk_to(how->client, transfer->url, how->fields, how->verbose, why);
    if (n < 0 && n != -ECANCELED)
        failed(transfer, FETCH_FAILED, why);
    return n == -ECANCELED ? n : 0;
}

/* Whether a transfer waits for its turn before it asks. By HTTP/2 transfers share a
 * connection, on which the server allows so many streams at a time: a transfer that has one
 * and waits to be printed could keep it from the one whose turn it is. */
static bool asks_in_turn(const struct transfer *transfer)
{
    return !how->own_names && !how->http1 &&
           (how->prior || strncmp(transfer->url, "https:", 6) == 0);
}

static ssize_t fetch_one(struct transfer *transfer)
{
    char why[CG_HTTP_WHY_SIZE];
    struct cg_http_reply *reply;
    ssize_t n = asks_in_turn(transfer) ? wait_for_turn(transfer) : 0;

    if (n >= 0)
        n = ask(transfer, how->resumes, &reply, why);
    if (n >= 0 && file_has_changed(transfer, reply)) {
        cg_http_reply_free(reply);
        n = ask(transfer, false, &reply, why);
    }
    if (n == -ECANCELED)
        return n;
    if (n < 0) {
        if (n != -EALREADY)
            failed(transfer, FETCH_FAILED, why);
        transfer->active = false;
        return 0;
    }
    if (!how->uploads)
        n = take_answer(transfer, reply);
    cg_http_reply_free(reply);
    transfer->active = false;
    return n;
}

/* One of the coroutines that fetch: takes the next URL until none is left. A transfer that
 * has failed waits for its turn, too, since the turns are counted. */
static ssize_t fetch(void *arg)
{
    ssize_t n = 0;

    (void)arg;
    while (begun < count && n != -ECANCELED) {
        struct transfer *transfer = &transfers[begun++];

        n = talk_is_for(transfer->url) ? talk(transfer) : fetch_one(transfer);
        progress_done(transfer);
        if (n != -ECANCELED)
            n = how->own_names ? 0 : wait_for_turn(transfer);
        if (n >= 0) {
            turn++;
            n = cg_yield(cg_signal(&turn, NULL));
        }
    }
    if (--fetchers == 0)
        cg_http_client_free(how->client);
    return n;
}

void fetch_start(struct cg_sched *sched, const struct fetching *what, struct transfer *list,
                 int number, int at_once)
{
    how = what;
    transfers = list;
    count = number;
    progress_start(transfers, count);
    for (int i = 0; i < count && i < at_once; i++)
        if (cg_sched_start(sched, fetch, NULL, .name = "fetch") == 0)
            fetchers++;
    if (count > 0 && fetchers == 0)
        example_fail("fetch", -ENOMEM);
}

int fetch_end(void)
{
    progress_end();
    return turn < count && status == 0 ? FETCH_FAILED : status; /* a signal stops it early */
}
