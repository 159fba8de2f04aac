/* SPDX-License-Identifier: MIT */
/* cg_ws_connect: the client's side of the handshake. */
#include "config.h"

#include "http/client/why.h"
#include "http/message/url.h"
#include "http/message/ws_key.h"
#include "http/ws/ws.h"
#include "http/ws/ws_offer.h"
#include "http/ws/ws_protocol.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OURS = 6 }; /* fields of ours */

static struct cg_ws_connect_op *of(struct cg_op *op)
{
    return (struct cg_ws_connect_op *)op;
}

/* "ws" and "wss" are other names of "http" and "https". NULL: no memory. */
static char *http_url(const char *url)
{
    bool ws = cg__ascii_begins(url, "ws://") || cg__ascii_begins(url, "wss://");
    char *text = malloc(strlen(url) + sizeof "http");

    if (text != NULL)
        strcpy(stpcpy(text, ws ? "http" : ""), ws ? url + 2 : url);
    return text;
}

/* The fields of the request, ours and then the caller's. NULL: no memory. */
static struct cg_http_field *fields_new(const struct cg_ws_connect_op *connect,
                                        const char *key, const char *offer)
{
    struct cg_http_field ours[OURS] = {
        {"Upgrade", "websocket"},
        {"Connection", "Upgrade"},
        {"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Key", key},
    };
    struct cg_http_field *fields;
    size_t count = 0, n = 4;

    if (connect->options.protocol != NULL)
        ours[n++] = (struct cg_http_field){"Sec-WebSocket-Protocol", connect->options.protocol};
    if (*offer != '\0')
        ours[n++] = (struct cg_http_field){"Sec-WebSocket-Extensions", offer};
    while (connect->fields != NULL && connect->fields[count].name != NULL)
        count++;
    fields = calloc(n + count + 1, sizeof *fields);
    if (fields == NULL)
        return NULL;
    memcpy(fields, ours, n * sizeof *fields);
    if (count > 0)
        memcpy(fields + n, connect->fields, count * sizeof *fields);
    return fields;
}

static ssize_t refused(const struct cg_ws_connect_op *connect, const char *why)
{
    return cg__http_client_because(connect->why, CG_EWS, "%s", why);
}

/* Checks the response (RFC 6455, 4.1), and takes what the server has chosen. */
static ssize_t check(const struct cg_ws_connect_op *connect, struct cg_http_reply *reply,
                     const char *key, struct cg__ws_params *params)
{
    const struct cg_http_headers *headers = cg_http_reply_headers(reply);
    const char *answer = cg_http_reply_header(reply, "Sec-WebSocket-Accept");
    const char *protocol = cg_http_reply_header(reply, "Sec-WebSocket-Protocol");
    char wanted[CG__WS_ACCEPT];

    if (cg_http_reply_status(reply) != 101)
        return cg__http_client_because(connect->why, CG_EWS,
                                       "the server responds with %d %s",
                                       cg_http_reply_status(reply),
                                       cg_http_status_text(cg_http_reply_status(reply)));
    cg__http_ws_key_accept(key, wanted);
    if (!cg_http_headers_has(headers, "Upgrade", "websocket") ||
        !cg_http_headers_has(headers, "Connection", "upgrade"))
        return refused(connect, "the server upgrades to another protocol");
    if (answer == NULL || strcmp(answer, wanted) != 0)
        return refused(connect, "the server's Sec-WebSocket-Accept is wrong");
    if (protocol != NULL && (connect->options.protocol == NULL ||
                             !cg__http_ws_protocol_has(connect->options.protocol, protocol,
                                                       strlen(protocol))))
        return refused(connect, "the server has chosen a subprotocol that was not offered");
    if (!cg__http_ws_offer_take(headers, &connect->options, params))
        return refused(connect, "the server has chosen an extension that was not offered");
    return 0;
}

static ssize_t make(struct cg_ws_connect_op *connect, struct cg_http_reply *reply,
                    const char *key)
{
    struct cg__ws_params params;
    ssize_t n = check(connect, reply, key, &params);

    if (n == 0)
        n = cg__http_ws_make(NULL, &connect->options, &params,
                             cg_http_reply_header(reply, "Sec-WebSocket-Protocol"),
                             connect->ws);
    if (n < 0)
        return n;
    connect->made = true;
    (*connect->ws)->sock = cg_http_reply_take_sock(reply);
    return (*connect->ws)->sock != NULL ? 0 : -ENOMEM;
}

static ssize_t ask(struct cg_ws_connect_op *connect, const char *url, const char *key)
{
    struct cg_http_reply *reply;
    struct cg_http_fetch fetch = {.url = url, .upgrade = true, .stay = true, .stream = true};
    char offer[CG__WS_OFFER];
    struct cg_http_field *fields;
    ssize_t n;

    cg__http_ws_offer_make(&connect->options, offer);
    fields = fields_new(connect, key, offer);
    if (fields == NULL)
        return -ENOMEM;
    fetch.fields = fields;
    n = cg_yield(cg_http_fetch(connect->client, &fetch, &reply, .why = connect->why,
                               .timeout = CG_NEVER));
    free(fields);
    if (n < 0)
        return n;
    n = make(connect, reply, key);
    cg_http_reply_free(reply);
    return n;
}

/* The message names the URL as the caller has written it. */
static ssize_t check_url(const struct cg_ws_connect_op *connect, const char *http)
{
    const char *wrong = "", *url = connect->url;
    struct cg__url parsed;
    ssize_t n = cg__http_url_parse(&parsed, http, &wrong);

    cg__http_url_free(&parsed);
    if (n == CG_EHTTP_URL)
        cg__http_client_because(connect->why, n, "%.100s is not a valid URL: %s",
                                url != NULL && *url != '\0' ? url : "\"\"", wrong);
    return n;
}

static ssize_t connect_run(struct cg_op *op)
{
    struct cg_ws_connect_op *connect = of(op);
    char key[CG__WS_KEY], why[CG_HTTP_WHY_SIZE], *url;
    ssize_t n;

    if (connect->why == NULL)
        connect->why = why;
    connect->why[0] = '\0';
    connect->options.client = true;
    if (!cg__http_ws_protocol_are_valid(&connect->options))
        return cg__http_client_because(connect->why, -EINVAL, "an option is invalid");
    url = http_url(connect->url != NULL ? connect->url : "");
    if (url == NULL)
        return -ENOMEM;
    n = check_url(connect, url);
    if (n == 0)
        n = cg__http_ws_key_new(key);
    if (n == 0)
        n = ask(connect, url, key);
    free(url);
    if (n < 0 && connect->why[0] == '\0')
        cg__http_client_because(connect->why, n, "%s", cg_strerror(n));
    return n;
}

/* Also if the op was cancelled in the turn in which the response came. */
static ssize_t connect_finish(struct cg_op *op)
{
    if (op->result < 0) {
        if (of(op)->made)
            cg_ws_free(*of(op)->ws);
        *of(op)->ws = NULL;
    }
    of(op)->made = false;
    return op->result;
}

static int connect_print(const struct cg_op *op, char *buf, size_t size)
{
    const char *url = ((const struct cg_ws_connect_op *)op)->url;

    return snprintf(buf, size, "%s", url != NULL ? url : "nothing");
}

const struct cg_op_type cg_ws_connect_type = {
    .name = "ws_connect",
    .run = connect_run,
    .finish = connect_finish,
    .print = connect_print,
};
