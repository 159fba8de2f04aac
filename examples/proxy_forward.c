/* SPDX-License-Identifier: MIT */
/* Forwards a request for "http://host/path". Bodies are copied in pieces, in both
 * directions, as fast as the slower side takes them. Header fields that concern only one
 * connection (hop by hop) are not forwarded. */
#include "proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define MOMENT CG_SECOND        /* how often a silent client is checked */
#define SILENCE (5 * CG_SECOND) /* how long a response to a silent client may pause */

enum {
    PIECE = 32 * 1024,
    /* Bytes of header fields that are sent back: the library's server writes heads of at
     * most 16 KiB, and adds fields of its own. */
    HEAD_MOST = 14 * 1024,
    FIELDS_MOST = CG_HTTP_HEADERS_COUNT + 5, /* includes those that the proxy adds */
};

struct forward {
    struct cg_http_request *req;
    const struct proxy *proxy;
    struct cg_http_fetch fetch;
    struct cg_http_field fields[FIELDS_MOST];
    size_t count;
    char via[48], hops[16];
    int64_t length, received; /* of the request's body */
    ssize_t broken;           /* why the body could not be read */
    int64_t waits;            /* since when the response is awaited; 0: it is not */
    bool asked;               /* all of the request has been read */
    bool answering;
    struct cg_mutex saying;   /* held while a head is written to the client */
};

/* Whether a field concerns one connection and not the message: one of these, or one that
 * Connection names. */
static bool is_hop(const struct cg_http_headers *headers, const char *name)
{
    static const char *const hops[] = {
        "Connection",         "Keep-Alive", "Proxy-Connection",  "Proxy-Authorization",
        "Proxy-Authenticate", "TE",         "Transfer-Encoding", "Upgrade",
    };

    for (size_t i = 0; i < sizeof hops / sizeof *hops; i++)
        if (strcasecmp(name, hops[i]) == 0)
            return true;
    return cg_http_headers_has(headers, "Connection", name);
}

static void put(struct forward *fw, const char *name, const char *value)
{
    fw->fields[fw->count++] = (struct cg_http_field){name, value};
}

/* Whether the library's client sends the field itself: the host of the URL, the length of
 * the body. */
static bool is_ours(const char *name)
{
    return strcasecmp(name, "Host") == 0 || strcasecmp(name, "Content-Length") == 0 ||
           strcasecmp(name, "Expect") == 0 || strcasecmp(name, "Max-Forwards") == 0;
}

static void make_fields(struct forward *fw)
{
    const struct cg_http_headers *headers = cg_http_request_headers(fw->req);
    struct cg_http_field field;
    size_t at = 0;

    while (fw->count < CG_HTTP_HEADERS_COUNT &&
           cg_http_headers_next(headers, &at, &field))
        if (!is_ours(field.name) && !is_hop(headers, field.name))
            put(fw, field.name, field.value);
    if (cg_http_headers_has(headers, "TE", "trailers")) {
        put(fw, "TE", "trailers");
        put(fw, "Connection", "TE");
    }
    if (*fw->hops)
        put(fw, "Max-Forwards", fw->hops);
    snprintf(fw->via, sizeof fw->via, "1.%d %s", cg_http_request_minor(fw->req),
             fw->proxy->name);
    put(fw, "Via", fw->via);
}

static ssize_t read_body(void *arg, void *buf, size_t len)
{
    struct forward *fw = arg;
    ssize_t n = cg_yield(cg_http_read(fw->req, buf, len)), end = n;
    char none;

    fw->received += n > 0 ? n : 0;
    if (n > 0 && fw->received == fw->length) /* nobody else reads the end */
        end = cg_yield(cg_http_read(fw->req, &none, 1));
    if (end == 0) {
        fw->asked = true;
        cg_yield(cg_signal(fw, 0));
    }
    if (n < 0)
        fw->broken = n;
    return n;
}

static ssize_t failed(struct forward *fw, ssize_t code, const char *why)
{
    if (fw->broken < 0) /* the library responds to a broken request itself */
        return fw->broken;
    switch (code) {
    case -ECANCELED:
        return code;
    case -ETIMEDOUT:
        return proxy_refuse(fw->req, 504, why);
    case -EINVAL:
    case CG_EHTTP_URL:
        return proxy_refuse(fw->req, 400, why);
    default:
        return proxy_refuse(fw->req, 502, why);
    }
}

/* Forwards an interim response, such as 103 Early Hints. 100 Continue is not forwarded:
 * it concerns one connection only. The library sends one to our client when we read the
 * body. */
static ssize_t hand_interim_back(void *arg, int status,
                                 const struct cg_http_headers *headers)
{
    struct forward *fw = arg;
    struct cg_http_field fields[CG_HTTP_HEADERS_COUNT + 1], field;
    size_t at = 0, count = 0;
    ssize_t n;

    if (status == 100)
        return 0;
    while (count < CG_HTTP_HEADERS_COUNT && cg_http_headers_next(headers, &at, &field))
        if (!is_hop(headers, field.name) && !is_ours(field.name))
            fields[count++] = field;
    fields[count] = (struct cg_http_field){NULL, NULL};
    n = cg_yield(cg_lock(&fw->saying));
    if (n < 0)
        return n;
    n = cg_yield(cg_http_send_interim(fw->req, status, fields));
    cg_mutex_unlock(&fw->saying);
    return n == -EMSGSIZE ? 0 : n; /* too large: leave it out, since it is optional */
}

static size_t size_of(const struct cg_http_headers *headers)
{
    struct cg_http_field field;
    size_t at = 0, size = 0;

    while (cg_http_headers_next(headers, &at, &field))
        size += strlen(field.name) + strlen(field.value) + 4;
    return size;
}

/* Copies the head of the response, without hop-by-hop fields. Returns 0 or a negative
 * code: a response must not be sent with a field missing. */
static ssize_t set_head(struct forward *fw, struct cg_http_reply *reply)
{
    const struct cg_http_headers *headers = cg_http_reply_headers(reply);
    struct cg_http_field field;
    size_t at = 0;
    int rc = 0;

    while (rc == 0 && cg_http_headers_next(headers, &at, &field))
        if (!is_hop(headers, field.name))
            rc = cg_http_response_add_header(fw->req, field.name, field.value);
    snprintf(fw->via, sizeof fw->via, "1.1 %s", fw->proxy->name);
    if (rc == 0)
        rc = cg_http_response_add_header(fw->req, "Via", fw->via);
    cg_http_response_set_status(fw->req, cg_http_reply_status(reply));
    return rc;
}

static ssize_t set_trailers(struct forward *fw, struct cg_http_reply *reply)
{
    const struct cg_http_headers *trailers = cg_http_reply_trailers(reply);
    struct cg_http_field field;
    size_t at = 0;
    int rc = 0;

    while (rc == 0 && cg_http_headers_next(trailers, &at, &field))
        if (!is_hop(trailers, field.name) && !is_ours(field.name))
            rc = cg_http_response_add_trailer(fw->req, field.name, field.value);
    return rc;
}

static ssize_t next_piece(struct forward *fw, struct cg_http_reply *reply, char *buf)
{
    ssize_t n;

    fw->waits = cg_sched_now(cg_sched_self());
    n = cg_yield(cg_http_read_reply(reply, buf, PIECE));
    fw->waits = 0;
    return n;
}

static ssize_t hand_back(struct forward *fw, struct cg_http_reply *reply)
{
    char *buf;
    ssize_t n;

    if (size_of(cg_http_reply_headers(reply)) > HEAD_MOST)
        return proxy_refuse(fw->req, 502, "the head of the response exceeds 14 KiB");
    buf = malloc(PIECE);
    n = buf ? set_head(fw, reply) : -ENOMEM;
    if (n == 0 && (n = cg_yield(cg_http_write(fw->req, "", 0))) >= 0)
        while ((n = next_piece(fw, reply, buf)) > 0)
            if ((n = cg_yield(cg_http_write(fw->req, buf, (size_t)n))) < 0)
                break;
    if (n == 0)
        n = set_trailers(fw, reply);
    free(buf);
    return n;
}

static ssize_t forward(void *arg)
{
    struct forward *fw = arg;
    char why[CG_HTTP_WHY_SIZE];
    struct cg_http_reply *reply;
    ssize_t n =
        cg_yield(cg_http_fetch(fw->proxy->client, &fw->fetch, &reply, .why = why));

    fw->answering = true;
    cg_yield(cg_lock(&fw->saying, .shield = true));
    if (n < 0)
        return failed(fw, n, why);
    n = hand_back(fw, reply);
    cg_http_reply_free(reply);
    return n;
}

/* Tests whether the client is still there, by sending something: if it has gone, its
 * host answers with a reset. 100 Continue does no harm, even if the client did not ask
 * for it. */
static ssize_t call_out(struct forward *fw)
{
    int error = 0;
    size_t size = sizeof error;
    ssize_t n = cg_yield(cg_lock(&fw->saying, .timeout = MOMENT));

    if (n < 0)
        return n == -ETIMEDOUT ? 0 : n; /* the response is being written */
    n = cg_yield(cg_http_send_interim(fw->req, 100, NULL));
    cg_mutex_unlock(&fw->saying);
    if (n >= 0)
        n = cg_yield(cg_sleep(MOMENT));
    if (n >= 0 && cg_sock_getopt(cg_http_request_sock(fw->req), SOL_SOCKET, SO_ERROR,
                                 &error, &size) == 0)
        n = -error;
    return n;
}

/* Called when the client has shut down its sending direction: it has gone, or it only
 * waits for the response. call_out tests that, once. Later each piece of the response
 * that is written tests it again; if none comes for SILENCE, the client is taken to
 * have gone. */
static ssize_t wait_for_silence(struct forward *fw)
{
    ssize_t n = cg_yield(cg_sleep(MOMENT));

    if (n >= 0 && !fw->answering)
        n = call_out(fw);
    while (n >= 0 &&
           (fw->waits == 0 || cg_sched_now(cg_sched_self()) - fw->waits < SILENCE))
        n = cg_yield(cg_sleep(MOMENT));
    return n;
}

/* Ends when the client has gone; then the request is given up. */
static ssize_t watch(void *arg)
{
    struct forward *fw = arg;
    struct cg_view view;
    ssize_t n = 0;

    while (n >= 0 && !fw->asked)
        n = cg_yield(cg_wait_signal(fw, NULL, .timeout = CG_NEVER));
    if (n >= 0)
        n = cg_yield(
            cg_borrow(cg_http_request_sock(fw->req), &view, .timeout = CG_NEVER));
    if (n > 0) { /* the client is there: it sent the next request */
        cg_view_release(&view, 0);
        return cg_yield(cg_suspend(.timeout = CG_NEVER));
    }
    return n < 0 ? n : wait_for_silence(fw);
}

/* OPTIONS and TRACE may limit how many proxies forward them (Max-Forwards). True: this
 * proxy must respond itself. */
static bool is_last(struct forward *fw)
{
    const char *hops = cg_http_request_header(fw->req, "Max-Forwards");
    unsigned long left;

    if (hops == NULL || (strcmp(cg_http_request_method(fw->req), "OPTIONS") != 0 &&
                         strcmp(cg_http_request_method(fw->req), "TRACE") != 0))
        return false;
    left = strtoul(hops, NULL, 10);
    snprintf(fw->hops, sizeof fw->hops, "%lu", left > 255 ? 255 : left - 1);
    return left == 0;
}

ssize_t proxy_forward(struct cg_http_request *req, const struct proxy *proxy)
{
    struct forward fw = {
        .req = req, .proxy = proxy, .length = cg_http_request_length(req)};
    const struct cg_http_source body = {
        .read = read_body,
        .arg = &fw,
        .len = fw.length,
        .trailers = cg_http_request_trailers(req),
    };
    struct cg_op *forwarding = cg_call(forward, &fw), *watching = cg_call(watch, &fw);
    ssize_t n;

    if (is_last(&fw))
        return proxy_refuse(req, 200, "Max-Forwards is 0, so this proxy responds");
    make_fields(&fw);
    fw.asked = fw.length == 0;
    fw.fetch = (struct cg_http_fetch){
        .url = cg_http_request_target(req),
        .method = cg_http_request_method(req),
        .fields = fw.fields,
        .source = fw.asked ? NULL : &body,
        .expect = cg_http_request_header(req, "Expect") != NULL,
        .stream = true,
        .stay = true,
        .raw = true,
        .bare = true,
        .interim = hand_interim_back,
        .interim_arg = &fw,
    };
    n = cg_yield(cg_any((forwarding, watching)));
    return n == 0 ? cg_op_result(forwarding) : -ECANCELED;
}
