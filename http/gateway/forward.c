/* SPDX-License-Identifier: MIT */
/* Forwards a request to a URL, and the response back. Bodies are copied in pieces, in both
 * directions, as fast as the slower side takes them. A short response is sent only when it has
 * come completely: so nothing of it is lost, and the request can be sent elsewhere, if the
 * upstream dies within it. */
#include "config.h"

#include "http/gateway/forward.h"
#include "http/gateway/forward_fields.h"
#include "http/gateway/forward_proxied.h"
#include "http/gateway/upstreams.h"
#include "http/message/message.h"
#include "http/message/ws_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 32 * 1024 };

#define TUNNEL_TIMEOUT (60 * CG_MINUTE)

/* A forwarding is cancelled because its client has left. */
static ssize_t because(struct cg__forward *fw, enum cg_http_fault fault, ssize_t code,
                       const char *why)
{
    fw->fault = code == -ECANCELED ? CG_HTTP_FAULT_REQUEST : fault;
    if (why != NULL)
        snprintf(fw->why, CG_HTTP_WHY_SIZE, "%s", why);
    return code;
}

static ssize_t read_body(void *arg, void *buf, size_t size)
{
    struct cg__forward *fw = arg;
    ssize_t n, end;
    char none;

    fw->read = true;
    end = n = cg_yield(cg_http_read(fw->req, buf, size));
    fw->received += n > 0 ? n : 0;
    if (n > 0 && fw->received == cg_http_request_length(fw->req)) /* nobody else reads the end */
        end = cg_yield(cg_http_read(fw->req, &none, 1));
    if (end == 0 && (end = cg__http_forward_fields_pass_trailers(fw)) < 0)
        n = end;
    if (end < 0 && end != -ECANCELED) /* that is a response which ends the sending */
        fw->broken = end;
    fw->read_all = end == 0;
    return n;
}

/* Forwards an interim response, such as 103 Early Hints. 100 Continue is not forwarded: it
 * concerns one connection only. The server sends one to its client when the body is read. */
static ssize_t hand_interim_back(void *arg, int status, const struct cg_http_headers *headers)
{
    struct cg__forward *fw = arg;
    struct cg_http_field fields[CG_HTTP_HEADERS_COUNT + 1];
    ssize_t n;

    if (status == 100)
        return 0;
    cg__http_forward_fields_interim(headers, fields);
    n = cg_yield(cg_lock(&fw->saying));
    if (n < 0)
        return n;
    n = cg_yield(cg_http_send_interim(fw->req, status, fields));
    cg_mutex_unlock(&fw->saying);
    if (n == -EMSGSIZE || n == -EINVAL) /* leave it out, since it is optional */
        return 0;
    if (n < 0)
        fw->broken = n;
    return n;
}

/* Whether the upstream means WebSocket. A client of HTTP/1 finds out itself; over HTTP/2 there is
 * no key, so the server has made one for the upstream (RFC 8441, 5). */
static bool is_meant(const struct cg__forward *fw, const struct cg_http_reply *reply)
{
    const char *key = cg_http_request_header(fw->req, "Sec-WebSocket-Key");
    const char *answer = cg_http_reply_header(reply, "Sec-WebSocket-Accept");
    char right[CG__WS_ACCEPT];

    if (!cg__http_forward_is_http2(fw) || key == NULL || !cg__http_ws_key_is_valid(key))
        return true;
    cg__http_ws_key_accept(key, right);
    return answer != NULL && strcmp(answer, right) == 0;
}

/* The client gets the response as it comes, which may take hours. */
static void begin_response(struct cg__forward *fw)
{
    if (fw->upstream != NULL)
        cg__http_upstreams_responds(fw->upstream);
}

/* The connection to the upstream is now the other protocol's, and so is the client's. */
static ssize_t tunnel(struct cg__forward *fw, struct cg_http_reply *reply)
{
    int64_t patience = fw->hop->tunnel_timeout > 0 ? fw->hop->tunnel_timeout : TUNNEL_TIMEOUT;
    const char *to = cg_http_reply_header(reply, "Upgrade");
    struct cg_sock *client, *upstream = cg_http_reply_take_sock(reply);
    ssize_t n;

    if (upstream == NULL || to == NULL ||
        !cg_http_headers_has(cg_http_request_headers(fw->req), "Upgrade", to) ||
        !is_meant(fw, reply)) {
        cg_sock_close(upstream);
        return because(fw, CG_HTTP_FAULT_UPSTREAM, CG_EHTTP,
                       "the upgrade is to a protocol that was not asked for");
    }
    begin_response(fw);
    n = cg__http_forward_fields_answer(fw, reply, true);
    if (n == 0)
        n = cg_http_response_set_header(fw->req, "Upgrade", to);
    if (n == 0)
        n = cg_yield(cg_http_upgrade(fw->req, 101, &client));
    if (n == 0) {
        cg_yield(cg_relay(client, upstream, .timeout = patience, .weak_timeout = true));
        cg_sock_close(client);
        n = 101;
    }
    cg_sock_close(upstream);
    return n < 0 ? because(fw, CG_HTTP_FAULT_REQUEST, n, "the upgrade failed") : n;
}

static ssize_t next_piece(struct cg__forward *fw, struct cg_http_reply *reply, char *buf,
                          size_t size)
{
    ssize_t n;

    fw->waits = cg_sched_now(cg_sched_self());
    n = cg_yield(cg_http_read_reply(reply, buf, size));
    fw->waits = 0;
    return n;
}

/* Whether nothing can follow a body of the announced length: in HTTP/2 trailers can. */
static bool ends_by_length(const struct cg_http_reply *reply)
{
    return strcmp(cg_http_reply_protocol(reply), "HTTP/2") != 0;
}

/* Reads what has come of the body, or all of it if it is known to fit into the buffer. 0: that
 * is the whole body; 1: more may follow; or a negative code. */
static ssize_t gather(struct cg__forward *fw, struct cg_http_reply *reply, char *buf,
                      size_t size, size_t *len)
{
    int64_t length = cg_http_reply_length(reply);
    bool fits = length >= 0 && (uint64_t)length < size;

    while (*len < size) {
        ssize_t n = fits ? next_piece(fw, reply, buf + *len, size - *len)
                         : cg_yield(cg_http_read_reply(reply, buf + *len, size - *len,
                                                       .timeout = CG_NOWAIT));

        if (n == -ETIMEDOUT && !fits)
            return 1;
        if (n <= 0)
            return n;
        *len += (size_t)n;
        if (fits && *len == (uint64_t)length && ends_by_length(reply))
            return 0;
    }
    return 1;
}

/* Whether the rest of the request is being sent while the response is handed back. */
static bool still_sends(const struct cg__forward *fw)
{
    return cg_http_request_length(fw->req) != 0 && !fw->read_all;
}

static ssize_t stream(struct cg__forward *fw, struct cg_http_reply *reply, char *buf,
                      size_t len, bool more)
{
    ssize_t n = cg_yield(cg_http_write(fw->req, buf, len));

    while (n >= 0 && more) {
        ssize_t piece = next_piece(fw, reply, buf, PIECE);

        if (piece < 0)
            return because(fw, CG_HTTP_FAULT_RESPONSE, piece, cg_http_reply_why(reply));
        more = piece > 0;
        if (more)
            n = cg_yield(cg_http_write(fw->req, buf, (size_t)piece));
    }
    if (n < 0)
        return because(fw, CG_HTTP_FAULT_REQUEST, n, "the client has left");
    n = cg__http_forward_fields_trailers(fw, reply);
    if (n < 0 || !still_sends(fw))
        return n;
    n = cg_yield(cg_http_write(fw->req, NULL, 0, .last = true));
    return n < 0 ? because(fw, CG_HTTP_FAULT_REQUEST, n, "the client has left") : 0;
}

static bool is_bare(const struct cg__forward *fw, int status)
{
    return status == 204 || status == 304 ||
           strcmp(cg_http_request_method(fw->req), "HEAD") == 0;
}

/* A response that is complete in memory goes out when the handler returns, or in parts, with its
 * length, if that would be later. */
static ssize_t answer(struct cg__forward *fw, struct cg_http_reply *reply, char *buf,
                      size_t len, bool more)
{
    int status = cg_http_reply_status(reply);
    bool known = !more && !is_bare(fw, status) && cg_http_reply_trailers(reply)->count == 0;
    bool whole = known && !still_sends(fw);
    ssize_t n = cg__http_forward_fields_answer(fw, reply, known);

    if (n == 0 && known && !whole)
        n = cg__http_forward_fields_length(fw, len);
    if (n < 0)
        return because(fw, CG_HTTP_FAULT_RESPONSE, n, "the head of the response");
    if (whole) {
        n = cg_yield(cg_http_respond(fw->req, status, buf, len));
        return n < 0 ? because(fw, CG_HTTP_FAULT_REQUEST, n, "the client has left") : status;
    }
    begin_response(fw);
    cg_http_response_set_status(fw->req, status);
    n = stream(fw, reply, buf, len, more);
    return n < 0 ? n : status;
}

static ssize_t hand_back(struct cg__forward *fw, struct cg_http_reply *reply)
{
    int64_t length = cg_http_reply_length(reply);
    size_t size = length >= 0 && length < PIECE ? (size_t)length + 1 : PIECE, len = 0;
    char *buf;
    ssize_t n;

    if (cg__http_forward_fields_size(cg_http_reply_headers(reply)) > CG_HTTP_FORWARD_LIMIT)
        return because(fw, CG_HTTP_FAULT_UPSTREAM, CG_EHTTP_LIMIT,
                       "the head of the response exceeds 14 KiB");
    buf = malloc(size);
    if (buf == NULL)
        return because(fw, CG_HTTP_FAULT_RESPONSE, -ENOMEM, "no memory");
    n = gather(fw, reply, buf, size, &len);
    if (n < 0)
        because(fw, CG_HTTP_FAULT_UPSTREAM, n, cg_http_reply_why(reply));
    else
        n = answer(fw, reply, buf, len, n > 0);
    free(buf);
    return n;
}

/* Notes why there is no response, and whose fault that is. */
static ssize_t cannot_fetch(struct cg__forward *fw, ssize_t code)
{
    if (fw->broken < 0)
        return because(fw, CG_HTTP_FAULT_REQUEST, fw->broken, NULL);
    if (code == -ECANCELED)
        return because(fw, CG_HTTP_FAULT_REQUEST, code, NULL);
    if (!fw->sent && (code == -EINVAL || code == CG_EHTTP_URL)) {
        cg_http_response_set_failure(fw->req, 400);
        return because(fw, CG_HTTP_FAULT_REQUEST, code, NULL);
    }
    return because(fw, fw->sent ? CG_HTTP_FAULT_UPSTREAM : CG_HTTP_FAULT_CONNECT, code, NULL);
}

/* Called when the head of the response has come. The rest of the request is sent meanwhile. */
static ssize_t receive(void *arg, struct cg_http_reply *reply)
{
    struct cg__forward *fw = arg;
    ssize_t n;

    fw->answering = true;
    n = cg_yield(cg_lock(&fw->saying));
    if (n < 0) {
        because(fw, CG_HTTP_FAULT_REQUEST, n, NULL);
    } else {
        n = cg_http_reply_status(reply) == 101 ? tunnel(fw, reply) : hand_back(fw, reply);
        cg_mutex_unlock(&fw->saying);
    }
    fw->result = n;
    fw->answering = cg_http_response_status(fw->req) != 0;
    return n < 0 ? n : 0;
}

/* What becomes of a request whose response was handed back decides; unless that failed because
 * its body could not be read any more. */
static ssize_t exchange(struct cg__forward *fw, const struct cg_http_fetch *fetch)
{
    struct cg_http_reply *reply;
    ssize_t n = cg_yield(
        cg_http_fetch(fw->client, fetch, &reply, .why = fw->why, .sent = &fw->sent));

    cg_http_reply_free(reply);
    if (fw->result == 0)
        return cannot_fetch(fw, n);
    if (fw->result < 0 && fw->broken < 0)
        return because(fw, CG_HTTP_FAULT_REQUEST, fw->broken, NULL);
    return fw->result;
}

/* Composes the URL behind the texts of the fields, which have the room. 0 or -ENOMEM. */
static int compose_url(struct cg__forward *fw)
{
    const struct cg__upstream *upstream = fw->upstream;
    struct cg_http_headers *text = &fw->fields;
    size_t len = strlen(fw->path);
    char *to;

    if (cg__http_message_reserve(text, upstream->len + len + sizeof "/") < 0)
        return -ENOMEM;
    fw->url = to = text->data + text->used;
    memcpy(to, upstream->url, upstream->len);
    to += upstream->len;
    if (*fw->path == '?')
        *to++ = '/';
    memcpy(to, fw->path, len + 1);
    text->used += (uint32_t)(to + len + 1 - fw->url);
    return 0;
}

ssize_t cg__http_forward_once(struct cg__forward *fw)
{
    const struct cg_http_source body = {
        .read = read_body,
        .arg = fw,
        .len = cg_http_request_length(fw->req),
        .trailers = &fw->trailers,
    };
    struct cg_http_fetch fetch = {
        .method = cg_http_request_method(fw->req),
        .headers = &fw->fields,
        .proxied = cg__http_forward_proxied(fw),
        .source = body.len == 0 ? NULL : &body,
        .expect = body.len != 0 && cg_http_request_header(fw->req, "Expect") != NULL,
        .upgrade = cg__http_forward_wants_upgrade(fw),
        .receive = receive,
        .receive_arg = fw,
        .stay = true,
        .raw = true,
        .bare = true,
        .interim = hand_interim_back,
        .interim_arg = fw,
    };
    ssize_t n;

    fw->fault = CG_HTTP_FAULT_NONE;
    fw->result = 0;
    fw->why[0] = '\0';
    fw->sent = false;
    n = cg__http_forward_fields_make(fw, fetch.upgrade);
    if (n == -EINVAL)
        return because(fw, CG_HTTP_FAULT_RESPONSE, n, "an item of .trusted is no address");
    if (n == 0 && fw->path != NULL)
        n = compose_url(fw);
    fetch.url = fw->url;
    return n < 0 ? because(fw, CG_HTTP_FAULT_RESPONSE, n, "no memory") : exchange(fw, &fetch);
}
