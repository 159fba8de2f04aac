/* SPDX-License-Identifier: MIT */
/* See budget.h. Progress is counted in what has been sent, since windows that a client gives
 * byte by byte would otherwise pay for themselves. */
#include "config.h"

#include "http/server/h2/budget.h"
#include "http/server/metrics.h"
#include "lib/base/tokens.h"

enum {
    BYTES = 256,  /* bytes of a response's body that pay for a token */
    RESPONSE = 4, /* tokens for a complete response */
    WAITING = 2000, /* frames that may wait to be written, beside DATA .. */
    WAITING_STREAM = 4, /* .. and for each stream that may be open */
};

static struct cg__tokens kind_of(const struct cg__http_h2 *h2)
{
    const struct cg_http_server_options *options = &h2->conn->server->options;

    return (struct cg__tokens){.rate = options->h2_rate, .burst = options->h2_burst};
}

static void overdraw(struct cg__http_h2 *h2)
{
    h2->overdrawn = true;
    cg__http_metrics_refuse(h2->conn->server, CG__HTTP_REFUSED_WORK);
    cg__http_h2_terminate(h2, NGHTTP2_ENHANCE_YOUR_CALM);
}

void cg__http_h2_budget_charge(struct cg__http_h2 *h2, unsigned cost)
{
    struct cg__tokens kind = kind_of(h2);
    int64_t now = cg_sched_now(h2->conn->server->sched);

    if (h2->overdrawn)
        return;
    if (cg__tokens_level(&kind, h2->budget_full, now) >= cost)
        cg__tokens_take(&kind, &h2->budget_full, cost, now);
    else
        overdraw(h2);
}

void cg__http_h2_budget_waiting(struct cg__http_h2 *h2)
{
    size_t most = WAITING + WAITING_STREAM * (size_t)h2->conn->server->options.h2_streams;

    if (!h2->overdrawn && nghttp2_session_get_outbound_queue_size(h2->session) > most)
        overdraw(h2);
}

static bool is_there(const struct cg__http_h2 *h2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h2->session, id) != NULL;
}

/* Whether a body may belong to a stream that is being served: nghttp2 may still get its head, with
 * the same bytes. What nghttp2 has processed does not tell that, for it counts no stream that it
 * has refused. */
static bool may_be_there(const struct cg__http_h2 *h2, int32_t id)
{
    return id > h2->frames.got || is_there(h2, id);
}

static unsigned cost_of(const struct cg__http_h2 *h2, const nghttp2_frame_hd *hd)
{
    switch (hd->type) {
    case NGHTTP2_DATA:
        return !may_be_there(h2, hd->stream_id) ||
               (hd->length == 0 && !(hd->flags & NGHTTP2_FLAG_END_STREAM));
    case NGHTTP2_HEADERS: /* Trailers behind their head cost a token, which the response returns. */
        return hd->stream_id <= h2->frames.last && !is_there(h2, hd->stream_id);
    case NGHTTP2_RST_STREAM:
        return CG__HTTP_H2_RESET;
    default:
        return 1;
    }
}

void cg__http_h2_budget_frame(struct cg__http_h2 *h2, const nghttp2_frame_hd *hd)
{
    unsigned cost = cost_of(h2, hd);

    if (cost > 0)
        cg__http_h2_budget_charge(h2, cost);
}

void cg__http_h2_budget_sent(struct cg__http_h2 *h2, const nghttp2_frame_hd *hd)
{
    struct cg__tokens kind = kind_of(h2);
    uint64_t tokens = hd->type == NGHTTP2_DATA ? hd->length / BYTES : 0;

    if (hd->flags & NGHTTP2_FLAG_END_STREAM)
        tokens += RESPONSE;
    if (tokens > 0) /* most heads are worth nothing, and this divides */
        cg__tokens_return(&kind, &h2->budget_full, tokens);
}
