/* SPDX-License-Identifier: MIT */
/* See exchange.h. */
#include "config.h"

#include "http/client/exchange.h"
#include "http/client/h2/h2.h"
#include "http/client/interim.h"
#include "http/client/pool/link.h"
#include "http/client/sending.h"
#include "http/client/source.h"
#include "http/client/why.h"

#include <errno.h>

enum { MOST_REFUSALS = 5 }; /* of one request by a server of HTTP/2 */

/* Whether the server has ended the connection; some do without the close_notify of TLS. */
static bool is_gone(ssize_t code)
{
    return code == CG_EOF || code == CG_ETLS_CUT || code == -ECONNRESET || code == -EPIPE;
}

/* Reads a head. If the request could not be sent, that is the failure, unless something says why:
 * a response, or an alert of TLS, by which a server refuses the client's certificate. */
static ssize_t read_head(struct cg__asking *ask, struct cg__link *link, int64_t patience)
{
    char why[CG_HTTP_WHY_SIZE];
    ssize_t n = link->carrier->head(ask->reply, ask->method, patience,
                                    ask->broken < 0 ? why : ask->why);

    if (n == 0 || ask->broken == 0 || ask->reply->touched)
        return n;
    if (!is_gone(n) && n != -ETIMEDOUT)
        return cg__http_client_because(ask->why, n, "%s", why);
    return cg__http_client_because(ask->why, ask->broken, "sending the request failed: %s",
                                   cg_strerror(ask->broken));
}

/* Sends a request on a connection, and reads the heads up to the final one. The body may go
 * on being sent. */
static ssize_t attempt(struct cg__asking *ask, struct cg__link *link)
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
            n = cg__http_client_interim(ask);
        ask->responded = n == 0 && !cg__http_client_is_interim(reply);
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

/* Whether a connection that others have used before has ended without fault of this request, for
 * example because the server has closed it while it was idle: only if no byte of a response has
 * come, and the method is idempotent or nothing was sent. */
static bool was_lost(const struct cg__asking *ask, const struct cg__link *link, ssize_t code)
{
    bool lost = is_gone(code) || cg__http_client_h2_is_innocent(link->stream);

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
    return cg__http_client_source_rewind(ask);
}

/* Whether a response means that the server has closed an idle connection just when it was used:
 * some send 408 before they do, which is no answer to the request (RFC 9110, 15.5.9, allows to
 * repeat it). A 408 behind an interim response is an answer. Browsers do the same. */
static bool was_idle_too_long(struct cg__asking *ask, const struct cg__link *link)
{
    bool idle = ask->reply->head.status == 408 && link->sock != NULL && link->kept &&
                !ask->fresh && ask->interims == 0 && cg__http_client_source_rewind(ask);

    ask->fresh |= idle;
    return idle;
}

/* Whether the server has refused Expect (417), so that the request is sent again without
 * it. Pieces of its body may have been read already, though the server took none. */
static bool refuses_question(struct cg__asking *ask)
{
    return ask->expect && ask->reply->head.status == 417 && ask->sent == 0 &&
           cg__http_client_source_rewind(ask);
}

ssize_t cg__http_client_exchange(struct cg__asking *ask, struct cg__link *link)
{
    unsigned refusals = 0;

    ask->fresh = false;
    for (;;) {
        bool again;
        ssize_t n;

        ask->moment = "before there was a connection";
        n = cg__http_client_pool_link_open(link, ask);
        ask->connected = n == 0;
        if (n < 0)
            return n;
        ask->moment = "before the server responded";
        n = attempt(ask, link);
        if (n == 0 && refuses_question(ask)) {
            ask->expect = false;
            cg__http_client_pool_link_end(link, ask->client, false);
            continue;
        }
        if (n == 0 && was_idle_too_long(ask, link)) {
            cg__http_client_pool_link_end(link, ask->client, false);
            continue;
        }
        if (n == 0)
            return 0;
        again = may_try_again(ask, link, n, &refusals);
        cg__http_client_pool_link_end(link, ask->client, false);
        if (!again)
            return n;
    }
}
