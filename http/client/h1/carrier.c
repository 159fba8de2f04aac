/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 as the carrier of a request: send.c, head.c, and the bodies here. */
#include "config.h"

#include "http/client/h1/carrier.h"
#include "http/client/h1/head.h"
#include "http/client/h1/send.h"
#include "http/client/wait.h"
#include "http/client/why.h"
#include "lib/base/plural.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* The message is complete. Bytes after it belong to no request; such a connection is not
 * used again. */
static void complete(struct cg_http_reply *reply)
{
    reply->ended = true;
    reply->link.spoiled |= !reply->parser.keep_alive || reply->more;
}

static ssize_t too_short(struct cg_http_reply *reply)
{
    if (reply->length >= 0)
        return cg__http_client_because(reply->why, CG_EOF,
                                       "the connection ended after %" PRId64
                                       " of %" PRId64 " byte%s of the body",
                                       reply->received, reply->length,
                                       cg__plural((unsigned long long)reply->length));
    return cg__http_client_because(reply->why, CG_EOF,
                                   "the connection ended before the end of the body");
}

/* A connection that the kernel has given up for lost would read like one that has ended. */
static ssize_t cannot_read(struct cg_http_reply *reply, ssize_t code, int64_t deadline)
{
    if (cg__http_client_wait_is_over(reply->client, code, deadline))
        return cg__http_client_because(reply->why, code,
                                       "the rest of the body takes too long");
    if (code == -ECANCELED || code == -EBUSY)
        return code;
    reply->error = cg__http_client_because(reply->why, code, "receiving the body failed: %s",
                                           cg_strerror(code));
    return code;
}

static ssize_t end_of_stream(struct cg_http_reply *reply)
{
    if (cg__http_parser_end(&reply->parser) != CG__HTTP_DONE)
        return too_short(reply);
    reply->parser.keep_alive = false;
    complete(reply);
    return 0;
}

/* Parses bytes that have come. Returns how many of them belong to the body; 0: none. */
static ssize_t parse(struct cg_http_reply *reply, struct cg_view *view, void *buf,
                     size_t len)
{
    struct cg__http_parser *parser = &reply->parser;
    size_t used = 0;
    ssize_t n = 0;
    /* Parse no more bytes than fit into buf. */
    enum cg__http_event event = cg__http_parser_parse(
        parser, view->data, view->len < len ? view->len : len, &used);

    if (event == CG__HTTP_BODY) {
        n = (ssize_t)parser->body_len;
        memcpy(buf, parser->body, parser->body_len);
        reply->received += n;
        /* The DONE event may need no further bytes. */
        event = cg__http_parser_parse(parser, view->data + used, 0, &(size_t){0});
    }
    reply->more = used < view->len;
    cg_view_release(view, used);
    if (event == CG__HTTP_DONE)
        complete(reply);
    if (event == CG__HTTP_BAD)
        reply->error = cg__http_client_h1_head_refused(parser, reply->why);
    return n;
}

static ssize_t read_body(struct cg_http_reply *reply, void *buf, size_t len)
{
    ssize_t n = 0;

    while (n == 0 && !reply->ended && reply->error == 0) {
        int64_t deadline =
            cg__http_client_wait_end(reply->client, reply->client->options.idle_timeout);
        struct cg_view view;

        n = cg_yield(cg_borrow(reply->link.sock, &view, .timeout = CG_NEVER,
                               .deadline = deadline));
        if (n < 0)
            return cannot_read(reply, n, deadline);
        if (n == 0)
            return end_of_stream(reply);
        n = parse(reply, &view, buf, len);
    }
    return n > 0 ? n : reply->error;
}

const struct cg__carrier cg__http_client_h1_carrier = {
    .send = cg__http_client_h1_send,
    .send_body = cg__http_client_h1_send_body,
    .listen = cg__http_client_h1_send_listen,
    .head = cg__http_client_h1_head_read,
    .body = read_body,
};
