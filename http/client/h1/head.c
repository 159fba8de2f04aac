/* SPDX-License-Identifier: MIT */
/* Reads the head of a response; the messages when there is none. */
#include "config.h"

#include "http/client/h1/head.h"
#include "http/client/wait.h"
#include "http/client/why.h"

#include <errno.h>
#include <string.h>

ssize_t cg__http_client_h1_head_refused(const struct cg__http_parser *parser, char *why)
{
    switch (parser->status) { /* the status with which a server would respond */
    case 414:
        return cg__http_client_because(why, CG_EHTTP_LIMIT,
                                       "the first line of the response is too long");
    case 431:
        return cg__http_client_because(why, CG_EHTTP_LIMIT,
                                       "the response is too large: %s", parser->why);
    case 503:
        return cg__http_client_because(why, -ENOMEM, "no memory for the response");
    default:
        return cg__http_client_because(why, CG_EHTTP,
                                       "the response is not valid HTTP: %s", parser->why);
    }
}

static ssize_t head_ended(struct cg_http_reply *reply, char *why)
{
    if (cg__http_parser_untouched(&reply->parser))
        return cg__http_client_because(
            why, CG_EOF, "the server closed the connection without a response");
    return cg__http_client_because(
        why, CG_EOF, "the connection ended within the head of the response");
}

/* No bytes came. The whole head has one deadline, counted from its first byte: a server
 * that sends single bytes cannot delay the client for long. */
static ssize_t no_head(ssize_t code, bool begun, char *why)
{
    if (code == -ETIMEDOUT && begun)
        return cg__http_client_because(why, code,
                                       "the head of the response took too long");
    if (code == -ETIMEDOUT)
        return cg__http_client_because(why, code, "the server does not respond");
    return cg__http_client_because(why, code, "receiving the response failed: %s",
                                   cg_strerror(code));
}

/* Stores what the parser knows about the response. */
static ssize_t note_head(struct cg_http_reply *reply, char *why)
{
    const struct cg__http_parser *parser = &reply->parser;
    bool has_length =
        parser->has_length && !parser->chunked && parser->status / 100 != 1;

    reply->head = (struct cg__http_head){
        .status = parser->status,
        .protocol = parser->minor == 0 ? "HTTP/1.0" : "HTTP/1.1",
        .reason = parser->text,
        .has_body = parser->has_body,
        .closes = !parser->keep_alive || reply->more,
        .length = has_length                             ? (int64_t)parser->length
                  : parser->has_body || parser->skip_body ? -1
                                                          : 0,
    };
    if (has_length && parser->length > INT64_MAX)
        return cg__http_client_because(why, CG_EHTTP,
                                       "the length of the body exceeds 63 bits");
    return 0;
}

ssize_t cg__http_client_h1_head_read(struct cg_http_reply *reply, const char *method,
                                     int64_t timeout, char *why)
{
    struct cg__http_parser *parser = &reply->parser;
    enum cg__http_event event = CG__HTTP_MORE;
    int64_t deadline = 0;

    cg__http_message_reset(&reply->headers, SIZE_MAX);
    cg__http_message_reset(&reply->trailers, SIZE_MAX);
    cg__http_parser_init(parser, CG__HTTP_RESPONSE, &reply->headers, &reply->trailers,
                         &reply->client->limits);
    parser->skip_body = strcmp(method, "HEAD") == 0;
    parser->repeat = reply->repeat;
    while (event == CG__HTTP_MORE) {
        struct cg_view view;
        size_t used;
        ssize_t n =
            deadline ? cg_yield(cg_borrow(reply->link.sock, &view, .timeout = CG_NEVER,
                                          .deadline = deadline))
                     : cg_yield(cg_borrow(reply->link.sock, &view, .timeout = timeout));

        if (n < 0)
            return no_head(n, deadline != 0, why);
        if (n == 0)
            return head_ended(reply, why);
        if (deadline == 0)
            deadline = cg__http_client_wait_end(reply->client,
                                                reply->client->options.idle_timeout);
        reply->touched = true;
        event = cg__http_parser_parse(parser, view.data, view.len, &used);
        reply->more = used < view.len;
        cg_view_release(&view, used);
    }
    return event == CG__HTTP_HEAD ? note_head(reply, why)
                                  : cg__http_client_h1_head_refused(parser, why);
}
