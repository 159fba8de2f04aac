/* SPDX-License-Identifier: MIT */
/* cg_ws_accept: the server's side of the handshake. */
#include "config.h"

#include "http/message/ws_key.h"
#include "http/ws/ws.h"
#include "http/ws/ws_offer.h"
#include "http/ws/ws_protocol.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct cg_ws_accept_op *of(struct cg_op *op)
{
    return (struct cg_ws_accept_op *)op;
}

/* The value of a field that must come once; NULL: it does not. */
static const char *single(struct cg_http_request *req, const char *name)
{
    const struct cg_http_headers *headers = cg_http_request_headers(req);
    struct cg_http_field field;
    const char *value = NULL;
    size_t at = 0;

    while (cg_http_headers_next(headers, &at, &field)) {
        if (!cg__ascii_equal(field.name, name))
            continue;
        if (value != NULL)
            return NULL;
        value = field.value;
    }
    return value;
}

/* Whether an origin is that of the host which the request names. Browsers leave out a
 * default port in both. */
static bool is_same_host(struct cg_http_request *req, const char *origin)
{
    const char *host = cg_http_request_header(req, "Host");

    origin = strstr(origin, "://");
    return origin != NULL && host != NULL && cg__ascii_equal(origin + 3, host);
}

/* Cookies of any page go along with a WebSocket, and its answers can be read: so pages of
 * other sites are refused by default. */
static bool is_allowed(struct cg_http_request *req, const char *origins)
{
    const char *origin = cg_http_request_header(req, "Origin");

    if (origin == NULL)
        return true;
    if (single(req, "Origin") == NULL)
        return false;
    if (origins == NULL)
        return is_same_host(req, origin);
    return strcmp(origins, "*") == 0 ||
           cg__http_ws_protocol_has(origins, origin, strlen(origin));
}

/* The status of a refusal, and its text. 0: the request is a valid handshake. */
static int check(struct cg_http_request *req, const char *origins, const char **why)
{
    const struct cg_http_headers *headers = cg_http_request_headers(req);
    const char *version = single(req, "Sec-WebSocket-Version");
    const char *key = single(req, "Sec-WebSocket-Key");

    *why = "This is a WebSocket: send a request to upgrade.\n";
    if (strcmp(cg_http_request_method(req), "GET") != 0 || cg_http_request_minor(req) < 1 ||
        !cg_http_headers_has(headers, "Upgrade", "websocket") ||
        !cg_http_headers_has(headers, "Connection", "upgrade"))
        return 426;
    *why = "Version 13 of WebSocket, please.\n";
    if (version == NULL || strcmp(version, "13") != 0)
        return 426;
    *why = "The Sec-WebSocket-Key is not the base64 of 16 bytes.\n";
    if (key == NULL || !cg__http_ws_key_is_valid(key))
        return 400;
    *why = "A handshake has no body.\n";
    if (cg_http_request_length(req) != 0)
        return 400;
    *why = "Pages of another origin may not connect.\n";
    return is_allowed(req, origins) ? 0 : 403;
}

static ssize_t refuse(struct cg_http_request *req, int status, const char *why)
{
    ssize_t n = 0;

    if (status == 426) {
        n = cg_http_response_set_header(req, "Sec-WebSocket-Version", "13");
        if (n == 0)
            n = cg_http_response_set_header(req, "Upgrade", "websocket");
        if (n == 0)
            n = cg_http_response_add_header(req, "Connection", "upgrade");
    }
    if (n == 0)
        n = cg_yield(cg_http_send_text(req, status, why));
    return n < 0 ? n : status;
}

static ssize_t set_fields(struct cg_http_request *req, const char *protocol,
                          const char *extensions)
{
    char answer[CG__WS_ACCEPT];
    int rc;

    cg__http_ws_key_accept(cg_http_request_header(req, "Sec-WebSocket-Key"), answer);
    rc = cg_http_response_set_header(req, "Sec-WebSocket-Accept", answer);
    if (rc == 0)
        rc = cg_http_response_set_header(req, "Upgrade", "websocket");
    if (rc == 0 && protocol != NULL)
        rc = cg_http_response_set_header(req, "Sec-WebSocket-Protocol", protocol);
    if (rc == 0 && *extensions != '\0')
        rc = cg_http_response_set_header(req, "Sec-WebSocket-Extensions", extensions);
    return rc;
}

/* The WebSocket is made first, so that nothing can fail after the response. */
static ssize_t upgrade(struct cg_http_request *req, struct cg_ws *ws, const char *extensions)
{
    struct cg_sock *sock;
    ssize_t n = set_fields(req, ws->protocol, extensions);

    if (n == 0)
        n = cg_yield(cg_http_upgrade(req, 101, &sock));
    if (n < 0)
        return n;
    ws->sock = sock;
    ws->guest.type = &cg__http_ws_guest;
    cg__http_guest_add(req, &ws->guest);
    return 0;
}

static ssize_t accept_run(struct cg_op *op)
{
    struct cg_http_request *req = of(op)->req;
    const struct cg_ws_options *options = &of(op)->options;
    char extensions[CG__WS_OFFER], protocol[CG__WS_PROTOCOL];
    struct cg__ws_params params;
    const char *why;
    ssize_t n;

    if (!cg__http_ws_protocol_are_valid(options))
        return -EINVAL;
    n = check(req, of(op)->origins, &why);
    if (n != 0)
        return refuse(req, (int)n, why);
    cg__http_ws_offer_choose(cg_http_request_headers(req), options, &params, extensions);
    n = cg__http_ws_make(NULL, options, &params,
                         cg__http_ws_protocol_choose(cg_http_request_headers(req),
                                                     options->protocol, protocol)
                             ? protocol
                             : NULL,
                         of(op)->ws);
    if (n < 0)
        return n;
    of(op)->made = true;
    return upgrade(req, *of(op)->ws, extensions);
}

/* Also if the op was cancelled in the turn in which the response was sent. */
static ssize_t accept_finish(struct cg_op *op)
{
    if (op->result < 0 && of(op)->made)
        cg_ws_free(*of(op)->ws);
    if (op->result != 0)
        *of(op)->ws = NULL;
    of(op)->made = false;
    return op->result;
}

static int accept_print(const struct cg_op *op, char *buf, size_t size)
{
    return snprintf(buf, size, "%s",
                    cg_http_request_target(((const struct cg_ws_accept_op *)op)->req));
}

const struct cg_op_type cg_ws_accept_type = {
    .name = "ws_accept",
    .run = accept_run,
    .finish = accept_finish,
    .print = accept_print,
};
